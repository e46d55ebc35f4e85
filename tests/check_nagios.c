/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report of a monitoring plugin: its line, its figures, its states, on
 * every way that a run can end.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lab.h"
#include "plugin.h"
#include "run.h"
#include "server.h"
#include "suite.h"
#include "tcp.h"

#define ARGUMENTS_MAX 24
#define GIVE(literal) .give = literal, .give_bytes = sizeof(literal) - 1
#define TIME "time=Ns;;;N;N"

static struct server server;

struct scene {
	const char *name;
	const char *argv[14];
	struct server_script script;
	int status;
	const char *words, *figure; /* numbers masked */
	const char *below;	    /* in the second line */
};

/* clang-format off */
static const struct scene scenes[] = {
	{ "connect", { NULL }, { .end = SERVER_HOLD }, 0,
	  "TCP OK - N second response time on N.N port N", TIME,
	  "RST sent: only the handshake" },
	{ "answer", { "-s", "PING\\r\\n", "-e", "PONG" },
	  { .take = 6, GIVE("+PONG\r\n") }, 0,
	  "TCP OK - N second response time on N.N port N [+PONG]", TIME,
	  "peer closed first (FIN), we answered with FIN" },
	{ "jail", { "-j", "-e", "x" }, { GIVE("secret x\n") }, 0,
	  "TCP OK - N second response time on N.N port N", TIME, "peer" },
	{ "warning", { "-w", "@0:10", "-c", "10" }, { .end = SERVER_HOLD }, 1,
	  "TCP WARNING - N second response time on N.N port N",
	  "time=Ns;@N;N;N;N", "the response time was" },
	{ "critical", { "-w", "@0:10", "-c", "5:" }, { .end = SERVER_HOLD }, 2,
	  "TCP CRITICAL - N second response time on N.N port N",
	  "time=Ns;@N;N:;N;N", "the critical range is 5:" },
	{ "phase", { "--critical-close=@0:10", "-e", "x" }, { GIVE("x") }, 2,
	  "TCP CRITICAL - N second response time on N.N port N", TIME,
	  "close took" },
	{ "mismatch", { "-e", "PONG" }, { GIVE("-ERR\r\n") }, 1,
	  "TCP WARNING - Unexpected response from host/socket: -ERR", TIME,
	  "failed in receive after" },
	{ "mismatch in jail", { "-j", "-e", "PONG" }, { GIVE("-ERR\r\n") }, 1,
	  "TCP WARNING - Unexpected response from host/socket on N.N port N",
	  TIME, "the response does not satisfy" },
	{ "slow mismatch", { "-c", "@0:10", "-e", "PONG" }, { GIVE("-ERR") },
	  2, "TCP CRITICAL - Unexpected response from host/socket: -ERR",
	  "time=Ns;;@N;N;N", "failed in receive" },
	{ "no data", { "-e", "x" }, { .end = SERVER_FIN }, 2,
	  "No data received from host", TIME, "the peer closed without" },
	{ "reset", { "-e", "x" }, { .end = SERVER_RST }, 2,
	  "No data received from host", TIME, "reset before a byte" },
	{ "reset without expectation", { "-s", "x" },
	  { .take = 1, .end = SERVER_RST }, 2,
	  "TCP CRITICAL - reset before a byte of the response", TIME,
	  "failed in wait after" },
	{ "timeout", { "-e", "x", "-t", "200ms" }, { .end = SERVER_HOLD }, 2,
	  "CRITICAL - Socket timeout after N seconds", TIME,
	  "failed in wait after" },
	{ "timeout with a state", { "-e", "x", "-t", "200ms:warn" },
	  { .end = SERVER_HOLD }, 1,
	  "WARNING - Socket timeout after N seconds", TIME, "failed in wait" },
	{ "unknown timeout", { "-e", "x", "-t", "0.2:unknown" },
	  { .end = SERVER_HOLD }, 3,
	  "UNKNOWN - Socket timeout after N seconds", TIME, "failed in wait" },
	{ "close", { "--expect-close=fin" }, { .end = SERVER_HOLD }, 2,
	  "TCP CRITICAL - Unexpected close on N.N port N: the peer was to end "
	  "with FIN", TIME, "RST sent" },
	{ "close with a state", { "--expect-close=fin", "--close-state=warn" },
	  { .end = SERVER_HOLD }, 1,
	  "TCP WARNING - Unexpected close on N.N port N: the peer was to end "
	  "with FIN", TIME, "failed in close" },
	{ "close that is ok", { "--expect-close=fin", "--close-state=ok" },
	  { .end = SERVER_HOLD }, 0,
	  "TCP OK - Unexpected close on N.N port N: the peer was to end with "
	  "FIN", TIME, "failed in close" },
	{ "hostile", { "-e", "end" },
	  { GIVE("a|b\nc\rd\033[31me\0f\302\205\377\t\\g|end|\n\n") }, 0,
	  "TCP OK - N second response time on N.N port N [a\\xNcb\\nc\\rd\\xNb"
	  "[Nme\\xNf\\xcN\\xN\\xff\\t\\g\\xNcend\\xNc]", TIME, "peer" },
	{ "hostile mismatch", { "-e", "x" }, { GIVE("|a=1\n|b=2\n") }, 1,
	  "TCP WARNING - Unexpected response from host/socket: \\xNca=N\\n\\x"
	  "Ncb=N", TIME, "failed" },
	{ "nothing but space", { "-e", "" }, { GIVE(" \r\n\t\n") }, 0,
	  "TCP OK - N second response time on N.N port N", TIME, "peer" },
};
/* clang-format on */

