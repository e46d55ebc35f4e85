/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "judge.h"
#include "lab.h"
#include "tcp.h"
#include "tfo.h"

#define ETHERNET_BYTES 14
#define OPTION_COOKIE 34
#define OPTION_EXPERIMENT 254
#define COOKIE_LEAST 4
#define COOKIE_MOST 16
#define PAYLOAD_MOST 64

/* Where TCP begins in a kept frame. */
static size_t
tcp_at(const struct witness_segment *segment)
{
	const uint8_t *ip = segment->frame + ETHERNET_BYTES;

	return ETHERNET_BYTES +
	    (ip[0] >> 4 == 4 ? (size_t)(ip[0] & 15) * 4 : 40);
}

static size_t
payload_at(const struct witness_segment *segment)
{
	size_t at = tcp_at(segment);

	return at + (size_t)(segment->frame[at + 12] >> 4) * 4;
}

static enum tfo_cookie
kind_of_cookie(size_t bytes)
{
	if (bytes == 0)
		return TFO_EMPTY;
	return bytes >= COOKIE_LEAST && bytes <= COOKIE_MOST && bytes % 2 == 0 ?
	    TFO_COOKIE :
	    TFO_INVALID;
}

static enum tfo_cookie
cookie_of(const struct witness_segment *segment)
{
	const uint8_t *frame = segment->frame;
	size_t end = payload_at(segment);
	size_t at = tcp_at(segment) + 20;

	while (at + 1 < end && frame[at] != 0) {
		size_t len = frame[at + 1];

		if (frame[at] == 1) {
			at++;
			continue;
		}
		if (len < 2 || at + len > end)
			break;
		if (frame[at] == OPTION_COOKIE)
			return kind_of_cookie(len - 2);
		if (frame[at] == OPTION_EXPERIMENT && len >= 4 &&
		    frame[at + 2] == 0xf9 && frame[at + 3] == 0x89)
			return kind_of_cookie(len - 4);
		at += len;
	}
	return TFO_NONE;
}

/* The first SYN of that side; NULL: none. */
static const struct witness_segment *
first_syn(const struct witness_flow *flow, uint8_t direction)
{
	const struct witness_segment *segment;

	for (uint32_t i = 0; (segment = witness_segment(flow, i)) != NULL; i++)
		if (!segment->icmp && segment->direction == direction &&
		    segment->flags & WITNESS_SYN)
			return segment;
	return NULL;
}

void
tfo_look(const struct witness_flow *flow, struct tfo_wire *wire)
{
	const struct witness_side *us = &flow->side[WITNESS_CLIENT];
	const struct witness_segment *syn = first_syn(flow, WITNESS_CLIENT);
	const struct witness_segment *answer = first_syn(flow, WITNESS_SERVER);

	*wire = (struct tfo_wire){ .syns = us->syns };
	if (syn != NULL) {
		wire->ours = cookie_of(syn);
		wire->carried = syn->payload_bytes;
	}
	/* A SYN/ACK that a RST has overtaken is none. */
	wire->answered = flow->side[WITNESS_SERVER].syns > 0;
	if (wire->answered && answer != NULL) {
		wire->theirs = cookie_of(answer);
		wire->acked = us->syn_data_acked;
	}
}

/* In the words of the report; "": a plain SYN, whose reason is not on it. */
static const char *
status_of(const struct tfo_wire *wire)
{
	if (wire->carried == 0)
		return wire->ours == TFO_EMPTY ? "requested" : "";
	if (wire->acked == wire->carried)
		return "accepted";
	if (wire->acked > 0)
		return "partial";
	return wire->syns > 1 ? "blackholed" : "refused";
}

static bool
is_plain(const char *status)
{
	static const char *const plain[] = { "off", "paused", "disabled",
		"unsupported", "unused" };

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (strcmp(status, plain[i]) == 0)
			return true;
	return false;
}

static bool
agree_on_status(const struct tfo_wire *wire, const json_t *report)
{
	const char *said = judge_string(report, "fastopen.status");
	const char *seen = status_of(wire);

	if (!wire->answered)
		return *said == '\0' || (*seen == '\0' && is_plain(said));
	return *seen == '\0' ? is_plain(said) : strcmp(said, seen) == 0;
}

/* Whether a cookie is there, after all: for some of what can be seen. */
static bool
agree_on_cookie(const struct tfo_wire *wire, const json_t *report)
{
	const json_t *said = judge_at(report, "fastopen.cookie");

	if (!wire->answered || wire->ours == TFO_NONE)
		return true;
	if (wire->ours == TFO_COOKIE)
		return json_is_true(said);
	return json_is_true(said) == (wire->theirs == TFO_COOKIE);
}

