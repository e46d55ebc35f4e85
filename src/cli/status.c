/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include "state.h"
#include "threshold.h"
#include "status.h"

static bool
is_slow(const struct options *o, const struct lastack_result *result)
{
	return result->outcome == LASTACK_OUTCOME_OK &&
	    threshold_violated(o, result, NULL);
}

const char *
status_outcome(const struct options *o, const struct lastack_result *result)
{
	return is_slow(o, result) ? "slow" :
				    lastack_outcome_name(result->outcome);
}

int
status_local(const struct options *o)
{
	return o->format == FORMAT_NAGIOS ? (int)STATE_UNKNOWN : STATUS_SYSTEM;
}

int
status_of(const struct options *o, const struct lastack_result *result)
{
	if (o->format == FORMAT_NAGIOS)
		return (int)state_of(o, result);
	switch (result->outcome) {
	case LASTACK_OUTCOME_OK:
		return is_slow(o, result) ? STATUS_SLOW : 0;
	case LASTACK_OUTCOME_MISMATCH:
		return 1;
	case LASTACK_OUTCOME_RESOLVE:
		return 3;
	case LASTACK_OUTCOME_REFUSED:
		return 4;
	case LASTACK_OUTCOME_UNREACHABLE:
		return 5;
	case LASTACK_OUTCOME_CONNECT_TIMEOUT:
		return 6;
	case LASTACK_OUTCOME_RESET:
		return 7;
	case LASTACK_OUTCOME_RESPONSE_TIMEOUT:
		return 8;
	case LASTACK_OUTCOME_CLOSED_EARLY:
		return 9;
	case LASTACK_OUTCOME_CLOSE_MISMATCH:
		return 10;
	case LASTACK_OUTCOME_FASTOPEN:
		return 11;
	case LASTACK_OUTCOME_INTERRUPTED:
		return 128 + result->interrupted_by;
	case LASTACK_OUTCOME_NONE:
	case LASTACK_OUTCOME_SYSTEM:
		break;
	}
	return STATUS_SYSTEM;
}

int
status_worse(int status, int other)
{
	return status != 0 ? status : other;
}
