/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "escape.h"
#include "figure.h"
#include "local.h"
#include "parse.h"
#include "path.h"
#include "threshold.h"
#include "verdict.h"

static void
put_time(struct text *to, int64_t ns)
{
	char figure[FIGURE_TEXT];

	text_puts(to, figure_time(figure, ns < 0 ? 0 : ns));
}

/* The exchange that the run ended in. */
static const struct turn *
last_turn(const struct options *o, const struct lastack_result *result)
{
	return &o->talk.turns[result->exchange];
}

/* As it was written, but its own bytes: 'a\r\n' for a\r\n, hexadecimal as is. */
static void
put_expectation(struct text *to, const struct options *o,
    const struct expectation *expectation)
{
	struct text bytes = TEXT_INIT;
	bool escapes = !o->raw &&
	    (expectation->kind == EXPECTATION_STRING ||
		expectation->kind == EXPECTATION_NOT);

	if (*expectation->value == '\0') {
		text_puts(to, "a byte");
		return;
	}
	if (escapes)
		/* It was right once already. */
		parse_escaped(expectation->value, &bytes);
	else
		text_puts(&bytes, expectation->value);
	text_puts(to, "'");
	if (escapes)
		escape_line(to, bytes.bytes, bytes.len, false);
	else
		escape_word(to, expectation->value);
	text_puts(to, "'");
	text_free(&bytes);
}

/* The only one that is wanted; NULL: there are more, or none. */
static const struct expectation *
only_wanted(const struct turn *turn)
{
	const struct expectation *found = NULL;

	for (size_t i = 0; i < turn->expectation_count; i++) {
		if (turn->expectations[i].kind == EXPECTATION_NOT)
			continue;
		if (found != NULL)
			return NULL;
		found = &turn->expectations[i];
	}
	return found;
}

static void
error_mismatch(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	const struct turn *turn = last_turn(o, result);
	const struct expectation *expectation = result->match_which >= 0 ?
	    &turn->expectations[result->match_which] :
	    only_wanted(turn);

	if (expectation == NULL) {
		text_printf(to,
		    "the response meets none of the %zu expectations",
		    turn->expectation_count);
		return;
	}
	switch (expectation->kind) {
	case EXPECTATION_NOT:
		text_puts(to, "the response contains ");
		break;
	case EXPECTATION_REGEX:
		text_puts(to, "the response does not match ");
		break;
	default:
		text_puts(to, "the response does not contain ");
	}
	put_expectation(to, o, expectation);
	if (expectation->kind == EXPECTATION_NOT)
		text_puts(to, ", which it must not");
}

/* ---- the close */

static void
close_with_rst(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	bool after_fin =
	    lastack_result_event_ns(result, LASTACK_EVENT_LOCAL_FIN) != -1;

	if (result->close_peer == LASTACK_END_FIN) {
		text_puts(to,
		    "the peer closed first (FIN), RST sent: asked "
		    "for by --close=rst");
	} else if (o->close == LASTACK_CLOSE_RST) {
		text_puts(to, "RST sent: asked for by --close=rst");
	} else if (after_fin && o->close == LASTACK_CLOSE_FIN) {
		text_puts(to, "FIN sent, then RST: the peer went on sending");
	} else if (after_fin) {
		text_puts(to,
		    "FIN sent, then RST: the peer kept the "
		    "connection open");
	} else if (lastack_result_phase_ns(result, LASTACK_PHASE_DRAIN) == -1) {
		text_puts(to, "RST sent: only the handshake was asked for");
	} else {
		text_puts(to, "RST sent: the peer kept the connection open");
	}
}

