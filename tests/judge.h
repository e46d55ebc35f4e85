/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holds a report against the capture of the connection that it tells of. The
 * capture is right.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include <jansson.h>
#include <stdbool.h>

#include "witness.h"

/*
 * Whether they agree, field by field: who closed, how and first, the last ACK,
 * TIME-WAIT, the bytes, the events. Each disagreement is told on standard
 * error, with the report and the segments. *untold counts the fields that the
 * report leaves null where the capture would have known.
 */
bool judge(const struct witness_flow *flow, const json_t *report,
    unsigned int *untold);

/* Shorthands for the tests: a member by its dotted path; exits if missing. */
const json_t *judge_at(const json_t *report, const char *path);
/* "" for null. */
const char *judge_string(const json_t *report, const char *path);
bool judge_true(const json_t *report, const char *path);
/* As expected, or null: a build without TCP_INFO may leave it open. */
bool judge_tells(const json_t *report, const char *path, const char *word);
bool judge_tells_truth(const json_t *report, const char *path, bool truth);
double judge_number(const json_t *report, const char *path);
/* Of an event, in microseconds; -1: it did not happen. */
double judge_event(const json_t *report, const char *name);

#endif
