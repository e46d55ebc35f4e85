/* SPDX-License-Identifier: BSD-2-Clause */
/* One object on one line; the schema only grows. Described in lastack(1). */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "errname.h"
#include "escape.h"
#include "events.h"
#include "hint.h"
#include "report.h"
#include "status.h"
#include "verdict.h"

#define SCHEMA 1

static void
put_name(struct text *to, const char *name)
{
	char last = to->len > 0 ? to->bytes[to->len - 1] : '{';

	if (last != '{' && last != '[')
		text_puts(to, ",");
	if (name != NULL)
		text_printf(to, "\"%s\":", name);
}

static void
put_open(struct text *to, const char *name, const char *bracket)
{
	put_name(to, name);
	text_puts(to, bracket);
}

static void
put_bytes(struct text *to, const char *name, const void *bytes, size_t len)
{
	put_name(to, name);
	text_puts(to, "\"");
	escape_json(to, bytes, len);
	text_puts(to, "\"");
}

static void
put_string(struct text *to, const char *name, const char *string)
{
	if (string != NULL) {
		put_bytes(to, name, string, strlen(string));
		return;
	}
	put_name(to, name);
	text_puts(to, "null");
}

static void
put_number(struct text *to, const char *name, uint64_t number)
{
	put_name(to, name);
	text_printf(to, "%" PRIu64, number);
}

/* Microseconds, to the nanosecond; null where it was not reached. */
static void
put_us(struct text *to, const char *name, int64_t ns)
{
	put_name(to, name);
	if (ns < 0)
		text_puts(to, "null");
	else
		text_printf(to, "%" PRId64 ".%03" PRId64, ns / 1000, ns % 1000);
}

static void
put_truth(struct text *to, const char *name, enum lastack_truth truth)
{
	put_name(to, name);
	text_puts(to,
	    truth == LASTACK_YES    ? "true" :
		truth == LASTACK_NO ? "false" :
				      "null");
}

/* ---- the members */

static void
put_error(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	struct text message = TEXT_INIT;

	verdict_error(&message, o, result);
	if (message.len == 0) {
		put_string(to, "error", NULL);
		text_free(&message);
		return;
	}
	put_open(to, "error", "{");
	put_string(to, "phase", lastack_phase_name(result->error_phase));
	put_string(to, "errno", errname(result->error_errno));
	put_string(to, "message", text_string(&message));
	text_puts(to, "}");
	text_free(&message);
}

static void
put_ends(struct text *to, const struct lastack_result *result)
{
	static const char *const families[] = { NULL, "ipv4", "ipv6" };

	put_string(to, "family", families[result->family]);
	put_string(to, "remote", lastack_result_remote(result));
	put_string(to, "local", lastack_result_local(result));
	if (result->local_port != 0)
		put_number(to, "local_port", result->local_port);
	else
		put_string(to, "local_port", NULL);
}

static void
put_attempts(struct text *to, const struct lastack_result *result)
{
	put_open(to, "attempts", "[");
	for (size_t i = 0; i < lastack_result_attempts(result); i++) {
		const struct lastack_attempt *attempt =
		    lastack_result_attempt(result, i);

		put_open(to, NULL, "{");
		put_string(to, "address", attempt->address);
		put_string(
		    to, "outcome", lastack_outcome_name(attempt->outcome));
		put_string(to, "errno", errname(attempt->error_errno));
		put_us(to, "time_us", attempt->time_ns);
		text_puts(to, "}");
	}
	text_puts(to, "]");
}

static void
put_phases(struct text *to, const struct lastack_result *result)
{
	put_open(to, "phases_us", "{");
	for (unsigned int i = 0; i <= LASTACK_PHASE_TOTAL; i++)
		put_us(to, lastack_phase_name(i),
		    lastack_result_phase_ns(result, i));
	text_puts(to, "}");
}

static void
put_estimate(
    struct text *to, const char *name, int64_t ns, enum lastack_method method)
{
	if (method == LASTACK_METHOD_NONE) {
		put_string(to, name, NULL);
		return;
	}
	put_open(to, name, "{");
	put_us(to, "value", ns);
	put_string(to, "method", lastack_method_name(method));
	text_puts(to, "}");
}

/* What a capture would show, as near as can be told without one. */
static void
put_wire(struct text *to, const struct lastack_result *result)
{
	put_open(to, "wire_us", "{");
	put_estimate(
	    to, "handshake", result->handshake_ns, result->handshake_method);
	put_estimate(
	    to, "first_byte", result->first_byte_ns, result->first_byte_method);
	text_puts(to, "}");
}

static void
put_events(struct text *to, const struct lastack_result *result)
{
	enum lastack_event events[LASTACK_EVENT_COUNT];
	size_t count = events_in_order(result, events);

	put_open(to, "events", "[");
	for (size_t i = 0; i < count; i++) {
		put_open(to, NULL, "{");
		put_string(to, "event", lastack_event_name(events[i]));
		put_us(to, "at_us", lastack_result_event_ns(result, events[i]));
		text_puts(to, "}");
	}
	text_puts(to, "]");
}