static void
close_with_fin(struct text *to, const struct lastack_result *result)
{
	const char *ack = result->close_last_ack == LASTACK_YES ?
	    ", last ACK received" :
	    result->close_last_ack == LASTACK_NO ? ", no last ACK in time" :
						   "";

	switch (result->close_peer) {
	case LASTACK_END_FIN:
		if (result->close_first == LASTACK_SIDE_PEER)
			text_puts(to,
			    "peer closed first (FIN), we answered with FIN");
		else if (result->close_first == LASTACK_SIDE_LOCAL)
			text_puts(to,
			    "we closed first (FIN), the peer answered with "
			    "FIN");
		else
			text_puts(to, "both sides closed with FIN");
		text_puts(to, ack);
		if (result->close_time_wait == LASTACK_YES)
			text_puts(to, ", TIME-WAIT is ours");
		break;
	case LASTACK_END_FIN_RST:
		text_puts(to, "FIN received, FIN sent, then RST received");
		break;
	case LASTACK_END_RST:
		text_puts(to, "FIN sent, RST received");
		break;
	case LASTACK_END_LOST:
		text_puts(to, "FIN sent, the peer no longer answered");
		break;
	default:
		text_printf(to, "FIN sent, the peer kept the connection open%s",
		    result->close_last_ack == LASTACK_YES ?
			", FIN acknowledged" :
			", FIN not acknowledged in time");
	}
}

static void
close_without(struct text *to, const struct lastack_result *result)
{
	switch (result->close_peer) {
	case LASTACK_END_FIN_RST:
		text_puts(to, "FIN received, then RST received");
		break;
	case LASTACK_END_RST:
		text_puts(to, "RST received, nothing was left to close");
		break;
	case LASTACK_END_LOST:
		text_puts(to, "the peer no longer answered");
		break;
	case LASTACK_END_FIN:
		text_puts(to,
		    "peer closed first (FIN), our FIN is still "
		    "queued behind unsent data");
		break;
	case LASTACK_END_OPEN:
		text_puts(to, "our FIN is still queued behind unsent data");
		break;
	default:
		break;
	}
}

void
verdict_close(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	if (result->family == LASTACK_FAMILY_UNIX) {
		path_close(to, result);
		return;
	}
	switch (result->close_local) {
	case LASTACK_END_RST:
		close_with_rst(to, o, result);
		break;
	case LASTACK_END_FIN:
		close_with_fin(to, result);
		break;
	default:
		close_without(to, result);
	}
}

/* ---- Fast Open */

static void
fastopen_requested(struct text *to, const struct lastack_result *result)
{
	text_puts(to, "no cookie for this address yet: it was asked for and ");
	switch (result->fastopen_cookie) {
	case LASTACK_YES:
		text_puts(to, "granted; run again");
		break;
	case LASTACK_NO:
		text_puts(to,
		    "not granted: the server does not do Fast Open on this "
		    "port, or something on the path takes the option out");
		break;
	default:
		text_puts(to,
		    "what came of that cannot be seen here; "
		    "run again");
	}
}

/* The first SYN was taken with its payload, and its SYN/ACK lost. */
static void
fastopen_accepted(struct text *to, const struct lastack_result *result)
{
	text_printf(
	    to, "the SYN carried %" PRIu64 " B and ", result->in_syn_bytes);
	text_puts(to,
	    result->syn_retransmits == 0 ?
		"the SYN/ACK acknowledged them: one round trip saved" :
		"a SYN/ACK acknowledged them, but only after the SYN was sent "
		"again: no time saved");
}

static void
fastopen_unused(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	bool empty = result->sent_bytes == 0 &&
	    lastack_result_event_ns(result, LASTACK_EVENT_SENT) != -1;

	text_puts(to,
	    talk_pieces(&o->talk) > 0 && !empty ?
		"the payload's first bytes were not there yet when the "
		"connection began" :
		"there was no payload that a SYN could carry");
}

static void
fastopen_unknown(struct text *to, const struct lastack_result *result)
{
	bool connected = lastack_result_remote(result) != NULL;

	if (result->in_syn_bytes > 0)
		text_printf(to, "the SYN carried %" PRIu64 " B and ",
		    result->in_syn_bytes);
	text_puts(to,
	    connected ? "this kernel does not tell what became of it" :
			"there was no SYN/ACK to tell what became of it");
}

