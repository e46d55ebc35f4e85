/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each outcome of a run: the exit status, the text report, and the same as a
 * JSON object that holds to its documented form. What the server says steers
 * neither of them.
 */
#include <config.h>

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lab.h"
#include "run.h"
#include "schema.h"
#include "server.h"
#include "suite.h"
#include "tcp.h"

#define ARGUMENTS_MAX 24

static bool have_lab;
static struct server server;

/* Printable ASCII and line ends, as the C locale has it. */
static void
assert_harmless(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ck_assert_msg(
		    bytes[i] == '\n' || (bytes[i] >= ' ' && bytes[i] <= '~'),
		    "byte 0x%02x in \"%s\"", (unsigned char)bytes[i], bytes);
}

/* "-f json" or nothing, the row's arguments, the target. */
static void
run_with(struct run *run, const char *format, const char *const *argv,
    const char *host, const char *port)
{
	const char *arguments[ARGUMENTS_MAX] = { "-f", format };
	size_t count = 2;

	for (; *argv != NULL; argv++)
		arguments[count++] = *argv;
	arguments[count++] = host;
	arguments[count++] = port;
	run_command(run, arguments);
}

static void
assert_text(const char *const *argv, const char *host, const char *port,
    const char *outcome, int status)
{
	char upper[32];
	struct run run;
	size_t len = strlen(outcome);

	run_with(&run, "text", argv, host, port);
	ck_assert_msg(run.status == status, "status %d, signal %d: %s%s",
	    run.status, run.signo, run.out, run.err);
	ck_assert_str_eq(run.err, "");
	for (size_t i = 0; i <= len; i++)
		upper[i] = outcome[i] >= 'a' && outcome[i] <= 'z' ?
		    (char)(outcome[i] - 'a' + 'A') :
		    outcome[i];
	ck_assert_msg(strncmp(run.out, upper, len) == 0 && run.out[len] == ' ',
	    "%s", run.out);
	ck_assert_int_eq(run.out[run.out_bytes - 1], '\n');
	assert_harmless(run.out, run.out_bytes);
	run_free(&run);
}

/* The report; the caller's. */
static json_t *
report_of(const char *const *argv, const char *host, const char *port,
    const char *outcome, int status)
{
	struct run run;
	json_t *report;

	run_with(&run, "json", argv, host, port);
	ck_assert_msg(run.status == status, "status %d, signal %d: %s%s",
	    run.status, run.signo, run.out, run.err);
	ck_assert_str_eq(run.err, "");
	report = schema_check(run.out, run.out_bytes);
	assert_harmless(run.out, run.out_bytes);
	ck_assert_str_eq(schema_string(report, "outcome"), outcome);
	ck_assert_int_eq(schema_integer(report, "exit_status"), status);
	run_free(&run);
	return report;
}

/* ---- with a server that goes by its script */

#define GIVE(literal) .give = literal, .give_bytes = sizeof(literal) - 1

struct scene {
	const char *name;
	const char *argv[12];
	struct server_script script;
	const char *outcome;
	int status;

	/* Of the report; NULL: null. */
	const char *peer, *match, *which;
	int64_t sent, received;
};

