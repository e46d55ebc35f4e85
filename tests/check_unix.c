/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unix stream sockets: the same exchanges and outcomes, and nothing said that
 * only TCP could tell. The test itself is the server, step by step beside the
 * command.
 */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon.h"
#include "run.h"
#include "schema.h"
#include "suite.h"
#include "tcp.h"

#define ARGUMENTS_MAX 16
#define BIG_BYTES 1000000

/* clang-format off */
#define ARGS(...) { __VA_ARGS__, NULL }
/* clang-format on */

static char directory[64], path[96], target[160];
static int listener = -1;

static void
set_up(void)
{
	snprintf(directory, sizeof(directory), "/tmp/lastack-unix-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/socket", directory);
	snprintf(target, sizeof(target), "unix:%s", path);
}

static void
tear_down(void)
{
	if (listener != -1)
		close(listener);
	listener = -1;
	unlink(path);
	rmdir(directory);
}

static int
bound(const char *name, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_uint_le(len, sizeof(address.sun_path));
	memcpy(address.sun_path, name, len);
	if (*name == '@')
		address.sun_path[0] = '\0';
	ck_assert_int_eq(
	    bind(fd, (struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
	    0);
	return fd;
}

static void
serve(const char *name, int backlog)
{
	listener = bound(name, SOCK_STREAM);
	ck_assert_int_eq(listen(listener, backlog), 0);
}

static int
accepted(void)
{
	int fd = accept(listener, NULL, NULL);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* So many bytes, all of them. */
static void
take(int fd, size_t bytes)
{
	char byte;

	while (bytes-- > 0)
		ck_assert_int_eq(recv(fd, &byte, 1, 0), 1);
}

static void
give(int fd, const char *bytes, size_t len)
{
	ck_assert_int_eq(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void
start(struct run *run, const char *format, const char *const *args)
{
	const char *argv[ARGUMENTS_MAX] = { "-f", format };
	size_t count = 2;

	while (*args != NULL)
		argv[count++] = *args++;
	argv[count] = target;
	run_start(run, NULL, argv);
}

/* Of a run that has ended; the caller's. */
static json_t *
report_of(const struct run *run, const char *outcome, int status)
{
	json_t *report;

	ck_assert_msg(run->status == status, "status %d: %s%s", run->status,
	    run->out, run->err);
	ck_assert_str_eq(run->err, "");
	report = schema_check(run->out, run->out_bytes);
	ck_assert_str_eq(schema_string(report, "outcome"), outcome);
	ck_assert_str_eq(schema_string(report, "family"), "unix");
	ck_assert_str_eq(schema_string(report, "host"), target);
	ck_assert(json_is_null(schema_at(report, "port")));
	return report;
}

static json_t *
finish(struct run *run, const char *outcome, int status)
{
	run_finish(run);
	return report_of(run, outcome, status);
}

static json_t *
play(const char *const *args, const char *outcome, int status)
{
	struct run run;
	json_t *report;

	start(&run, "json", args);
	report = finish(&run, outcome, status);
	run_free(&run);
	return report;
}

static void
assert_null(json_t *report, const char *where)
{
	ck_assert_msg(json_is_null(schema_at(report, where)), "%s", where);
}

/* What only TCP can tell. */
static void
assert_no_tcp(json_t *report)
{
	static const char *const paths[] = { "local", "local_port",
		"wire_us.handshake", "wire_us.first_byte", "kernel",
		"close.peer", "close.local", "close.first", "close.clean",
		"close.last_ack", "close.time_wait" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_null(report, paths[i]);
}

/* ---- exchanges */

struct script {
	size_t take;
	const char *give;
	bool hold; /* until the command has ended */
};

struct row {
	const char *args[8];
	struct script script;
	const char *outcome;
	int status;
	const char *reason;
	int64_t received;
};

/* clang-format off */
static const struct row rows[] = {
	{ ARGS("-s", "PING", "-e", "PONG"), { 4, "+PONG", false },
	  "ok", 0, "the peer closed first", 5 },
	{ ARGS("-s", "PING"), { 4, "+PONG", false },
	  "ok", 0, "the peer closed first", 5 },
	{ ARGS("-v", "-e", "220"), { 0, "220 ready", false },
	  "ok", 0, "the peer closed first", 9 },
	{ ARGS("-s", "x", "-e", "PONG", "--drain=20ms"), { 1, "PONG", true },
	  "ok", 0, "the peer kept the connection open", 4 },
	{ ARGS("-s", "x", "--idle=20ms", "--drain=0"), { 1, "PONG", true },
	  "ok", 0, "the peer kept the connection open", 4 },
	{ ARGS("-s", "x", "-m", "2"), { 1, "PONG", false },
	  "ok", 0, "the peer closed first", 2 },
	{ ARGS("-s", "x", "-e", "PONG"), { 1, "-ERR", false },
	  "mismatch", 1, "the peer closed first", 4 },
	{ ARGS("-s", "x"), { 1, "", false },
	  "closed-early", 9, "the peer closed first", 0 },
	{ ARGS("-s", "x", "-t", "100ms"), { 1, "", true },
	  "response-timeout", 8, "the peer kept the connection open", 0 },
	{ ARGS("-s", "xyz"), { 1, "", false },
	  "reset", 7, "the peer closed, with data of ours unread", 0 },
	{ ARGS("-s", "xyz", "-e", "PONG"), { 1, "PING", false },
	  "reset", 7, "the peer closed, with data of ours unread", 4 },
	{ ARGS("-s", "xyz", "-e", "PONG"), { 1, "PONG", false },
	  "ok", 0, "the peer closed, with data of ours unread", 4 },
};
/* clang-format on */

#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

static void
go_through(const struct script *script, struct run *run)
{
	int fd = accepted();

	take(fd, script->take);
	if (*script->give != '\0')
		give(fd, script->give, strlen(script->give));
	if (!script->hold)
		close(fd);
	run_finish(run);
	if (script->hold)
		close(fd);
}

START_TEST(exchange)
{
	const struct row *row = &rows[_i];
	struct run run;
	json_t *report;

	serve(path, 8);
	start(&run, "json", row->args);
	go_through(&row->script, &run);
	report = report_of(&run, row->outcome, row->status);
	assert_no_tcp(report);
	ck_assert_str_eq(schema_string(report, "remote"), path);
	ck_assert_str_eq(schema_string(report, "close.reason"), row->reason);
	ck_assert_int_eq(
	    schema_integer(report, "bytes.received"), row->received);
	ck_assert_str_eq(
	    schema_string(
		json_array_get(schema_at(report, "attempts"), 0), "address"),
	    path);
	json_decref(report);
	run_free(&run);
}
END_TEST

/*
 * No segment is claimed, and nothing of the kernel's. The spaces are for the
 * letters that chance has put into the path.
 */
START_TEST(exchange_as_text)
{
	const struct row *row = &rows[_i];
	static const char *const words[] = { " SYN", " FIN", "(FIN", " RST",
		" ACK", "->", "<-", " kernel", " rtt" };
	struct run run;

	serve(path, 8);
	start(&run, "text", row->args);
	go_through(&row->script, &run);
	ck_assert_int_eq(run.status, row->status);
	ck_assert_ptr_nonnull(strstr(run.out, target));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		ck_assert_msg(strstr(run.out, words[i]) == NULL, "%s: %s",
		    words[i], run.out);
	run_free(&run);
}
END_TEST

START_TEST(connect_only)
{
	json_t *report;

	serve(path, 8);
	report = play((const char *[])ARGS("-z"), "ok", 0);
	assert_no_tcp(report);
	ck_assert_str_eq(schema_string(report, "close.reason"),
	    "closed: only the connection was asked for");
	json_decref(report);
	close(accepted());
}
END_TEST

START_TEST(half_close)
{
	struct run run;
	json_t *report;
	char byte;
	int fd;

	serve(path, 8);
	start(&run, "json", (const char *[])ARGS("-N", "-s", "abc"));
	fd = accepted();
	take(fd, 3);
	ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
	give(fd, "bye", 3);
	close(fd);
	report = finish(&run, "ok", 0);
	assert_no_tcp(report);
	ck_assert_int_eq(schema_integer(report, "bytes.received"), 3);
	json_decref(report);
	run_free(&run);
}
END_TEST

/* With nobody to look at it, the response is discarded. */
START_TEST(large)
{
	static const char *const looks[][6] = {
		ARGS("-N", "-s", "x", "--drain=30"),
		ARGS("-N", "-s", "x", "-v", "--drain=30"),
	};
	static char bytes[BIG_BYTES];
	struct run run;
	json_t *report;
	size_t done = 0;
	int fd;

	serve(path, 8);
	start(&run, "json", looks[_i]);
	fd = accepted();
	take(fd, 1);
	while (done < sizeof(bytes)) {
		ssize_t n =
		    send(fd, bytes + done, sizeof(bytes) - done, MSG_NOSIGNAL);

		ck_assert_int_gt(n, 0);
		done += (size_t)n;
	}
	close(fd);
	report = finish(&run, "ok", 0);
	ck_assert_int_eq(schema_integer(report, "bytes.received"), BIG_BYTES);
	json_decref(report);
	run_free(&run);
}
END_TEST

START_TEST(abstract_name)
{
	char name[64];
	struct run run;
	json_t *report;

	snprintf(name, sizeof(name), "@lastack-test-%d", (int)getpid());
	snprintf(target, sizeof(target), "unix:%s", name);
	serve(name, 8);
	start(&run, "json", (const char *[])ARGS("-e", "220"));
	go_through(&(struct script){ 0, "220", false }, &run);
	report = report_of(&run, "ok", 0);
	ck_assert_str_eq(schema_string(report, "remote"), name);
	json_decref(report);
	run_free(&run);
	close(listener);
	listener = -1;
	json_decref(play((const char *[])ARGS("-z"), "refused", 4));
}
END_TEST

START_TEST(by_hostname)
{
	struct run run;

	serve(path, 8);
	run_command(&run, (const char *[])ARGS("-H", target, "-z"));
	ck_assert_int_eq(run.status, 0);
	run_free(&run);
}
END_TEST

/* ---- no connection */

static void
assert_fails(const char *outcome, int status, const char *error)
{
	json_t *report = play((const char *[])ARGS("-s", "x"), outcome, status);

	ck_assert_str_eq(schema_string(report, "error.errno"), error);
	assert_null(report, "remote");
	json_decref(report);
}

START_TEST(no_file)
{
	assert_fails("unreachable", 5, "ENOENT");
	snprintf(target, sizeof(target), "unix:/dev/null/socket");
	assert_fails("unreachable", 5, "ENOTDIR");
}
END_TEST

START_TEST(nobody_listens)
{
	close(bound(path, SOCK_STREAM));
	assert_fails("refused", 4, "ECONNREFUSED");
}
END_TEST

START_TEST(other_kind_of_socket)
{
	listener = bound(path, SOCK_DGRAM);
	assert_fails("system", 13, "EPROTOTYPE");
}
END_TEST

START_TEST(longest_path)
{
	char name[128];
	struct run run;

	snprintf(target, sizeof(target), "unix:/tmp/%0103d", 0);
	ck_assert_uint_eq(strlen(target), 5 + 108);
	run_command(&run, (const char *[])ARGS(target));
	ck_assert_int_eq(run.status, 2);
	ck_assert_ptr_nonnull(strstr(run.err, "107 bytes"));
	run_free(&run);
	target[5 + 107] = '\0';
	assert_fails("unreachable", 5, "ENOENT");
	/* The '@' is not a part of the name. */
	snprintf(name, sizeof(name), "@%0107d", (int)getpid());
	snprintf(target, sizeof(target), "unix:%s", name);
	serve(name, 1);
	json_decref(play((const char *[])ARGS("-z"), "ok", 0));
}
END_TEST

/* ---- a backlog that is full */

static bool
connects(int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	ck_assert_int_ge(fd, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static int
fill_backlog(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert(connects(fd));
	return fd;
}

START_TEST(full_backlog)
{
	static const char *const waits[][5] = {
		ARGS("--connect-timeout=100ms"),
		ARGS("-t", "100ms"),
	};
	json_t *report;
	int fd;

	serve(path, 0);
	fd = fill_backlog();
	report = play(waits[_i], "connect-timeout", 6);
	ck_assert_int_ge(
	    schema_ns(report, "phases_us.connect"), INT64_C(100000000));
	ck_assert_int_lt(
	    schema_ns(report, "phases_us.connect"), INT64_C(30000000000));
	json_decref(report);
	close(fd);
}
END_TEST

/* Until the process sleeps: it has met the backlog. */
static void
await_sleep(pid_t pid)
{
	struct tcp_patience patience = { 0 };
	char name[64], state = '?';

	snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
	while (tcp_patient(&patience)) {
		FILE *file = fopen(name, "r");

		ck_assert_ptr_nonnull(file);
		ck_assert_int_eq(fscanf(file, "%*d (lastack) %c", &state), 1);
		fclose(file);
		if (state == 'S')
			return;
	}
	ck_abort_msg("it is %c", state);
}

START_TEST(backlog_with_room_again)
{
	struct run run;
	json_t *report;
	int fd, first;

	serve(path, 0);
	first = fill_backlog();
	start(&run, "json", (const char *[])ARGS("-s", "x", "-t", "50"));
	if (_i == 1)
		await_sleep(run.pid);
	close(accepted());
	fd = accepted();
	take(fd, 1);
	give(fd, "ok", 2);
	close(fd);
	report = finish(&run, "ok", 0);
	ck_assert_int_eq(schema_integer(report, "bytes.received"), 2);
	json_decref(report);
	run_free(&run);
	close(first);
}
END_TEST

/* The server goes while we wait for room. */
START_TEST(backlog_goes_away)
{
	struct run run;
	json_t *report;
	int first;

	serve(path, 0);
	first = fill_backlog();
	start(&run, "json", (const char *[])ARGS("-s", "x", "-t", "50"));
	await_sleep(run.pid);
	close(listener);
	listener = -1;
	report = finish(&run, "refused", 4);
	json_decref(report);
	run_free(&run);
	close(first);
}
END_TEST

START_TEST(interrupted_at_a_full_backlog)
{
	struct run run;
	int first;

	serve(path, 0);
	first = fill_backlog();
	start(&run, "json", (const char *[])ARGS("-s", "x", "-t", "50"));
	await_sleep(run.pid);
	ck_assert_int_eq(kill(run.pid, SIGINT), 0);
	json_decref(finish(&run, "interrupted", 128 + SIGINT));
	run_free(&run);
	close(first);
}
END_TEST

/* ---- a server of the real world */

/* It listens at the path a moment later than on its port. */
static void
await_path(void)
{
	struct tcp_patience patience = { 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	while (!connects(fd))
		ck_assert(tcp_patient(&patience));
	close(fd);
}

START_TEST(redis)
{
	char site[160];
	struct daemon_plan plan = {
		.kind = DAEMON_REDIS, .family = AF_INET, .site = site
	};
	struct daemon *daemon;
	json_t *report;

	if (!daemon_installed(DAEMON_REDIS))
		return;
	snprintf(site, sizeof(site), "unixsocket %s\nunixsocketperm 777", path);
	daemon = daemon_start(&plan);
	await_path();
	report = play((const char *[])ARGS("-s", "PING\\r\\nQUIT\\r\\n", "-e",
			  "+PONG\\r\\n+OK\\r\\n", "--drain=30"),
	    "ok", 0);
	ck_assert_str_eq(
	    schema_string(report, "close.reason"), "the peer closed first");
	json_decref(report);
	daemon_stop(daemon);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("unix");
	int status;

	daemons_begin();
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, exchange, 0, ROWS);
	tcase_add_loop_test(tests, exchange_as_text, 0, ROWS);
	tcase_add_test(tests, connect_only);
	tcase_add_test(tests, half_close);
	tcase_add_loop_test(tests, large, 0, 2);
	tcase_add_test(tests, abstract_name);
	tcase_add_test(tests, by_hostname);
	tcase_add_test(tests, no_file);
	tcase_add_test(tests, nobody_listens);
	tcase_add_test(tests, other_kind_of_socket);
	tcase_add_test(tests, longest_path);
	tcase_add_loop_test(tests, full_backlog, 0, 2);
	tcase_add_loop_test(tests, backlog_with_room_again, 0, 2);
	tcase_add_test(tests, backlog_goes_away);
	tcase_add_test(tests, interrupted_at_a_full_backlog);
	tcase_add_test(tests, redis);
	status = suite_run(tests, "unix");
	daemons_end();
	return status;
}
