/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include "account.h"
#include "clock.h"

enum lastack_phase
lastack__account_phase(const struct lastack_probe *p)
{
	const struct lastack__exchange *x = &p->exchange;

	switch (p->stage) {
	case LASTACK__STAGE_RESOLVE:
		return LASTACK_PHASE_RESOLVE;
	case LASTACK__STAGE_CONNECT:
		return LASTACK_PHASE_CONNECT;
	case LASTACK__STAGE_EXCHANGE:
		if (!x->sent)
			return LASTACK_PHASE_SEND;
		return x->record->first_byte_ns == -1 ? LASTACK_PHASE_WAIT :
							LASTACK_PHASE_RECEIVE;
	default:
		return p->ending.decided_ns == -1 ? LASTACK_PHASE_DRAIN :
						    LASTACK_PHASE_CLOSE;
	}
}

/*
 * Each phase begins where the one before it ended, so that they add up. A
 * phase that the run did not reach, or that it has not got, stays -1.
 */
static void
account_phase(struct lastack_probe *p, enum lastack_phase phase,
    int64_t *mark_ns, int64_t end_ns)
{
	int64_t *sum_ns = &p->result.phase_ns[phase];

	if (end_ns < *mark_ns)
		end_ns = *mark_ns; /* the response came while we still sent */
	*sum_ns = (*sum_ns == -1 ? 0 : *sum_ns) + end_ns - *mark_ns;
	*mark_ns = end_ns;
}

static void
account_exchange_phases(struct lastack_probe *p, size_t index, int64_t *mark_ns)
{
	const struct lastack__record *r = &p->exchange.records[index];

	if (lastack__request_sends(p->request, index))
		account_phase(p, LASTACK_PHASE_SEND, mark_ns,
		    r->sent_ns != -1 ? r->sent_ns : r->over_ns);
	if (r->sent_ns == -1)
		return;
	account_phase(p, LASTACK_PHASE_WAIT, mark_ns,
	    r->first_byte_ns != -1 ? r->first_byte_ns : r->over_ns);
	if (r->first_byte_ns != -1)
		account_phase(p, LASTACK_PHASE_RECEIVE, mark_ns, r->over_ns);
}

static void
account_phases(struct lastack_probe *p, int64_t end_ns)
{
	int64_t mark_ns = p->start_ns;

	p->result.phase_ns[LASTACK_PHASE_TOTAL] = end_ns - p->start_ns;
	if (p->resolved_ns != -1)
		account_phase(
		    p, LASTACK_PHASE_RESOLVE, &mark_ns, p->resolved_ns);
	if (p->connect.tried == 0) {
		account_phase(p, LASTACK_PHASE_RESOLVE, &mark_ns, end_ns);
		return;
	}
	account_phase(p, LASTACK_PHASE_CONNECT, &mark_ns,
	    p->connected_ns != -1 ? p->connected_ns : end_ns);
	if (p->connected_ns == -1)
		return;
	for (size_t i = 0; i < p->result.exchange_count; i++)
		account_exchange_phases(p, i, &mark_ns);
	if (!p->bare)
		account_phase(
		    p, LASTACK_PHASE_DRAIN, &mark_ns, p->ending.decided_ns);
	account_phase(p, LASTACK_PHASE_CLOSE, &mark_ns, end_ns);
}

static void
account_event(
    struct lastack_probe *p, enum lastack_event event, int64_t instant_ns)
{
	if (instant_ns != -1)
		p->result.event_ns[event] = instant_ns - p->start_ns;
}

/* Of the whole conversation: the last of each, but the first of the first. */
static void
account_talk(struct lastack_probe *p)
{
	const struct lastack__exchange *x = &p->exchange;
	bool first = true;

	for (size_t i = 0; i < p->result.exchange_count; i++) {
		const struct lastack__record *r = &x->records[i];

		if (lastack__request_sends(p->request, i))
			account_event(p, LASTACK_EVENT_SENT, r->sent_ns);
		if (first && r->first_byte_ns != -1) {
			account_event(
			    p, LASTACK_EVENT_FIRST_BYTE, r->first_byte_ns);
			first = false;
		}
		account_event(p, LASTACK_EVENT_LAST_BYTE, r->last_byte_ns);
	}
	if (x->last)
		account_event(p, LASTACK_EVENT_MATCHED, x->record->matched_ns);
}

