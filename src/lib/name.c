/* SPDX-License-Identifier: BSD-2-Clause */
/* The words for the public enumerations; the reports are written in them. */
#include <config.h>

#include "lastack.h"

#define COUNT(names) (sizeof(names) / sizeof((names)[0]))

static const char *
pick(const char *const *names, size_t count, unsigned int index)
{
	return index < count && names[index] != NULL ? names[index] : "unknown";
}

const char *
lastack_outcome_name(enum lastack_outcome outcome)
{
	static const char *const names[] = {
		[LASTACK_OUTCOME_NONE] = "none",
		[LASTACK_OUTCOME_OK] = "ok",
		[LASTACK_OUTCOME_MISMATCH] = "mismatch",
		[LASTACK_OUTCOME_RESOLVE] = "resolve",
		[LASTACK_OUTCOME_REFUSED] = "refused",
		[LASTACK_OUTCOME_UNREACHABLE] = "unreachable",
		[LASTACK_OUTCOME_CONNECT_TIMEOUT] = "connect-timeout",
		[LASTACK_OUTCOME_RESET] = "reset",
		[LASTACK_OUTCOME_RESPONSE_TIMEOUT] = "response-timeout",
		[LASTACK_OUTCOME_CLOSED_EARLY] = "closed-early",
		[LASTACK_OUTCOME_CLOSE_MISMATCH] = "close-mismatch",
		[LASTACK_OUTCOME_FASTOPEN] = "fastopen",
		[LASTACK_OUTCOME_SYSTEM] = "system",
		[LASTACK_OUTCOME_INTERRUPTED] = "interrupted",
	};

	return pick(names, COUNT(names), outcome);
}

const char *
lastack_phase_name(enum lastack_phase phase)
{
	static const char *const names[] = {
		[LASTACK_PHASE_RESOLVE] = "resolve",
		[LASTACK_PHASE_CONNECT] = "connect",
		[LASTACK_PHASE_SEND] = "send",
		[LASTACK_PHASE_WAIT] = "wait",
		[LASTACK_PHASE_RECEIVE] = "receive",
		[LASTACK_PHASE_DRAIN] = "drain",
		[LASTACK_PHASE_CLOSE] = "close",
		[LASTACK_PHASE_TOTAL] = "total",
	};

	return pick(names, COUNT(names), phase);
}

const char *
lastack_event_name(enum lastack_event event)
{
	static const char *const names[] = {
		[LASTACK_EVENT_START] = "start",
		[LASTACK_EVENT_RESOLVED] = "resolved",
		[LASTACK_EVENT_CONNECTING] = "connecting",
		[LASTACK_EVENT_CONNECTED] = "connected",
		[LASTACK_EVENT_SENT] = "sent",
		[LASTACK_EVENT_FIRST_BYTE] = "first_byte",
		[LASTACK_EVENT_LAST_BYTE] = "last_byte",
		[LASTACK_EVENT_MATCHED] = "matched",
		[LASTACK_EVENT_PEER_FIN] = "peer_fin",
		[LASTACK_EVENT_PEER_RST] = "peer_rst",
		[LASTACK_EVENT_LOCAL_FIN] = "local_fin",
		[LASTACK_EVENT_LOCAL_RST] = "local_rst",
		[LASTACK_EVENT_LAST_ACK] = "last_ack",
		[LASTACK_EVENT_END] = "end",
	};

	return pick(names, COUNT(names), event);
}

const char *
lastack_end_name(enum lastack_end end)
{
	static const char *const names[] = {
		[LASTACK_END_NONE] = "none",
		[LASTACK_END_FIN] = "fin",
		[LASTACK_END_RST] = "rst",
		[LASTACK_END_FIN_RST] = "fin+rst",
		[LASTACK_END_OPEN] = "open",
		[LASTACK_END_LOST] = "lost",
	};

	return pick(names, COUNT(names), end);
}

const char *
lastack_fastopen_name(enum lastack_fastopen_status status)
{
	static const char *const names[] = {
		[LASTACK_FASTOPEN_NOT_ASKED] = "off",
		[LASTACK_FASTOPEN_ACCEPTED] = "accepted",
		[LASTACK_FASTOPEN_PARTIAL] = "partial",
		[LASTACK_FASTOPEN_REQUESTED] = "requested",
		[LASTACK_FASTOPEN_REFUSED] = "refused",
		[LASTACK_FASTOPEN_BLACKHOLED] = "blackholed",
		[LASTACK_FASTOPEN_PAUSED] = "paused",
		[LASTACK_FASTOPEN_DISABLED] = "disabled",
		[LASTACK_FASTOPEN_UNSUPPORTED] = "unsupported",
		[LASTACK_FASTOPEN_UNUSED] = "unused",
	};

	return pick(names, COUNT(names), status);
}

const char *
lastack_method_name(enum lastack_method method)
{
	static const char *const names[] = {
		[LASTACK_METHOD_NONE] = "none",
		[LASTACK_METHOD_KERNEL_RTT] = "kernel-rtt",
		[LASTACK_METHOD_STAMP] = "stamp",
		[LASTACK_METHOD_STAMP_BOUND] = "stamp-bound",
		[LASTACK_METHOD_CLOCK] = "clock",
	};

	return pick(names, COUNT(names), method);
}

const char *
lastack_error_text(int error)
{
	switch (error) {
	case 0:
		return "no error";
	case LASTACK_ERROR_MEMORY:
		return "out of memory";
	case LASTACK_ERROR_ARGUMENT:
		return "invalid argument";
	case LASTACK_ERROR_SYSTEM:
		return "no descriptor to wait with";
	case LASTACK_ERROR_INTERRUPTED:
		return "interrupted by a signal";
	default:
		return "unknown error";
	}
}

const char *
lastack_version(void)
{
	return PACKAGE_VERSION;
}
