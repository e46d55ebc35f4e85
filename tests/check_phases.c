/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The times of a report, held against the capture: what came to us is never
 * told earlier than it was on the wire, each delay is found in its own phase,
 * and each estimate names the method that made it. How near to the wire a time
 * is, bench_times shows; here nothing depends on a fast machine.
 *
 * Not here: a clock that is set during a run. No namespace has a
 * CLOCK_REALTIME of its own, so a test would set the machine's.
 */
#include <config.h>

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "judge.h"
#include "lab.h"
#include "peer.h"
#include "rawpeer.h"
#include "scene.h"
#include "suite.h"
#include "tcp.h"

#define PORT 8080
#define ARGS(...)                                                              \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}
#define SCRIPT(...)                                                            \
	.script = (const struct rawpeer_step[]){ __VA_ARGS__ },                \
	.steps = sizeof((const struct rawpeer_step[]){ __VA_ARGS__ }) /        \
	    sizeof(struct rawpeer_step)

#define SYNACK RAW_SEND, .flags = RAW_SYN | RAW_ACK
#define ACK RAW_SEND, .flags = RAW_ACK
#define RST RAW_SEND, .flags = RAW_RST | RAW_ACK
#define FIN RAW_SEND, .flags = RAW_FIN | RAW_ACK
#define DATA RAW_SEND, .flags = RAW_PSH | RAW_ACK
#define DATA_FIN RAW_SEND, .flags = RAW_PSH | RAW_ACK | RAW_FIN

#define ROUND_US 1.0	   /* of sums of what is told to the nanosecond */
#define RTT_US 2.0	   /* of the kernel's whole microseconds */
#define LATE_US 1000.0	   /* from noticing a byte to asking about it */
#define STAMP_US 25.0	   /* of a stamp's way from one clock to the other */
#define JIFFIES_US 20000.0 /* that a timer of the kernel may be short of */
/*
 * What the phases may take together that have nothing to wait for: less than
 * they do where they wait all the same, 5 s in the drain.
 */
#define IDLE_US 2000000.0
/*
 * What is on the wire is never told wrong, on however slow a machine. But it
 * may be another thing than was planned where one of the two was held up for
 * long: a SYN is sent again, a deadline comes earlier, a stamp is dropped. Then
 * the row is played again, with twice the time.
 */
#define TRIES 12
#define DEADLINE_MS 100 /* at first */
#define DOUBLINGS 6
#define SAME_US 200000.0 /* shorter waits are played by both families */

/* The phases, as bits, in their order. */
enum {
	RESOLVE = 1 << 0,
	CONNECT = 1 << 1,
	SEND = 1 << 2,
	WAIT = 1 << 3,
	RECEIVE = 1 << 4,
	DRAIN = 1 << 5,
	CLOSE = 1 << 6,
	EXCHANGE = CONNECT | SEND | WAIT,
	WHOLE = EXCHANGE | RECEIVE | DRAIN | CLOSE,
};

static const char *const phases[] = { "resolve", "connect", "send", "wait",
	"receive", "drain", "close" };

#define PHASES (sizeof(phases) / sizeof(phases[0]))

/* What the peer puts off, that is, between which segments the time lies. */
enum place {
	NOWHERE,
	BEFORE_SYNACK,
	BEFORE_RESPONSE, /* from the first payload, sent again or not */
	BEFORE_FIN,	 /* from the response */
	BEFORE_LAST_ACK,
};

struct row {
	const char *name;
	const struct rawpeer_step *script;
	size_t steps;
	const char *args[14];
	bool deadline; /* that ends it */
	int status;
	unsigned int reached; /* the others are null */
	enum place place;
	double least_us;	/* that the wire is to show there */
	unsigned int where;	/* the phases that share it */
	const char *first_byte; /* the best method there is; NULL: null */
	bool kernel_only; /* without TCP_INFO there is nothing to wait for */
};

#define ASK "-s", "question", "-e", "answer", "--drain=5"

#define DELAYED_SYNACK(length)                                                 \
	{                                                                      \
		.name = "syn-ack-after-" #length,                              \
		SCRIPT({ RAW_WAIT_SYN }, { RAW_DELAY, .ms = (length) },        \
		    { SYNACK }, { RAW_WAIT_PAYLOAD },                          \
		    { DATA_FIN, .data = "answer" }, { RAW_WAIT_FIN },          \
		    { ACK }),                                                  \
		.args = ARGS(ASK), .reached = WHOLE, .place = BEFORE_SYNACK,   \
		.least_us = 1000.0 * (length), .where = CONNECT,               \
		.first_byte = "stamp-bound"                                    \
	}
#define DELAYED_RESPONSE(length)                                               \
	{                                                                      \
		.name = "response-after-" #length,                             \
		SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },     \
		    { RAW_DELAY, .ms = (length) },                             \
		    { DATA_FIN, .data = "answer" }, { RAW_WAIT_FIN },          \
		    { ACK }),                                                  \
		.args = ARGS(ASK), .reached = WHOLE, .place = BEFORE_RESPONSE, \
		.least_us = 1000.0 * (length), .where = SEND | WAIT,           \
		.first_byte = "stamp-bound"                                    \
	}
#define DELAYED_FIN(length)                                                    \
	{                                                                      \
		.name = "fin-after-" #length,                                  \
		SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },     \
		    { RAW_DELAY, .ms = 20 }, { DATA, .data = "answer" },       \
		    { RAW_DELAY, .ms = (length) }, { FIN }, { RAW_WAIT_FIN },  \
		    { ACK }),                                                  \
		.args = ARGS(ASK), .reached = WHOLE, .place = BEFORE_FIN,      \
		.least_us = 1000.0 * (length), .where = RECEIVE | DRAIN,       \
		.first_byte = "stamp"                                          \
	}