bool
tfo_judge(const struct witness_flow *flow, const json_t *report)
{
	struct tfo_wire wire;
	bool agree = true;

	tfo_look(flow, &wire);
	if (!agree_on_status(&wire, report)) {
		fprintf(stderr, "tfo: status '%s', on the wire '%s'\n",
		    judge_string(report, "fastopen.status"), status_of(&wire));
		agree = false;
	}
	if (!agree_on_cookie(&wire, report)) {
		fprintf(stderr, "tfo: cookie: our option %d, theirs %d\n",
		    (int)wire.ours, (int)wire.theirs);
		agree = false;
	}
	if (judge_number(report, "bytes.in_syn") != wire.carried) {
		fprintf(stderr, "tfo: bytes.in_syn is %.0f, on the wire %u\n",
		    judge_number(report, "bytes.in_syn"), wire.carried);
		agree = false;
	}
	return agree;
}

/* The bytes of a segment into their place in the stream. */
static bool
put_bytes(const struct witness_segment *segment, uint8_t *stream)
{
	size_t at = payload_at(segment);
	int64_t place = segment->seq - !(segment->flags & WITNESS_SYN);

	for (uint32_t i = 0; i < segment->payload_bytes; i++, place++) {
		uint8_t byte;

		if (place < 0 || place >= PAYLOAD_MOST ||
		    at + i >= segment->frame_bytes)
			return false;
		byte = segment->frame[at + i];
		if (stream[place] != '\0' && stream[place] != byte)
			return false;
		stream[place] = byte;
	}
	return true;
}

bool
tfo_sent(const struct witness_flow *flow, const void *payload, size_t bytes)
{
	const struct witness_segment *segment;
	uint8_t stream[PAYLOAD_MOST + 1] = { 0 };

	ck_assert_uint_le(bytes, PAYLOAD_MOST);
	for (uint32_t i = 0; (segment = witness_segment(flow, i)) != NULL; i++)
		if (!segment->icmp && segment->direction == WITNESS_CLIENT &&
		    !put_bytes(segment, stream))
			return false;
	return flow->side[WITNESS_CLIENT].payload_bytes == bytes &&
	    memcmp(stream, payload, bytes) == 0;
}

static void
expect_word(struct scene *scene, const char *path, const char *word)
{
	const json_t *value = judge_at(scene->report, path);

	if (word == NULL ? !json_is_null(value) :
			   strcmp(judge_string(scene->report, path), word) != 0)
		scene_fail(scene, path);
}

void
tfo_expect(struct scene *scene, const struct tfo_verdict *verdict)
{
	const json_t *report = scene->report;
	const json_t *cookie = judge_at(report, "fastopen.cookie");
	const char *reason = judge_string(report, "fastopen.reason");

	if (scene->run.status != verdict->exit_status)
		scene_fail(scene, "wrong exit status");
	expect_word(scene, "fastopen.status", verdict->status);
	if (verdict->cookie == 1     ? !json_is_true(cookie) :
		verdict->cookie == 0 ? !json_is_false(cookie) :
				       !json_is_null(cookie))
		scene_fail(scene, "fastopen.cookie");
	if (verdict->carried != -1 &&
	    judge_number(report, "bytes.in_syn") != verdict->carried)
		scene_fail(scene, "bytes.in_syn");
	if (verdict->reason == NULL ? *reason != '\0' :
				      strstr(reason, verdict->reason) == NULL)
		scene_fail(scene, "fastopen.reason");
	if (scene->flow == NULL || !tfo_judge(scene->flow, report))
		scene_fail(scene, "Fast Open is not what the wire says");
}

void
tfo_enter(const char *value)
{
	ck_assert_int_eq(lab_enter(), 0);
	ck_assert_int_eq(lab_sysctl("net.ipv4.tcp_fastopen", value), 0);
}

bool
tfo_begin(struct tfo_stage *stage, int family, const char *value,
    const struct server_script *script)
{
	tfo_enter(value);
	if (family == 1 && !lab_has_ipv6())
		return false;
	stage->host = family == 0 ? "127.0.0.1" : "::1";
	stage->scene.name = family == 0 ? "fastopen-4" : "fastopen-6";
	stage->scene.witness = witness_open("lo");
	ck_assert_ptr_nonnull(stage->scene.witness);
	server_start(&stage->server, family == 0 ? AF_INET : AF_INET6, script);
	return true;
}

void
tfo_finish(struct tfo_stage *stage)
{
	scene_clear(&stage->scene);
	witness_close(stage->scene.witness);
	server_stop(&stage->server);
}

void
tfo_probe(struct tfo_stage *stage, const char *const *args,
    const struct tfo_verdict *verdict)
{
	scene_play(&stage->scene, stage->host, stage->server.port, args);
	tfo_expect(&stage->scene, verdict);
	server_await_ended(&stage->server, ++stage->clients);
}

void
tfo_ask(struct tfo_stage *stage, const char *const *args,
    const struct tfo_verdict *verdict)
{
	tfo_probe(stage, args, verdict);
	tfo_assert_got(stage, TFO_QUESTION);
}

void
tfo_assert_got(const struct tfo_stage *stage, const char *payload)
{
	ck_assert_uint_eq(stage->server.got_bytes, strlen(payload));
	ck_assert_mem_eq(stage->server.got, payload, strlen(payload));
}