void
verdict_fastopen(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	uint64_t carried = result->in_syn_bytes;

	switch (result->fastopen_status) {
	case LASTACK_FASTOPEN_NOT_ASKED:
		break;
	case LASTACK_FASTOPEN_ACCEPTED:
		fastopen_accepted(to, result);
		break;
	case LASTACK_FASTOPEN_PARTIAL:
		text_printf(to,
		    "the SYN carried %" PRIu64
		    " B and the SYN/ACK acknowledged "
		    "a part of them: the rest was sent again after the "
		    "handshake",
		    carried);
		break;
	case LASTACK_FASTOPEN_REQUESTED:
		fastopen_requested(to, result);
		break;
	case LASTACK_FASTOPEN_REFUSED:
		text_printf(to,
		    "the SYN carried %" PRIu64
		    " B and the SYN/ACK acknowledged "
		    "none of them: they were sent again after the handshake; "
		    "the cookie may be out of date or the server busy, run "
		    "again",
		    carried);
		break;
	case LASTACK_FASTOPEN_BLACKHOLED:
		text_printf(to,
		    "the SYN with %" PRIu64 " B was lost and a plain SYN went "
		    "through about a second later: something on the path may "
		    "drop SYNs with data; do without Fast Open there",
		    carried);
		break;
	case LASTACK_FASTOPEN_PAUSED:
		text_puts(to,
		    "the kernel has paused Fast Open after a loss: wait, or "
		    "see net.ipv4.tcp_fastopen_blackhole_timeout_sec");
		break;
	case LASTACK_FASTOPEN_DISABLED:
		text_puts(to,
		    "the client bit (1) of net.ipv4.tcp_fastopen is "
		    "off on this machine: set it");
		break;
	case LASTACK_FASTOPEN_UNSUPPORTED:
		text_puts(to, "this kernel has no Fast Open for clients");
		break;
	case LASTACK_FASTOPEN_UNUSED:
		fastopen_unused(to, o, result);
		break;
	case LASTACK_FASTOPEN_UNKNOWN:
		fastopen_unknown(to, result);
		break;
	}
}

/* ---- the error */

/* Of the exchange that the run ended in, as far as it was kept. */
static void
put_response_start(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	const unsigned char *response = lastack_result_response(result);
	uint64_t before = 0, len;

	for (uint32_t i = 0; i < result->exchange; i++)
		before += lastack_result_exchange(result, i)->received_bytes;
	if (o->jail || result->kept_bytes <= before)
		return;
	len = result->kept_bytes - before;
	text_puts(to, ": it begins '");
	escape_line(to, response + before, len < 40 ? (size_t)len : 40, false);
	text_puts(to, len > 40 ? "'..." : "'");
}

static void
error_timeout(struct text *to, const struct lastack_result *result)
{
	int64_t total = lastack_result_phase_ns(result, LASTACK_PHASE_TOTAL);

	switch (result->error_phase) {
	case LASTACK_PHASE_SEND:
		text_printf(to,
		    "only %" PRIu64 " bytes of the payload could "
		    "be sent",
		    result->sent_bytes);
		break;
	case LASTACK_PHASE_WAIT:
		text_puts(to, "connected, but no byte of a response came");
		break;
	default:
		text_printf(to,
		    "the response was not complete after %" PRIu64 " bytes",
		    result->received_bytes);
	}
	text_puts(to, " within ");
	put_time(to, total);
}

static void
error_reset(struct text *to, const struct lastack_result *result)
{
	if (result->family == LASTACK_FAMILY_UNIX)
		path_error_reset(to, result);
	else if (result->received_bytes > 0)
		text_printf(to, "reset after %" PRIu64 " bytes of the response",
		    result->received_bytes);
	else
		text_puts(to, "reset before a byte of the response");
}

static void
error_close(struct text *to, const struct options *o)
{
	static const char *const wanted[] = {
		[LASTACK_END_FIN] = "the peer was to end with FIN",
		[LASTACK_END_RST] = "the peer was to end with RST",
		[LASTACK_END_OPEN] = "the peer was to keep the connection open",
	};

	text_puts(to, wanted[o->expect_close]);
}

