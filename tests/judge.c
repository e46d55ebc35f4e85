/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <err.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "judge.h"

const json_t *
judge_at(const json_t *report, const char *path)
{
	const json_t *value = report;
	char name[64];

	while (*path != '\0') {
		size_t len = strcspn(path, ".");

		if (len >= sizeof(name))
			errx(1, "judge: %s: too long", path);
		memcpy(name, path, len);
		name[len] = '\0';
		value = json_object_get(value, name);
		if (value == NULL)
			errx(1, "judge: no %s in the report", name);
		path += len + (path[len] == '.');
	}
	return value;
}

const char *
judge_string(const json_t *report, const char *path)
{
	const char *string = json_string_value(judge_at(report, path));

	return string != NULL ? string : "";
}

bool
judge_true(const json_t *report, const char *path)
{
	return json_is_true(judge_at(report, path));
}

bool
judge_tells(const json_t *report, const char *path, const char *word)
{
	return json_is_null(judge_at(report, path)) ||
	    strcmp(judge_string(report, path), word) == 0;
}

bool
judge_tells_truth(const json_t *report, const char *path, bool truth)
{
	return json_is_null(judge_at(report, path)) ||
	    judge_true(report, path) == truth;
}

double
judge_number(const json_t *report, const char *path)
{
	return json_number_value(judge_at(report, path));
}

double
judge_event(const json_t *report, const char *name)
{
	const json_t *events = judge_at(report, "events");
	const json_t *event;
	size_t i;

	json_array_foreach(events, i, event)
	{
		if (strcmp(judge_string(event, "event"), name) == 0)
			return judge_number(event, "at_us");
	}
	return -1;
}

/* What the wire says, in the words of the report; "" stands for null. */
struct truth {
	const char *peer, *local, *first;
	bool clean, last_ack, time_wait;
};

/*
 * The RST that ends a connection has an ACK (tcp_send_active_reset() in the
 * kernel's tcp_output.c). One without is the kernel's answer to a segment that
 * came for a socket nobody held any more, such as one that the peer's RST had
 * overtaken: that is beyond the report.
 */
static bool
sent_rst(const struct witness_side *us)
{
	return us->rsts > 0 && us->rst_ack >= 0;
}

/*
 * Our stack knew of the peer's FIN if a segment of ours covers it. Where frames
 * cross, their order on the wire decides nothing: the numbers do.
 */
static bool
knew_fin(const struct witness_flow *flow)
{
	const struct witness_side *us = &flow->side[WITNESS_CLIENT];

	return sent_rst(us) ? us->rst_ack_covers_peer_fin :
			      flow->side[WITNESS_SERVER].fins > 0;
}

/*
 * Two that crossed: each stack sent its own before it knew of the other's. If
 * ours was the first on the wire, it may well be told as what ended it.
 */
static bool
ours_ended_it(const struct witness_flow *flow, const json_t *report)
{
	const struct witness_side *us = &flow->side[WITNESS_CLIENT];

	return sent_rst(us) &&
	    (flow->side[WITNESS_SERVER].rsts == 0 || us->rst_after_peer_rst ||
		strcmp(judge_string(report, "close.local"), "rst") == 0);
}

static void
truth_of_reset(
    const struct witness_flow *flow, const json_t *report, struct truth *truth)
{
	const struct witness_side *us = &flow->side[WITNESS_CLIENT];
	const struct witness_side *peer = &flow->side[WITNESS_SERVER];
	bool fin = us->fins > 0;

	if (ours_ended_it(flow, report)) {
		truth->peer = knew_fin(flow) ? "fin" : "open";
		truth->local = "rst";
		truth->first = knew_fin(flow) &&
			(!fin || us->fin_ack_covers_peer_fin) ?
		    "peer" :
		    "local";
		return;
	}
	truth->peer = peer->fins > 0 ? "fin+rst" : "rst";
	truth->local = fin ? "fin" : "none";
	truth->first = fin && !us->fin_ack_covers_peer_fin ? "local" : "peer";
}

/*
 * After our FIN, sent or still queued, data of the peer's came between the last
 * look and close(): the RST is the kernel's, beyond the report.
 */
static bool
was_orphaned(
    const struct witness_flow *flow, const json_t *report, int64_t end_ns)
{
	return strcmp(judge_string(report, "close.local"), "rst") != 0 &&
	    flow->side[WITNESS_SERVER].last_payload_ns >= end_ns &&
	    (double)flow->side[WITNESS_SERVER].payload_bytes >
	    judge_number(report, "bytes.received") +
		judge_number(report, "bytes.drained");
}

