/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conversations: several exchanges on one connection, what each of them sent
 * and received, which one failed, and the goodbye; held against the capture.
 */
#include <config.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "judge.h"
#include "lab.h"
#include "peer.h"
#include "scene.h"
#include "suite.h"

#define EXCHANGES_MAX 4
#define ARGS(...)                                                              \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}
#define STEPS(...)                                                             \
	(const struct peer_step[])                                             \
	{                                                                      \
		__VA_ARGS__,                                                   \
		{                                                              \
			PEER_END                                               \
		}                                                              \
	}

/* Of one exchange; result "": null. */
struct exchange {
	unsigned int sent, received;
	const char *result;
};

struct row {
	const char *name;
	const struct peer_step *script;
	const char *args[24];
	int status;
	const char *peer;
	struct exchange exchanges[EXCHANGES_MAX]; /* of those begun */
	const char *says;			  /* part of the summary */
	double most_us; /* decided before; 0: no matter */
};

#define BANNER                                                                 \
	{                                                                      \
		PEER_GIVE, 0, "220 ready\r\n"                                  \
	}
#define GREETING "-e", "220 ready\\r\\n", "--then"

static const struct row rows[] = {
	{ .name = "dialogue",
	    .script = STEPS(BANNER, { PEER_TAKE, 6 },
		{ PEER_GIVE, 0, "250 OK" }, { PEER_TAKE, 4 },
		{ PEER_GIVE_FIN, 0, "221 bye" }),
	    .args = ARGS(GREETING, "-s", "HELO\\r\\n", "-e", "250 OK", "--then",
		"-s", "QUIT", "-e", "221"),
	    .peer = "fin",
	    .exchanges = { { 0, 11, "match" }, { 6, 6, "match" },
		{ 4, 7, "match" } },
	    .says = "peer closed first" },
	/* All in one segment, and each exchange finds its own. */
	{ .name = "carried",
	    .script = STEPS({ PEER_GIVE_FIN, 0, "one two three" }),
	    .args =
		ARGS("-e", "one", "--then", "-e", "two", "--then", "-e", "ree"),
	    .peer = "fin",
	    .exchanges = { { 0, 3, "match" }, { 0, 4, "match" },
		{ 0, 6, "match" } } },
	{ .name = "carried-in-vain",
	    .script = STEPS({ PEER_GIVE_FIN, 0, "one two three" }),
	    .args = ARGS("-e", "one", "--then", "-e", "one"),
	    .status = 1,
	    .peer = "fin",
	    .exchanges = { { 0, 3, "match" }, { 0, 10, "mismatch" } },
	    .says = "exchange 2 of 2: the response does not contain 'one': it "
		    "begins ' two three'" },
	{ .name = "maxbytes",
	    .script = STEPS({ PEER_GIVE, 0, "abcdef" }, { PEER_AWAIT }),
	    .args = ARGS("-m", "2", "--then", "-m", "3", "--then", "-e", "f"),
	    .peer = "open",
	    .exchanges = { { 0, 2, "none" }, { 0, 3, "none" },
		{ 0, 1, "match" } } },
	{ .name = "idle-ends-an-exchange",
	    .script = STEPS({ PEER_TAKE, 1 }, { PEER_GIVE, 0, "one" },
		{ PEER_TAKE, 1 }, { PEER_GIVE, 0, "two" }, { PEER_AWAIT }),
	    .args = ARGS(
		"-s", "1", "--idle", "50ms", "--then", "-s", "2", "-e", "two"),
	    .peer = "open",
	    .exchanges = { { 1, 3, "none" }, { 1, 3, "match" } } },
	{ .name = "first-one-fails",
	    .script = STEPS({ PEER_GIVE, 0, "500 no\r\n" }, { PEER_AWAIT }),
	    .args =
		ARGS("--not-expect", "500", "-e", "220", "--then", "-s", "x"),
	    .status = 1,
	    .peer = "open",
	    .exchanges = { { 0, 3, "mismatch" } },
	    .says = "exchange 1 of 2: the response contains '500', which it "
		    "must not",
	    .most_us = 900000 },
	/* Not a byte is sent to it: that would be met by an RST. */
	{ .name = "peer-closes-between",
	    .script = STEPS({ PEER_GIVE_FIN, 0, "220 ready\r\n" }),
	    .args = ARGS(GREETING, "-s", "HELO", "--then", "-s", "QUIT"),
	    .status = 9,
	    .peer = "fin",
	    .exchanges = { { 0, 11, "match" }, { 0, 0, "none" } },
	    .says = "exchange 2 of 3" },
	{ .name = "reset-in-the-second",
	    .script = STEPS(BANNER, { PEER_TAKE, 4 }, { PEER_RESET }),
	    .args = ARGS(GREETING, "-s", "HELO", "-e", "250"),
	    .status = 7,
	    .peer = "rst",
	    .exchanges = { { 0, 11, "match" }, { 4, 0, "" } },
	    .says = "exchange 2 of 2" },
	{ .name = "silent-in-the-second",
	    .script = STEPS(BANNER, { PEER_TAKE, 4 }, { PEER_AWAIT }),
	    .args = ARGS("-t", "0.3", GREETING, "-s", "HELO", "-e", "250"),
	    .status = 8,
	    .peer = "open",
	    .exchanges = { { 0, 11, "match" }, { 4, 0, "" } },
	    .says = "exchange 2 of 2" },
	/* Decided by the bytes, with no silence waited for. */
	{ .name = "regex",
	    .script = STEPS(
		{ PEER_GIVE, 0, "SSH-2.0-x_9.2p1 Debian\r\n" }, { PEER_AWAIT }),
	    .args = ARGS("--expect-regex", "^SSH-2\\.0-([a-z]+)_", "--then",
		"-e", "9.2p1"),
	    .peer = "open",
	    .exchanges = { { 0, 10, "match" }, { 0, 14, "match" } },
	    .most_us = 900000 },
	{ .name = "hex",
	    .script = STEPS({ PEER_TAKE, 1 }, { PEER_GIVE, 4, "\x81\0\0\1" },
		{ PEER_AWAIT }),
	    .args = ARGS(
		"-s", "x", "--expect-hex", "81 00 00", "--then", "-m", "1"),
	    .peer = "open",
	    .exchanges = { { 1, 3, "match" }, { 0, 1, "none" } },
	    .most_us = 900000 },
	{ .name = "half-close-after-the-last",
	    .script = STEPS({ PEER_TAKE, 1 }, { PEER_GIVE, 0, "1" },
		{ PEER_TAKE_ALL }, { PEER_GIVE, 0, "2" }),
	    .args = ARGS(
		"-N", "-s", "a", "-e", "1", "--then", "-s", "b", "-e", "2"),
	    .peer = "fin",
	    .exchanges = { { 1, 1, "match" }, { 1, 1, "match" } } },
};

