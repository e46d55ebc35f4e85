/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holds a JSON report against its documented form, by a parser that is not
 * ours. What is wrong fails the test.
 */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One object on one line, every member there and of its type, the numbers in
 * agreement with each other, nothing claimed that was not reached.
 * The caller's, to be freed by json_decref().
 */
json_t *schema_check(const char *line, size_t len);

/* A member by its dotted path, or the test fails. Borrowed. */
json_t *schema_at(json_t *report, const char *path);

/* Of a string; the test fails where it is null. */
const char *schema_string(json_t *report, const char *path);
int64_t schema_integer(json_t *report, const char *path);

/* Nanoseconds of a time that is told in microseconds; -1: null. */
int64_t schema_ns(json_t *report, const char *path);

#endif
