/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The times that the command line sets are kept: never less than asked for,
 * and, on however slow a machine, not until some other time is up.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "judge.h"
#include "run.h"
#include "schema.h"
#include "server.h"
#include "suite.h"
#include "tcp.h"

#define GIVE(literal) .give = literal, .give_bytes = sizeof(literal) - 1
#define MS INT64_C(1000000)

/* The deadline of runs that must not need it, and what is long before it. */
#define FAR "30"
#define SOON_NS (25000 * MS)

struct timing {
	const char *argv[16];
	struct server_script script;
	int status;
	const char *path; /* of the time that is looked at */
	int64_t least_ns;
};

/* clang-format off */
static const struct timing timings[] = {
	/* --timeout */
	{ { "-t", "100ms", "-s", "x" }, { .take = 1, .end = SERVER_HOLD },
	  8, "phases_us.total", 100 * MS },
	{ { "-t", "0.125", "-s", "x" }, { .take = 1, .end = SERVER_HOLD },
	  8, "phases_us.total", 125 * MS },
	{ { "-t", "100ms", "-e", "abcd", "--idle=1m" },
	  { GIVE("abc"), .end = SERVER_HOLD },
	  8, "phases_us.total", 100 * MS },
	{ { "-t", "100ms", "-d", "1m", "-s", "x" }, { .take = 1, GIVE("abc") },
	  8, "phases_us.total", 100 * MS },
	{ { "-t", "100ms", "--drain=1m", "-e", "a" },
	  { GIVE("abc"), .end = SERVER_HOLD },
	  0, "phases_us.total", 100 * MS },
	/* --idle: from the last byte on. */
	{ { "-t", FAR, "--idle=100ms", "-s", "x" },
	  { .take = 1, GIVE("abc"), .end = SERVER_HOLD },
	  0, "phases_us.receive", 100 * MS },
	{ { "-t", FAR, "-s", "x" },
	  { .take = 1, GIVE("abc"), .end = SERVER_HOLD },
	  0, "phases_us.receive", 1000 * MS },
	/* --drain: once the response is complete. */
	{ { "-t", FAR, "--drain=100ms", "-s", "x", "-m", "3" },
	  { .take = 1, GIVE("abcdef"), .end = SERVER_HOLD },
	  0, "phases_us.drain", 100 * MS },
	{ { "-t", FAR, "-e", "a" }, { GIVE("abcdef"), .end = SERVER_HOLD },
	  0, "phases_us.drain", 100 * MS },
	{ { "-t", FAR, "--drain=100ms", "--expect-close=open" },
	  { .end = SERVER_HOLD },
	  0, "phases_us.drain", 100 * MS },
	/* --delay: between payload and reading. */
	{ { "-t", FAR, "-d", "100ms", "-s", "x" }, { .take = 1, GIVE("abc") },
	  0, "phases_us.wait", 100 * MS },
	{ { "-t", FAR, "-d", "100ms", "-e", "abc" }, { GIVE("abc") },
	  0, "phases_us.wait", 100 * MS },
	/* The peer's end is waited for no longer than it takes. */
	{ { "-t", FAR, "--drain", FAR, "-s", "x", "-m", "1" },
	  { .take = 1, GIVE("abc") }, 0, "phases_us.total", 0 },
	{ { "-t", FAR, "--idle", FAR, "-s", "x" }, { .take = 1, GIVE("abc") },
	  0, "phases_us.total", 0 },
	/* Nor is anything, in a check of the handshake. */
	{ { "-t", FAR, "--drain", FAR }, { .end = SERVER_HOLD },
	  0, "phases_us.total", 0 },
};
/* clang-format on */

#define TIMINGS ((int)(sizeof(timings) / sizeof(timings[0])))

static struct server server;

static json_t *
report_of(struct run *run, const struct run_options *options,
    const char *const *argv, int status)
{
	const char *arguments[24] = { "-f", "json" };
	json_t *report;
	size_t count = 2;

	for (; *argv != NULL; argv++)
		arguments[count++] = *argv;
	server_run(&server, run, options, arguments);
	ck_assert_msg(run->status == status, "status %d, signal %d: %s%s",
	    run->status, run->signo, run->out, run->err);
	report = schema_check(run->out, run->out_bytes);
	ck_assert_int_lt(schema_ns(report, "phases_us.total"), SOON_NS);
	ck_assert_int_ge(run->elapsed_ns, schema_ns(report, "phases_us.total"));
	return report;
}