#define DELAYED_LAST_ACK(length)                                               \
	{                                                                      \
		.name = "last-ack-after-" #length, .kernel_only = true,        \
		SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },     \
		    { DATA_FIN, .data = "answer" }, { RAW_WAIT_FIN },          \
		    { RAW_DELAY, .ms = (length) }, { ACK }),                   \
		.args = ARGS(ASK), .reached = WHOLE, .place = BEFORE_LAST_ACK, \
		.least_us = 1000.0 * (length), .where = CLOSE,                 \
		.first_byte = "stamp-bound"                                    \
	}

static const struct row rows[] = {
	DELAYED_SYNACK(5),
	DELAYED_SYNACK(50),
	DELAYED_SYNACK(300),
	DELAYED_RESPONSE(5),
	DELAYED_RESPONSE(50),
	DELAYED_RESPONSE(300),
	DELAYED_FIN(5),
	DELAYED_FIN(50),
	DELAYED_FIN(300),
	DELAYED_LAST_ACK(5),
	DELAYED_LAST_ACK(50),
	DELAYED_LAST_ACK(300),
	/* Without an expectation it is the FIN that completes the response. */
	{ .name = "fin-awaited",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_DELAY, .ms = 20 }, { DATA, .data = "answer" },
		{ RAW_DELAY, .ms = 300 }, { FIN }, { RAW_WAIT_FIN }, { ACK }),
	    .args = ARGS("-s", "question", "--idle=20", "-t", "20"),
	    .reached = WHOLE,
	    .place = BEFORE_FIN,
	    .least_us = 300000,
	    .where = RECEIVE,
	    .first_byte = "stamp" },
	/* ---- what was not reached */
	{
	    .name = "connect-only",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_RST }),
	    .args = ARGS("-z"),
	    .reached = CONNECT | CLOSE,
	},
	{
	    .name = "connect-and-look",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_RST }),
	    .args = ARGS("--expect-close=open", "--drain=20ms"),
	    .reached = CONNECT | DRAIN | CLOSE,
	},
	{
	    .name = "banner",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_DELAY, .ms = 20 },
		{ DATA, .data = "220" }, { RAW_WAIT_RST }),
	    .args = ARGS("-e", "220", "--drain=20ms"),
	    .reached = WHOLE & ~SEND,
	},
	{
	    .name = "banner-from-a-silent-one",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_RST }),
	    .args = ARGS("-e", "220"),
	    .deadline = true,
	    .status = 8,
	    .reached = WHOLE & ~SEND & ~RECEIVE,
	},
	{ .name = "refused",
	    SCRIPT({ RAW_WAIT_SYN }, { RAW_DELAY, .ms = 20 }, { RST }),
	    .args = ARGS("-s", "question"),
	    .status = 4,
	    .reached = CONNECT },
	{ .name = "no-syn-ack",
	    SCRIPT({ RAW_WAIT_SYN }),
	    .args = ARGS("-s", "question"),
	    .deadline = true,
	    .status = 6,
	    .reached = CONNECT },
	{
	    .name = "no-response",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD }, { ACK },
		{ RAW_WAIT_RST }),
	    .args = ARGS("-s", "question"),
	    .deadline = true,
	    .status = 8,
	    .reached = WHOLE & ~RECEIVE,
	},
	{ .name = "no-end-of-the-response",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_DELAY, .ms = 20 }, { DATA, .data = "ans" },
		{ RAW_WAIT_RST }),
	    .args = ARGS("-s", "question", "-e", "answer"),
	    .deadline = true,
	    .status = 8,
	    .reached = WHOLE,
	    .first_byte = "stamp" },
	{
	    .name = "never-sent",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK, .window = 100 },
		{ RAW_WAIT_PAYLOAD }, { ACK, .window = RAW_WINDOW_ZERO },
		{ RAW_WAIT_RST }),
	    .args = ARGS("--send-file=phases.bin"),
	    .deadline = true,
	    .status = 8,
	    .reached = CONNECT | SEND | DRAIN | CLOSE,
	},
	{
	    .name = "closed-without-a-word",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD }, { FIN },
		{ RAW_WAIT_FIN }, { ACK }),
	    .args = ARGS("-s", "question", "--drain=5"),
	    .status = 9,
	    .reached = WHOLE & ~RECEIVE,
	},
	{
	    .name = "reset-without-a-word",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_DELAY, .ms = 20 }, { RST }),
	    .args = ARGS("-s", "question"),
	    .status = 7,
	    .reached = WHOLE & ~RECEIVE,
	},
	{ .name = "reset-in-the-response",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_DELAY, .ms = 20 }, { DATA, .data = "ans" },
		{ RAW_DELAY, .ms = 20 }, { RST }),
	    .args = ARGS("-s", "question"),
	    .status = 7,
	    .reached = WHOLE,
	    .first_byte = "stamp" },
	/* --delay: both are there when we look. */
	{ .name = "fin-then-reset",
	    .kernel_only = true,
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_DELAY, .ms = 20 }, { DATA, .data = "ans" }, { FIN },
		{ RAW_DELAY, .ms = 20 }, { RST }),
	    .args = ARGS("-s", "question", "--delay=100ms"),
	    .status = 7,
	    .reached = WHOLE,
	    .first_byte = "stamp-bound" },
	{ .name = "reset-in-the-drain",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_DELAY, .ms = 20 }, { DATA, .data = "answer" },
		{ RAW_DELAY, .ms = 20 }, { RST }),
	    .args = ARGS(ASK),
	    .reached = WHOLE,
	    .first_byte = "stamp" },
	{ .name = "reset-in-last-ack",
	    .kernel_only = true,
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ DATA_FIN, .data = "answer" }, { RAW_WAIT_FIN },
		{ RAW_DELAY, .ms = 20 }, { RST }),
	    .args = ARGS(ASK),
	    .reached = WHOLE,
	    .first_byte = "stamp-bound" },
	{ .name = "kept-open",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_DELAY, .ms = 20 }, { DATA, .data = "answer" },
		{ RAW_WAIT_RST }),
	    .args = ARGS("-s", "question", "-e", "answer", "--drain=50ms"),
	    .reached = WHOLE,
	    .first_byte = "stamp" },
	{ .name = "closed-by-us",
	    .kernel_only = true,
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_DELAY, .ms = 20 }, { DATA, .data = "answer" },
		{ RAW_WAIT_FIN }, { RAW_DELAY, .ms = 50 }, { FIN },
		{ RAW_WAIT_ACK }),
	    .args = ARGS(ASK, "--close=fin"),
	    .reached = WHOLE,
	    .place = BEFORE_LAST_ACK,
	    .least_us = 50000,
	    .where = CLOSE,
	    .first_byte = "stamp" },
	/* ---- the first byte */
	{ .name = "one-segment",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_DELAY, .ms = 20 }, { DATA, .data = "answer" },
		{ RAW_WAIT_RST }),
	    .args = ARGS("-s", "question", "-e", "answer", "--drain=20ms"),
	    .reached = WHOLE,
	    .place = BEFORE_RESPONSE,
	    .least_us = 20000,
	    .where = SEND | WAIT,
	    .first_byte = "stamp" },
	/* --delay keeps the reading back until both are there. */
	{ .name = "two-segments",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_DELAY, .ms = 20 }, { DATA, .data = "ans" },
		{ DATA, .data = "wer" }, { RAW_WAIT_RST }),
	    .args = ARGS("-s", "question", "-e", "answer", "--drain=20ms",
		"--delay=100ms"),
	    .reached = WHOLE,
	    .place = BEFORE_RESPONSE,
	    .least_us = 20000,
	    .where = SEND | WAIT,
	    .first_byte = "stamp-bound" },
	{ .name = "one-segment-and-a-fin",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_DELAY, .ms = 20 }, { DATA, .data = "answer" }, { FIN },
		{ RAW_WAIT_FIN }, { ACK }),
	    .args = ARGS(ASK, "--delay=100ms"),
	    .reached = WHOLE,
	    .place = BEFORE_RESPONSE,
	    .least_us = 20000,
	    .where = SEND | WAIT,
	    .first_byte = "stamp-bound" },
	{ .name = "one-segment-twice",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_DELAY, .ms = 20 },
		{ DATA, .data = "answer", .hold = true },
		{ DATA, .data = "answer" }, { RAW_WAIT_RST }),
	    .args = ARGS("-s", "question", "-e", "answer", "--drain=20ms",
		"--delay=100ms"),
	    .reached = WHOLE,
	    .place = BEFORE_RESPONSE,
	    .least_us = 20000,
	    .where = SEND | WAIT,
	    .first_byte = "stamp-bound" },
	{ .name = "delay",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_DELAY, .ms = 20 }, { DATA, .data = "answer" },
		{ RAW_WAIT_RST }),
	    .args = ARGS("-s", "question", "-e", "answer", "--drain=20ms",
		"--delay=100ms"),
	    .reached = WHOLE,
	    .place = BEFORE_RESPONSE,
	    .least_us = 20000,
	    .where = SEND | WAIT,
	    .first_byte = "stamp" },
	/* ---- loss */
	{ .name = "request-lost",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_WAIT_PAYLOAD }, { DATA_FIN, .data = "answer" },
		{ RAW_WAIT_FIN }, { ACK }),
	    .args = ARGS(ASK),
	    .reached = WHOLE,
	    .place = BEFORE_RESPONSE,
	    .least_us = 200000 - JIFFIES_US, /* TCP_RTO_MIN */
	    .where = SEND | WAIT,
	    .first_byte = "stamp-bound" },
	{ .name = "syn-lost",
	    SCRIPT({ RAW_WAIT_SYN }, { RAW_IGNORE, .ms = 100 },
		{ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_DELAY, .ms = 20 }, { DATA, .data = "answer" },
		{ RAW_WAIT_RST }),
	    .args = ARGS("-s", "question", "-e", "answer", "--drain=20ms"),
	    .reached = WHOLE,
	    .place = BEFORE_SYNACK,
	    .least_us = 1000000 - JIFFIES_US, /* TCP_TIMEOUT_INIT */
	    .where = CONNECT,
	    .first_byte = "stamp" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* ---- what every report has to keep */

/* Microseconds; -1: null. */
static double
phase_us(const json_t *report, const char *name)
{
	const json_t *value =
	    json_object_get(judge_at(report, "phases_us"), name);

	ck_assert_ptr_nonnull(value);
	return json_is_null(value) ? -1 : json_number_value(value);
}

static void
check_sum(struct scene *scene)
{
	double total = phase_us(scene->report, "total"), sum = 0;

	for (size_t i = 0; i < PHASES; i++) {
		double us = phase_us(scene->report, phases[i]);

		if (us < 0 && us != -1)
			scene_fail(scene, "a phase is negative");
		if (us >= 0)
			sum += us;
	}
	if (sum > total + ROUND_US || sum < total - ROUND_US) {
		fprintf(stderr, "phases %.3f, total %.3f\n", sum, total);
		scene_fail(scene, "the phases are not the total");
	}
	if (judge_event(scene->report, "start") != 0 ||
	    judge_event(scene->report, "end") != total)
		scene_fail(scene, "the run is not from start to end");
}

/* One is not later than the other, where there are both. */
static void
check_order(struct scene *scene, const char *one, const char *other)
{
	double first = judge_event(scene->report, one);
	double second = judge_event(scene->report, other);

	if (first >= 0 && second >= 0 && first > second) {
		fprintf(stderr, "%s after %s\n", one, other);
		scene_fail(scene, "events out of order");
	}
}

static void
check_events(struct scene *scene)
{
	static const char *const pairs[][2] = { { "resolved", "connecting" },
		{ "connecting", "connected" }, { "connected", "sent" },
		{ "connected", "first_byte" }, { "first_byte", "last_byte" },
		{ "first_byte", "matched" }, { "connected", "peer_rst" },
		{ "peer_fin", "peer_rst" }, { "connected", "local_fin" },
		{ "local_fin", "last_ack" }, { "connected", "local_rst" },
		{ "local_fin", "local_rst" } };
	const json_t *events = judge_at(scene->report, "events");
	const json_t *event;
	double last = 0;
	size_t i;

	json_array_foreach(events, i, event)
	{
		double at = judge_number(event, "at_us");

		if (at < last)
			scene_fail(scene, "events not in time order");
		last = at;
		check_order(scene, judge_string(event, "event"), "end");
	}
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		check_order(scene, pairs[i][0], pairs[i][1]);
}

/*
 * From one event, of a segment that then left, to another, of one that had
 * come: no less than on the wire.
 */
static void
check_span(struct scene *scene, const char *leaves, int64_t left_ns,
    const char *comes, int64_t came_ns)
{
	double from = judge_event(scene->report, leaves);
	double to = judge_event(scene->report, comes);

	if (from < 0 || to < 0 || left_ns == 0 || came_ns == 0)
		return;
	if (to - from + ROUND_US < (double)(came_ns - left_ns) / 1000) {
		fprintf(stderr, "%s to %s: %.3f us, on the wire %.3f us\n",
		    leaves, comes, to - from,
		    (double)(came_ns - left_ns) / 1000);
		scene_fail(scene, "earlier than on the wire");
	}
}

static void
check_spans(struct scene *scene)
{
	const struct witness_side *us = &scene->flow->side[WITNESS_CLIENT];
	const struct witness_side *peer = &scene->flow->side[WITNESS_SERVER];

	check_span(scene, "connecting", us->first_syn_ns, "connected",
	    peer->first_syn_ns);
	check_span(scene, "connecting", us->first_syn_ns, "first_byte",
	    peer->first_payload_ns);
	check_span(scene, "connecting", us->first_syn_ns, "peer_fin",
	    peer->first_fin_ns);
	check_span(scene, "connecting", us->first_syn_ns, "peer_rst",
	    peer->first_rst_ns);
	check_span(
	    scene, "local_fin", us->first_fin_ns, "last_ack", us->fin_acked_ns);
}

static void
check_any(struct scene *scene)
{
	check_sum(scene);
	check_events(scene);
	if (scene->flow != NULL)
		check_spans(scene);
}

/* ---- what is of one row */

/* The reason goes to standard error, in case that it is the last try. */
static bool
other(const char *what)
{
	fprintf(stderr, "not as planned: %s\n", what);
	return false;
}

static bool
as_reached(const struct scene *scene, unsigned int reached)
{
	for (size_t i = 0; i < PHASES; i++) {
		bool there = phase_us(scene->report, phases[i]) >= 0;

		if (there != ((reached & (1U << i)) != 0))
			return other(phases[i]);
	}
	return true;
}

static double
wire_us(const struct witness_flow *flow, enum place place)
{
	const struct witness_side *us = &flow->side[WITNESS_CLIENT];
	const struct witness_side *peer = &flow->side[WITNESS_SERVER];
	int64_t from = 0, to = 0;

	switch (place) {
	case NOWHERE:
		return 0;
	case BEFORE_SYNACK:
		from = us->first_syn_ns;
		to = peer->first_syn_ns;
		break;
	case BEFORE_RESPONSE:
		from = us->first_payload_ns;
		to = peer->first_payload_ns;
		break;
	case BEFORE_FIN:
		from = peer->first_payload_ns;
		to = peer->first_fin_ns;
		break;
	case BEFORE_LAST_ACK:
		from = us->first_fin_ns;
		to = us->fin_acked_ns;
		break;
	}
	ck_assert(from != 0 && to != 0);
	return (double)(to - from) / 1000;
}

/* How long the response had been there when we took it. */
static double
lag_us(const struct scene *scene)
{
	const struct witness_flow *flow = scene->flow;

	return judge_event(scene->report, "first_byte") -
	    judge_event(scene->report, "connecting") -
	    (double)(flow->side[WITNESS_SERVER].first_payload_ns -
		flow->side[WITNESS_CLIENT].first_syn_ns) /
	    1000;
}

/* The peer's delay lies where it belongs; the other phases have no time. */
static bool
as_placed(struct scene *scene, const struct row *row)
{
	double total = phase_us(scene->report, "total"), share = 0, wire;

	if (row->place == NOWHERE)
		return true;
	wire = wire_us(scene->flow, row->place);
	for (size_t i = 0; i < PHASES; i++)
		if (row->where & (1U << i))
			share += phase_us(scene->report, phases[i]);
	if (total - share > IDLE_US)
		return other("time in phases that had nothing to wait for");
	if (row->place == BEFORE_FIN)
		share += lag_us(scene);
	if (share + ROUND_US < wire) {
		fprintf(stderr, "%.3f us, on the wire %.3f us\n", share, wire);
		scene_fail(scene, "the delay is not in its phase");
	}
	return wire >= row->least_us || other("no delay on the wire");
}

/* NULL where the estimate is null. */
static const char *
method_of(const struct scene *scene, const char *name)
{
	const json_t *estimate =
	    json_object_get(judge_at(scene->report, "wire_us"), name);

	ck_assert_ptr_nonnull(estimate);
	return json_is_null(estimate) ? NULL : judge_string(estimate, "method");
}

/* A SYN that was sent again has no round trip that the kernel would know. */
static void
check_handshake(struct scene *scene)
{
	const struct witness_flow *flow = scene->flow;
	const char *method = method_of(scene, "handshake");
	const char *want = NULL;
	double value, clock;

	if (judge_event(scene->report, "connected") >= 0)
		want = flow->side[WITNESS_CLIENT].syns > 1 ? "clock" :
							     "kernel-rtt";
#ifndef LASTACK_TCP_INFO
	if (want != NULL)
		want = "clock";
#endif
	if ((method == NULL) != (want == NULL) ||
	    (method != NULL && strcmp(method, want) != 0))
		scene_fail(scene, "not the handshake's method");
	if (method == NULL)
		return;
	value = judge_number(scene->report, "wire_us.handshake.value");
	clock = judge_event(scene->report, "connected") -
	    judge_event(scene->report, "connecting");
	if (value + RTT_US < wire_us(flow, BEFORE_SYNACK))
		scene_fail(scene, "a handshake faster than on the wire");
	if (value > clock + RTT_US)
		scene_fail(scene, "a handshake slower than the clock's");
}

/* The better, the higher. */
static int
rank(const char *method)
{
	if (method == NULL)
		return 0;
	return strcmp(method, "clock") == 0    ? 1 :
	    strcmp(method, "stamp-bound") == 0 ? 2 :
						 3;
}

/*
 * We were so late, or the peer so early, that its FIN may have been there too
 * when we took the first byte: the stamp may then be the FIN's.
 */
static bool
was_overtaken(const struct scene *scene)
{
	const struct witness_side *peer = &scene->flow->side[WITNESS_SERVER];
	double apart =
	    (double)(peer->first_fin_ns - peer->first_payload_ns) / 1000;

	return peer->first_fin_ns != 0 && lag_us(scene) + LATE_US > apart;
}

/* Never better than it can be; returns whether it is as good as that. */
static bool
as_measured(struct scene *scene, const struct row *row)
{
	const char *method = method_of(scene, "first_byte");
	const char *want = row->first_byte;
	double value, clock;

#ifndef LASTACK_STAMPS
	if (want != NULL)
		want = "clock";
#endif
#ifndef LASTACK_TCP_INFO
	/* How many segments came, nobody can tell then. */
	if (want != NULL && strcmp(want, "stamp") == 0)
		want = "stamp-bound";
#endif
	if (rank(method) > rank(want))
		scene_fail(scene, "a better method than there can be");
	if (method == NULL)
		return want == NULL || other("no first byte");
	value = judge_number(scene->report, "wire_us.first_byte.value");
	clock = judge_event(scene->report, "first_byte") -
	    judge_event(scene->report, "sent") +
	    phase_us(scene->report, "send");
	if (value + STAMP_US < wire_us(scene->flow, BEFORE_RESPONSE))
		scene_fail(scene, "a first byte earlier than on the wire");
	if (value > clock + ROUND_US)
		scene_fail(scene, "a first byte later than the clock's");
	if (rank(method) == 2 && was_overtaken(scene))
		return true;
	return rank(method) == rank(want) || other(method);
}

/* Which segment was sent again is told apart. */
static bool
as_resent(struct scene *scene)
{
	const struct witness_side *us = &scene->flow->side[WITNESS_CLIENT];
	const json_t *kernel = judge_at(scene->report, "kernel");
	uint32_t again = us->syns - 1;

	if (json_is_null(kernel))
		return true;
	if (judge_number(kernel, "syn_retransmits") != again)
		scene_fail(scene, "not so many SYNs were sent again");
	if (us->data_segments > 2) /* more than one that was sent once */
		return true;
	again += us->data_segments - (us->data_segments > 0);
	again += us->fins - (us->fins > 0);
	return judge_number(kernel, "retransmits") == again ||
	    other("not so many segments were sent again");
}

/* ---- the runs */

static void
scene_play_row(
    struct scene *scene, const char *address, const struct row *row, int tries)
{
	char deadline[16];
	const char *args[20] = { "-t", deadline };
	size_t count = row->deadline ? 2 : 0;

	snprintf(deadline, sizeof(deadline), "%dms",
	    DEADLINE_MS << (tries < DOUBLINGS ? tries : DOUBLINGS));
	for (size_t i = 0; row->args[i] != NULL; i++)
		args[count++] = row->args[i];
	args[count] = NULL;
	scene_play(scene, address, PORT, args);
}

static bool
play_once(struct scene *scene, const struct row *row, int family, int tries)
{
	const char *address = family == AF_INET ? LAB_PEER_ADDR4 :
						  LAB_PEER_ADDR6;
	struct rawpeer *peer;

	peer = rawpeer_start(family, address, PORT, row->script, row->steps);
	ck_assert_ptr_nonnull(peer);
	scene_play_row(scene, address, row, tries);
	if (rawpeer_join(peer) != 0)
		return other("the script did not come to its end");
	ck_assert_ptr_nonnull(scene->flow);
	check_any(scene);
	check_handshake(scene);
	if (scene->run.status != row->status)
		return other("the exit status");
	return as_reached(scene, row->reached) && as_placed(scene, row) &&
	    as_measured(scene, row) && as_resent(scene);
}

static void
play_until(struct scene *scene, const struct row *row, int family)
{
	for (int tries = 0; !play_once(scene, row, family, tries); tries++)
		if (tries == TRIES)
			scene_fail(scene, "never as planned");
}

static void
play(const struct row *row, int family)
{
	struct scene scene = { .witness = witness_open(LAB_VETH) };
	char name[64];

#ifndef LASTACK_TCP_INFO
	if (row->kernel_only)
		return;
#endif
	snprintf(name, sizeof(name), "check_phases-%s-%s", row->name,
	    family == AF_INET ? "4" : "6");
	scene.name = name;
	ck_assert_ptr_nonnull(scene.witness);
	play_until(&scene, row, family);
	scene_clear(&scene);
	witness_close(scene.witness);
}

START_TEST(times_ipv4)
{
	play(&rows[_i], AF_INET);
}
END_TEST

START_TEST(times_ipv6)
{
	if (lab_has_ipv6() && rows[_i].least_us < SAME_US - JIFFIES_US)
		play(&rows[_i], AF_INET6);
}
END_TEST

/* A run apart, to be looked at more closely; the scene is then cleared. */
static void
begin(struct scene *scene, struct witness *witness, const char *name)
{
	*scene = (struct scene){ .witness = witness, .name = name };
	ck_assert_ptr_nonnull(witness);
}

static void
end(struct scene *scene)
{
	scene_clear(scene);
	witness_close(scene->witness);
}

static const struct row *
row_named(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	ck_abort_msg("no row %s", name);
}

/* --delay is waited for, though the answer is there; the stamp knows better. */
START_TEST(delay_is_in_wait)
{
	struct scene scene;

	begin(&scene, witness_open(LAB_VETH), "check_phases-delay");
	play_until(&scene, row_named("delay"), AF_INET);
	ck_assert_double_ge(phase_us(scene.report, "wait"), 100000);
	ck_assert_double_ge(judge_event(scene.report, "first_byte") -
		judge_event(scene.report, "sent"),
	    100000);
#if defined(LASTACK_STAMPS)
	ck_assert_double_lt(
	    judge_number(scene.report, "wire_us.first_byte.value"),
	    phase_us(scene.report, "wait"));
#endif
	end(&scene);
}
END_TEST

/* A deadline is never early, and ends the phase that was waiting. */
START_TEST(deadline_is_not_early)
{
	static const char *const names[] = { "no-syn-ack", "no-response",
		"no-end-of-the-response", "never-sent" };
	static const char *const last[] = { "connect", "wait", "receive",
		"send" };
	struct scene scene;
	double sum = 0;

	begin(&scene, witness_open(LAB_VETH), "check_phases-deadline");
	play_until(&scene, row_named(names[_i]), AF_INET);
	for (size_t i = 0; i < PHASES; i++) {
		double us = phase_us(scene.report, phases[i]);

		sum += us > 0 ? us : 0;
		if (strcmp(phases[i], last[_i]) == 0)
			break;
	}
	ck_assert_double_ge(sum + ROUND_US, DEADLINE_MS * 1000.0);
	end(&scene);
}
END_TEST

/* ---- runs that the test has a hand in */

static bool
has_payload_in(const struct witness_flow *flow, void *arg)
{
	(void)arg;
	return flow->side[WITNESS_SERVER].payload_bytes > 0;
}

static bool
has_payload_out(const struct witness_flow *flow, void *arg)
{
	(void)arg;
	return flow->side[WITNESS_CLIENT].payload_bytes > 0;
}

static bool
has_ack_in(const struct witness_flow *flow, void *arg)
{
	(void)arg;
	return flow->side[WITNESS_SERVER].pure_acks > 0;
}

static bool
has_syn(const struct witness_flow *flow, void *arg)
{
	(void)arg;
	return flow->side[WITNESS_CLIENT].syns > 0;
}

/* Whether the command has read what came: its queue is empty again. */
static bool
was_read(uint16_t ours)
{
	FILE *file = fopen("/proc/net/tcp", "r");
	char line[512];
	bool empty = false;

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		unsigned int port, queued;

		if (sscanf(line, " %*d: %*[0-9A-F]:%x %*s %*x %*x:%x", &port,
			&queued) == 2 &&
		    port == ours)
			empty = queued == 0;
	}
	fclose(file);
	return empty;
}

