/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Beside the distribution's own check_tcp: the same status, the same words and
 * the same first figure, numbers masked, and the same bytes to the server. Each
 * difference that is meant is in the table with its reason; any other fails,
 * and so does one that is no longer there.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab.h"
#include "peer.h"
#include "plugin.h"
#include "run.h"
#include "server.h"
#include "suite.h"

#define THEIRS "/usr/lib/nagios/plugins/check_tcp"
#define ARGUMENTS_MAX 16
#define GIVE(literal) .give = literal, .give_bytes = sizeof(literal) - 1
#define LOCAL "-H", "127.0.0.1", "-p", "%"

static struct server server;
static char refusing[8];
static char long_line[100001];

struct situation {
	const char *name;     /* behind "check_" */
	const char *argv[14]; /* "%": the server's port, "!" one that refuses */
	struct server_script script;

	/* What is different on purpose, and why; ours is then this. */
	const char *reason;
	int status;
	const char *words; /* NULL: not looked at */

	bool only_status; /* the words are each one's own */
};

/* clang-format off */
static const struct situation situations[] = {
	/* The line. */
	{ "tcp", { LOCAL }, { .end = SERVER_HOLD } },
	{ "tcp", { "-p", "%" }, { .end = SERVER_HOLD } },
	{ "tcp", { "127.0.0.1", "-p", "%" }, { .end = SERVER_HOLD } },
	{ "tcp", { "-p", "%", "127.0.0.1" }, { .end = SERVER_HOLD } },
	{ "tcp", { "-p", "%", "127.0.0.1", "-e", "x" }, { .end = SERVER_HOLD } },
	{ "tcp", { LOCAL, "-4" }, { .end = SERVER_HOLD } },
	{ "tcp", { "--hostname=127.0.0.1", "--port=%", "--use-ipv4" },
	  { .end = SERVER_HOLD } },
	{ "tcp", { "--hostname", "127.0.0.1", "--port", "%" },
	  { .end = SERVER_HOLD } },
	/* Times. */
	{ "tcp", { LOCAL, "-w", "9" }, { .end = SERVER_HOLD } },
	{ "tcp", { LOCAL, "-c", "9" }, { .end = SERVER_HOLD } },
	{ "tcp", { LOCAL, "-w", "8.5", "-c", "9.5" }, { .end = SERVER_HOLD } },
	{ "tcp", { LOCAL, "-w", "0" }, { .end = SERVER_HOLD } },
	{ "tcp", { LOCAL, "-c", "0" }, { .end = SERVER_HOLD } },
	{ "tcp", { LOCAL, "-w", "0", "-c", "0" }, { .end = SERVER_HOLD } },
	{ "tcp", { LOCAL, "--warning=0", "--critical=9" },
	  { .end = SERVER_HOLD } },
	{ "tcp", { LOCAL, "-wt", "0", "-ct", "9", "-to", "5" },
	  { .end = SERVER_HOLD } },
	{ "tcp", { LOCAL, "-t", "1", "-e", "x" }, { .end = SERVER_HOLD } },
	{ "tcp", { LOCAL, "-d", "1", "-e", "x", "-c", "0.9" }, { GIVE("x") } },
	{ "tcp", { LOCAL, "-d", "2", "-t", "1" }, { .end = SERVER_HOLD } },
	/* Expectations. */
	{ "tcp", { LOCAL, "-e", "220" }, { GIVE("220 ready\r\n") } },
	{ "tcp", { LOCAL, "-e", "220" },
	  { GIVE("220 ready\r\n"), .end = SERVER_HOLD } },
	{ "tcp", { LOCAL, "-e", "ready" }, { GIVE("220 ready\r\n") } },
	{ "tcp", { LOCAL, "-e", "a", "-e", "220" }, { GIVE("220 x\r\n") } },
	{ "tcp", { LOCAL, "-A", "-e", "x", "-e", "220" }, { GIVE("220 x") } },
	{ "tcp", { LOCAL, "-A", "-e", "y", "-e", "220" }, { GIVE("220 x") } },
	{ "tcp", { LOCAL, "-e", "" }, { GIVE("220 x") } },
	{ "tcp", { LOCAL, "-e", "\\r" }, { GIVE("a\\rb") } },
	{ "tcp", { LOCAL, "-e", "y" }, { GIVE("220 x\r\n") } },
	{ "tcp", { LOCAL, "-e", "y", "-w", "5", "-c", "6" }, { GIVE("x") } },
	{ "tcp", { LOCAL, "-e", "y", "-M", "ok" }, { GIVE("220 x") } },
	{ "tcp", { LOCAL, "-e", "y", "-M", "warn" }, { GIVE("220 x") } },
	{ "tcp", { LOCAL, "-e", "y", "--mismatch=crit" }, { GIVE("220 x") } },
	{ "tcp", { LOCAL, "-e", "y", "-c", "0" }, { GIVE("220 x") } },
	{ "tcp", { LOCAL, "-e", "y", "-j" }, { GIVE("220 x") } },
	{ "tcp", { "-p", "%", "-e", "y", "--jail" }, { GIVE("220 x") } },
	{ "tcp", { LOCAL, "-e", "x", "-j" }, { GIVE("220 x") } },
	{ "tcp", { LOCAL, "-e", "x" }, { GIVE("x \t\r\n\v\f") } },
	{ "tcp", { LOCAL, "-e", "x", "-m", "1000" }, { GIVE("220 x") } },
	{ "tcp", { LOCAL, "-e", "x" }, { .end = SERVER_FIN } },
	{ "tcp", { LOCAL, "-e", "x", "-M", "ok" }, { .end = SERVER_FIN } },
	{ "tcp", { LOCAL, "-e", "x" }, { .end = SERVER_RST } },
	/* What is sent. */
	{ "tcp", { LOCAL, "-s", "PING\\r", "-e", "x" },
	  { .take = 6, GIVE("x") } },
	{ "tcp", { LOCAL, "-E", "-s", "a\\r\\n\\t\\\\\\q", "-e", "x" },
	  { .take = 6, GIVE("x") } },
	{ "tcp", { LOCAL, "-s", "a\\n", "-E", "-e", "x" },
	  { .take = 3, GIVE("x") } },
	{ "tcp", { LOCAL, "-s", "a", "-s", "bc", "-e", "x" },
	  { .take = 2, GIVE("x") } },
	{ "tcp", { LOCAL, "-s", "abc" }, { .end = SERVER_HOLD } },
	{ "tcp", { LOCAL, "-q", "bye" }, { .end = SERVER_HOLD } },
	{ "tcp", { LOCAL, "-e", "x", "-q", "bye\\n" },
	  { GIVE("x"), .end = SERVER_HOLD } },
	{ "tcp", { LOCAL, "-E", "-e", "x", "-q", "bye\\n" },
	  { GIVE("x"), .end = SERVER_HOLD } },
	{ "tcp", { LOCAL, "--escape", "--send=a\\n", "--quit=b", "--expect=x",
	    "--all" }, { .take = 2, GIVE("x"), .end = SERVER_HOLD } },
	/* No connection. */
	{ "tcp", { "-H", "127.0.0.1", "-p", "!" }, { 0 } },
	{ "tcp", { "-p", "!" }, { 0 } },
	{ "tcp", { "-p", "!", "-r", "ok" }, { 0 } },
	{ "tcp", { "-p", "!", "-r", "warn" }, { 0 } },
	{ "tcp", { "-p", "!", "-r", "crit" }, { 0 } },
	{ "tcp", { "-p", "!", "--refuse=warning", "-e", "x" }, { 0 } },
	{ "tcp", { "-H", "no-such.invalid", "-p", "!" }, { 0 } },
	{ "tcp", { "-H", "", "-p", "!" }, { 0 } },
	{ "tcp", { "-H", "127.0.0.1", "-6", "-p", "!" }, { 0 } },
	{ "tcp", { "-H", "127.0.0.1", "-6", "-4", "-p", "!" }, { 0 } },
	{ "tcp", { "-H", "::1", "-4", "-p", "!" }, { 0 } },
	{ "tcp", { "-H", "/no-such-directory/socket" }, { 0 } },
	{ "tcp", { "-H", "/no-such-directory/socket", "-r", "warn" }, { 0 } },
	/* Accepted, and that is all. */
	{ "tcp", { LOCAL, "-C", "a", "-W", "b", "--protocol=c" },
	  { .end = SERVER_HOLD } },
	{ "tcp", { LOCAL, "--critical-codes=a", "--warning-codes=b" },
	  { .end = SERVER_HOLD } },
	/* Wrong. */
	{ "tcp", { NULL }, { 0 }, .only_status = true },
	{ "tcp", { "-h" }, { 0 }, .only_status = true },
	{ "tcp", { "-V" }, { 0 }, .only_status = true },
	{ "tcp", { LOCAL, "-Z" }, { 0 }, .only_status = true },
	{ "tcp", { LOCAL, "--no-such" }, { 0 }, .only_status = true },
	{ "tcp", { LOCAL, "--warn", "5" }, { 0 }, .only_status = true },
	{ "tcp", { "-p" }, { 0 }, .only_status = true },
	{ "tcp", { "-p", "0" }, { 0 }, .only_status = true },
	{ "tcp", { "-p", "http" }, { 0 }, .only_status = true },
	{ "tcp", { LOCAL, "-t", "0" }, { 0 }, .only_status = true },
	{ "tcp", { LOCAL, "-t", "x" }, { 0 }, .only_status = true },
	{ "tcp", { LOCAL, "-m", "0" }, { 0 }, .only_status = true },
	{ "tcp", { LOCAL, "-d", "0" }, { 0 }, .only_status = true },
	{ "tcp", { LOCAL, "-r", "bad" }, { 0 }, .only_status = true },
	{ "tcp", { LOCAL, "-M", "bad" }, { 0 }, .only_status = true },
	{ "tcp", { "--extra-opts=x@/no-such-file" }, { 0 },
	  .only_status = true },
	{ "unheard-of", { LOCAL }, { 0 }, .only_status = true },
	/* By other names. */
	{ "ftp", { LOCAL }, { GIVE("220 x\r\n"), .end = SERVER_HOLD } },
	{ "ftp", { LOCAL }, { GIVE("530 220\r\n"), .end = SERVER_HOLD } },
	{ "ftp", { LOCAL, "-e", "530" }, { GIVE("x 530"), .end = SERVER_HOLD } },
	{ "ftp", { LOCAL, "-q", "BYE" }, { GIVE("220"), .end = SERVER_HOLD } },
	{ "ftp", { LOCAL }, { .end = SERVER_FIN } },
	{ "pop", { LOCAL }, { GIVE("+OK\r\n"), .end = SERVER_HOLD } },
	{ "pop", { LOCAL, "-M", "crit" }, { GIVE("-ERR"), .end = SERVER_HOLD } },
	{ "imap", { LOCAL }, { GIVE("* OK x\r\n"), .end = SERVER_HOLD } },
	{ "smtp", { LOCAL }, { GIVE("220 x\r\n"), .end = SERVER_HOLD } },
	{ "smtp", { LOCAL }, { GIVE("554 x\r\n"), .end = SERVER_HOLD } },
	{ "nntp", { LOCAL }, { GIVE("200 x\r\n"), .end = SERVER_HOLD } },
	{ "nntp", { LOCAL }, { GIVE("201 x\r\n"), .end = SERVER_HOLD } },
	{ "nntp", { LOCAL }, { GIVE("400 x\r\n"), .end = SERVER_HOLD } },
	{ "nntp", { LOCAL, "-e", "400" }, { GIVE("201 x"), .end = SERVER_HOLD } },
	{ "nntp", { LOCAL, "-e", "400" }, { GIVE("400 x"), .end = SERVER_HOLD } },
	{ "clamd", { LOCAL }, { .take = 4, GIVE("PONG\n"), .end = SERVER_HOLD } },
	{ "ftp", { "-p", "!" }, { 0 } },

	/* ---- different on purpose */

	{ "tcp", { LOCAL, "-e", "x" }, { GIVE("a|b x") },
	  "a | of the server's would begin the figures", 0,
	  "TCP OK - N second response time on N.N port N [a\\xNcb x]" },
	{ "tcp", { LOCAL, "-e", "x" }, { GIVE("a\r\nb x") },
	  "a line feed of the server's would end the line", 0,
	  "TCP OK - N second response time on N.N port N [a\\r\\nb x]" },
	{ "tcp", { LOCAL, "-e", "y" }, { GIVE("a\r\nb x") },
	  "likewise", 1,
	  "TCP WARNING - Unexpected response from host/socket: a\\r\\nb x" },
	{ "tcp", { LOCAL, "-e", "x" }, { GIVE("\033[31m\a x") },
	  "an escape sequence would steer a terminal", 0,
	  "TCP OK - N second response time on N.N port N [\\xNb[Nm\\xN x]" },
	{ "tcp", { LOCAL, "-e", "x" }, { GIVE("a\0b x") },
	  "the response does not end at a zero byte", 0,
	  "TCP OK - N second response time on N.N port N [a\\xNb x]" },
	{ "tcp", { LOCAL, "-e", "y" }, { .give = long_line,
	    .give_bytes = sizeof(long_line) - 1 },
	  "a line shows 1024 bytes of a response at most", 1, NULL },
	{ "tcp", { LOCAL, "-e", "y", "-w", "0", "-M", "ok" }, { GIVE("220 x") },
	  "a mismatch does not make a time better", 1,
	  "TCP WARNING - Unexpected response from host/socket: N x" },
	{ "tcp", { LOCAL, "-e", "y", "-m", "3" }, { GIVE("220 x") },
	  "-m does not hide a mismatch", 1,
	  "TCP WARNING - Unexpected response from host/socket: N" },
	{ "tcp", { LOCAL, "-v" }, { .end = SERVER_HOLD },
	  "what -v adds stands below the line", 0,
	  "TCP OK - N second response time on N.N port N" },
	{ "tcp", { LOCAL, "-P", "x" }, { .end = SERVER_HOLD },
	  "-P is as good as --protocol", 0,
	  "TCP OK - N second response time on N.N port N" },
	{ "tcp", { LOCAL, "-t", "1:warn", "-e", "x" }, { .end = SERVER_HOLD },
	  "a timeout may have a state", 1,
	  "WARNING - Socket timeout after N seconds" },
	{ "tcp", { LOCAL, "-w", "5:" }, { .end = SERVER_HOLD },
	  "ranges are those of the guidelines", 1,
	  "TCP WARNING - N second response time on N.N port N" },
	{ "tcp", { LOCAL, "-w", "x" }, { 0 },
	  "what is no range is an error, and not 0", 3, NULL },
	{ "tcp", { "-H", "[::1]", "-p", "!" }, { 0 },
	  "an address in brackets is one", 2,
	  "connect to address ::N and port N: Connection refused" },
	{ "tcp", { "-H", "127.0.0.1" }, { 0 },
	  "port 0 is none", 3, NULL },
	{ "tcp", { "-p", "99999" }, { 0 },
	  "nor is one that is cut to 16 bits", 3, NULL },
	{ "jabber", { LOCAL },
	  { .take = 95, GIVE("<?xml version='1.0'?>"), .end = SERVER_HOLD },
	  "the stream is opened to the host that is meant", 0,
	  "JABBER OK - N second response time on N.N port N" },
	{ "simap", { LOCAL, "-t", "1" }, { .end = SERVER_HOLD },
	  "built without TLS", 3, "SIMAP UNKNOWN - built without TLS" },
	{ "tcp", { LOCAL, "-S", "-t", "1" }, { .end = SERVER_HOLD },
	  "likewise", 3, "TCP UNKNOWN - built without TLS" },
	{ "tcp", { LOCAL, "--sni=x", "-t", "1" }, { .end = SERVER_HOLD },
	  "likewise", 3, "TCP UNKNOWN - built without TLS" },
	{ "tcp", { LOCAL, "-D", "3,2", "-t", "1" }, { .end = SERVER_HOLD },
	  "likewise", 3, "TCP UNKNOWN - built without TLS" },
};
/* clang-format on */

