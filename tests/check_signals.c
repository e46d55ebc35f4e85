/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIGINT and SIGTERM end a run at once, wherever it is, and it still tells how
 * far it went.
 */
#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "run.h"
#include "schema.h"
#include "server.h"
#include "suite.h"
#include "tcp.h"

#define GIVE(literal) .give = literal, .give_bytes = sizeof(literal) - 1
#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Deadlines of the runs, and what counts as long before them. */
#define FAR "30"
#define SOON_NS INT64_C(25000000000)

static struct server server;

static const int signals[] = { SIGINT, SIGTERM };

static void
start(const struct server_script *script)
{
	server_start(&server, AF_INET, script);
}

/* Whether the command has got as far as to catch it. */
static bool
catches(pid_t pid, int signo)
{
	unsigned long long caught = 0;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "SigCgt: %llx", &caught) == 1)
			break;
	fclose(file);
	return (caught >> (signo - 1) & 1) == 1;
}

static void
await_catching(const struct run *run, int signo)
{
	struct tcp_patience patience = { 0 };

	while (!catches(run->pid, signo) && tcp_patient(&patience))
		continue;
	ck_assert(catches(run->pid, signo));
}

/* Sends the signal, and takes the report. */
static json_t *
interrupt(struct run *run, int signo)
{
	json_t *report;

	ck_assert_int_eq(kill(run->pid, signo), 0);
	run_finish(run);
	ck_assert_msg(run->status == 128 + signo, "status %d, signal %d: %s%s",
	    run->status, run->signo, run->out, run->err);
	ck_assert_str_eq(run->err, "");
	ck_assert_int_lt(run->elapsed_ns, SOON_NS);
	report = schema_check(run->out, run->out_bytes);
	ck_assert_str_eq(schema_string(report, "outcome"), "interrupted");
	ck_assert_int_eq(schema_integer(report, "exit_status"), 128 + signo);
	return report;
}

START_TEST(while_connecting)
{
	int fds[8], listener = tcp_listen(AF_INET, 0);
	union tcp_address address;
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
	run_start(&run, NULL, ARGV("-f", "json", "-t", FAR, "127.0.0.1", port));
	await_catching(&run, signals[_i]);
	report = interrupt(&run, signals[_i]);
	ck_assert_str_eq(schema_string(report, "error.phase"), "connect");
	ck_assert_str_eq(schema_string(report, "close.peer"), "none");
	json_decref(report);
	run_free(&run);
	for (int i = 0; i < 8; i++)
		close(fds[i]);
	close(listener);
}
END_TEST

