/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run of the command under the witness's eyes: the report is parsed by a
 * parser that is not ours, and judged by the capture.
 */
#ifndef SCENE_H
#define SCENE_H

#include <jansson.h>
#include <stdint.h>

#include "run.h"
#include "witness.h"

struct scene {
	struct witness *witness; /* the test's */
	const char *name;	 /* of the pcap file that a failure leaves */
	unsigned int untold;	 /* fields left null, over all runs */

	/* Of the last run; owned. */
	struct run run;
	json_t *report;
	const struct witness_flow *flow; /* the witness's; NULL: no SYN seen */
};

/*
 * Runs "lastack -f json ARGS HOST PORT" and fails the test unless report and
 * capture agree.
 */
void scene_play(struct scene *scene, const char *host, uint16_t port,
    const char *const *args);

/* The command has run: finds the connection, judges it. */
void scene_judge(struct scene *scene, uint16_t port);

/* Leaves a pcap file, prints the segments and fails the test. */
void scene_fail(struct scene *scene, const char *why);

/* Forgets the last run; the witness is the test's to close. */
void scene_clear(struct scene *scene);

#endif