/* end_ns: after it, the report was being written. */
static struct truth
truth_of(const struct witness_flow *flow, const json_t *report, int64_t end_ns)
{
	const struct witness_side *us = &flow->side[WITNESS_CLIENT];
	const struct witness_side *peer = &flow->side[WITNESS_SERVER];
	struct truth truth = { .peer = "open", .local = "none", .first = "" };
	/* Both FINs ACKed: what comes after that is of no connection. */
	bool over = flow->end == WITNESS_END_FIN;
	bool our_rst = !over && sent_rst(us) &&
	    !was_orphaned(flow, report, end_ns);

	/* One that was queued may leave when nobody looks any more. */
	bool our_fin = us->fins > 0 && us->first_fin_ns <= end_ns;
	bool peer_rst = !over && peer->rsts > 0 && peer->first_rst_ns <= end_ns;

	if (peer->syns == 0) {
		truth.peer = "none";
		return truth;
	}
	truth.last_ack = our_fin && us->fin_acked_ns > 0 &&
	    us->fin_acked_ns <= end_ns;
	if (our_rst || peer_rst) {
		truth_of_reset(flow, report, &truth);
		return truth;
	}
	if (peer->fins > 0 && peer->first_fin_ns <= end_ns)
		truth.peer = "fin";
	if (!our_fin) {
		truth.first = strcmp(truth.peer, "fin") == 0 ? "peer" : "";
	} else {
		truth.local = "fin";
		truth.first = strcmp(truth.peer, "fin") == 0 &&
			us->fin_ack_covers_peer_fin ?
		    "peer" :
		    "local";
	}
	truth.clean = truth.last_ack && strcmp(truth.peer, "fin") == 0;
	truth.time_wait = truth.clean && strcmp(truth.first, "local") == 0;
	return truth;
}

/*
 * Where the wire's order and the report part ways over TIME-WAIT, the kernel's
 * own list decides: a FIN that queued behind data is late on the wire and first
 * for the kernel.
 */
static bool
time_wait_held(const struct witness_flow *flow)
{
	FILE *file = fopen(
	    flow->family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6", "r");
	uint16_t ours = flow->side[WITNESS_CLIENT].port;
	uint16_t theirs = flow->side[WITNESS_SERVER].port;
	char line[512];
	bool held = false;

	if (file == NULL)
		err(1, "judge: /proc/net/tcp");
	while (fgets(line, sizeof(line), file) != NULL) {
		unsigned int local, remote, state;

		if (sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %x", &local,
			&remote, &state) == 3 &&
		    local == ours && remote == theirs && state == 6)
			held = true;
	}
	fclose(file);
	return held;
}

struct court {
	const struct witness_flow *flow;
	const json_t *report;
	bool quiet;
	unsigned int objections;
	unsigned int untold;
};

static void
object(struct court *court, const char *path, const char *wire)
{
	char *said;

	court->objections++;
	if (court->quiet)
		return;
	said = json_dumps(
	    judge_at(court->report, path), JSON_ENCODE_ANY | JSON_COMPACT);
	fprintf(stderr, "judge: %s is %s, on the wire %s\n", path, said, wire);
	free(said);
}

/*
 * Nothing on the wire says that the kernel has given up, but that it sent the
 * same again and again before.
 */
static bool
gave_up(const struct witness_flow *flow, const struct truth *truth)
{
	const struct witness_side *us = &flow->side[WITNESS_CLIENT];

	return strcmp(truth->peer, "open") == 0 && us->rsts == 0 &&
	    (us->payload_bytes_total > us->payload_bytes || us->fins > 1);
}

static void
compare_word(struct court *court, const char *path, const char *wire)
{
	if (json_is_null(judge_at(court->report, path)) && *wire != '\0')
		court->untold++;
	else if (strcmp(judge_string(court->report, path), wire) != 0)
		object(court, path, *wire != '\0' ? wire : "null");
}

static void
compare_truth(struct court *court, const char *path, bool wire)
{
	if (json_is_null(judge_at(court->report, path)))
		court->untold++;
	else if (judge_true(court->report, path) != wire)
		object(court, path, wire ? "true" : "false");
}

static void
compare_event(struct court *court, const char *name, bool wire)
{
	if ((judge_event(court->report, name) >= 0) == wire)
		return;
	court->objections++;
	if (!court->quiet)
		fprintf(stderr, "judge: event %s is %s, on the wire it is %s\n",
		    name, wire ? "missing" : "there",
		    wire ? "there" : "missing");
}