/* clang-format off */
static const struct scene scenes[] = {
	{ "connect check", { NULL }, { .end = SERVER_HOLD },
	  "ok", 0, "open", "none", NULL, 0, 0 },
	{ "asked for", { "-z" }, { .end = SERVER_HOLD },
	  "ok", 0, "open", "none", NULL, 0, 0 },
	{ "answered and closed", { "-s", "PING\\r\\n" },
	  { .take = 6, GIVE("+PONG\r\n") },
	  "ok", 0, "fin", "none", NULL, 6, 7 },
	{ "matched", { "-s", "PING\\r\\n", "-e", "PONG" },
	  { .take = 6, GIVE("+PONG\r\n") },
	  "ok", 0, "fin", "match", "PONG", 6, -1 },
	{ "second of two", { "-e", "OK", "-e", "PONG" }, { GIVE("+PONG\r\n") },
	  "ok", 0, "fin", "match", "PONG", 0, -1 },
	{ "all of them", { "-A", "-e", "a", "-e", "b" }, { GIVE("b a") },
	  "ok", 0, "fin", "match", NULL, 0, 3 },
	{ "any byte", { "-e", "" }, { GIVE("x") },
	  "ok", 0, "fin", "match", "", 0, 1 },
	{ "banner", { "-e", "220" }, { GIVE("220 ready\r\n"),
	    .end = SERVER_HOLD },
	  "ok", 0, "open", "match", "220", 0, -1 },
	{ "half close", { "-s", "x", "-N" },
	  { .take = SERVER_ALL, GIVE("bye") },
	  "ok", 0, "fin", "none", NULL, 1, 3 },
	{ "half close alone", { "-N" }, { .take = SERVER_ALL, GIVE("bye") },
	  "ok", 0, "fin", "none", NULL, 0, 3 },
	{ "maxbytes", { "-s", "x", "-m", "3" },
	  { .take = 1, GIVE("abcdef"), .end = SERVER_HOLD },
	  "ok", 0, "open", "none", NULL, 1, 3 },
	{ "idle", { "-s", "x", "--idle=50ms" },
	  { .take = 1, GIVE("abc"), .end = SERVER_HOLD },
	  "ok", 0, "open", "none", NULL, 1, 3 },
	{ "must close", { "--expect-close=fin" }, { .end = SERVER_FIN },
	  "ok", 0, "fin", "none", NULL, 0, 0 },
	{ "must reset", { "--expect-close=rst", "-s", "x" },
	  { .take = 1, .end = SERVER_RST },
	  "ok", 0, "rst", "none", NULL, 1, 0 },
	{ "must stay", { "--expect-close=open", "-e", "x" },
	  { GIVE("x"), .end = SERVER_HOLD },
	  "ok", 0, "open", "match", "x", 0, 1 },
	{ "mismatch", { "-e", "PONG" }, { GIVE("-ERR\r\n") },
	  "mismatch", 1, "fin", "mismatch", NULL, 0, 6 },
	{ "not all", { "-A", "-e", "ERR", "-e", "PONG" }, { GIVE("-ERR\r\n") },
	  "mismatch", 1, "fin", "mismatch", "PONG", 0, 6 },
	{ "not within", { "-e", "def", "-m", "3" },
	  { GIVE("abcdef"), .end = SERVER_HOLD },
	  "mismatch", 1, "open", "mismatch", NULL, 0, 3 },
	{ "reset", { "-s", "x" }, { .take = 1, .end = SERVER_RST },
	  "reset", 7, "rst", "none", NULL, 1, 0 },
	{ "reset while waiting", { "-e", "x" },
	  { .take = 0, .end = SERVER_RST },
	  "reset", 7, "rst", NULL, NULL, 0, 0 },
	{ "silent", { "-s", "x", "-t", "200ms" },
	  { .take = 1, .end = SERVER_HOLD },
	  "response-timeout", 8, "open", "none", NULL, 1, 0 },
	{ "incomplete", { "-e", "abcd", "-t", "200ms", "--idle=1m" },
	  { GIVE("abc"), .end = SERVER_HOLD },
	  "response-timeout", 8, "open", NULL, NULL, 0, 3 },
	{ "closed early", { "-s", "x" }, { .take = 1, .end = SERVER_FIN },
	  "closed-early", 9, "fin", "none", NULL, 1, 0 },
	{ "closed before the banner", { "-e", "220" }, { .end = SERVER_FIN },
	  "closed-early", 9, "fin", NULL, NULL, 0, 0 },
	{ "must have closed", { "--expect-close=fin" },
	  { .end = SERVER_HOLD },
	  "close-mismatch", 10, "open", "none", NULL, 0, 0 },
	{ "must have stayed", { "--expect-close=open", "-e", "x" },
	  { GIVE("x"), .end = SERVER_FIN },
	  "close-mismatch", 10, "fin", "match", "x", 0, 1 },
	{ "slow", { "-w", "@0:10" }, { .end = SERVER_HOLD },
	  "slow", 12, "open", "none", NULL, 0, 0 },
	{ "fast enough", { "-w", "10", "-c", "~:10", "--warning-connect=10",
	    "--critical-first-byte=10", "--warning-close=10", "-e", "x" },
	  { GIVE("x") }, "ok", 0, "fin", "match", "x", 0, 1 },
	{ "paused, not slow", { "-w", "0.3", "--warning-first-byte=0.3", "-d",
	    "500ms", "-e", "x" }, { GIVE("x") },
	  "ok", 0, "fin", "match", "x", 0, 1 },
	{ "drained, not slow", { "-w", "0.3", "--drain=500ms", "-e", "x" },
	  { GIVE("x"), .end = SERVER_HOLD },
	  "ok", 0, "open", "match", "x", 0, 1 },
	{ "slow to connect", { "--critical-connect=@0:10" },
	  { .end = SERVER_HOLD }, "slow", 12, "open", "none", NULL, 0, 0 },
	{ "slow to speak", { "--warning-first-byte=@0:10", "-e", "x" },
	  { GIVE("x") }, "slow", 12, "fin", "match", "x", 0, 1 },
	{ "nothing to be slow", { "--warning-first-byte=@0:10" },
	  { .end = SERVER_HOLD }, "ok", 0, "open", "none", NULL, 0, 0 },
	{ "slow to close", { "--warning-close=@0:10", "-s", "x" },
	  { .take = 1, GIVE("x") }, "slow", 12, "fin", "none", NULL, 1, 1 },
	{ "slow and wrong", { "-w", "@0:10", "-e", "y" }, { GIVE("x") },
	  "mismatch", 1, "fin", "mismatch", NULL, 0, 1 },
	{ "cannot be written", { "-s", "x", "-o", "/dev/full" },
	  { .take = 1, GIVE("abc") },
	  "system", 13, NULL, "none", NULL, 1, 3 },
};
/* clang-format on */

