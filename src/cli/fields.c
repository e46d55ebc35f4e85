/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include "errname.h"
#include "escape.h"
#include "events.h"
#include "fields.h"
#include "hint.h"
#include "status.h"
#include "threshold.h"
#include "verdict.h"

#define SCHEMA 1

static void
put_schema(const struct place *p)
{
	(void)p;
	field_number(p, SCHEMA);
}

static void
put_version(const struct place *p)
{
	(void)p;
	field_string(p, lastack_version());
}

static void
put_host(const struct place *p)
{
	field_string(p, p->options->host);
}

static void
put_port(const struct place *p)
{
	if (p->options->path == NULL)
		field_number(p, p->options->port);
	else
		p->writer->format->null(p->writer, p->field->name);
}

static void
put_outcome(const struct place *p)
{
	field_string(p, status_outcome(p->options, p->result));
}

static void
put_status(const struct place *p)
{
	field_number(p, (uint64_t)status_of(p->options, p->result));
}

static void
put_summary(const struct place *p)
{
	struct text summary = TEXT_INIT;

	verdict_summary(&summary, p->options, p->result);
	p->writer->format->string(
	    p->writer, p->field->name, text_string(&summary));
	text_free(&summary);
}

static void
put_hint(const struct place *p)
{
	struct text hint = TEXT_INIT;

	hint_add(&hint, p->result);
	field_text(p, &hint);
}

static void
put_family(const struct place *p)
{
	static const char *const families[] = { NULL, "ipv4", "ipv6", "unix" };

	field_string(p, families[p->result->family]);
}

static void
put_remote(const struct place *p)
{
	field_string(p, lastack_result_remote(p->result));
}

static void
put_local(const struct place *p)
{
	field_string(p, lastack_result_local(p->result));
}

static void
put_local_port(const struct place *p)
{
	if (p->result->local_port != 0)
		field_number(p, p->result->local_port);
	else
		p->writer->format->null(p->writer, p->field->name);
}

/* ---- error */

static bool
has_error(const struct place *p)
{
	struct text message = TEXT_INIT;
	bool there;

	verdict_error(&message, p->options, p->result);
	there = message.len > 0;
	text_free(&message);
	return there;
}

static void
put_error_phase(const struct place *p)
{
	enum lastack_phase phase = p->result->error_phase;
	struct violation violation;

	if (p->result->outcome == LASTACK_OUTCOME_OK &&
	    threshold_violated(p->options, p->result, &violation))
		phase = threshold_phase(violation.span);
	field_string(p, lastack_phase_name(phase));
}

static void
put_error_errno(const struct place *p)
{
	field_string(p, errname(p->result->error_errno));
}

static void
put_error_message(const struct place *p)
{
	struct text message = TEXT_INIT;

	verdict_error(&message, p->options, p->result);
	field_text(p, &message);
}

static const struct field error_fields[] = {
	VALUE("phase", put_error_phase),
	VALUE("errno", put_error_errno),
	VALUE("message", put_error_message),
	END,
};

/* ---- attempts */

static size_t
count_attempts(const struct place *p)
{
	return lastack_result_attempts(p->result);
}

static const struct lastack_attempt *
attempt_of(const struct place *p)
{
	return lastack_result_attempt(p->result, p->index);
}

static void
put_attempt_address(const struct place *p)
{
	field_string(p, attempt_of(p)->address);
}

static void
put_attempt_outcome(const struct place *p)
{
	field_string(p, lastack_outcome_name(attempt_of(p)->outcome));
}

static void
put_attempt_errno(const struct place *p)
{
	field_string(p, errname(attempt_of(p)->error_errno));
}

static void
put_attempt_time(const struct place *p)
{
	field_us(p, attempt_of(p)->time_ns);
}

static const struct field attempt_fields[] = {
	VALUE("address", put_attempt_address),
	VALUE("outcome", put_attempt_outcome),
	VALUE("errno", put_attempt_errno),
	VALUE("time_us", put_attempt_time),
	END,
};

/* ---- times */