static void
compare_bytes(struct court *court, const struct truth *truth)
{
	const struct witness_flow *flow = court->flow;
	uint64_t out = flow->side[WITNESS_CLIENT].payload_bytes;
	uint64_t in = flow->side[WITNESS_SERVER].payload_bytes;
	uint64_t sent = (uint64_t)judge_number(court->report, "bytes.sent");
	uint64_t taken =
	    (uint64_t)(judge_number(court->report, "bytes.received") +
		judge_number(court->report, "bytes.drained"));
	char wire[64];

	snprintf(wire, sizeof(wire), "%llu", (unsigned long long)out);
	if (out > sent || (truth->last_ack && out != sent))
		object(court, "bytes.sent", wire);
	/* All that came before a FIN was read before it was seen. */
	snprintf(wire, sizeof(wire), "%llu", (unsigned long long)in);
	if (taken > in || (strncmp(truth->peer, "fin", 3) == 0 && taken != in))
		object(court, "bytes", wire);
}

static void
hear(struct court *court, int64_t end_ns)
{
	const struct witness_flow *flow = court->flow;
	const json_t *report = court->report;
	struct truth truth = truth_of(flow, report, end_ns);
	const char *peer;

	court->objections = court->untold = 0;
	if (strcmp(judge_string(report, "close.peer"), "lost") == 0 &&
	    gave_up(flow, &truth))
		truth.peer = "lost";
	peer = truth.peer;
	compare_word(court, "close.peer", peer);
	compare_word(court, "close.local", truth.local);
	compare_word(court, "close.first", truth.first);
	if (judge_true(report, "close.time_wait") != truth.time_wait)
		truth.time_wait = time_wait_held(flow);
	compare_truth(court, "close.clean", truth.clean);
	compare_truth(court, "close.last_ack", truth.last_ack);
	compare_truth(court, "close.time_wait", truth.time_wait);
	compare_event(court, "peer_fin", strncmp(peer, "fin", 3) == 0);
	compare_event(court, "peer_rst", strstr(peer, "rst") != NULL);
	compare_event(court, "local_rst", strcmp(truth.local, "rst") == 0);
	compare_event(court, "local_fin",
	    strcmp(truth.local, "fin") == 0 ||
		(strcmp(truth.local, "rst") == 0 &&
		    flow->side[WITNESS_CLIENT].fins > 0));
	compare_event(court, "connected", flow->side[WITNESS_SERVER].syns > 0);
	compare_bytes(court, &truth);
}

/*
 * The end of the report on the clock of the capture: what both saw, the first
 * SYN and our FIN, ties the two. A segment never leaves before its event, so
 * the earlier estimate is the better one.
 */
static int64_t
end_on_wire(const struct witness_flow *flow, const json_t *report)
{
	const struct witness_side *us = &flow->side[WITNESS_CLIENT];
	double end = judge_event(report, "end");
	double fin = judge_event(report, "local_fin");
	int64_t by_syn = us->first_syn_ns +
	    (int64_t)((end - judge_event(report, "connecting")) * 1000);
	int64_t by_fin = us->first_fin_ns + (int64_t)((end - fin) * 1000);

	return fin >= 0 && us->fins > 0 && by_fin < by_syn ? by_fin : by_syn;
}

/*
 * A frame is captured before the stack takes it: the stack may still be busy
 * with it, on a loaded machine for this long, when the command looks last.
 */
#define ON_ITS_WAY_NS 5000000

/*
 * All that was on the wire before the end must be in the report. What was just
 * then on its way may be or not, but no later thing without an earlier one.
 */
bool
judge(
    const struct witness_flow *flow, const json_t *report, unsigned int *untold)
{
	const struct witness_side *us = &flow->side[WITNESS_CLIENT];
	const struct witness_side *peer = &flow->side[WITNESS_SERVER];
	struct court court = { .flow = flow, .report = report, .quiet = true };
	int64_t end_ns = end_on_wire(flow, report) - ON_ITS_WAY_NS;
	const int64_t ends[] = { end_ns, us->first_fin_ns, us->fin_acked_ns,
		peer->first_fin_ns, peer->fin_acked_ns, peer->first_rst_ns };
	unsigned int fewest = UINT_MAX;
	int64_t likeliest = end_ns;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (ends[i] < end_ns)
			continue;
		hear(&court, ends[i]);
		if (court.objections < fewest) {
			fewest = court.objections;
			likeliest = ends[i];
		}
		if (fewest > 0)
			continue;
		if (untold != NULL)
			*untold += court.untold;
		return true;
	}
	court.quiet = false;
	hear(&court, likeliest);
	json_dumpf(report, stderr, JSON_INDENT(1));
	fputc('\n', stderr);
	witness_dump(flow, stderr);
	return false;
}