#define SCENES ((int)(sizeof(scenes) / sizeof(scenes[0])))

static void
run_scene(
    struct run *run, const struct run_options *options, const char *const *argv)
{
	const char *arguments[ARGUMENTS_MAX] = { "-f", "nagios" };
	size_t count = 2;

	while (*argv != NULL)
		arguments[count++] = *argv++;
	arguments[count++] = "127.0.0.1";
	arguments[count++] = server.port_text;
	run_command_with(run, options, arguments);
}

static const char *
second_line(const struct run *run)
{
	return strchr(run->out, '\n') + 1;
}

static void
assert_scene(const struct scene *scene, const struct run *run)
{
	char words[PLUGIN_LINE], figure[PLUGIN_LINE];

	ck_assert_msg(run->status == scene->status, "%s: status %d: %s%s",
	    scene->name, run->status, run->out, run->err);
	ck_assert_str_eq(run->err, "");
	plugin_check_shape(run->out, run->out_bytes);
	plugin_mask(run->out, words, figure);
	ck_assert_str_eq(words, scene->words);
	ck_assert_str_eq(figure, scene->figure);
	ck_assert_msg(strstr(second_line(run), scene->below) != NULL, "%s: %s",
	    scene->name, run->out);
}

START_TEST(line)
{
	const struct scene *scene = &scenes[_i];
	struct run run;

	server_start(&server, AF_INET, &scene->script);
	run_scene(&run, NULL, scene->argv);
	assert_scene(scene, &run);
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* The same to the letter, whatever a locale has for a decimal point. */
START_TEST(locale)
{
	static const char *const environment[] = { "LC_ALL=de_DE.UTF-8",
		"LANG=de_DE.UTF-8", "LC_NUMERIC=de_DE.UTF-8",
		"TZ=Asia/Kathmandu", NULL };
	const struct scene *scene = &scenes[_i];
	struct run run;

	server_start(&server, AF_INET, &scene->script);
	run_scene(&run, &(struct run_options){ .environment = environment },
	    scene->argv);
	assert_scene(scene, &run);
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* More of it, and none of it in the first line or with a "|". */
START_TEST(verbose)
{
	static const struct server_script script = { GIVE("a|b\nc") };
	static const char *const more[] = { "-v", "-vv", "-vvv" };
	static const char *const words[] = {
		"\nphases: ", "\nevent peer_fin: ", "\nresponse: a\\x7cb\\nc\n"
	};

	server_start(&server, AF_INET, &script);
	for (int i = 0; i < 3; i++) {
		struct run run;

		run_scene(
		    &run, NULL, (const char *[]){ more[i], "-e", "c", NULL });
		plugin_check_shape(run.out, run.out_bytes);
		for (int j = 0; j < 3; j++)
			ck_assert_msg(
			    (strstr(run.out, words[j]) != NULL) == (j <= i),
			    "%s: %s", more[i], run.out);
		run_free(&run);
	}
	server_stop(&server);
}
END_TEST

/* A line of 100 kB is shown in part. */
START_TEST(long_line)
{
	static char much[100000];
	struct server_script script = { .give = much,
		.give_bytes = sizeof(much) };
	struct run run;

	memset(much, '|', sizeof(much));
	much[0] = 'x';
	server_start(&server, AF_INET, &script);
	for (int i = 0; i < 2; i++) {
		run_scene(&run, NULL,
		    (const char *[]){ "-e", i == 0 ? "x" : "y", NULL });
		ck_assert_int_eq(run.status, i);
		plugin_check_shape(run.out, run.out_bytes);
		ck_assert_uint_lt(run.out_bytes, 8192);
		run_free(&run);
	}
	server_stop(&server);
}
END_TEST

/* What was not measured is left out. */
START_TEST(figures)
{
	static const char *const all[] = { "time", "connect", "first_byte",
		"received", "sent", "close" };
	static const struct server_script script = { .take = 1, GIVE("x") };
	struct run run;

	server_start(&server, AF_INET, &script);
	run_scene(&run, NULL,
	    (const char *[]){ "-s", "x", "-e", "x", "--warning-connect=5",
		"--critical-first-byte=6", "--warning-close=7:", NULL });
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ck_assert_msg(plugin_has(run.out, all[i]), "%s", all[i]);
	ck_assert_ptr_nonnull(strstr(run.out, " received=1B;;;0 sent=1B;;;0"));
	ck_assert_ptr_nonnull(strstr(run.out, "s;5.000000;;0.000000;10.0"));
	ck_assert_ptr_nonnull(strstr(run.out, "s;;6.000000;0.000000;10.0"));
	ck_assert_ptr_nonnull(strstr(run.out, "s;7.000000:;;0.000000;10.0"));
	run_free(&run);
	run_scene(&run, NULL, (const char *[]){ NULL });
	ck_assert(plugin_has(run.out, "connect"));
	ck_assert(!plugin_has(run.out, "first_byte"));
	run_free(&run);
	server_stop(&server);
}
END_TEST

static void
assert_failed(const char *const *argv, int status, const char *words)
{
	char masked[PLUGIN_LINE], figure[PLUGIN_LINE];
	struct run run;

	run_command(&run, argv);
	ck_assert_msg(run.status == status, "status %d: %s%s", run.status,
	    run.out, run.err);
	plugin_check_shape(run.out, run.out_bytes);
	plugin_mask(run.out, masked, figure);
	ck_assert_str_eq(masked, words);
	ck_assert_str_eq(figure, TIME);
	ck_assert(!plugin_has(run.out, "connect"));
	ck_assert(!plugin_has(run.out, "received"));
	ck_assert_ptr_nonnull(strstr(second_line(&run), "failed in "));
	run_free(&run);
}

START_TEST(without_a_connection)
{
	int fd = tcp_bound(AF_INET);
	char port[8];

	snprintf(port, sizeof(port), "%u", tcp_port(fd));
	assert_failed(
	    (const char *[]){ "-f", "nagios", "127.0.0.1", port, NULL }, 2,
	    "connect to address N.N and port N: Connection refused");
	assert_failed((const char *[]){ "-f", "nagios", "no-such.invalid", "1",
			  "-t", "30", NULL },
	    2,
	    "TCP CRITICAL - Invalid hostname, address or socket: "
	    "no-such.invalid");
	close(fd);
}
END_TEST

/* A failure of ours is UNKNOWN, and said where a scheduler reads it. */
START_TEST(local_failure)
{
	static const struct server_script script = { GIVE("x") };
	struct run run;

	server_start(&server, AF_INET, &script);
	run_scene(
	    &run, NULL, (const char *[]){ "-o", "/no-such-directory/x", NULL });
	ck_assert_int_eq(run.status, 3);
	ck_assert_str_eq(run.err, "");
	ck_assert_msg(
	    strncmp(run.out, "TCP UNKNOWN - ", 14) == 0, "%s", run.out);
	run_free(&run);
	server_stop(&server);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("nagios");

	lab_enter();
	tcase_add_loop_test(tests, line, 0, SCENES);
	tcase_add_loop_test(tests, locale, 0, SCENES);
	tcase_add_test(tests, verbose);
	tcase_add_test(tests, long_line);
	tcase_add_test(tests, figures);
	tcase_add_test(tests, without_a_connection);
	tcase_add_test(tests, local_failure);
	return suite_run(tests, "nagios");
}