static void
account_events(struct lastack_probe *p, int64_t end_ns)
{
	const struct lastack__ending *e = &p->ending;

	account_event(p, LASTACK_EVENT_START, p->start_ns);
	account_event(p, LASTACK_EVENT_RESOLVED, p->resolved_ns);
	account_event(p, LASTACK_EVENT_CONNECTING, p->connect.first_syn_ns);
	account_event(p, LASTACK_EVENT_CONNECTED, p->connected_ns);
	account_talk(p);
	account_event(p, LASTACK_EVENT_END, end_ns);
	if (p->socket.is_unix)
		return; /* no segment ends it */
	account_event(p, LASTACK_EVENT_PEER_FIN, e->peer_fin_ns);
	account_event(p, LASTACK_EVENT_PEER_RST, e->peer_rst_ns);
	account_event(p, LASTACK_EVENT_LOCAL_FIN, e->local_fin_ns);
	account_event(p, LASTACK_EVENT_LOCAL_RST, e->local_rst_ns);
	account_event(p, LASTACK_EVENT_LAST_ACK, e->last_ack_ns);
}

static void
account_expectations(struct lastack_probe *p)
{
	struct lastack_result *result = &p->result.public;
	const struct lastack__matcher *matcher = &p->exchange.matcher;

	if (p->exchange.round->expect.count == 0)
		return;
	result->match_which = matcher->which;
	if (matcher->met) {
		result->match = LASTACK_MATCH_YES;
		return;
	}
	/* What was never looked for to the end is not known to be missing. */
	if (result->outcome != LASTACK_OUTCOME_MISMATCH) {
		result->match = LASTACK_MATCH_UNDECIDED;
		return;
	}
	result->match = LASTACK_MATCH_NO;
	if (p->exchange.round->expect.all && !matcher->failed)
		result->match_which = lastack__matcher_missing(matcher);
}

static int64_t
span(int64_t from_ns, int64_t to_ns)
{
	return to_ns < from_ns ? 0 : to_ns - from_ns;
}

/* Each by itself, as account_exchange_phases() adds them up. */
static void
account_exchange(struct lastack_probe *p, size_t index, int64_t begun_ns)
{
	const struct lastack__record *r = &p->exchange.records[index];
	struct lastack_exchange *told = &p->result.exchanges[index];
	bool expects = p->request->rounds[index].expect.count > 0;
	int64_t sent_ns = r->sent_ns;

	*told = (struct lastack_exchange){ .size = sizeof(*told),
		.sent_bytes = r->sent_bytes,
		.received_bytes = r->received_bytes,
		.match = expects ? LASTACK_MATCH_YES : LASTACK_MATCH_NONE,
		.match_which = r->which,
		.send_ns = -1,
		.wait_ns = -1,
		.receive_ns = -1 };
	if (index == p->exchange.current) {
		told->match = p->result.public.match;
		told->match_which = p->result.public.match_which;
	}
	if (lastack__request_sends(p->request, index))
		told->send_ns =
		    span(begun_ns, sent_ns != -1 ? sent_ns : r->over_ns);
	if (sent_ns == -1)
		return;
	told->wait_ns = span(
	    sent_ns, r->first_byte_ns != -1 ? r->first_byte_ns : r->over_ns);
	if (r->first_byte_ns != -1)
		told->receive_ns = span(
		    r->first_byte_ns > sent_ns ? r->first_byte_ns : sent_ns,
		    r->over_ns);
}

static void
account_exchanges(struct lastack_probe *p)
{
	struct lastack__exchange *x = &p->exchange;
	int64_t begun_ns = p->connected_ns;

	p->result.public.exchange = (uint32_t)x->current;
	p->result.exchanges = x->public;
	p->result.exchange_count = x->current + 1;
	for (size_t i = 0; i <= x->current; i++) {
		account_exchange(p, i, begun_ns);
		begun_ns = x->records[i].over_ns;
	}
	if (p->result.public.match == LASTACK_MATCH_YES)
		p->result.group_count =
		    lastack__matcher_groups(&x->matcher, p->result.groups);
	p->result.group_bytes = x->matcher.window.bytes;
}

static void
account_kernel(struct lastack_probe *p)
{
	struct lastack_result *result = &p->result.public;
	const struct lastack__evidence *evidence = &p->ending.evidence;

	result->has_kernel = evidence->has_figures;
	result->rtt_us = evidence->rtt_us;
	result->rttvar_us = evidence->rttvar_us;
	result->min_rtt_us = evidence->min_rtt_us;
	result->retransmits = evidence->retransmits;
	result->mss_bytes = evidence->mss_bytes;
	result->segments_out = evidence->segments_out;
	result->segments_in = evidence->segments_in;
}

/* Of all retransmissions so far; what Fast Open sent again is not a SYN. */
static uint32_t
syn_retransmits(const struct lastack__evidence *evidence)
{
	uint32_t data = 0;

	/* By now, all data went in the SYN, or again after the SYN/ACK. */
	if (evidence->resent_bytes > 0 && evidence->data_segments_out > 0)
		data = evidence->data_segments_out - 1;
	return data < evidence->retransmits ? evidence->retransmits - data : 0;
}