/* The command has ended: its report, held against the capture. */
static void
finish(struct scene *scene, uint16_t port, int status)
{
	run_finish(&scene->run);
	scene->report = json_loads(scene->run.out, 0, NULL);
	if (scene->report == NULL)
		scene_fail(scene, "no report in JSON");
	scene_judge(scene, port);
	if (scene->run.status != status)
		scene_fail(scene, "wrong exit status");
	check_any(scene);
}

/*
 * With TCP timestamps, which the raw peer has not, the kernel does have a round
 * trip for a SYN that was sent again: one in whole milliseconds, if that.
 */
START_TEST(syn_is_resent_with_timestamps)
{
	struct run_options options = { 0 };
	char port_text[8];
	struct scene scene;
	int fds[PEER_DEAF_FDS];
	uint16_t port = peer_deaf_port(AF_INET, fds);
	const char *argv[] = { "-f", "json", "-z", "-t", "50", "127.0.0.1",
		port_text, NULL };
	int taken;

	for (int i = 2; i < PEER_DEAF_FDS; i++)
		close(fds[i]);
	snprintf(port_text, sizeof(port_text), "%u", port);
	begin(&scene, witness_open("lo"), "check_phases-timestamps");
	run_start(&scene.run, &options, argv);
	ck_assert_ptr_nonnull(
	    witness_await(scene.witness, 0, port, 5000, has_syn, NULL));
	/* Room for one more: for the next SYN. */
	taken = accept(fds[0], NULL, NULL);
	ck_assert_int_ne(taken, -1);
	finish(&scene, port, 0);
	check_handshake(&scene);
	ck_assert_uint_gt(scene.flow->side[WITNESS_CLIENT].syns, 1);
	ck_assert_double_ge(
	    judge_number(scene.report, "wire_us.handshake.value"),
	    1000000 - JIFFIES_US);
	end(&scene);
	close(taken);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* What was there before a word of ours is no answer to it. */
START_TEST(banner_is_no_answer)
{
	static const struct rawpeer_step script[] = { { RAW_WAIT_SYN },
		{ SYNACK }, { RAW_DELAY, .ms = 5 }, { DATA, .data = "220" },
		{ RAW_WAIT_PAYLOAD }, { DATA_FIN, .data = "answer" },
		{ RAW_WAIT_FIN }, { ACK } };
	struct rawpeer *peer = rawpeer_start(
	    AF_INET, LAB_PEER_ADDR4, PORT, script, RAWPEER_STEPS(script));
	const char *argv[] = { "-f", "json", "--send-file=-", "-e", "answer",
		"--drain=5", LAB_PEER_ADDR4, "8080", NULL };
	struct tcp_patience patience = { 0 };
	struct run_options options = { 0 };
	const struct witness_flow *flow;
	struct scene scene;
	int ends[2];

	ck_assert_ptr_nonnull(peer);
	begin(&scene, witness_open(LAB_VETH), "check_phases-banner");
	ck_assert_int_eq(pipe(ends), 0);
	options.input_fd = ends[0];
	run_start(&scene.run, &options, argv);
	close(ends[0]);
	flow =
	    witness_await(scene.witness, 0, PORT, 5000, has_payload_in, NULL);
	ck_assert_ptr_nonnull(flow);
	while (!was_read(flow->side[WITNESS_CLIENT].port))
		ck_assert(tcp_patient(&patience));
	ck_assert_int_eq(write(ends[1], "question", 8), 8);
	close(ends[1]);
	finish(&scene, PORT, 0);
	ck_assert_int_eq(rawpeer_join(peer), 0);
	ck_assert(method_of(&scene, "first_byte") == NULL);
	check_order(&scene, "first_byte", "sent");
	ck_assert_double_eq(phase_us(scene.report, "wait"), 0);
	end(&scene);
}
END_TEST

/*
 * The same where the payload is ready and the banner comes right behind the
 * SYN/ACK, or behind our word, which it does not acknowledge: its sender had
 * none of it.
 */
static void
check_banner(const struct rawpeer_step *script, size_t steps)
{
	static const char *const args[] =
	    ARGS("-s", "question", "-e", "220", "--drain=20ms");
	struct rawpeer *peer =
	    rawpeer_start(AF_INET, LAB_PEER_ADDR4, PORT, script, steps);
	struct scene scene;

	ck_assert_ptr_nonnull(peer);
	begin(&scene, witness_open(LAB_VETH), "check_phases-banner-ahead");
	scene_play(&scene, LAB_PEER_ADDR4, PORT, args);
	ck_assert_int_eq(rawpeer_join(peer), 0);
	check_any(&scene);
#ifdef LASTACK_TCP_INFO
	if (method_of(&scene, "first_byte") != NULL)
		scene_fail(&scene, "an answer to no question");
#endif
	end(&scene);
}

START_TEST(banner_behind_the_handshake)
{
	static const struct rawpeer_step script[] = { { RAW_WAIT_SYN },
		{ SYNACK }, { DATA, .data = "220" }, { RAW_WAIT_RST } };

	check_banner(script, RAWPEER_STEPS(script));
}
END_TEST

START_TEST(banner_behind_the_request)
{
	static const struct rawpeer_step script[] = { { RAW_WAIT_SYN },
		{ SYNACK }, { RAW_WAIT_PAYLOAD }, { RAW_DELAY, .ms = 20 },
		{ DATA, .data = "220", .ack_add = -8 }, { RAW_WAIT_RST } };

	check_banner(script, RAWPEER_STEPS(script));
}
END_TEST

/*
 * The same where it is there before our word has left, and what comes next
 * acknowledges our word. To that end the command is stopped.
 */
START_TEST(banner_before_the_request)
{
	static const struct rawpeer_step script[] = { { RAW_WAIT_SYN },
		{ RAW_DELAY, .ms = 50 }, { SYNACK }, { DATA, .data = "220" },
		{ RAW_WAIT_PAYLOAD }, { DATA_FIN, .data = "answer" },
		{ RAW_WAIT_FIN }, { ACK } };
	struct rawpeer *peer = rawpeer_start(
	    AF_INET, LAB_PEER_ADDR4, PORT, script, RAWPEER_STEPS(script));
	const char *argv[] = { "-f", "json", "-s", "question", "-e", "answer",
		"--drain=5", LAB_PEER_ADDR4, "8080", NULL };
	struct scene scene;
	int status;

	ck_assert_ptr_nonnull(peer);
	begin(&scene, witness_open(LAB_VETH), "check_phases-banner-before");
	run_start(&scene.run, NULL, argv);
	ck_assert_ptr_nonnull(
	    witness_await(scene.witness, 0, PORT, 5000, has_syn, NULL));
	ck_assert_int_eq(kill(scene.run.pid, SIGSTOP), 0);
	ck_assert_int_eq(
	    waitpid(scene.run.pid, &status, WUNTRACED), scene.run.pid);
	ck_assert_ptr_nonnull(
	    witness_await(scene.witness, 0, PORT, 5000, has_payload_in, NULL));
	ck_assert_int_eq(kill(scene.run.pid, SIGCONT), 0);
	finish(&scene, PORT, 0);
	ck_assert_int_eq(rawpeer_join(peer), 0);
	if (wire_us(scene.flow, BEFORE_RESPONSE) < 0)
		ck_assert(method_of(&scene, "first_byte") == NULL);
	end(&scene);
}
END_TEST

struct interruption {
	const char *name;
	const struct rawpeer_step *script;
	size_t steps;
	bool (*when)(const struct witness_flow *flow, void *arg);
	unsigned int reached;
	double wait_us; /* at the least */
};

static const struct interruption interruptions[] = {
	{ .name = "connect",
	    SCRIPT({ RAW_WAIT_SYN }),
	    .when = has_syn,
	    .reached = CONNECT },
	{ .name = "wait",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_WAIT_RST }),
	    .when = has_payload_out,
	    .reached = WHOLE & ~RECEIVE },
	{ .name = "wait-for-long",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_DELAY, .ms = 100 }, { ACK }, { RAW_WAIT_RST }),
	    .when = has_ack_in,
	    .reached = WHOLE & ~RECEIVE,
	    .wait_us = 100000 },
	{ .name = "receive",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ DATA, .data = "ans" }, { RAW_WAIT_RST }),
	    .when = has_payload_in,
	    .reached = WHOLE },
};

