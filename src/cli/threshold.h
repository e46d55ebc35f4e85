/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The times of a run that --warning and --critical are on. In seconds for a
 * person, in nanoseconds here.
 */
#ifndef THRESHOLD_H
#define THRESHOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "lastack.h"
#include "range.h"
#include "text.h"

struct options;

enum span {
	SPAN_TIME,	 /* until the response was complete, without -d */
	SPAN_CONNECT,	 /* the phase */
	SPAN_FIRST_BYTE, /* the phase "wait", without -d */
	SPAN_CLOSE,	 /* the phase */
	SPAN_COUNT,
};

struct threshold {
	struct range warning, critical;
};

struct violation {
	enum span span;
	bool critical;
};

/* -1: not measured. */
int64_t threshold_ns(const struct options *options,
    const struct lastack_result *result, enum span span);

/*
 * Whether a range alerts: the first one that does, of the critical ones before
 * the others. What was not measured alerts nowhere. violation may be NULL.
 */
bool threshold_violated(const struct options *options,
    const struct lastack_result *result, struct violation *violation);

/* The phase that the figure is of; TOTAL for the time of all. */
enum lastack_phase threshold_phase(enum span span);

/* "connect took 1.20 s, the warning range is 0.5". */
void threshold_tell(struct text *to, const struct options *options,
    const struct lastack_result *result, const struct violation *violation);

#endif