/*
 * After a SYN was sent again the kernel has no sample, or one of whole
 * milliseconds: the clock is the better witness then.
 */
static void
account_handshake(struct lastack_probe *p)
{
	struct lastack_result *result = &p->result.public;
	const struct lastack__evidence *evidence = &p->connect.evidence;

	result->handshake_ns = p->connected_ns - p->connect.begun_ns;
	result->handshake_method = LASTACK_METHOD_CLOCK;
	if (!evidence->has_figures || evidence->rtt_us == 0 ||
	    syn_retransmits(evidence) > 0)
		return;
	result->handshake_ns = (int64_t)evidence->rtt_us * 1000;
	result->handshake_method = LASTACK_METHOD_KERNEL_RTT;
}

static void
account_first_byte(struct lastack_probe *p)
{
	struct lastack_result *result = &p->result.public;
	const struct lastack__exchange *x = &p->exchange;
	int64_t first_byte_ns = x->records[0].first_byte_ns;

	if (x->first_send_ns == -1 || first_byte_ns < x->first_send_ns)
		return;
	/* A banner that did not wait for the question is no answer to it. */
	if (x->unasked || (x->stamp_ns != -1 && x->stamp_ns < x->first_send_ns))
		return;
	result->first_byte_ns = first_byte_ns - x->first_send_ns;
	result->first_byte_method = LASTACK_METHOD_CLOCK;
	if (x->stamp_ns == -1 || x->stamp_ns > first_byte_ns)
		return;
	result->first_byte_ns = x->stamp_ns - x->first_send_ns;
	result->first_byte_method = x->stamp_exact ? LASTACK_METHOD_STAMP :
						     LASTACK_METHOD_STAMP_BOUND;
}

static void
account_wire(struct lastack_probe *p)
{
	if (p->socket.is_unix)
		return; /* there is none */
	account_handshake(p);
	account_first_byte(p);
}

/*
 * A part, or none? When all that the SYN carried is acknowledged, what was sent
 * again of it tells; before that, a little of it may still have been to come.
 */
static void
account_fastopen(struct lastack_probe *p)
{
	struct lastack_result *result = &p->result.public;
	const struct lastack__evidence *evidence = &p->ending.evidence;

	if ((result->fastopen_status != LASTACK_FASTOPEN_REFUSED &&
		result->fastopen_status != LASTACK_FASTOPEN_PARTIAL) ||
	    !evidence->has_resent ||
	    evidence->bytes_acked <= result->in_syn_bytes)
		return;
	result->fastopen_status = evidence->resent_bytes <
		result->in_syn_bytes ?
	    LASTACK_FASTOPEN_PARTIAL :
	    LASTACK_FASTOPEN_REFUSED;
}

static void
account_close(struct lastack_probe *p)
{
	struct lastack_result *result = &p->result.public;
	const struct lastack__ending *e = &p->ending;

	result->close_peer = e->peer;
	result->close_local = e->local;
	result->close_first = e->first;
	result->close_clean = e->clean;
	result->close_last_ack = e->last_ack;
	result->close_time_wait = e->time_wait;
	if (p->socket.is_unix)
		result->close_clean = result->close_last_ack =
		    result->close_time_wait = LASTACK_UNKNOWN;
}

void
lastack__account(struct lastack_probe *p)
{
	struct lastack_result *result = &p->result.public;
	const struct lastack__exchange *x = &p->exchange;
	int64_t end_ns = p->ending.over_ns != -1 ? p->ending.over_ns :
						   lastack__clock_now_ns();

	lastack__result_fail(
	    &p->result, LASTACK_OUTCOME_OK, LASTACK_PHASE_TOTAL, 0);
	result->interrupted_by = p->interrupted_by;
	result->sent_bytes = p->socket.sent_bytes;
	result->in_syn_bytes = p->socket.syn.payload_bytes;
	result->received_bytes = x->received_bytes;
	result->kept_bytes = x->intake.kept_bytes;
	result->drained_bytes = p->socket.taken_bytes - x->received_bytes;
	p->result.response = x->intake.kept;
	p->result.attempts = p->connect.attempts;
	p->result.attempt_count = p->connect.tried;
	if (p->connected_ns != -1) {
		account_close(p);
		account_kernel(p);
		account_fastopen(p);
		account_wire(p);
	}
	result->syn_retransmits = syn_retransmits(&p->connect.evidence);

	account_expectations(p);
	if (p->connected_ns != -1 && !p->connects_only)
		account_exchanges(p);
	account_phases(p, end_ns);
	account_events(p, end_ns);
}