/* at: the phase. */
static void
put_phase(const struct place *p)
{
	field_us(p,
	    lastack_result_phase_ns(
		p->result, (enum lastack_phase)p->field->at));
}

static const struct field phase_fields[] = {
	VALUE_AT("resolve", put_phase, LASTACK_PHASE_RESOLVE),
	VALUE_AT("connect", put_phase, LASTACK_PHASE_CONNECT),
	VALUE_AT("send", put_phase, LASTACK_PHASE_SEND),
	VALUE_AT("wait", put_phase, LASTACK_PHASE_WAIT),
	VALUE_AT("receive", put_phase, LASTACK_PHASE_RECEIVE),
	VALUE_AT("drain", put_phase, LASTACK_PHASE_DRAIN),
	VALUE_AT("close", put_phase, LASTACK_PHASE_CLOSE),
	VALUE_AT("total", put_phase, LASTACK_PHASE_TOTAL),
	END,
};

static bool
has_handshake(const struct place *p)
{
	return p->result->handshake_method != LASTACK_METHOD_NONE;
}

static bool
has_first_byte(const struct place *p)
{
	return p->result->first_byte_method != LASTACK_METHOD_NONE;
}

static const struct field handshake_fields[] = {
	MEMBER("value", field_ns, handshake_ns),
	MEMBER("method", field_method, handshake_method),
	END,
};

static const struct field first_byte_fields[] = {
	MEMBER("value", field_ns, first_byte_ns),
	MEMBER("method", field_method, first_byte_method),
	END,
};

/* What a capture would show, as near as can be told without one. */
static const struct field wire_fields[] = {
	{ "handshake", .members = handshake_fields, .there = has_handshake },
	{ "first_byte", .members = first_byte_fields, .there = has_first_byte },
	END,
};

/* ---- events */

static size_t
count_events(const struct place *p)
{
	enum lastack_event events[LASTACK_EVENT_COUNT];

	return events_in_order(p->result, events);
}

static enum lastack_event
event_of(const struct place *p)
{
	enum lastack_event events[LASTACK_EVENT_COUNT] = { 0 };

	events_in_order(p->result, events);
	return events[p->index];
}

static void
put_event_name(const struct place *p)
{
	field_string(p, lastack_event_name(event_of(p)));
}

static void
put_event_time(const struct place *p)
{
	field_us(p, lastack_result_event_ns(p->result, event_of(p)));
}

static const struct field event_fields[] = {
	VALUE("event", put_event_name),
	VALUE("at_us", put_event_time),
	END,
};

/* ---- the exchange */

static const struct field bytes_fields[] = {
	MEMBER("sent", field_u64, sent_bytes),
	MEMBER("received", field_u64, received_bytes),
	MEMBER("kept", field_u64, kept_bytes),
	MEMBER("drained", field_u64, drained_bytes),
	MEMBER("in_syn", field_u64, in_syn_bytes),
	END,
};

static void
field_match(const struct place *p, enum lastack_match match)
{
	static const char *const names[] = { NULL, "none", "match",
		"mismatch" };

	field_string(p, names[match]);
}

static void
field_which(const struct place *p, size_t turn, int which)
{
	field_string(p,
	    which < 0 ? NULL :
			p->options->talk.turns[turn].expectations[which].value);
}

static void
put_match(const struct place *p)
{
	field_match(p, p->result->match);
}

static void
put_which(const struct place *p)
{
	field_which(p, p->result->exchange, p->result->match_which);
}

/* What the regular expression matched, and its groups. */
static bool
has_groups(const struct place *p)
{
	return !p->options->jail && p->options->verbose > 0 &&
	    lastack_result_groups(p->result) > 0;
}

static size_t
count_groups(const struct place *p)
{
	return lastack_result_groups(p->result);
}

static bool
group_is_utf8(const struct place *p)
{
	size_t len;
	const void *bytes = lastack_result_group(p->result, p->index, &len);

	return bytes == NULL || escape_is_utf8(bytes, len);
}

static void
put_group_encoding(const struct place *p)
{
	field_string(p, group_is_utf8(p) ? "utf-8" : "base64");
}