#define SITUATIONS ((int)(sizeof(situations) / sizeof(situations[0])))

struct outcome {
	struct run run;
	char words[PLUGIN_LINE], figure[PLUGIN_LINE];
	unsigned char got[SERVER_GOT_BYTES];
	uint64_t got_bytes;
};

static struct outcome theirs, ours;

/* Puts the ports in; the strings live until the next call. */
static const char *const *
with_ports(const char *const *argv)
{
	static char texts[ARGUMENTS_MAX][128];
	static const char *arguments[ARGUMENTS_MAX + 1];
	size_t count = 0;

	for (; argv[count] != NULL; count++) {
		size_t len = strlen(argv[count]);
		char mark = len > 0 ? argv[count][len - 1] : '\0';

		arguments[count] = argv[count];
		if (mark != '%' && mark != '!')
			continue;
		snprintf(texts[count], sizeof(texts[count]), "%.*s%s",
		    (int)len - 1, argv[count],
		    mark == '%' ? server.port_text : refusing);
		arguments[count] = texts[count];
	}
	arguments[count] = NULL;
	return arguments;
}

static bool
asks_server(const struct situation *s)
{
	for (size_t i = 0; s->argv[i] != NULL; i++)
		if (strchr(s->argv[i], '%') != NULL)
			return true;
	return false;
}

