/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fast Open and the payload: what the server got is what was sent, once and in
 * order, whatever the SYN carried of it, from wherever it came, and to whatever
 * address. Each test has a network namespace, and so a cookie cache, of its own.
 */
#include <config.h>

#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "judge.h"
#include "lab.h"
#include "suite.h"
#include "tcp.h"
#include "tfo.h"

#define ARGS(...)                                                              \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}

#define QUESTION TFO_QUESTION
#define ASK "-F", "-s", QUESTION
#define LARGE_BYTES 100000
#define ANOTHER_KEY "00000001-00000002-00000003-00000004"

static const struct server_script answering = {
	.take = 8,
	.give = "answer",
	.give_bytes = 6,
	.end = SERVER_FIN,
};

static const struct server_script taking_all = {
	.take = SERVER_ALL,
	.give = "answer",
	.give_bytes = 6,
	.end = SERVER_FIN,
};

static const struct tfo_verdict granted = { 0, "requested", 1, 0,
	"granted; run again" };
static const struct tfo_verdict accepted = { 0, "accepted", 1, 8,
	"carried 8 B and the SYN/ACK acknowledged them" };

/* Of the test that runs; each has a process of its own. */
static struct tfo_stage stage;

static void
make_large(void)
{
	FILE *file = fopen("fastopen.bin", "w");

	ck_assert_ptr_nonnull(file);
	for (uint64_t i = 0; i < LARGE_BYTES; i++)
		ck_assert_int_ne(putc(server_pattern(i), file), EOF);
	ck_assert_int_eq(fclose(file), 0);
}

static void
remove_large(void)
{
	remove("fastopen.bin");
}

#define SEND_LARGE "-F", "--send-file=fastopen.bin", "-N"

static void
send_large(const char *status, int carried, const char *reason)
{
	const struct tfo_verdict verdict = { 0, status, 1, carried, reason };

	tfo_probe(&stage, ARGS(SEND_LARGE, "-e", "answer"), &verdict);
	ck_assert_uint_eq(stage.server.got_bytes, LARGE_BYTES);
	ck_assert(stage.server.got_pattern);
	ck_assert(stage.server.got_fin);
	ck_assert(
	    judge_number(stage.scene.report, "bytes.sent") == LARGE_BYTES);
	ck_assert(carried == 0 ||
	    (judge_number(stage.scene.report, "bytes.in_syn") > 500 &&
		judge_number(stage.scene.report, "bytes.in_syn") <
		    LARGE_BYTES));
}

START_TEST(large_payload)
{
	if (!tfo_begin(&stage, _i, TFO_BOTH, &taking_all))
		return;
	send_large("requested", 0, "granted");
	send_large("accepted", -1, "acknowledged them");
	ck_assert_int_eq(
	    lab_sysctl("net.ipv4.tcp_fastopen_key", ANOTHER_KEY), 0);
	send_large("refused", -1, "none of them");
	send_large("accepted", -1, "acknowledged them");
	tfo_finish(&stage);
}
END_TEST

START_TEST(half_close)
{
	if (!tfo_begin(&stage, _i, TFO_BOTH, &taking_all))
		return;
	tfo_ask(&stage, ARGS(ASK, "-N"), &granted);
	ck_assert(stage.server.got_fin);
	for (int i = 0; i < 20; i++) {
		tfo_ask(&stage, ARGS(ASK, "-N", "-e", "answer"), &accepted);
		ck_assert(stage.server.got_fin);
	}
	tfo_finish(&stage);
}
END_TEST

START_TEST(nothing_to_carry)
{
	static const struct server_script banner = {
		.give = "banner",
		.give_bytes = 6,
		.end = SERVER_FIN,
	};
	static const struct tfo_verdict verdicts[] = {
		{ 0, "unused", -1, 0, "no payload" },
		{ 11, "unused", -1, 0, "no payload" },
	};

	if (!tfo_begin(&stage, _i, TFO_BOTH, &banner))
		return;
	tfo_probe(&stage, ARGS("-F", "-e", "banner"), &verdicts[0]);
	tfo_probe(&stage, ARGS("-F", "-e", "banner", "-s", ""), &verdicts[0]);
	tfo_probe(&stage, ARGS("-F", "-e", "banner", "-N"), &verdicts[0]);
	tfo_probe(
	    &stage, ARGS("--fastopen=require", "-e", "banner"), &verdicts[1]);
	tfo_finish(&stage);
}
END_TEST

/* ---- payloads from a pipe */

static void
run_with_pipe(const char *const *args, const int ends[2], struct run *run)
{
	struct run_options options = { .input_fd = ends[0] };
	const char *argv[16] = { "-f", "json" };
	size_t count = 2;

	while (*args != NULL)
		argv[count++] = *args++;
	argv[count++] = stage.host;
	argv[count++] = stage.server.port_text;
	argv[count] = NULL;
	run_start(run, &options, argv);
	close(ends[0]);
}

static void
finish_with_pipe(const struct tfo_verdict *verdict)
{
	run_finish(&stage.scene.run);
	stage.scene.report = json_loads(stage.scene.run.out, 0, NULL);
	ck_assert_ptr_nonnull(stage.scene.report);
	scene_judge(&stage.scene, stage.server.port);
	tfo_expect(&stage.scene, verdict);
	server_await_ended(&stage.server, ++stage.clients);
}

static void
make_pipe(int ends[2])
{
	/* Or the command would hold its own end open. */
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
}

static void
fill(int ends[2], const char *bytes)
{
	ck_assert_int_eq(
	    write(ends[1], bytes, strlen(bytes)), (int)strlen(bytes));
}