/* As far as it came, and no further. */
START_TEST(interrupted)
{
	const struct interruption *row = &interruptions[_i];
	const char *argv[] = { "-f", "json", "-s", "question", "-e", "answer",
		"-t", "50", LAB_PEER_ADDR4, "8080", NULL };
	struct rawpeer *peer = rawpeer_start(
	    AF_INET, LAB_PEER_ADDR4, PORT, row->script, row->steps);
	const struct witness_flow *flow;
	struct tcp_patience patience = { 0 };
	struct scene scene;

	ck_assert_ptr_nonnull(peer);
	begin(&scene, witness_open(LAB_VETH), "check_phases-interrupted");
	run_start(&scene.run, NULL, argv);
	flow = witness_await(scene.witness, 0, PORT, 5000, row->when, NULL);
	ck_assert_ptr_nonnull(flow);
	if (row->reached & RECEIVE)
		while (!was_read(flow->side[WITNESS_CLIENT].port))
			ck_assert(tcp_patient(&patience));
	ck_assert_int_eq(kill(scene.run.pid, SIGINT), 0);
	finish(&scene, PORT, 128 + SIGINT);
	ck_assert_int_eq(rawpeer_join(peer), 0);
	ck_assert_str_eq(judge_string(scene.report, "outcome"), "interrupted");
	ck_assert(as_reached(&scene, row->reached));
	if (row->wait_us > 0)
		ck_assert_double_ge(phase_us(scene.report, "send") +
			phase_us(scene.report, "wait"),
		    row->wait_us);
	end(&scene);
}
END_TEST