static void
run_one(struct outcome *outcome, const struct situation *s, const char *program,
    unsigned int before)
{
	char name[64];
	struct run_options options = { .name = name };
	const char *mine = getenv("LASTACK");
	char *saved = mine != NULL ? strdup(mine) : NULL;

	snprintf(name, sizeof(name), "check_%s", s->name);
	if (program != NULL)
		setenv("LASTACK", program, 1);
	run_command_with(&outcome->run, &options, with_ports(s->argv));
	if (saved != NULL)
		setenv("LASTACK", saved, 1);
	else
		unsetenv("LASTACK");
	free(saved);
	plugin_mask(outcome->run.out, outcome->words, outcome->figure);
	outcome->got_bytes = 0;
	if (!asks_server(s) || outcome->run.status == 3)
		return;
	server_await_ended(&server, before + 1);
	outcome->got_bytes = server.got_bytes;
	memcpy(outcome->got, server.got, sizeof(outcome->got));
}

static void
assert_same(const struct situation *s)
{
	ck_assert_msg(ours.run.status == theirs.run.status,
	    "status %d and not %d: %s%s", ours.run.status, theirs.run.status,
	    ours.run.out, theirs.run.out);
	if (s->only_status)
		return;
	plugin_check_shape(ours.run.out, ours.run.out_bytes);
	ck_assert_str_eq(ours.words, theirs.words);
	/* That theirs has none where it failed is not to be copied. */
	if (theirs.figure[0] != '\0')
		ck_assert_str_eq(ours.figure, theirs.figure);
	ck_assert_uint_eq(ours.got_bytes, theirs.got_bytes);
	ck_assert_mem_eq(ours.got, theirs.got, ours.got_bytes);
}

