/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run is for a monitoring system: one of four states, which is the exit
 * status too, and one of the situations that check_tcp has a line for.
 */
#ifndef STATE_H
#define STATE_H

#include "lastack.h"

struct options;

enum state {
	STATE_OK,
	STATE_WARNING,
	STATE_CRITICAL,
	STATE_UNKNOWN,
};

/* Which state to give to what went wrong. */
struct states {
	enum state refuse, mismatch, timeout, close;
};

#define STATES_INIT                                                            \
	{                                                                      \
		.refuse = STATE_CRITICAL, .mismatch = STATE_WARNING,           \
		.timeout = STATE_CRITICAL, .close = STATE_CRITICAL             \
	}

enum situation {
	SITUATION_ANSWERED,   /* all well, but for a time that is not */
	SITUATION_UNEXPECTED, /* a response that does not satisfy */
	SITUATION_NO_DATA,    /* and not a byte of one */
	SITUATION_CLOSE,      /* ended in another way than expected */
	SITUATION_NO_CONNECT, /* refused, unreachable, not permitted */
	SITUATION_NO_NAME,
	SITUATION_TIMEOUT,
	SITUATION_FAILURE, /* any other */
};

/* "OK", "WARNING", "CRITICAL", "UNKNOWN". */
const char *state_name(enum state state);

/* NULL, or why word is none of ok, warn, crit; more may follow on these. */
const char *state_parse(const char *word, enum state *state);

/* The same, and unknown too: for what may be nobody's fault. */
const char *state_parse_any(const char *word, enum state *state);

enum situation situation_of(
    const struct options *options, const struct lastack_result *result);

enum state state_of(
    const struct options *options, const struct lastack_result *result);

#endif
