/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prometheus' text exposition, for the textfile collector of node_exporter.
 * What was not reached has no sample: a 0 would be a measurement.
 */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "escape.h"
#include "report.h"
#include "status.h"
#include "walk.h"
#include "writer.h"

#define NS_PER_S INT64_C(1000000000)

/* One metric while it is written. */
struct exposition {
	struct text *to;
	const struct options *options;
	const struct lastack_result *result;
	const struct metric *metric;
	const char *target; /* the label's value, escaped */
	bool begun;	    /* HELP and TYPE are there */
};

struct metric {
	const char *name; /* without "lastack_" */
	const char *help;
	void (*put)(struct exposition *x);
	size_t at; /* of a member of the result */
};

/* ---- samples */

/* Of text that is harmless for a line already. */
static void
put_label_value(struct text *to, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"')
			text_puts(to, "\\");
		text_add(to, value, 1);
	}
}

/* An empty label is one that is not there. */
static void
put_label(struct exposition *x, const char *name, const char *value)
{
	if (*value == '\0')
		return;
	text_printf(x->to, ",%s=\"", name);
	put_label_value(x->to, value);
	text_puts(x->to, "\"");
}

/* Up to the first label; further ones may follow. */
static void
begin_sample(struct exposition *x)
{
	const struct metric *metric = x->metric;

	if (!x->begun)
		text_printf(x->to,
		    "# HELP lastack_%s %s\n"
		    "# TYPE lastack_%s gauge\n",
		    metric->name, metric->help, metric->name);
	x->begun = true;
	text_printf(x->to, "lastack_%s{target=\"%s\"", metric->name, x->target);
}

static void
end_sample(struct exposition *x, uint64_t value)
{
	text_printf(x->to, "} %" PRIu64 "\n", value);
}

/* In seconds, to the nanosecond. */
static void
end_sample_ns(struct exposition *x, int64_t ns)
{
	text_printf(x->to, "} %" PRId64 ".%09" PRId64 "\n", ns / NS_PER_S,
	    ns % NS_PER_S);
}

static void
put_number(struct exposition *x, uint64_t value)
{
	begin_sample(x);
	end_sample(x, value);
}

static void
put_ns(struct exposition *x, int64_t ns)
{
	if (ns < 0)
		return;
	begin_sample(x);
	end_sample_ns(x, ns);
}

static bool
is_connected(const struct exposition *x)
{
	return lastack_result_remote(x->result) != NULL;
}

static bool
has_phase(const struct exposition *x, enum lastack_phase phase)
{
	return lastack_result_phase_ns(x->result, phase) != -1;
}

static const void *
member_of(const struct exposition *x)
{
	return (const char *)x->result + x->metric->at;
}

/* ---- the metrics */

static void
put_success(struct exposition *x)
{
	put_number(x, status_of(x->options, x->result) == 0);
}

static void
put_status(struct exposition *x)
{
	put_number(x, (uint64_t)status_of(x->options, x->result));
}

/* What is not a number, and no measurement. Only fields that are strings. */
static void
put_info(struct exposition *x)
{
	static const char *const labels[][2] = { { "version", "lastack" },
		{ "outcome", "outcome" }, { "phase", "error.phase" },
		{ "errno", "error.errno" }, { "family", "family" },
		{ "remote", "remote" }, { "close_peer", "close.peer" },
		{ "close_local", "close.local" },
		{ "close_first", "close.first" },
		{ "fastopen", "fastopen.status" },
		{ "congestion", "kernel.congestion" },
		{ "handshake_method", "wire_us.handshake.method" },
		{ "first_byte_method", "wire_us.first_byte.method" } };

	begin_sample(x);
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		struct text value = TEXT_INIT;
		struct writer writer = { &writer_plain, &value };

		walk_field(&writer, x->options, x->result, labels[i][1]);
		put_label(x, labels[i][0], text_string(&value));
		if (value.failed)
			x->to->failed = true;
		text_free(&value);
	}
	end_sample(x, 1);
}

static void
put_duration(struct exposition *x)
{
	put_ns(x, lastack_result_phase_ns(x->result, LASTACK_PHASE_TOTAL));
}

static void
put_phases(struct exposition *x)
{
	for (unsigned int i = 0; i < LASTACK_PHASE_TOTAL; i++) {
		if (!has_phase(x, i))
			continue;
		begin_sample(x);
		put_label(x, "phase", lastack_phase_name(i));
		end_sample_ns(x, lastack_result_phase_ns(x->result, i));
	}
}

static void
put_estimate(struct exposition *x, const char *span, int64_t ns,
    enum lastack_method method)
{
	if (method == LASTACK_METHOD_NONE)
		return;
	begin_sample(x);
	put_label(x, "span", span);
	end_sample_ns(x, ns);
}

static void
put_wire(struct exposition *x)
{
	const struct lastack_result *result = x->result;

	put_estimate(
	    x, "handshake", result->handshake_ns, result->handshake_method);
	put_estimate(
	    x, "first_byte", result->first_byte_ns, result->first_byte_method);
}

static void
put_attempts(struct exposition *x)
{
	size_t count = lastack_result_attempts(x->result);

	if (count > 0)
		put_number(x, count);
}

/* Where there was a payload. */
static void
put_sent(struct exposition *x)
{
	const uint64_t *bytes = member_of(x);

	if (has_phase(x, LASTACK_PHASE_SEND))
		put_number(x, *bytes);
}