#define FROM_PIPE "-F", "--send-file=-", "-e", "answer"

START_TEST(pipe_that_is_there)
{
	int ends[2];

	if (!tfo_begin(&stage, _i, TFO_BOTH, &answering))
		return;
	tfo_ask(&stage, ARGS(ASK), &granted);
	make_pipe(ends);
	fill(ends, QUESTION);
	close(ends[1]);
	scene_clear(&stage.scene);
	run_with_pipe(ARGS(FROM_PIPE), ends, &stage.scene.run);
	finish_with_pipe(&accepted);
	tfo_assert_got(&stage, QUESTION);
	tfo_finish(&stage);
}
END_TEST

static bool
is_answered(const struct witness_flow *flow, void *arg)
{
	(void)arg;
	return flow->side[WITNESS_SERVER].syns > 0;
}

/* args: what is there at once; rest: what comes after the handshake. */
static void
play_slow(const char *const *args, const char *rest,
    const struct tfo_verdict *verdict)
{
	int ends[2];

	scene_clear(&stage.scene);
	make_pipe(ends);
	run_with_pipe(args, ends, &stage.scene.run);
	ck_assert_ptr_nonnull(witness_await(stage.scene.witness, 0,
	    stage.server.port, 10000, is_answered, NULL));
	fill(ends, rest);
	close(ends[1]);
	finish_with_pipe(verdict);
	tfo_assert_got(&stage, QUESTION);
}

START_TEST(pipe_that_is_slow)
{
	static const struct tfo_verdict unused = { 0, "unused", -1, 0,
		"not there yet" };
	static const struct tfo_verdict half = { 0, "accepted", 1, 4,
		"carried 4 B" };

	if (!tfo_begin(&stage, _i, TFO_BOTH, &answering))
		return;
	tfo_ask(&stage, ARGS(ASK), &granted);
	play_slow(ARGS(FROM_PIPE), QUESTION, &unused);
	play_slow(ARGS("-F", "-s", "ques", "--send-file=-", "-e", "answer"),
	    "tion", &half);
	tfo_finish(&stage);
}
END_TEST

START_TEST(pipe_that_is_empty)
{
	static const struct server_script banner = {
		.give = "answer",
		.give_bytes = 6,
		.end = SERVER_FIN,
	};
	static const struct tfo_verdict unused = { 0, "unused", -1, 0,
		"no payload" };
	int ends[2];

	if (!tfo_begin(&stage, _i, TFO_BOTH, &banner))
		return;
	make_pipe(ends);
	close(ends[1]);
	scene_clear(&stage.scene);
	run_with_pipe(ARGS(FROM_PIPE), ends, &stage.scene.run);
	finish_with_pipe(&unused);
	tfo_finish(&stage);
}
END_TEST

/* ---- several addresses */

/* A resolver's file of this test's own. */
static void
name_addresses(const char *line)
{
	char path[] = "/tmp/check_fastopen_hosts.XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, line, strlen(line)), (int)strlen(line));
	close(fd);
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mount(path, "/etc/hosts", NULL, MS_BIND, NULL), 0);
	unlink(path);
}

/* A listener on ::1 that grants a cookie and does nothing else. */
static void
obtain_cookie(void)
{
	static const struct tfo_verdict verdict = { 8, "requested", 1, 0,
		"granted" };
	int fd = tcp_listen(AF_INET6, 8);

	scene_play(&stage.scene, "::1", tcp_port(fd), ARGS(ASK, "-t", "0.1"));
	tfo_expect(&stage.scene, &verdict);
	close(fd);
}

#define NAME "two.test"

/* The resolver puts ::1, on which nobody listens, first: RFC 6724. */
static bool
begin_with_two(void)
{
	if (!lab_has_ipv6() || !tfo_begin(&stage, 0, TFO_BOTH, &answering))
		return false;
	name_addresses("::1 " NAME "\n127.0.0.1 " NAME "\n");
	return true;
}

START_TEST(cookie_for_the_second_address)
{
	if (!begin_with_two())
		return;
	tfo_ask(&stage, ARGS(ASK), &granted);
	stage.host = NAME;
	tfo_ask(&stage, ARGS(ASK), &accepted);
	ck_assert_uint_eq(
	    json_array_size(judge_at(stage.scene.report, "attempts")), 2);
	tfo_finish(&stage);
}
END_TEST

/* What the first SYN carried, nobody has got: the second does not miss it. */
START_TEST(cookie_for_the_first_address)
{
	if (!begin_with_two())
		return;
	obtain_cookie();
	stage.host = NAME;
	tfo_ask(&stage, ARGS(ASK), &granted);
	ck_assert_uint_eq(
	    json_array_size(judge_at(stage.scene.report, "attempts")), 2);
	tfo_ask(&stage, ARGS(ASK), &accepted);
	tfo_finish(&stage);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("fastopen_payload");

	lab_require();
	tcase_add_unchecked_fixture(tests, make_large, remove_large);
	tcase_add_loop_test(tests, large_payload, 0, 2);
	tcase_add_loop_test(tests, half_close, 0, 2);
	tcase_add_loop_test(tests, nothing_to_carry, 0, 2);
	tcase_add_loop_test(tests, pipe_that_is_there, 0, 2);
	tcase_add_loop_test(tests, pipe_that_is_slow, 0, 2);
	tcase_add_loop_test(tests, pipe_that_is_empty, 0, 2);
	tcase_add_test(tests, cookie_for_the_second_address);
	tcase_add_test(tests, cookie_for_the_first_address);
	return suite_run(tests, "fastopen_payload");
}