static void
put_group_data(const struct place *p)
{
	size_t len;
	const void *bytes = lastack_result_group(p->result, p->index, &len);
	struct text encoded = TEXT_INIT;

	if (bytes == NULL) {
		field_string(p, NULL);
	} else if (group_is_utf8(p)) {
		p->writer->format->bytes(p->writer, p->field->name, bytes, len);
	} else {
		escape_base64(&encoded, bytes, len);
		field_text(p, &encoded);
	}
}

static const struct field group_fields[] = {
	VALUE("encoding", put_group_encoding),
	VALUE("data", put_group_data),
	END,
};

static const struct field expect_fields[] = {
	VALUE("result", put_match),
	VALUE("which", put_which),
	{ "groups", .members = group_fields, .there = has_groups,
	    .count = count_groups },
	END,
};

/* ---- several exchanges */

static bool
has_exchanges(const struct place *p)
{
	return p->options->talk.count > 1;
}

static size_t
count_exchanges(const struct place *p)
{
	return lastack_result_exchanges(p->result);
}

static const struct lastack_exchange *
exchange_of(const struct place *p)
{
	return lastack_result_exchange(p->result, p->index);
}

static void
put_exchange_sent(const struct place *p)
{
	field_number(p, exchange_of(p)->sent_bytes);
}

static void
put_exchange_received(const struct place *p)
{
	field_number(p, exchange_of(p)->received_bytes);
}

static void
put_exchange_match(const struct place *p)
{
	field_match(p, exchange_of(p)->match);
}

static void
put_exchange_which(const struct place *p)
{
	field_which(p, p->index, exchange_of(p)->match_which);
}

static void
put_exchange_send(const struct place *p)
{
	field_us(p, exchange_of(p)->send_ns);
}

static void
put_exchange_wait(const struct place *p)
{
	field_us(p, exchange_of(p)->wait_ns);
}

static void
put_exchange_receive(const struct place *p)
{
	field_us(p, exchange_of(p)->receive_ns);
}

static const struct field exchange_bytes_fields[] = {
	VALUE("sent", put_exchange_sent),
	VALUE("received", put_exchange_received),
	END,
};

static const struct field exchange_expect_fields[] = {
	VALUE("result", put_exchange_match),
	VALUE("which", put_exchange_which),
	END,
};

static const struct field exchange_fields[] = {
	{ "bytes", .members = exchange_bytes_fields },
	{ "expect", .members = exchange_expect_fields },
	VALUE("send_us", put_exchange_send),
	VALUE("wait_us", put_exchange_wait),
	VALUE("receive_us", put_exchange_receive),
	END,
};

/* ---- Fast Open */

static void
put_fastopen_requested(const struct place *p)
{
	field_bool(p, p->result->fastopen != LASTACK_FASTOPEN_OFF);
}

static void
put_fastopen_status(const struct place *p)
{
	enum lastack_fastopen_status status = p->result->fastopen_status;

	field_string(p,
	    status == LASTACK_FASTOPEN_UNKNOWN ? NULL :
						 lastack_fastopen_name(status));
}

static void
put_fastopen_reason(const struct place *p)
{
	struct text reason = TEXT_INIT;

	verdict_fastopen(&reason, p->options, p->result);
	field_text(p, &reason);
}

static const struct field fastopen_fields[] = {
	VALUE("requested", put_fastopen_requested),
	VALUE("status", put_fastopen_status),
	MEMBER("cookie", field_truth, fastopen_cookie),
	VALUE("reason", put_fastopen_reason),
	END,
};

/* ---- the close */

/* Only TCP has segments to end it by. */
static bool
has_segments(const struct place *p)
{
	return p->result->family != LASTACK_FAMILY_UNIX ||
	    p->result->close_peer == LASTACK_END_NONE;
}

static void
put_end(const struct place *p)
{
	if (has_segments(p))
		field_end(p);
	else
		p->writer->format->null(p->writer, p->field->name);
}