#define SCENES ((int)(sizeof(scenes) / sizeof(scenes[0])))

static void
assert_word(json_t *report, const char *path, const char *want)
{
	if (want == NULL)
		ck_assert_msg(json_is_null(schema_at(report, path)), "%s is %s",
		    path, json_string_value(schema_at(report, path)));
	else
		ck_assert_str_eq(schema_string(report, path), want);
}

static void
assert_scene(const struct scene *scene, json_t *report)
{
	if (scene->peer != NULL)
		assert_word(report, "close.peer", scene->peer);
	assert_word(report, "expect.result", scene->match);
	assert_word(report, "expect.which", scene->which);
	ck_assert_int_eq(schema_integer(report, "bytes.sent"), scene->sent);
	if (scene->received != -1)
		ck_assert_int_eq(
		    schema_integer(report, "bytes.received"), scene->received);
	ck_assert_str_eq(schema_string(report, "remote"), "127.0.0.1");
	ck_assert_str_eq(schema_string(report, "host"), "127.0.0.1");
	ck_assert_int_eq(schema_integer(report, "port"), server.port);
}

START_TEST(outcome_as_text)
{
	const struct scene *scene = &scenes[_i];

	server_start(&server, AF_INET, &scene->script);
	assert_text(scene->argv, "127.0.0.1", server.port_text, scene->outcome,
	    scene->status);
	server_stop(&server);
}
END_TEST

START_TEST(outcome_as_json)
{
	const struct scene *scene = &scenes[_i];
	json_t *report;

	server_start(&server, AF_INET, &scene->script);
	report = report_of(scene->argv, "127.0.0.1", server.port_text,
	    scene->outcome, scene->status);
	assert_scene(scene, report);
	json_decref(report);
	/* Of a handshake that ends in an RST the server learns nothing. */
	if (scene->sent > 0) {
		server_await_ended(&server, 1);
		ck_assert_uint_eq(server.got_bytes, (uint64_t)scene->sent);
	}
	server_stop(&server);
}
END_TEST