/* ---- by name, on loopback */

START_TEST(name_is_resolved)
{
	static const struct peer_step script[] = { { PEER_TAKE },
		{ PEER_GIVE_FIN, 0, "answer" }, { PEER_END } };
	static const char *const args[] = ARGS("-4", ASK);
	struct peer *peer = peer_start(AF_INET, script);
	struct scene scene;

	begin(&scene, witness_open("lo"), "check_phases-name");
	scene_play(&scene, "localhost", peer_port(peer), args);
	ck_assert_int_eq(scene.run.status, 0);
	check_any(&scene);
	ck_assert(as_reached(&scene, RESOLVE | WHOLE));
	ck_assert_double_eq(judge_event(scene.report, "resolved"),
	    phase_us(scene.report, "resolve"));
	end(&scene);
	peer_stop(peer);
}
END_TEST

/* More than any window and any send buffer here. */
static void
make_payload(void)
{
	FILE *file = fopen("phases.bin", "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(ftruncate(fileno(file), 16 << 20), 0);
	fclose(file);
}

static void
remove_payload(void)
{
	remove("phases.bin");
}

int
main(void)
{
	TCase *tests = tcase_create("phases");

	lab_require();
	lab_require_veth();
	tcase_add_unchecked_fixture(tests, make_payload, remove_payload);
	tcase_add_loop_test(tests, times_ipv4, 0, ROWS);
	tcase_add_loop_test(tests, times_ipv6, 0, ROWS);
	tcase_add_test(tests, syn_is_resent_with_timestamps);
	tcase_add_test(tests, delay_is_in_wait);
	tcase_add_loop_test(tests, deadline_is_not_early, 0, 4);
	tcase_add_test(tests, banner_is_no_answer);
	tcase_add_loop_test(tests, banner_behind_the_handshake, 0, 5);
	tcase_add_test(tests, banner_behind_the_request);
	tcase_add_test(tests, banner_before_the_request);
	tcase_add_loop_test(tests, interrupted, 0,
	    sizeof(interruptions) / sizeof(interruptions[0]));
	tcase_add_test(tests, name_is_resolved);
	return suite_run(tests, "phases");
}