static void
put_first(const struct place *p)
{
	static const char *const sides[] = { NULL, "peer", "local" };

	field_string(p, has_segments(p) ? sides[p->result->close_first] : NULL);
}

static void
put_close_reason(const struct place *p)
{
	struct text reason = TEXT_INIT;

	verdict_close(&reason, p->options, p->result);
	field_text(p, &reason);
}

static const struct field close_fields[] = {
	MEMBER("peer", put_end, close_peer),
	MEMBER("local", put_end, close_local),
	VALUE("first", put_first),
	MEMBER("clean", field_truth, close_clean),
	MEMBER("last_ack", field_truth, close_last_ack),
	MEMBER("time_wait", field_truth, close_time_wait),
	VALUE("reason", put_close_reason),
	END,
};

/* ---- the kernel's figures */

static bool
has_kernel(const struct place *p)
{
	return p->result->has_kernel;
}

static void
put_congestion(const struct place *p)
{
	field_string(p, lastack_result_congestion(p->result));
}

static const struct field kernel_fields[] = {
	MEMBER("rtt_us", field_u32, rtt_us),
	MEMBER("min_rtt_us", field_u32_or_null, min_rtt_us),
	MEMBER("rttvar_us", field_u32, rttvar_us),
	MEMBER("retransmits", field_u32, retransmits),
	MEMBER("syn_retransmits", field_u32, syn_retransmits),
	MEMBER("mss", field_u32, mss_bytes),
	MEMBER("segments_out", field_u32, segments_out),
	MEMBER("segments_in", field_u32, segments_in),
	VALUE("congestion", put_congestion),
	END,
};

/* ---- the response */

static bool
has_response(const struct place *p)
{
	const struct options *o = p->options;

	return !o->jail && (o->verbose > 0 || o->output != NULL) &&
	    p->result->close_peer != LASTACK_END_NONE;
}

static bool
response_is_utf8(const struct place *p)
{
	return escape_is_utf8(
	    lastack_result_response(p->result), (size_t)p->result->kept_bytes);
}

static void
put_encoding(const struct place *p)
{
	field_string(p, response_is_utf8(p) ? "utf-8" : "base64");
}

static void
put_data(const struct place *p)
{
	const void *bytes = lastack_result_response(p->result);
	size_t len = (size_t)p->result->kept_bytes;
	struct text encoded = TEXT_INIT;

	if (response_is_utf8(p)) {
		p->writer->format->bytes(p->writer, p->field->name, bytes, len);
		return;
	}
	escape_base64(&encoded, bytes, len);
	field_text(p, &encoded);
}

static void
put_truncated(const struct place *p)
{
	field_bool(p, p->result->kept_bytes < p->result->received_bytes);
}

static const struct field response_fields[] = {
	VALUE("encoding", put_encoding),
	VALUE("data", put_data),
	VALUE("truncated", put_truncated),
	END,
};

/* ---- all of it */

const struct field fields[] = {
	VALUE("schema", put_schema),
	VALUE("lastack", put_version),
	VALUE("host", put_host),
	VALUE("port", put_port),
	VALUE("outcome", put_outcome),
	VALUE("exit_status", put_status),
	VALUE("summary", put_summary),
	{ "error", .members = error_fields, .there = has_error },
	VALUE("family", put_family),
	VALUE("remote", put_remote),
	VALUE("local", put_local),
	VALUE("local_port", put_local_port),
	{ "attempts", .members = attempt_fields, .count = count_attempts },
	{ "phases_us", .members = phase_fields },
	{ "wire_us", .members = wire_fields },
	{ "events", .members = event_fields, .count = count_events },
	{ "bytes", .members = bytes_fields },
	{ "expect", .members = expect_fields },
	{ "exchanges", .members = exchange_fields, .there = has_exchanges,
	    .count = count_exchanges },
	{ "fastopen", .members = fastopen_fields },
	{ "close", .members = close_fields },
	{ "kernel", .members = kernel_fields, .there = has_kernel },
	{ "response", .members = response_fields, .there = has_response },
	VALUE("hint", put_hint),
	END,
};