START_TEST(kept)
{
	const struct timing *timing = &timings[_i];
	struct run run;
	json_t *report;

	server_start(&server, AF_INET, &timing->script);
	report = report_of(&run, NULL, timing->argv, timing->status);
	ck_assert_msg(schema_ns(report, timing->path) >= timing->least_ns,
	    "%s is %lld ns", timing->path,
	    (long long)schema_ns(report, timing->path));
	json_decref(report);
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* Both bounds of one attempt, whichever is nearer. */
START_TEST(connect_timeout)
{
	static const char *const rows[][5] = {
		{ "-t", FAR, "--connect-timeout=100ms", NULL },
		{ "-t", "100ms", "--connect-timeout=1m", NULL },
		{ "-t", "100ms", NULL },
	};
	const char *arguments[16] = { "-f", "json" };
	int fds[8], listener = tcp_listen(AF_INET, 0);
	union tcp_address address;
	size_t count = 2;
	struct run run;
	json_t *report;
	char port[8];

	/* A full backlog: no SYN/ACK. */
	tcp_local(listener, &address);
	for (int i = 0; i < 8; i++) {
		fds[i] = socket(
		    AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		connect(fds[i], &address.any, tcp_length(&address));
	}
	snprintf(port, sizeof(port), "%u", tcp_port(listener));
	for (size_t i = 0; rows[_i][i] != NULL; i++)
		arguments[count++] = rows[_i][i];
	arguments[count++] = "127.0.0.1";
	arguments[count++] = port;
	run_command(&run, arguments);
	ck_assert_int_eq(run.status, 6);
	report = schema_check(run.out, run.out_bytes);
	if (_i == 0)
		ck_assert_int_ge(
		    schema_ns(report, "phases_us.connect"), 100 * MS);
	ck_assert_int_ge(schema_ns(report, "phases_us.total"), 100 * MS);
	ck_assert_int_lt(schema_ns(report, "phases_us.total"), SOON_NS);
	json_decref(report);
	run_free(&run);
	for (int i = 0; i < 8; i++)
		close(fds[i]);
	close(listener);
}
END_TEST

/* An answer that comes late is waited for; each byte begins --idle anew. */
START_TEST(late_answer)
{
	const struct timespec late = { .tv_nsec = 100 * MS };
	struct run run;
	json_t *report;

	server_start(&server, AF_INET,
	    &(struct server_script){ .take = 1, .wait = true, GIVE("abc") });
	server_run_start(&server, &run, NULL,
	    (const char *[]){
		"-f", "json", "-t", FAR, "--idle=10ms", "-s", "x", NULL });
	server_await_taken(&server);
	nanosleep(&late, NULL); /* what is measured here is that it waits */
	server_go(&server);
	run_finish(&run);
	ck_assert_int_eq(run.status, 0);
	report = schema_check(run.out, run.out_bytes);
	ck_assert_int_ge(schema_ns(report, "phases_us.send") +
		schema_ns(report, "phases_us.wait"),
	    100 * MS);
	ck_assert_int_eq(schema_integer(report, "bytes.received"), 3);
	json_decref(report);
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* What came while it paused is read afterwards, all of it. */
START_TEST(pause_loses_nothing)
{
	struct run run;
	json_t *report;

	server_start(&server, AF_INET,
	    &(struct server_script){ .take = 1, .pattern_bytes = 3000000 });
	report = report_of(&run, NULL,
	    (const char *[]){ "-t", FAR, "-d", "100ms", "-s", "x", NULL }, 0);
	ck_assert_int_eq(schema_integer(report, "bytes.received"), 3000000);
	ck_assert_str_eq(schema_string(report, "close.peer"), "fin");
	json_decref(report);
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* Of a response that is complete the rest is drained, not received. */
START_TEST(rest_is_drained)
{
	struct run run;
	json_t *report;

	server_start(&server, AF_INET,
	    &(struct server_script){ .take = 1, .pattern_bytes = 3000000 });
	report = report_of(&run, NULL,
	    (const char *[]){
		"-t", FAR, "--drain", FAR, "-m", "1000", "-s", "x", NULL },
	    0);
	ck_assert_int_eq(schema_integer(report, "bytes.received"), 1000);
	ck_assert_int_eq(
	    schema_integer(report, "bytes.drained"), 3000000 - 1000);
	ck_assert_str_eq(schema_string(report, "close.peer"), "fin");
	ck_assert_str_eq(schema_string(report, "close.local"), "fin");
	json_decref(report);
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* Much at once, and then neither more nor a FIN: all of it is seen in time. */
START_TEST(silence_behind_a_flood)
{
	static const struct {
		const char *argv[8];
		int64_t received, drained, least_ns;
	} rows[] = {
		{ { "--idle=150ms" }, 3000007, 0, 150 * MS },
		{ { "--idle", FAR, "-m", "2999999", "--drain=150ms" }, 2999999,
		    8, 0 },
		{ { "--idle=150ms", "-e", "no such word" }, 3000007, 0,
		    150 * MS },
	};
	const char *argv[16] = { "-t", FAR, "-s", "x" };
	struct run run;
	json_t *report;

	server_start(&server, AF_INET,
	    &(struct server_script){
		.take = 1, .pattern_bytes = 3000007, .end = SERVER_HOLD });
	for (size_t i = 0; rows[_i].argv[i] != NULL; i++)
		argv[4 + i] = rows[_i].argv[i];
	report = report_of(&run, NULL, argv, _i == 2 ? 1 : 0);
	ck_assert_int_eq(
	    schema_integer(report, "bytes.received"), rows[_i].received);
	ck_assert_int_eq(
	    schema_integer(report, "bytes.drained"), rows[_i].drained);
	ck_assert_int_ge(
	    schema_ns(report, "phases_us.receive"), rows[_i].least_ns);
	json_decref(report);
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* Half-closed, the server answers what it was sent before. */
START_TEST(half_close)
{
	struct run run;
	json_t *report;

	server_start(&server, AF_INET,
	    &(struct server_script){ .take = SERVER_ALL, GIVE("bye") });
	report = report_of(&run, NULL,
	    (const char *[]){ "-t", FAR, "-s", "abc", "-N", NULL }, 0);
	ck_assert(judge_tells(report, "close.first", "local"));
	ck_assert_int_eq(schema_integer(report, "bytes.received"), 3);
	server_await_ended(&server, 1);
	ck_assert(server.got_fin);
	ck_assert_uint_eq(server.got_bytes, 3);
	json_decref(report);
	run_free(&run);
	server_stop(&server);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("times");

	tcase_add_loop_test(tests, kept, 0, TIMINGS);
	tcase_add_loop_test(tests, connect_timeout, 0, 3);
	tcase_add_test(tests, late_answer);
	tcase_add_test(tests, pause_loses_nothing);
	tcase_add_test(tests, rest_is_drained);
	tcase_add_loop_test(tests, silence_behind_a_flood, 0, 3);
	tcase_add_test(tests, half_close);
	return suite_run(tests, "times");
}
