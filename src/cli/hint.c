/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <inttypes.h>

#include "figure.h"
#include "hint.h"
#include "path.h"

/* Below that nobody minds, whatever its share of the whole. */
#define SLOW_NS INT64_C(200000000)

static void
hint_connect_timeout(struct text *to, const struct lastack_result *result)
{
	uint32_t syns = result->syn_retransmits + 1;

	text_printf(to,
	    "%" PRIu32 " SYN%s without an answer: a firewall drops them, or "
	    "the host is down",
	    syns, syns > 1 ? "s" : "");
}

static void
hint_response_timeout(struct text *to, const struct lastack_result *result)
{
	int64_t last = lastack_result_event_ns(result, LASTACK_EVENT_LAST_BYTE);
	int64_t end = lastack_result_event_ns(result, LASTACK_EVENT_END);
	char figure[FIGURE_TEXT];

	switch (result->error_phase) {
	case LASTACK_PHASE_SEND:
		text_printf(to,
		    "the peer takes no more of the payload: it has "
		    "stopped reading%s",
		    result->family == LASTACK_FAMILY_UNIX ?
			"" :
			", its window is closed");
		break;
	case LASTACK_PHASE_WAIT:
		text_puts(to,
		    "connected, then silence: the server may wait "
		    "for more of a request, or hang");
		break;
	default:
		figure_time(figure, end - last);
		text_printf(to,
		    "nothing came in the last %s: the response stalled, or it "
		    "has no end that shows",
		    figure);
	}
}

static void
hint_reset(struct text *to, const struct lastack_result *result)
{
	if (result->received_bytes > 0)
		text_puts(to,
		    "the response broke off: the server or something "
		    "between may have crashed or timed out");
	else
		text_puts(to,
		    "accepted, then reset: the server may have "
		    "crashed, or an access rule at work");
}

static int64_t
phase_ns(const struct lastack_result *result, enum lastack_phase phase)
{
	int64_t ns = lastack_result_phase_ns(result, phase);

	return ns < 0 ? 0 : ns;
}

/* After the last byte, until the response was taken for complete. */
static int64_t
silence_ns(const struct lastack_result *result)
{
	int64_t last = lastack_result_event_ns(result, LASTACK_EVENT_LAST_BYTE);

	if (last == -1 || result->close_peer != LASTACK_END_OPEN)
		return 0;
	return phase_ns(result, LASTACK_PHASE_TOTAL) -
	    phase_ns(result, LASTACK_PHASE_DRAIN) -
	    phase_ns(result, LASTACK_PHASE_CLOSE) - last;
}

static bool
is_slow(const struct lastack_result *result, int64_t ns)
{
	return ns >= SLOW_NS && ns > phase_ns(result, LASTACK_PHASE_TOTAL) / 2;
}

/* The run went well, or as well as its outcome says; what took so long? */
static void
hint_slow(struct text *to, const struct lastack_result *result)
{
	int64_t resolve = phase_ns(result, LASTACK_PHASE_RESOLVE);
	int64_t silence = silence_ns(result);
	char figure[FIGURE_TEXT];

	if (result->syn_retransmits > 0 &&
	    lastack_result_remote(result) != NULL) {

		figure_time(figure, result->handshake_ns);
		text_printf(to,
		    "a SYN went unanswered and was sent again: that is why "
		    "the handshake took %s; it or its SYN/ACK was lost, or a "
		    "backlog is full",
		    figure);
	} else if (is_slow(result, resolve)) {
		figure_time(figure, resolve);
		text_printf(to,
		    "resolving the name took %s, more than half of it all: "
		    "look at the name servers",
		    figure);
	} else if (is_slow(result, silence)) {
		figure_time(figure, silence);
		text_printf(to,
		    "nothing came for %s after the last byte, and the peer "
		    "never closed: it may keep connections alive; --idle "
		    "waits for less, --expect for nothing more",
		    figure);
	}
}

void
hint_add(struct text *to, const struct lastack_result *result)
{
	if (result->family == LASTACK_FAMILY_UNIX &&
	    lastack_result_remote(result) == NULL) {
		path_hint(to, result);
		return;
	}
	switch (result->outcome) {
	case LASTACK_OUTCOME_REFUSED:
		text_puts(to,
		    "the SYN was answered by RST: nothing listens "
		    "on that port, or a firewall rejects");
		break;
	case LASTACK_OUTCOME_CONNECT_TIMEOUT:
		hint_connect_timeout(to, result);
		break;
	case LASTACK_OUTCOME_RESPONSE_TIMEOUT:
		hint_response_timeout(to, result);
		break;
	case LASTACK_OUTCOME_RESET:
		hint_reset(to, result);
		break;
	case LASTACK_OUTCOME_CLOSED_EARLY:
		text_puts(to,
		    "accepted, then closed without a word: another "
		    "protocol, an access rule or an overload");
		break;
	case LASTACK_OUTCOME_CLOSE_MISMATCH:
		if (result->close_peer == LASTACK_END_OPEN)
			text_puts(to,
			    "the peer never closed: it may keep "
			    "connections alive, or need a longer "
			    "--drain");
		break;
	case LASTACK_OUTCOME_OK:
	case LASTACK_OUTCOME_MISMATCH:
	case LASTACK_OUTCOME_FASTOPEN:
	case LASTACK_OUTCOME_RESOLVE:
		hint_slow(to, result);
		break;
	default:
		break;
	}
}
