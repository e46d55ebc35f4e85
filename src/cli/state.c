/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <strings.h>

#include "options.h"
#include "state.h"
#include "threshold.h"

const char *
state_name(enum state state)
{
	static const char *const names[] = { "OK", "WARNING", "CRITICAL",
		"UNKNOWN" };

	return names[state];
}

const char *
state_parse(const char *word, enum state *state)
{
	if (strncasecmp(word, "ok", 2) == 0)
		*state = STATE_OK;
	else if (strncasecmp(word, "warn", 4) == 0)
		*state = STATE_WARNING;
	else if (strncasecmp(word, "crit", 4) == 0)
		*state = STATE_CRITICAL;
	else
		return "not ok, warn or crit";
	return NULL;
}

const char *
state_parse_any(const char *word, enum state *state)
{
	if (state_parse(word, state) == NULL)
		return NULL;
	if (strncasecmp(word, "unknown", 3) != 0)
		return "its state is not ok, warn, crit or unknown";
	*state = STATE_UNKNOWN;
	return NULL;
}

/* What ended it was --timeout, and not the kernel or --connect-timeout. */
static bool
deadline_passed(const struct options *o, const struct lastack_result *result)
{
	return lastack_result_phase_ns(result, LASTACK_PHASE_TOTAL) >=
	    o->timeout_ns;
}

/* Connected, and then it did not become what it should have. */
static enum situation
response_situation(const struct options *o, const struct lastack_result *result)
{
	bool expects = talk_expectations(&o->talk) > 0;

	if (result->received_bytes > 0)
		return expects ? SITUATION_UNEXPECTED : SITUATION_FAILURE;
	return expects ? SITUATION_NO_DATA : SITUATION_FAILURE;
}

enum situation
situation_of(const struct options *o, const struct lastack_result *result)
{
	bool late = deadline_passed(o, result);

	switch (result->outcome) {
	case LASTACK_OUTCOME_OK:
		return SITUATION_ANSWERED;
	case LASTACK_OUTCOME_MISMATCH:
		return SITUATION_UNEXPECTED;
	case LASTACK_OUTCOME_RESOLVE:
		return late ? SITUATION_TIMEOUT : SITUATION_NO_NAME;
	case LASTACK_OUTCOME_REFUSED:
	case LASTACK_OUTCOME_UNREACHABLE:
		return SITUATION_NO_CONNECT;
	case LASTACK_OUTCOME_CONNECT_TIMEOUT:
		return late ? SITUATION_TIMEOUT : SITUATION_NO_CONNECT;
	case LASTACK_OUTCOME_RESPONSE_TIMEOUT:
		/* Something came, and more of it did not mend it in time. */
		if (late &&
		    (result->received_bytes == 0 ||
			talk_expectations(&o->talk) == 0))
			return SITUATION_TIMEOUT;
		return response_situation(o, result);
	case LASTACK_OUTCOME_RESET:
	case LASTACK_OUTCOME_CLOSED_EARLY:
		return response_situation(o, result);
	case LASTACK_OUTCOME_CLOSE_MISMATCH:
		return SITUATION_CLOSE;
	case LASTACK_OUTCOME_SYSTEM:
		return result->error_phase == LASTACK_PHASE_CONNECT ?
		    SITUATION_NO_CONNECT :
		    SITUATION_FAILURE;
	default:
		return SITUATION_FAILURE;
	}
}

static enum state
worse(enum state state, enum state other)
{
	return state > other ? state : other;
}

static enum state
time_state(const struct options *o, const struct lastack_result *result)
{
	struct violation violation;

	if (!threshold_violated(o, result, &violation))
		return STATE_OK;
	return violation.critical ? STATE_CRITICAL : STATE_WARNING;
}

static enum state
failure_state(const struct lastack_result *result)
{
	switch (result->outcome) {
	case LASTACK_OUTCOME_NONE:
	case LASTACK_OUTCOME_SYSTEM:
	case LASTACK_OUTCOME_INTERRUPTED:
		return STATE_UNKNOWN;
	default:
		return STATE_CRITICAL;
	}
}

enum state
state_of(const struct options *o, const struct lastack_result *result)
{
	switch (situation_of(o, result)) {
	case SITUATION_ANSWERED:
		return time_state(o, result);
	case SITUATION_UNEXPECTED:
		return worse(o->states.mismatch, time_state(o, result));
	case SITUATION_CLOSE:
		return worse(o->states.close, time_state(o, result));
	case SITUATION_NO_CONNECT:
		return o->states.refuse;
	case SITUATION_TIMEOUT:
		return o->states.timeout;
	case SITUATION_NO_DATA:
	case SITUATION_NO_NAME:
		return STATE_CRITICAL;
	default:
		return failure_state(result);
	}
}