#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

static void
compare_exchange(
    struct scene *scene, const struct exchange *want, const json_t *got)
{
	if (judge_number(got, "bytes.sent") != want->sent ||
	    judge_number(got, "bytes.received") != want->received ||
	    strcmp(judge_string(got, "expect.result"), want->result) != 0)
		scene_fail(scene, "an exchange is not what it should be");
	ck_assert_int_eq(
	    json_is_null(judge_at(got, "receive_us")), want->received == 0);
}

/* The sums are those of the report as a whole. */
static void
compare_sums(struct scene *scene, const json_t *exchanges)
{
	static const char *const names[] = { "send", "wait", "receive" };
	const json_t *exchange;
	size_t i;

	for (size_t name = 0; name < 3; name++) {
		char path[32];
		double sum = 0, whole;

		snprintf(path, sizeof(path), "%s_us", names[name]);
		json_array_foreach(exchanges, i, exchange)
		    sum += judge_number(exchange, path);
		snprintf(path, sizeof(path), "phases_us.%s", names[name]);
		whole = judge_number(scene->report, path);
		ck_assert_double_eq_tol(sum, whole, 0.01);
	}
}

static void
compare(struct scene *scene, const struct row *row)
{
	const json_t *exchanges = judge_at(scene->report, "exchanges");
	const json_t *exchange;
	size_t count = 0, i;

	while (count < EXCHANGES_MAX && row->exchanges[count].result != NULL)
		count++;
	if (scene->run.status != row->status)
		scene_fail(scene, "wrong exit status");
	if (json_array_size(exchanges) != count)
		scene_fail(scene, "not the number of exchanges");
	json_array_foreach(exchanges, i, exchange)
	{
		compare_exchange(scene, &row->exchanges[i], exchange);
	}
	compare_sums(scene, exchanges);
	if (!judge_tells(scene->report, "close.peer", row->peer))
		scene_fail(scene, "close.peer");
	if (row->says != NULL &&
	    strstr(judge_string(scene->report, "summary"), row->says) == NULL)
		scene_fail(scene, "the summary does not say so");
	if (row->most_us > 0 &&
	    judge_number(scene->report, "phases_us.receive") > row->most_us)
		scene_fail(scene, "it waited for what it knew already");
}

static void
play(const struct row *row)
{
	struct peer *peer = peer_start(AF_INET, row->script);
	struct scene scene = { .witness = witness_open("lo") };
	char name[64];

	snprintf(name, sizeof(name), "check_exchanges-%s", row->name);
	scene.name = name;
	ck_assert_ptr_nonnull(scene.witness);
	scene_play(&scene, "127.0.0.1", peer_port(peer), row->args);
	compare(&scene, row);
	scene_clear(&scene);
	witness_close(scene.witness);
	peer_stop(peer);
}

START_TEST(conversations)
{
	play(&rows[_i]);
}
END_TEST

/* ---- the goodbye */

struct parting {
	const char *name;
	const struct peer_step *script;
	const char *args[12];
	int status;
	const char *peer, *local;
	unsigned int sent, data_segments;
};