static void
assert_different(const struct situation *s)
{
	ck_assert_msg(ours.run.status == s->status, "%s: status %d: %s",
	    s->reason, ours.run.status, ours.run.out);
	if (s->words != NULL) {
		plugin_check_shape(ours.run.out, ours.run.out_bytes);
		ck_assert_str_eq(ours.words, s->words);
	}
	ck_assert_msg(ours.run.status != theirs.run.status ||
		strcmp(ours.words, theirs.words) != 0 ||
		ours.got_bytes != theirs.got_bytes ||
		memcmp(ours.got, theirs.got, ours.got_bytes) != 0,
	    "no longer different: %s", s->reason);
}

START_TEST(beside)
{
	const struct situation *s = &situations[_i];

	server_start(&server, AF_INET, &s->script);
	run_one(&theirs, s, THEIRS, 0);
	run_one(&ours, s, NULL, server_clients(&server));
	if (s->reason != NULL)
		assert_different(s);
	else
		assert_same(s);
	run_free(&theirs.run);
	run_free(&ours.run);
	server_stop(&server);
}
END_TEST

/* Options of a file, and the command line has the last word. */
START_TEST(extra_options)
{
	static const char content[] = "; a comment\n"
				      "# another\n"
				      "[check_tcp]\n"
				      "hostname = 127.0.0.1\n"
				      "expect=220\n"
				      "[ other ]\n"
				      "expect=nothing\n"
				      "timeout=3\n"
				      "jail=\n";
	static const struct server_script script = { GIVE("220 x\r\n") };
	static const char *const more[][3] = { { NULL }, { "-e", "x", NULL },
		{ "-H", "127.0.0.1", NULL } };
	char file[] = "/tmp/lastack-drop-in-XXXXXX", own[64], other[64];
	int fd = mkstemp(file);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(
	    write(fd, content, sizeof(content) - 1), sizeof(content) - 1);
	close(fd);
	snprintf(own, sizeof(own), "--extra-opts=@%s", file);
	snprintf(other, sizeof(other), "--extra-opts=other@%s", file);
	server_start(&server, AF_INET, &script);
	for (int i = 0; i < 6; i++) {
		const struct situation s = { "tcp",
			{ i < 3 ? own : other, "-p", "%", more[i % 3][0],
			    more[i % 3][0] ? more[i % 3][1] : NULL } };

		run_one(&theirs, &s, THEIRS, server_clients(&server));
		run_one(&ours, &s, NULL, server_clients(&server));
		assert_same(&s);
		run_free(&theirs.run);
		run_free(&ours.run);
	}
	server_stop(&server);
	unlink(file);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("drop-in");

	if (access(THEIRS, X_OK) == -1) {
		fprintf(stderr, "%s is not installed\n", THEIRS);
		return 77;
	}
	lab_enter();
	memset(long_line, 'x', sizeof(long_line) - 1);
	snprintf(refusing, sizeof(refusing), "%u", peer_refusing_port(AF_INET));
	tcase_add_loop_test(tests, beside, 0, SITUATIONS);
	tcase_add_test(tests, extra_options);
	return suite_run(tests, "drop-in");
}