/* Which figure, and which range; the critical one before the others. */
START_TEST(slow_says_why)
{
	static const char *const argv[] = { "-w", "@0:10", "--critical-connect",
		"20:", NULL };
	static const struct server_script script = { .end = SERVER_HOLD };
	json_t *report;
	const char *why;

	server_start(&server, AF_INET, &script);
	report = report_of(argv, "127.0.0.1", server.port_text, "slow", 12);
	assert_word(report, "error.phase", "connect");
	assert_word(report, "error.errno", NULL);
	why = schema_string(report, "error.message");
	ck_assert_msg(strncmp(why, "connect took ", 13) == 0, "%s", why);
	ck_assert_msg(
	    strstr(why, "s, the critical range is 20:") != NULL, "%s", why);
	json_decref(report);
	report = report_of((const char *[]){ "-w", "@0:10", NULL }, "127.0.0.1",
	    server.port_text, "slow", 12);
	assert_word(report, "error.phase", "total");
	why = schema_string(report, "summary");
	ck_assert_msg(strstr(why, "the warning range is @10; RST sent") != NULL,
	    "%s", why);
	json_decref(report);
	server_stop(&server);
}
END_TEST

/* -Q leaves the status alone, and says nothing. */
START_TEST(outcome_in_silence)
{
	const struct scene *scene = &scenes[_i];
	const char *arguments[ARGUMENTS_MAX] = { "-Q", "-v" };
	size_t count = 2;
	struct run run;

	server_start(&server, AF_INET, &scene->script);
	for (size_t i = 0; scene->argv[i] != NULL; i++)
		arguments[count++] = scene->argv[i];
	arguments[count++] = "127.0.0.1";
	arguments[count++] = server.port_text;
	run_command(&run, arguments);
	ck_assert_int_eq(run.status, scene->status);
	ck_assert_str_eq(run.out, "");
	ck_assert_str_eq(run.err, "");
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* ---- without a connection */

START_TEST(refused)
{
	static const char *const argv[] = { "-s", "x", NULL };
	int fd = tcp_bound(AF_INET);
	char port[8];
	json_t *report;

	snprintf(port, sizeof(port), "%u", tcp_port(fd));
	assert_text(argv, "127.0.0.1", port, "refused", 4);
	report = report_of(argv, "127.0.0.1", port, "refused", 4);
	assert_word(report, "error.phase", "connect");
	assert_word(report, "error.errno", "ECONNREFUSED");
	ck_assert_int_eq(json_array_size(schema_at(report, "attempts")), 1);
	json_decref(report);
	close(fd);
}
END_TEST

/*
 * A backlog that is full gives no SYN/ACK: clients are queued until one stays
 * in SYN-SENT.
 */
static int
fill_backlog(int listener, int fds[8])
{
	union tcp_address address;
	int count = 0;

	tcp_local(listener, &address);
	for (int i = 0; i < 8; i++) {
		fds[count] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		ck_assert_int_ge(fds[count], 0);
		connect(fds[count++], &address.any, tcp_length(&address));
	}
	return count;
}

START_TEST(connect_timeout)
{
	static const char *const rows[][5] = {
		{ "--connect-timeout=300ms", NULL },
		{ "-t", "300ms", NULL },
		{ "--connect-timeout=300ms", "-t", "1m", NULL },
	};
	int fds[8], listener = tcp_listen(AF_INET, 0);
	char port[8];
	json_t *report;

	snprintf(port, sizeof(port), "%u", tcp_port(listener));
	fill_backlog(listener, fds);
	assert_text(rows[_i], "127.0.0.1", port, "connect-timeout", 6);
	report = report_of(rows[_i], "127.0.0.1", port, "connect-timeout", 6);
	assert_word(report, "error.errno", "ETIMEDOUT");
	ck_assert_int_ge(
	    schema_ns(report, "phases_us.total"), INT64_C(300000000));
	ck_assert_int_lt(
	    schema_ns(report, "phases_us.total"), INT64_C(30000000000));
	json_decref(report);
	for (int i = 0; i < 8; i++)
		close(fds[i]);
	close(listener);
}
END_TEST

/* RFC 6761 keeps this name from ever being one. */
START_TEST(unknown_name)
{
	static const char *const argv[] = { "-t", "5", NULL };
	json_t *report;

	assert_text(argv, "no-such-host.invalid", "80", "resolve", 3);
	report = report_of(argv, "no-such-host.invalid", "80", "resolve", 3);
	assert_word(report, "error.phase", "resolve");
	ck_assert_uint_eq(json_array_size(schema_at(report, "attempts")), 0);
	json_decref(report);
}
END_TEST

/* In the lab there is a loopback interface, and no way to anywhere else. */
START_TEST(unreachable)
{
	static const char *const none[] = { NULL };
	json_t *report;

	assert_text(none, "192.0.2.1", "80", "unreachable", 5);
	report = report_of(none, "192.0.2.1", "80", "unreachable", 5);
	assert_word(report, "error.errno", "ENETUNREACH");
	json_decref(report);
	assert_text(none, "2001:db8::1", "80", "unreachable", 5);
}
END_TEST

/* ---- targets */

#define CLOSED "--expect-close=fin"

START_TEST(forms_of_a_target)
{
	char joined[64];
	const char *host = _i == 0 ? "127.0.0.1" : "::1";
	struct run run;

	/* Of a handshake that ends in an RST the server learns nothing. */
	server_start(&server, _i == 0 ? AF_INET : AF_INET6,
	    &(struct server_script){ .end = SERVER_FIN });
	snprintf(joined, sizeof(joined), _i == 0 ? "%s:%s" : "[%s]:%s", host,
	    server.port_text);
	const char *const rows[][8] = {
		{ CLOSED, host, server.port_text, NULL },
		{ CLOSED, joined, NULL },
		{ CLOSED, "-H", joined, NULL },
		{ CLOSED, "-H", host, "-p", server.port_text, NULL },
		{ CLOSED, "-p", server.port_text, host, NULL },
		{ CLOSED, "-H", host, server.port_text, NULL },
		{ CLOSED, _i == 0 ? "-4" : "-6", host, server.port_text, NULL },
		{ CLOSED, "-n", joined, NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run_command(&run, rows[i]);
		ck_assert_msg(
		    run.status == 0, "row %zu: %s%s", i, run.out, run.err);
		run_free(&run);
		server_await_ended(&server, (unsigned int)i + 1);
	}
	server_stop(&server);
}
END_TEST

START_TEST(name_that_resolves)
{
	json_t *report;

	server_start(
	    &server, AF_INET, &(struct server_script){ .end = SERVER_HOLD });
	report = report_of((const char *[]){ "-4", NULL }, "localhost",
	    server.port_text, "ok", 0);
	ck_assert_str_eq(schema_string(report, "remote"), "127.0.0.1");
	ck_assert_str_eq(schema_string(report, "host"), "localhost");
	ck_assert_int_ge(schema_ns(report, "phases_us.resolve"), 0);
	json_decref(report);
	server_stop(&server);
}
END_TEST

/* Whatever answers there, if anything: the port is known by its name. */
START_TEST(service_name)
{
	struct run run;
	json_t *report;

	run_command(
	    &run, (const char *[]){ "-f", "json", "127.0.0.1:http", NULL });
	report = schema_check(run.out, run.out_bytes);
	ck_assert_int_eq(schema_integer(report, "port"), 80);
	json_decref(report);
	run_free(&run);
}
END_TEST

START_TEST(ipv6_report)
{
	json_t *report;

	server_start(&server, AF_INET6,
	    &(struct server_script){ .take = 1, GIVE("abc") });
	report = report_of((const char *[]){ "-s", "x", NULL }, "::1",
	    server.port_text, "ok", 0);
	ck_assert_str_eq(schema_string(report, "family"), "ipv6");
	ck_assert_str_eq(schema_string(report, "remote"), "::1");
	ck_assert_str_eq(schema_string(report, "local"), "::1");
	json_decref(report);
	server_stop(&server);
}
END_TEST

/* ---- what a server may say */

/* clang-format off */
static const struct {
	const char *bytes;
	size_t len;
	const char *encoding;
} hostile[] = {
	{ "\x1b[2J\x1b]0;owned\a", 13, "utf-8" },
	{ "a\nb\r\nc\tOK  everything is fine\n", 30, "utf-8" },
	{ "a\0b\0\0c", 6, "utf-8" },
	{ "\x9b" "31m\x90\x9c", 6, "base64" },
	{ "\xc2\x9b" "31m", 5, "utf-8" },
	{ "\xff\xfe\xed\xa0\x80\xc0\xaf\xe2\x82", 9, "base64" },
	{ "\xe2\x80\xae" "desrever\xe2\x81\xa6", 14, "utf-8" },
	{ "\",\"outcome\":\"ok\"}\\\"\\u0000{", 25, "utf-8" },
	{ "%s%n%x | \x7f\b\b\b", 13, "utf-8" },
};
/* clang-format on */

#define HOSTILE ((int)(sizeof(hostile) / sizeof(hostile[0])))

static void
start_hostile(int i)
{
	server_start(&server, AF_INET,
	    &(struct server_script){
		.give = hostile[i].bytes, .give_bytes = hostile[i].len });
}

/* As a mismatch, whose error quotes the response, and with all of it shown. */
START_TEST(hostile_text)
{
	start_hostile(_i);
	assert_text((const char *[]){ "-v", "-e", "nothing of it", NULL },
	    "127.0.0.1", server.port_text, "mismatch", 1);
	server_stop(&server);
}
END_TEST

/* In UTF-8 what is left are letters: valid, and no control among them. */
START_TEST(hostile_text_in_utf8)
{
	static const char *const environment[] = { "LC_ALL=C.UTF-8", NULL };
	const struct run_options options = { .environment = environment };
	struct run run;
	json_t *string;

	start_hostile(_i);
	run_command_with(&run, &options,
	    (const char *[]){ "-v", "-e", "nothing of it", "127.0.0.1",
		server.port_text, NULL });
	ck_assert_int_eq(run.status, 1);
	string = json_stringn(run.out, run.out_bytes);
	ck_assert_ptr_nonnull(string);
	json_decref(string);
	for (size_t i = 0; i < run.out_bytes; i++) {
		unsigned char byte = (unsigned char)run.out[i];

		ck_assert(byte == '\n' || (byte >= ' ' && byte != 0x7f));
		if (byte == 0xc2)
			ck_assert_uint_ge((unsigned char)run.out[i + 1], 0xa0);
	}
	ck_assert_ptr_null(strstr(run.out, "\xe2\x80\xae"));
	ck_assert_ptr_null(strstr(run.out, "\xe2\x81\xa6"));
	run_free(&run);
	server_stop(&server);
}
END_TEST

START_TEST(hostile_json)
{
	json_t *report;

	start_hostile(_i);
	report =
	    report_of((const char *[]){ "-v", "-e", "nothing of it", NULL },
		"127.0.0.1", server.port_text, "mismatch", 1);
	ck_assert_str_eq(
	    schema_string(report, "response.encoding"), hostile[_i].encoding);
	if (strcmp(hostile[_i].encoding, "utf-8") == 0) {
		json_t *data = schema_at(report, "response.data");

		ck_assert_uint_eq(json_string_length(data), hostile[_i].len);
		ck_assert_mem_eq(json_string_value(data), hostile[_i].bytes,
		    hostile[_i].len);
	}
	json_decref(report);
	server_stop(&server);
}
END_TEST

/* -j: not a word of the server's, in any report and any error. */
START_TEST(jail)
{
	static const char secret[] = "zQx7-secret";
	static const char *const rows[][8] = {
		{ "-e", "nothing of it", NULL },
		{ "-v", "-e", "nothing of it", NULL },
		{ "-vv", "-s", "x", NULL },
		{ "-vv", "-e", "zQx", NULL },
		{ "-v", "-e", "nothing", "-t", "200ms", "--idle=1m", NULL },
		{ "-v", "-m", "3", "-s", "x", NULL },
		{ "-v", "-o", "/dev/null", NULL },
		{ "-v", "-s", "x", "-o", "/dev/full", NULL },
	};
	static const char *const formats[] = { "text", "json" };

	for (size_t f = 0; f < 2; f++) {
		const char *arguments[ARGUMENTS_MAX] = { "-j", "-f",
			formats[f] };
		size_t count = 3;
		struct run run;

		server_start(
		    &server, AF_INET, &(struct server_script){ GIVE(secret) });
		for (size_t i = 0; rows[_i][i] != NULL; i++)
			arguments[count++] = rows[_i][i];
		arguments[count++] = "127.0.0.1";
		arguments[count++] = server.port_text;
		run_command(&run, arguments);
		ck_assert_str_ne(run.out, "");
		ck_assert_ptr_null(strstr(run.out, "-secret"));
		ck_assert_ptr_null(strstr(run.err, "-secret"));
		/* Nor in base64. */
		ck_assert_ptr_null(strstr(run.out, "elF4Ny1zZWNyZXQ"));
		run_free(&run);
		server_stop(&server);
	}
}
END_TEST

START_TEST(response_shown_where_asked_for)
{
	static const char secret[] = "zQx7-secret";
	struct run run;

	server_start(&server, AF_INET, &(struct server_script){ GIVE(secret) });
	run_command(&run,
	    (const char *[]){
		"-v", "-e", "z", "127.0.0.1", server.port_text, NULL });
	ck_assert_ptr_nonnull(strstr(run.out, secret));
	run_free(&run);
	run_command(&run,
	    (const char *[]){ "-e", "z", "127.0.0.1", server.port_text, NULL });
	ck_assert_ptr_null(strstr(run.out, secret));
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* A very long response: what is kept of it is bounded, and said to be cut. */
START_TEST(truncated_response)
{
	json_t *report;

	server_start(&server, AF_INET,
	    &(struct server_script){ .pattern_bytes = 1000000 });
	report = report_of((const char *[]){ "-v", "-s", "x", NULL },
	    "127.0.0.1", server.port_text, "ok", 0);
	ck_assert_int_eq(schema_integer(report, "bytes.received"), 1000000);
	ck_assert_int_eq(schema_integer(report, "bytes.kept"), 65536);
	ck_assert(json_is_true(schema_at(report, "response.truncated")));
	json_decref(report);
	server_stop(&server);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("outcomes");
	int families;

	have_lab = lab_enter() == 0;
	families = tcp_has_ipv6() ? 2 : 1;
	tcase_add_loop_test(tests, outcome_as_text, 0, SCENES);
	tcase_add_loop_test(tests, outcome_as_json, 0, SCENES);
	tcase_add_loop_test(tests, outcome_in_silence, 0, SCENES);
	tcase_add_test(tests, slow_says_why);
	tcase_add_test(tests, refused);
	tcase_add_loop_test(tests, connect_timeout, 0, 3);
	tcase_add_test(tests, unknown_name);
	if (have_lab)
		tcase_add_test(tests, unreachable);
	else
		fprintf(stderr, "no network namespace: not all was tried\n");
	tcase_add_loop_test(tests, forms_of_a_target, 0, families);
	tcase_add_test(tests, name_that_resolves);
	tcase_add_test(tests, service_name);
	if (families == 2)
		tcase_add_test(tests, ipv6_report);
	tcase_add_loop_test(tests, hostile_text, 0, HOSTILE);
	tcase_add_loop_test(tests, hostile_text_in_utf8, 0, HOSTILE);
	tcase_add_loop_test(tests, hostile_json, 0, HOSTILE);
	tcase_add_loop_test(tests, jail, 0, 8);
	tcase_add_test(tests, response_shown_where_asked_for);
	tcase_add_test(tests, truncated_response);
	return suite_run(tests, "outcomes");
}