static void
error_connect(struct text *to, const struct lastack_result *result)
{
	size_t count = lastack_result_attempts(result);

	if (result->family == LASTACK_FAMILY_UNIX) {
		path_error_connect(to, result);
		return;
	}
	switch (result->outcome) {
	case LASTACK_OUTCOME_REFUSED:
		text_puts(to, "connection refused: RST in answer to the SYN");
		break;
	case LASTACK_OUTCOME_CONNECT_TIMEOUT:
		text_puts(to, "no SYN/ACK within ");
		put_time(
		    to, lastack_result_phase_ns(result, LASTACK_PHASE_CONNECT));
		break;
	default:
		text_puts(to, "unreachable: ");
		text_puts(to,
		    result->error_errno == ECONNREFUSED ?
			"ICMP says that the port is, no RST came" :
			lastack_result_error_text(result));
	}
	if (count > 1)
		text_printf(to, " (%zu addresses tried)", count);
}

/* Which exchange failed, where there are several. */
static void
put_exchange(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	switch (result->outcome) {
	case LASTACK_OUTCOME_MISMATCH:
	case LASTACK_OUTCOME_RESET:
	case LASTACK_OUTCOME_RESPONSE_TIMEOUT:
	case LASTACK_OUTCOME_CLOSED_EARLY:
	case LASTACK_OUTCOME_SYSTEM:
	case LASTACK_OUTCOME_INTERRUPTED:
		break;
	default:
		return;
	}
	if (o->talk.count > 1 && lastack_result_exchanges(result) > 0)
		text_printf(to,
		    "exchange %u of %zu: ", (unsigned int)result->exchange + 1,
		    o->talk.count);
}

void
verdict_error(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	struct violation violation;

	put_exchange(to, o, result);
	switch (result->outcome) {
	case LASTACK_OUTCOME_NONE:
		break;
	case LASTACK_OUTCOME_OK:
		if (threshold_violated(o, result, &violation))
			threshold_tell(to, o, result, &violation);
		break;
	case LASTACK_OUTCOME_MISMATCH:
		error_mismatch(to, o, result);
		put_response_start(to, o, result);
		break;
	case LASTACK_OUTCOME_RESOLVE:
		text_puts(to, "the name does not resolve: ");
		text_puts(to,
		    result->error_errno == ETIMEDOUT ?
			"no answer in time" :
			lastack_result_error_text(result));
		break;
	case LASTACK_OUTCOME_REFUSED:
	case LASTACK_OUTCOME_UNREACHABLE:
	case LASTACK_OUTCOME_CONNECT_TIMEOUT:
		error_connect(to, result);
		break;
	case LASTACK_OUTCOME_RESET:
		error_reset(to, result);
		break;
	case LASTACK_OUTCOME_RESPONSE_TIMEOUT:
		error_timeout(to, result);
		break;
	case LASTACK_OUTCOME_CLOSED_EARLY:
		text_puts(to, "the peer closed without a byte of a response");
		break;
	case LASTACK_OUTCOME_CLOSE_MISMATCH:
		error_close(to, o);
		break;
	case LASTACK_OUTCOME_FASTOPEN:
		text_puts(to, "Fast Open was required: ");
		verdict_fastopen(to, o, result);
		break;
	case LASTACK_OUTCOME_SYSTEM:
		if (result->error_local != LASTACK_LOCAL_NONE) {
			local_error(to, o, result);
			break;
		}
		text_printf(to, "local failure while in %s: %s",
		    lastack_phase_name(result->error_phase),
		    lastack_result_error_text(result));
		break;
	case LASTACK_OUTCOME_INTERRUPTED:
		text_printf(to, "interrupted by signal %d while in %s",
		    result->interrupted_by,
		    lastack_phase_name(result->error_phase));
		break;
	}
}

void
verdict_summary(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	size_t before = to->len;

	verdict_error(to, o, result);
	if (to->len > before && result->close_peer != LASTACK_END_NONE)
		text_puts(to, "; ");
	verdict_close(to, o, result);
}