/* Nothing came; the connection is reset at once. */
START_TEST(while_waiting)
{
	struct run run;
	json_t *report;

	start(&(struct server_script){ .take = 3, .end = SERVER_HOLD });
	server_run_start(
	    &server, &run, NULL, ARGV("-f", "json", "-t", FAR, "-s", "abc"));
	server_await_taken(&server);
	report = interrupt(&run, signals[_i]);
	ck_assert_str_eq(schema_string(report, "close.local"), "rst");
	ck_assert_str_eq(schema_string(report, "close.peer"), "open");
	ck_assert_int_eq(schema_integer(report, "bytes.sent"), 3);
	ck_assert_int_eq(schema_integer(report, "bytes.received"), 0);
	server_await_ended(&server, 1);
	ck_assert(!server.got_fin);
	json_decref(report);
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* What came is told, and what the policy says is done. */
START_TEST(while_receiving)
{
	struct run run;
	json_t *report;
	char name[64] = "/tmp/lastack-XXXXXX";
	int fd = mkstemp(name);
	struct tcp_patience patience = { 0 };

	ck_assert_int_ge(fd, 0);
	start(&(struct server_script){ GIVE("abc"), .end = SERVER_HOLD });
	server_run_start(&server, &run, NULL,
	    ARGV("-f", "json", "-t", FAR, "--idle=1m", "--close=fin", "-o",
		name));
	while (lseek(fd, 0, SEEK_END) < 3 && tcp_patient(&patience))
		continue;
	report = interrupt(&run, signals[_i]);
	ck_assert_int_eq(schema_integer(report, "bytes.received"), 3);
	ck_assert_str_eq(schema_string(report, "close.local"), "fin");
	server_await_ended(&server, 1);
	ck_assert(server.got_fin);
	json_decref(report);
	run_free(&run);
	server_stop(&server);
	close(fd);
	unlink(name);
}
END_TEST

/* A peer that keeps open, waited for with patience; no more of it. */
START_TEST(while_draining)
{
	struct run run;

	start(&(struct server_script){
	    .take = 1, .wait = true, GIVE("abc"), .end = SERVER_HOLD });
	server_run_start(&server, &run, NULL,
	    ARGV(
		"-f", "json", "-t", FAR, "--drain", FAR, "-s", "x", "-m", "3"));
	server_await_taken(&server);
	server_go(&server);
	ck_assert_int_eq(kill(run.pid, signals[_i]), 0);
	run_finish(&run);
	/* Before or after the response was complete: at once it must be. */
	ck_assert_int_eq(run.status, 128 + signals[_i]);
	ck_assert_int_lt(run.elapsed_ns, SOON_NS);
	run_free(&run);
	server_stop(&server);
}
END_TEST

START_TEST(while_pausing)
{
	struct run run;
	json_t *report;

	start(&(struct server_script){ .take = 3, GIVE("abc") });
	server_run_start(&server, &run, NULL,
	    ARGV("-f", "json", "-t", FAR, "-d", FAR, "-s", "abc"));
	server_await_taken(&server);
	report = interrupt(&run, signals[_i]);
	json_decref(report);
	run_free(&run);
	server_stop(&server);
}
END_TEST

START_TEST(while_reading_standard_input)
{
	struct run_options options = { 0 };
	struct run run;
	json_t *report;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	options.input_fd = ends[0];
	start(&(struct server_script){ .take = 3, .end = SERVER_HOLD });
	server_run_start(&server, &run, &options,
	    ARGV("-f", "json", "-t", FAR, "--send-file=-"));
	ck_assert_int_eq(write(ends[1], "abc", 3), 3);
	server_await_taken(&server);
	report = interrupt(&run, signals[_i]);
	ck_assert_str_eq(schema_string(report, "error.phase"), "send");
	json_decref(report);
	run_free(&run);
	server_stop(&server);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* A reader of the response that has stalled must not make it deaf. */
START_TEST(while_writing_the_response)
{
	struct run_options options = { 0 };
	struct tcp_patience patience = { 0 };
	struct run run;
	int ends[2], size;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	size = fcntl(ends[1], F_GETPIPE_SZ);
	ck_assert_int_eq(fcntl(ends[1], F_SETFL, 0), 0);
	options.output_fd = ends[1];
	start(&(struct server_script){ .pattern_bytes = 10000000 });
	server_run_start(&server, &run, &options, ARGV("-t", FAR, "-o", "-"));
	/* Full to within a write. */
	for (int queued = 0; queued < size - 8192 && tcp_patient(&patience);)
		ck_assert_int_eq(ioctl(ends[0], FIONREAD, &queued), 0);
	ck_assert_int_eq(kill(run.pid, signals[_i]), 0);
	run_finish(&run);
	ck_assert_msg(run.status == 128 + signals[_i],
	    "status %d, signal %d: %s%s", run.status, run.signo, run.out,
	    run.err);
	ck_assert_int_lt(run.elapsed_ns, SOON_NS);
	run_free(&run);
	server_stop(&server);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(in_text)
{
	struct run run;

	start(&(struct server_script){ .take = 3, .end = SERVER_HOLD });
	server_run_start(&server, &run, NULL, ARGV("-t", FAR, "-s", "abc"));
	server_await_taken(&server);
	ck_assert_int_eq(kill(run.pid, signals[_i]), 0);
	run_finish(&run);
	ck_assert_int_eq(run.status, 128 + signals[_i]);
	ck_assert_int_eq(strncmp(run.out, "INTERRUPTED ", 12), 0);
	ck_assert_ptr_nonnull(strstr(run.out, "3 B sent"));
	ck_assert_str_eq(run.err, "");
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* As nohup(1) and a shell's background jobs would have it. */
START_TEST(ignored_ones_stay_ignored)
{
	const struct run_options options = { .ignored_signal = signals[_i] };
	struct run run;

	start(
	    &(struct server_script){ .take = 3, .wait = true, GIVE("answer") });
	server_run_start(&server, &run, &options, ARGV("-t", FAR, "-s", "abc"));
	server_await_taken(&server);
	ck_assert_int_eq(kill(run.pid, signals[_i]), 0);
	server_go(&server);
	run_finish(&run);
	ck_assert_msg(run.status == 0, "status %d, signal %d: %s%s", run.status,
	    run.signo, run.out, run.err);
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* The other one of the two still ends it. */
START_TEST(one_is_ignored)
{
	const struct run_options options = { .ignored_signal = signals[_i] };
	int other = signals[1 - _i];
	struct run run;

	start(&(struct server_script){ .take = 3, .end = SERVER_HOLD });
	server_run_start(&server, &run, &options, ARGV("-t", FAR, "-s", "abc"));
	server_await_taken(&server);
	ck_assert_int_eq(kill(run.pid, signals[_i]), 0);
	ck_assert_int_eq(kill(run.pid, other), 0);
	run_finish(&run);
	ck_assert_int_eq(run.status, 128 + other);
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* Several at once, as a supervisor would: no confusion, one status. */
START_TEST(many_signals)
{
	struct run run;

	start(&(struct server_script){ .take = 3, .end = SERVER_HOLD });
	server_run_start(&server, &run, NULL, ARGV("-t", FAR, "-s", "abc"));
	server_await_taken(&server);
	for (int i = 0; i < 20; i++)
		kill(run.pid, signals[i % 2]);
	run_finish(&run);
	ck_assert(run.status == 128 + SIGINT || run.status == 128 + SIGTERM);
	run_free(&run);
	server_stop(&server);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("signals");

	tcase_add_loop_test(tests, while_connecting, 0, 2);
	tcase_add_loop_test(tests, while_waiting, 0, 2);
	tcase_add_loop_test(tests, while_receiving, 0, 2);
	tcase_add_loop_test(tests, while_draining, 0, 2);
	tcase_add_loop_test(tests, while_pausing, 0, 2);
	tcase_add_loop_test(tests, while_reading_standard_input, 0, 2);
	tcase_add_loop_test(tests, while_writing_the_response, 0, 2);
	tcase_add_loop_test(tests, in_text, 0, 2);
	tcase_add_loop_test(tests, ignored_ones_stay_ignored, 0, 2);
	tcase_add_loop_test(tests, one_is_ignored, 0, 2);
	tcase_add_test(tests, many_signals);
	return suite_run(tests, "signals");
}