static void
put_counts(struct text *to, const struct lastack_result *result)
{
	put_open(to, "bytes", "{");
	put_number(to, "sent", result->sent_bytes);
	put_number(to, "received", result->received_bytes);
	put_number(to, "kept", result->kept_bytes);
	put_number(to, "drained", result->drained_bytes);
	put_number(to, "in_syn", result->in_syn_bytes);

	text_puts(to, "}");
}

static void
put_expect(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	static const char *const names[] = { NULL, "none", "match",
		"mismatch" };

	put_open(to, "expect", "{");
	put_string(to, "result", names[result->match]);
	put_string(to, "which",
	    result->match_which < 0 ? NULL : o->expects[result->match_which]);
	text_puts(to, "}");
}

static void
put_fastopen(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	bool asked = result->fastopen != LASTACK_FASTOPEN_OFF;
	struct text reason = TEXT_INIT;

	verdict_fastopen(&reason, o, result);
	put_open(to, "fastopen", "{");
	put_truth(to, "requested", asked ? LASTACK_YES : LASTACK_NO);
	put_string(to, "status",
	    result->fastopen_status == LASTACK_FASTOPEN_UNKNOWN ?
		NULL :
		lastack_fastopen_name(result->fastopen_status));
	put_truth(to, "cookie", result->fastopen_cookie);
	put_string(to, "reason", reason.len > 0 ? reason.bytes : NULL);
	text_puts(to, "}");
	text_free(&reason);
}

static void
put_end(struct text *to, const char *name, enum lastack_end end)
{
	put_string(to, name,
	    end == LASTACK_END_UNKNOWN ? NULL : lastack_end_name(end));
}

static void
put_close(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	static const char *const sides[] = { NULL, "peer", "local" };
	struct text reason = TEXT_INIT;

	verdict_close(&reason, o, result);
	put_open(to, "close", "{");
	put_end(to, "peer", result->close_peer);
	put_end(to, "local", result->close_local);
	put_string(to, "first", sides[result->close_first]);
	put_truth(to, "clean", result->close_clean);
	put_truth(to, "last_ack", result->close_last_ack);
	put_truth(to, "time_wait", result->close_time_wait);
	put_string(to, "reason", reason.len > 0 ? reason.bytes : NULL);
	text_puts(to, "}");
	text_free(&reason);
}

static void
put_kernel(struct text *to, const struct lastack_result *result)
{
	if (!result->has_kernel) {
		put_string(to, "kernel", NULL);
		return;
	}
	put_open(to, "kernel", "{");
	put_number(to, "rtt_us", result->rtt_us);
	if (result->min_rtt_us != 0)
		put_number(to, "min_rtt_us", result->min_rtt_us);
	else
		put_string(to, "min_rtt_us", NULL);
	put_number(to, "rttvar_us", result->rttvar_us);
	put_number(to, "retransmits", result->retransmits);
	put_number(to, "syn_retransmits", result->syn_retransmits);
	put_number(to, "mss", result->mss_bytes);
	put_number(to, "segments_out", result->segments_out);
	put_number(to, "segments_in", result->segments_in);
	put_string(to, "congestion", lastack_result_congestion(result));
	text_puts(to, "}");
}

static void
put_response(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	const void *bytes = lastack_result_response(result);
	size_t len = (size_t)result->kept_bytes;
	bool utf8 = escape_is_utf8(bytes, len);

	if (o->jail || (o->verbose == 0 && o->output == NULL) ||
	    result->close_peer == LASTACK_END_NONE) {
		put_string(to, "response", NULL);
		return;
	}
	put_open(to, "response", "{");
	put_string(to, "encoding", utf8 ? "utf-8" : "base64");
	if (utf8) {
		put_bytes(to, "data", bytes, len);
	} else {
		put_open(to, "data", "\"");
		escape_base64(to, bytes, len);
		text_puts(to, "\"");
	}
	put_truth(to, "truncated",
	    result->kept_bytes < result->received_bytes ? LASTACK_YES :
							  LASTACK_NO);
	text_puts(to, "}");
}

static void
put_hint(struct text *to, const struct lastack_result *result)
{
	struct text hint = TEXT_INIT;

	hint_add(&hint, result);
	put_string(to, "hint", hint.len > 0 ? hint.bytes : NULL);
	text_free(&hint);
}

void
report_json(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	struct text summary = TEXT_INIT;

	verdict_summary(&summary, o, result);
	put_open(to, NULL, "{");
	put_number(to, "schema", SCHEMA);
	put_string(to, "lastack", lastack_version());
	put_string(to, "host", o->host);
	put_number(to, "port", o->port);
	put_string(to, "outcome", lastack_outcome_name(result->outcome));
	put_number(to, "exit_status", (uint64_t)status_of(result));
	put_string(to, "summary", text_string(&summary));
	put_error(to, o, result);
	put_ends(to, result);
	put_attempts(to, result);
	put_phases(to, result);
	put_wire(to, result);
	put_events(to, result);
	put_counts(to, result);
	put_expect(to, o, result);
	put_fastopen(to, o, result);

	put_close(to, o, result);
	put_kernel(to, result);
	put_response(to, o, result);
	put_hint(to, result);
	text_puts(to, "}\n");

	text_free(&summary);
}
