/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How each side ended the connection: every way in which a kernel socket can
 * end one, the report held against the capture.
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

/* One peer, one way to probe it, and all that must come of it. */
struct row {
	const char *name;
	const struct peer_step *script;
	const char *args[12];
	int status;
	const char *peer, *local, *first;
	bool clean, last_ack, time_wait;
	/* Segments: exact, of ours; at most, in all. 0: as they come. */
	unsigned int ours, all;
};

static const struct row rows[] = {
	{ .name = "connect",
	    .script = STEPS({ PEER_AWAIT }),
	    .args = ARGS("-z"),
	    .peer = "open",
	    .local = "rst",
	    .first = "local",
	    .ours = 2,
	    .all = 3 },
	/* The deadline passes within connect(), and so does the handshake. */
	{ .name = "connect-in-no-time",
	    .script = STEPS({ PEER_AWAIT }),
	    .args = ARGS("-z", "-t", "1us"),
	    .peer = "open",
	    .local = "rst",
	    .first = "local" },
	{ .name = "ask-in-no-time",
	    .script = STEPS({ PEER_AWAIT }),
	    .args = ARGS("-s", "question", "-t", "1us"),
	    .status = 8,
	    .peer = "open",
	    .local = "rst",
	    .first = "local" },
	{ .name = "connect-fin",
	    .script = STEPS({ PEER_AWAIT }),
	    .args = ARGS("-z", "--close=fin"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "local",
	    .clean = true,
	    .last_ack = true,
	    .time_wait = true,
	    .ours = 3 },
	{ .name = "connect-expect-open",
	    .script = STEPS({ PEER_AWAIT }),
	    .args = ARGS("--expect-close=open", "--drain=20ms"),
	    .peer = "open",
	    .local = "rst",
	    .first = "local" },
	{ .name = "connect-expect-fin",
	    .script = STEPS({ PEER_PAUSE, 5000 }),
	    .args = ARGS("--expect-close=fin", "--drain=5"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true },
	{ .name = "data-with-fin",
	    .script = STEPS({ PEER_TAKE }, { PEER_GIVE_FIN, 0, "answer" }),
	    .args = ARGS("-s", "question"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true,
	    .ours = 3,
	    .all = 7 },
	{ .name = "data-with-fin-expected",
	    .script = STEPS({ PEER_TAKE }, { PEER_GIVE_FIN, 0, "answer" }),
	    .args = ARGS("-s", "question", "-e", "answer"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true,
	    .ours = 3,
	    .all = 7 },
	{ .name = "fin-apart",
	    .script = STEPS({ PEER_TAKE }, { PEER_GIVE, 0, "answer" },
		{ PEER_PAUSE, 5000 }),
	    .args = ARGS("-s", "question", "-e", "answer", "--drain=5"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true },
	{ .name = "fin-late",
	    .script = STEPS(
		{ PEER_TAKE }, { PEER_GIVE, 0, "answer" }, { PEER_AWAIT }),
	    .args = ARGS("-s", "question", "-e", "answer", "--drain=10ms"),
	    .peer = "open",
	    .local = "rst",
	    .first = "local" },
	{ .name = "fin-alone",
	    .script = STEPS({ PEER_TAKE }),
	    .args = ARGS("-s", "question"),
	    .status = 9,
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true },
	{ .name = "keep-alive",
	    .script = STEPS(
		{ PEER_TAKE }, { PEER_GIVE, 0, "answer" }, { PEER_AWAIT }),
	    .args = ARGS("-s", "question", "--idle=50ms", "--drain=20ms"),
	    .peer = "open",
	    .local = "rst",
	    .first = "local" },
	{ .name = "banner",
	    .script = STEPS({ PEER_GIVE, 0, "220 ready\r\n" }, { PEER_AWAIT }),
	    .args = ARGS("-e", "220", "--drain=20ms"),
	    .peer = "open",
	    .local = "rst",
	    .first = "local" },
	{ .name = "deaf",
	    .script = STEPS({ PEER_AWAIT }),
	    .args = ARGS("-s", "question", "-t", "0.1"),
	    .status = 8,
	    .peer = "open",
	    .local = "rst",
	    .first = "local" },
	{ .name = "silent",
	    .script = STEPS({ PEER_AWAIT }),
	    .args = ARGS("-e", "", "-t", "0.1"),
	    .status = 8,
	    .peer = "open",
	    .local = "rst",
	    .first = "local" },
	{ .name = "half-close",
	    .script = STEPS({ PEER_TAKE_ALL }, { PEER_GIVE, 0, "answer" }),
	    .args = ARGS("-s", "question", "-N"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "local",
	    .clean = true,
	    .last_ack = true,
	    .time_wait = true },
	{ .name = "half-close-without-payload",
	    .script = STEPS({ PEER_TAKE_ALL }, { PEER_GIVE, 0, "answer" }),
	    .args = ARGS("-N"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "local",
	    .clean = true,
	    .last_ack = true,
	    .time_wait = true },
	{ .name = "half-close-kept-open",
	    .script = STEPS({ PEER_TAKE_ALL }, { PEER_GIVE, 0, "answer" },
		{ PEER_PAUSE, 1000000 }),
	    .args =
		ARGS("-s", "question", "-N", "-e", "answer", "--drain=20ms"),
	    .peer = "open",
	    .local = "rst",
	    .first = "local",
	    .last_ack = true },
	{ .name = "half-close-of-the-peer",
	    .script = STEPS({ PEER_FIN }, { PEER_TAKE_ALL }),
	    .args = ARGS("-s", "question", "-e", "answer"),
	    .status = 9,
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true },
	{ .name = "rst-at-accept",
	    .script = STEPS({ PEER_RESET }),
	    .args = ARGS("-e", "answer"),
	    .status = 7,
	    .peer = "rst",
	    .local = "none",
	    .first = "peer" },
	{ .name = "rst-with-unread-data",
	    .script = STEPS({ PEER_PEEK }),
	    .args = ARGS("-s", "question", "-e", "answer"),
	    .status = 7,
	    .peer = "rst",
	    .local = "none",
	    .first = "peer" },
	{ .name = "rst-mid-response",
	    .script =
		STEPS({ PEER_TAKE }, { PEER_GIVE, 0, "ans" }, { PEER_RESET }),
	    .args = ARGS("-s", "question", "-e", "answer"),
	    .status = 7,
	    .peer = "rst",
	    .local = "none",
	    .first = "peer" },
	{ .name = "rst-mid-response-without-expectation",
	    .script =
		STEPS({ PEER_TAKE }, { PEER_GIVE, 0, "ans" }, { PEER_RESET }),
	    .args = ARGS("-s", "question"),
	    .status = 7,
	    .peer = "rst",
	    .local = "none",
	    .first = "peer" },
	{ .name = "rst-after-response",
	    .script = STEPS({ PEER_TAKE }, { PEER_GIVE, 0, "answer" },
		{ PEER_PAUSE, 5000 }, { PEER_RESET }),
	    .args = ARGS("-s", "question", "-e", "answer", "--drain=5"),
	    .peer = "rst",
	    .local = "none",
	    .first = "peer" },
	{ .name = "rst-wanted",
	    .script = STEPS({ PEER_TAKE }, { PEER_RESET }),
	    .args = ARGS("-s", "question", "--expect-close=rst"),
	    .peer = "rst",
	    .local = "none",
	    .first = "peer" },
	{ .name = "fin-instead-of-rst",
	    .script = STEPS({ PEER_TAKE }, { PEER_GIVE, 0, "answer" }),
	    .args = ARGS("-s", "question", "--expect-close=rst"),
	    .status = 10,
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true },
	/* While we do not read, FIN and RST arrive one after the other. */
	{ .name = "fin-then-rst",
	    .script = STEPS({ PEER_TAKE }, { PEER_GIVE, 0, "answer" },
		{ PEER_FIN }, { PEER_RESET }),
	    .args = ARGS("-s", "question", "-e", "nothing", "-d", "100ms"),
	    .status = 7,
	    .peer = "fin+rst",
	    .local = "none",
	    .first = "peer" },
	{ .name = "fin-then-rst-without-data",
	    .script = STEPS({ PEER_TAKE }, { PEER_FIN }, { PEER_RESET }),
	    .args = ARGS("-s", "question", "-e", "nothing", "-d", "100ms"),
	    .status = 7,
	    .peer = "fin+rst",
	    .local = "none",
	    .first = "peer" },
	{ .name = "close-fin",
	    .script = STEPS(
		{ PEER_TAKE }, { PEER_GIVE, 0, "answer" }, { PEER_AWAIT }),
	    .args = ARGS(
		"-s", "question", "-e", "answer", "--close=fin", "--drain=5"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "local",
	    .clean = true,
	    .last_ack = true,
	    .time_wait = true },
	{ .name = "close-fin-answered-by-rst",
	    .script = STEPS({ PEER_TAKE }, { PEER_GIVE, 0, "answer" },
		{ PEER_AWAIT }, { PEER_PAUSE, 100000 }, { PEER_RESET }),
	    .args = ARGS(
		"-s", "question", "-e", "answer", "--close=fin", "--drain=5"),
	    .peer = "rst",
	    .local = "fin",
	    .first = "local",
	    .last_ack = true },
	{ .name = "close-fin-kept-open",
	    .script = STEPS({ PEER_TAKE }, { PEER_GIVE, 0, "answer" },
		{ PEER_AWAIT }, { PEER_PAUSE, 500000 }),
	    .args = ARGS("-s", "question", "-e", "answer", "--close=fin",
		"--drain=200ms"),
	    .peer = "open",
	    .local = "fin",
	    .first = "local",
	    .last_ack = true },
	{ .name = "close-fin-sent-past",
	    .script = STEPS({ PEER_TAKE }, { PEER_GIVE, 0, "answer" },
		{ PEER_AWAIT }, { PEER_GIVE, 0, "more" },
		{ PEER_PAUSE, 1000000 }),
	    .args = ARGS("-s", "question", "-e", "answer", "--close=fin",
		"--drain=50ms"),
	    .peer = "open",
	    .local = "rst",
	    .first = "local",
	    .last_ack = true },
	{ .name = "close-fin-more-then-fin",
	    .script = STEPS({ PEER_TAKE }, { PEER_GIVE, 0, "answer" },
		{ PEER_AWAIT }, { PEER_GIVE, 5000000 }),
	    .args = ARGS(
		"-s", "question", "-e", "answer", "--close=fin", "--drain=20"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "local",
	    .clean = true,
	    .last_ack = true,
	    .time_wait = true },
	{ .name = "close-rst",
	    .script = STEPS(
		{ PEER_TAKE }, { PEER_GIVE, 0, "answer" }, { PEER_AWAIT }),
	    .args = ARGS("-s", "question", "-e", "answer", "--close=rst"),
	    .peer = "open",
	    .local = "rst",
	    .first = "local" },
	{ .name = "close-rst-after-fin",
	    .script = STEPS({ PEER_TAKE }, { PEER_GIVE_FIN, 0, "answer" },
		{ PEER_TAKE_ALL }),
	    .args = ARGS("-s", "question", "--close=rst"),
	    .peer = "fin",
	    .local = "rst",
	    .first = "peer" },
	{ .name = "drip",
	    .script = STEPS({ PEER_TAKE }, { PEER_DRIP, 2000 }),
	    .args = ARGS("-s", "question"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true },
	{ .name = "drip-into-the-drain",
	    .script = STEPS({ PEER_TAKE }, { PEER_DRIP, 2000 }),
	    .args = ARGS("-s", "question", "-e", "xxx", "--drain=10"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true },
	{ .name = "urgent",
	    .script = STEPS({ PEER_TAKE }, { PEER_GIVE, 0, "abc" },
		{ PEER_URGENT, 0, "dXf" }, { PEER_GIVE, 0, "ghi" }),
	    .args = ARGS("-s", "question", "-e", "abcdXfghi"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true },
	{ .name = "urgent-discarded",
	    .script = STEPS({ PEER_TAKE }, { PEER_GIVE, 0, "abc" },
		{ PEER_URGENT, 0, "dXf" }, { PEER_GIVE, 0, "ghi" }),
	    .args = ARGS("-s", "question"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true },
	{ .name = "urgent-then-rst",
	    .script =
		STEPS({ PEER_TAKE }, { PEER_URGENT, 0, "X" }, { PEER_RESET }),
	    .args = ARGS("-s", "question", "-e", "Y"),
	    .status = 7,
	    .peer = "rst",
	    .local = "none",
	    .first = "peer" },
	{ .name = "enough",
	    .script =
		STEPS({ PEER_TAKE }, { PEER_GIVE, 100000 }, { PEER_AWAIT }),
	    .args = ARGS("-s", "question", "-m", "1000", "--drain=20ms"),
	    .peer = "open",
	    .local = "rst",
	    .first = "local" },
	{ .name = "gigabyte",
	    .script = STEPS({ PEER_TAKE }, { PEER_GIVE, 1UL << 30 }),
	    .args = ARGS("-s", "question", "-t", "50"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true },
	{ .name = "gigabyte-into-the-drain",
	    .script = STEPS({ PEER_TAKE }, { PEER_GIVE, 1UL << 30 }),
	    .args = ARGS("-s", "question", "-m", "1", "-t", "50", "--drain=50"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
compare(struct scene *scene, const struct row *row)
{
	json_t *r = scene->report;
	const struct witness_flow *flow = scene->flow;

	if (scene->run.status != row->status)
		scene_fail(scene, "wrong exit status");
	ck_assert(judge_tells(r, "close.peer", row->peer));
	ck_assert(judge_tells(r, "close.local", row->local));
	ck_assert(judge_tells(r, "close.first", row->first));
	ck_assert(judge_tells_truth(r, "close.clean", row->clean));
	ck_assert(judge_tells_truth(r, "close.last_ack", row->last_ack));
	ck_assert(judge_tells_truth(r, "close.time_wait", row->time_wait));
	ck_assert_ptr_nonnull(flow);
	if (row->ours != 0 && flow->side[WITNESS_CLIENT].segments != row->ours)
		scene_fail(scene, "not the number of our segments");
	if (row->all != 0 &&
	    flow->side[WITNESS_CLIENT].segments +
		    flow->side[WITNESS_SERVER].segments >
		row->all)
		scene_fail(scene, "too many segments in all");
#ifdef LASTACK_TCP_INFO
	ck_assert_uint_eq(scene->untold, 0);
#endif
}

static void
play(const struct row *row, int family)
{
	struct peer *peer = peer_start(family, row->script);
	struct scene scene = { .witness = witness_open("lo") };
	char name[64];

	snprintf(name, sizeof(name), "check_close-%s-%s", row->name,
	    family == AF_INET ? "4" : "6");
	scene.name = name;
	ck_assert_ptr_nonnull(scene.witness);
	scene_play(&scene, family == AF_INET ? "127.0.0.1" : "::1",
	    peer_port(peer), row->args);
	compare(&scene, row);
	scene_clear(&scene);
	witness_close(scene.witness);
	peer_stop(peer);
}

START_TEST(ends_ipv4)
{
	play(&rows[_i], AF_INET);
}
END_TEST

START_TEST(ends_ipv6)
{
	if (lab_has_ipv6())
		play(&rows[_i], AF_INET6);
}
END_TEST

/* Nothing to hold the handshake's ACK back for: a banner comes at once. */
START_TEST(banner_is_not_delayed)
{
	static const struct peer_step script[] = {
		{ PEER_GIVE, 0, "220 ready\r\n" }, { PEER_AWAIT }, { PEER_END }
	};
	struct peer *peer = peer_start(AF_INET, script);
	struct scene scene = { .witness = witness_open("lo"),
		.name = "check_close-banner-ack" };
	const struct witness_segment *ack;

	scene_play(&scene, "127.0.0.1", peer_port(peer),
	    (const char *[])ARGS("-e", "220"));
	ack = witness_segment(scene.flow, 2);
	ck_assert_int_eq(ack->direction, WITNESS_CLIENT);
	ck_assert_int_eq(ack->flags, WITNESS_ACK);
	ck_assert_uint_eq(ack->payload_bytes, 0);
	scene_clear(&scene);
	witness_close(scene.witness);
	peer_stop(peer);
}
END_TEST

static void
refused(int family, const char *host)
{
	struct scene scene = { .witness = witness_open("lo"),
		.name = "check_close-refused" };
	const struct witness_flow *flow;
	uint16_t port = peer_refusing_port(family);

	scene_play(&scene, host, port, (const char *[])ARGS("-s", "x"));
	ck_assert_int_eq(scene.run.status, 4);
	ck_assert_str_eq(judge_string(scene.report, "outcome"), "refused");
	ck_assert_str_eq(
	    judge_string(scene.report, "error.errno"), "ECONNREFUSED");
	ck_assert_str_eq(judge_string(scene.report, "close.peer"), "none");
	flow = witness_settle(scene.witness, 0, port, 5000);
	ck_assert_ptr_nonnull(flow);
	ck_assert_uint_eq(flow->side[WITNESS_CLIENT].segments, 1);
	ck_assert_uint_eq(flow->side[WITNESS_SERVER].rsts, 1);
	scene_clear(&scene);
	witness_close(scene.witness);
}

START_TEST(refused_by_rst)
{
	refused(AF_INET, "127.0.0.1");
	if (lab_has_ipv6())
		refused(AF_INET6, "::1");
}
END_TEST

START_TEST(no_syn_ack)
{
	struct scene scene = { .witness = witness_open("lo"),
		.name = "check_close-deaf-port" };
	const struct witness_flow *flow;
	int fds[PEER_DEAF_FDS];
	uint16_t port = peer_deaf_port(AF_INET, fds);

	scene_play(
	    &scene, "127.0.0.1", port, (const char *[])ARGS("-z", "-t", "0.2"));
	ck_assert_int_eq(scene.run.status, 6);
	ck_assert_str_eq(judge_string(scene.report, "close.peer"), "none");
	ck_assert_str_eq(judge_string(scene.report, "close.local"), "none");
	flow = witness_find(scene.witness, NULL, 0, port);
	ck_assert_ptr_nonnull(flow);
	ck_assert_uint_eq(flow->side[WITNESS_SERVER].segments, 0);
	for (int i = 0; i < PEER_DEAF_FDS; i++)
		close(fds[i]);
	scene_clear(&scene);
	witness_close(scene.witness);
}
END_TEST

static Suite *
close_suite(void)
{
	Suite *suite = suite_create("close");
	TCase *tcase = tcase_create("ends");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, ends_ipv4, 0, ROWS);
	tcase_add_loop_test(tcase, ends_ipv6, 0, ROWS);
	tcase_add_test(tcase, banner_is_not_delayed);
	tcase_add_test(tcase, refused_by_rst);
	tcase_add_test(tcase, no_syn_ack);
	suite_add_tcase(suite, tcase);
	return suite;
}

int
main(void)
{
	SRunner *runner;
	int failed;

	lab_require();
	runner = srunner_create(close_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