/* Where a response was awaited. */
static void
put_received(struct exposition *x)
{
	const uint64_t *bytes = member_of(x);

	if (has_phase(x, LASTACK_PHASE_WAIT))
		put_number(x, *bytes);
}

static void
put_drained(struct exposition *x)
{
	const uint64_t *bytes = member_of(x);

	if (has_phase(x, LASTACK_PHASE_DRAIN))
		put_number(x, *bytes);
}

static void
put_in_syn(struct exposition *x)
{
	const uint64_t *bytes = member_of(x);

	if (x->result->fastopen != LASTACK_FASTOPEN_OFF && is_connected(x))
		put_number(x, *bytes);
}

static void
put_match(struct exposition *x)
{
	enum lastack_match match = x->result->match;

	if (match == LASTACK_MATCH_YES || match == LASTACK_MATCH_NO)
		put_number(x, match == LASTACK_MATCH_YES);
}

static void
put_truth(struct exposition *x)
{
	const enum lastack_truth *truth = member_of(x);

	if (is_connected(x) && *truth != LASTACK_UNKNOWN)
		put_number(x, *truth == LASTACK_YES);
}

static void
put_peer_first(struct exposition *x)
{
	enum lastack_side first = x->result->close_first;

	if (first != LASTACK_SIDE_UNKNOWN)
		put_number(x, first == LASTACK_SIDE_PEER);
}

/* Microseconds of the kernel's; 0: no sample. */
static void
put_kernel_us(struct exposition *x)
{
	const uint32_t *us = member_of(x);

	if (x->result->has_kernel && *us != 0)
		put_ns(x, (int64_t)*us * 1000);
}

static void
put_kernel(struct exposition *x)
{
	const uint32_t *number = member_of(x);

	if (x->result->has_kernel)
		put_number(x, *number);
}

#define AT(member) offsetof(struct lastack_result, member)

/* clang-format off */
static const struct metric metrics[] = {
	{ "probe_success", "Whether the probe was a success.", put_success, 0 },
	{ "probe_info", "How the probe ended; always 1.", put_info, 0 },
	{ "probe_exit_status", "Exit status of the outcome.", put_status, 0 },
	{ "probe_duration_seconds", "Duration of the probe.", put_duration, 0 },
	{ "phase_duration_seconds", "Duration of a phase of the probe.",
	  put_phases, 0 },
	{ "wire_duration_seconds", "What a capture would show of it.",
	  put_wire, 0 },
	{ "attempts", "Addresses that were tried.", put_attempts, 0 },
	{ "sent_bytes", "Payload that was sent.", put_sent, AT(sent_bytes) },
	{ "received_bytes", "The response, until it was complete.",
	  put_received, AT(received_bytes) },
	{ "drained_bytes", "Discarded after the response.",
	  put_drained, AT(drained_bytes) },
	{ "syn_payload_bytes", "Payload that the SYN carried.",
	  put_in_syn, AT(in_syn_bytes) },
	{ "expect_match", "Whether the response met the expectations.",
	  put_match, 0 },
	{ "close_clean", "Whether both sides sent FIN, neither RST, and ours "
	  "was acknowledged.", put_truth, AT(close_clean) },
	{ "close_last_ack", "Whether our FIN was sent and acknowledged.",
	  put_truth, AT(close_last_ack) },
	{ "close_time_wait", "Whether this machine holds TIME-WAIT now.",
	  put_truth, AT(close_time_wait) },
	{ "close_peer_first", "Whether the peer was the first to end.",
	  put_peer_first, 0 },
	{ "rtt_seconds", "Smoothed round trip of the kernel.",
	  put_kernel_us, AT(rtt_us) },
	{ "rtt_min_seconds", "Shortest round trip of the kernel.",
	  put_kernel_us, AT(min_rtt_us) },
	{ "rtt_deviation_seconds", "Mean deviation of the round trip.",
	  put_kernel_us, AT(rttvar_us) },
	{ "retransmits", "Segments sent again.", put_kernel, AT(retransmits) },
	{ "syn_retransmits", "SYNs sent again.",
	  put_kernel, AT(syn_retransmits) },
	{ "mss_bytes", "Payload in a segment of ours, at most.",
	  put_kernel, AT(mss_bytes) },
	{ "segments_sent", "Segments sent.", put_kernel, AT(segments_out) },
	{ "segments_received", "Segments received.",
	  put_kernel, AT(segments_in) },
};
/* clang-format on */

static void
put_target(struct text *to, const struct options *o)
{
	bool numeric_v6 = strchr(o->host, ':') != NULL;
	struct text host = TEXT_INIT;

	escape_word(&host, o->host);
	text_puts(to, numeric_v6 ? "[" : "");
	put_label_value(to, text_string(&host));
	text_printf(to, "%s:%u", numeric_v6 ? "]" : "", o->port);
	if (host.failed)
		to->failed = true;
	text_free(&host);
}

void
report_prometheus(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	struct exposition x = { .to = to, .options = o, .result = result };
	struct text target = TEXT_INIT;

	put_target(&target, o);
	x.target = text_string(&target);
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		x.metric = &metrics[i];
		x.begun = false;
		metrics[i].put(&x);
	}
	if (target.failed)
		to->failed = true;
	text_free(&target);
}