static const struct parting partings[] = {
	{ .name = "answered",
	    .script = STEPS(
		BANNER, { PEER_TAKE, 4 }, { PEER_GIVE_FIN, 0, "221 bye\r\n" }),
	    .args = ARGS("-e", "220", "-q", "QUIT"),
	    .peer = "fin",
	    .local = "fin",
	    .sent = 4,
	    .data_segments = 1 },
	{ .name = "after-a-mismatch",
	    .script = STEPS({ PEER_GIVE, 0, "500\r\n" }, { PEER_TAKE, 4 },
		{ PEER_GIVE_FIN, 0, "221 bye\r\n" }),
	    .args = ARGS("--not-expect", "5", "-q", "QUIT"),
	    .status = 1,
	    .peer = "fin",
	    .local = "fin",
	    .sent = 4,
	    .data_segments = 1 },
	{ .name = "without-an-exchange",
	    .script = STEPS({ PEER_TAKE, 4 }, { PEER_FIN }, { PEER_AWAIT }),
	    .args = ARGS("-q", "QUIT"),
	    .peer = "fin",
	    .local = "fin",
	    .sent = 4,
	    .data_segments = 1 },
	{ .name = "to-one-that-stays",
	    .script = STEPS(BANNER, { PEER_AWAIT }),
	    .args = ARGS("-e", "220", "-q", "QUIT", "--drain", "20ms"),
	    .peer = "open",
	    .local = "rst",
	    .sent = 4,
	    .data_segments = 1 },
	/* It would be answered by an RST. */
	{ .name = "not-behind-a-fin",
	    .script = STEPS({ PEER_GIVE_FIN, 0, "220 ready\r\n" }),
	    .args = ARGS("-e", "zzz", "-q", "QUIT"),
	    .status = 1,
	    .peer = "fin",
	    .local = "fin" },
	{ .name = "not-after-a-timeout",
	    .script = STEPS({ PEER_AWAIT }),
	    .args = ARGS("-e", "220", "-q", "QUIT", "-t", "0.2"),
	    .status = 8,
	    .peer = "open",
	    .local = "rst" },
};

#define PARTINGS ((int)(sizeof(partings) / sizeof(partings[0])))

START_TEST(goodbyes)
{
	const struct parting *p = &partings[_i];
	struct peer *peer = peer_start(AF_INET, p->script);
	struct scene scene = { .witness = witness_open("lo"), .name = p->name };

	ck_assert_ptr_nonnull(scene.witness);
	scene_play(&scene, "127.0.0.1", peer_port(peer), p->args);
	if (scene.run.status != p->status)
		scene_fail(&scene, "wrong exit status");
	if (!judge_tells(scene.report, "close.peer", p->peer) ||
	    !judge_tells(scene.report, "close.local", p->local))
		scene_fail(&scene, "the close");
	if (judge_number(scene.report, "bytes.sent") != p->sent ||
	    scene.flow->side[WITNESS_CLIENT].data_segments != p->data_segments)
		scene_fail(&scene, "the goodbye");
	scene_clear(&scene);
	witness_close(scene.witness);
	peer_stop(peer);
}
END_TEST

/* ---- both directions at once */

/*
 * The answer is complete long before the payload is out, and the peer reads
 * only when what it writes is read: the rest is carried to the next exchange.
 */
START_TEST(answer_ahead_of_the_payload)
{
	enum { MUCH = 30000000 };
	static const struct peer_step script[] = { { PEER_TAKE, 1 },
		{ PEER_GIVE, 0, "first" }, { PEER_TAKE, MUCH / 2 },
		{ PEER_GIVE, 0, "second" }, { PEER_TAKE, MUCH - MUCH / 2 - 1 },
		{ PEER_GIVE_FIN, 0, "third" }, { PEER_END } };
	struct peer *peer = peer_start(AF_INET, script);
	struct scene scene = { .witness = witness_open("lo"),
		.name = "check_exchanges-ahead" };
	char path[] = "/tmp/check_exchanges.XXXXXX";
	const json_t *exchanges;
	int fd = mkstemp(path);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(ftruncate(fd, MUCH), 0);
	scene_play(&scene, "127.0.0.1", peer_port(peer),
	    (const char *const[]){ "--send-file", path, "-e", "first", "--then",
		"-e", "second", "--then", "-e", "third", NULL });
	unlink(path);
	close(fd);
	exchanges = judge_at(scene.report, "exchanges");
	if (scene.run.status != 0 || json_array_size(exchanges) != 3)
		scene_fail(&scene, "not the exchanges");
	ck_assert_double_eq(
	    judge_number(json_array_get(exchanges, 0), "bytes.sent"), MUCH);
	ck_assert_double_eq(
	    judge_number(json_array_get(exchanges, 0), "bytes.received"), 5);
	ck_assert_double_eq(
	    judge_number(json_array_get(exchanges, 1), "bytes.received"), 6);
	scene_clear(&scene);
	witness_close(scene.witness);
	peer_stop(peer);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("exchanges");

	lab_require();
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, conversations, 0, ROWS);
	tcase_add_loop_test(tests, goodbyes, 0, PARTINGS);
	tcase_add_test(tests, answer_ahead_of_the_payload);
	return suite_run(tests, "exchanges");
}
