/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conversations with servers of the real world, the report held against the
 * capture; and with one that cuts its answers in every way there is, which must
 * make no difference.
 */
#include <config.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"
#include "judge.h"
#include "lab.h"
#include "peer.h"
#include "scene.h"
#include "suite.h"
#include "tcp.h"

#define EXCHANGES_MAX 4
/* clang-format off */
#define ARGS(...) { __VA_ARGS__, NULL }
/* clang-format on */

/* Where a FIN is to come: however late it does on a loaded machine. */
#define PATIENT "--drain=30", "--idle=30", "-t", "50"
/* Where none is to come. */
#define BRIEF "--drain=20ms", "-t", "50"

#define HELLO "location = /hello { return 200 \"hello\\n\"; }\n"
#define GET "GET /hello HTTP/1.1\\r\\nHost: test\\r\\n"
#define CLOSE "Connection: close\\r\\n\\r\\n"
#define KEEP "\\r\\n"

/* Of the binary protocol: magic, opcode, and nothing else but zeros. */
#define ZEROS                                                                  \
	"00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"

struct row {
	const char *name;
	enum daemon_kind kind;
	const char *args[28];
	int status;
	const char *peer, *local;
	const char *results[EXCHANGES_MAX]; /* of several exchanges; "": null */
};

/* clang-format off */
static const struct row rows[] = {
	{ "redis", DAEMON_REDIS,
	    ARGS("-s", "PING\\r\\n", "-e", "+PONG\\r\\n", "--then", "-s",
		"QUIT\\r\\n", "-e", "+OK\\r\\n", PATIENT),
	    0, "fin", "fin", { "match", "match" } },
	{ "redis-state", DAEMON_REDIS,
	    ARGS("-s", "SET key value\\r\\n", "-e", "+OK\\r\\n", "--then",
		"-s", "GET key\\r\\n", "--expect-regex",
		"^\\$5\r\n(value)\r\n", "--then", "-s", "DEL key\\r\\n",
		"--expect-hex", "3a 31 0d 0a", "--not-expect", "-ERR", "-q",
		"QUIT\\r\\n", PATIENT),
	    0, "fin", "fin", { "match", "match", "match" } },
	{ "redis-error", DAEMON_REDIS,
	    ARGS("-s", "PING\\r\\n", "-e", "+PONG\\r\\n", "--then", "-s",
		"NONSENSE\\r\\n", "--not-expect", "-ERR", "-e", "+OK", "--then",
		"-s", "PING\\r\\n", "-q", "QUIT\\r\\n", PATIENT),
	    1, "fin", "fin", { "match", "mismatch" } },
	{ "redis-kept", DAEMON_REDIS,
	    ARGS("-s", "PING\\r\\n", "-e", "+PONG\\r\\n", "--then", "-s",
		"ECHO x\\r\\n", "-e", "x\\r\\n", BRIEF),
	    0, "open", "rst", { "match", "match" } },

	{ "smtp", DAEMON_MSMTPD,
	    ARGS("--expect-regex", "^220 .*\r\n", "--then", "-s",
		"EHLO test\\r\\n", "--expect-regex", "(^|\n)250 .*\r\n",
		"--then", "-s", "QUIT\\r\\n", "-e", "221 ",
		"--expect-close=fin", PATIENT),
	    0, "fin", "fin", { "match", "match", "match" } },
	{ "smtp-goodbye", DAEMON_MSMTPD,
	    ARGS("-e", "220 ", "-q", "QUIT\\r\\n", "--expect-close=fin",
		PATIENT),
	    0, "fin", "fin", { NULL } },
	{ "smtp-refused", DAEMON_MSMTPD,
	    ARGS("-e", "220 ", "--then", "-s", "NONSENSE\\r\\n",
		"--not-expect=5", "-e", "250", PATIENT),
	    1, "fin", "fin", { "match", "mismatch" } },

	{ "memcached", DAEMON_MEMCACHED,
	    ARGS("-s", "set key 0 0 5\\r\\nvalue\\r\\n", "-e",
		"STORED\\r\\n", "--then", "-s", "get key\\r\\n", "-e",
		"VALUE key 0 5\\r\\nvalue\\r\\nEND\\r\\n", "-q", "quit\\r\\n",
		PATIENT),
	    0, "fin", "fin", { "match", "match" } },
	/* version (0b), no-op (0a), quit (07). */
	{ "memcached-binary", DAEMON_MEMCACHED,
	    ARGS("--send-hex", "80 0b" ZEROS, "--expect-hex",
		"81 0b 00 00 00 00 00 00", "--then", "--send-hex",
		"80 0a" ZEROS, "--expect-hex", "81 0a 00 00 00 00 00 00",
		"--then", "--send-hex", "80 07" ZEROS, "--expect-hex",
		"81 07" ZEROS, PATIENT),
	    0, "fin", "fin", { "match", "match", "match" } },

	{ "ssh", DAEMON_SSHD,
	    ARGS("--expect-regex", "^SSH-2\\.0-OpenSSH_([0-9.]+)", "--then",
		"-s", "SSH-2.0-test\\r\\n", "-e", "curve25519-sha256", BRIEF),
	    0, "open", "rst", { "match", "match" } },

	{ "http-keep-alive", DAEMON_NGINX,
	    ARGS("-s", GET KEEP, "-A", "-e", "Connection: keep-alive", "-e",
		"hello\\n", "--then", "-s", GET CLOSE, "-e",
		"Connection: close", "-e", "hello\\n", PATIENT),
	    0, "fin", "fin", { "match", "match" } },
	{ "http-closed-in-between", DAEMON_NGINX,
	    ARGS("-s", GET CLOSE, "--then", "-s", GET CLOSE, "-e", "hello",
		PATIENT),
	    9, "fin", "fin", { "none", "" } },
};
/* clang-format on */

#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

static void
compare(struct scene *scene, const struct row *row)
{
	const json_t *exchanges = judge_at(scene->report, "exchanges");
	size_t count = 0;

	if (scene->run.status != row->status)
		scene_fail(scene, "wrong exit status");
	while (count < EXCHANGES_MAX && row->results[count] != NULL)
		count++;
	if (json_array_size(exchanges) != count)
		scene_fail(scene, "not the number of exchanges");
	for (size_t i = 0; i < count; i++)
		if (strcmp(judge_string(
			       json_array_get(exchanges, i), "expect.result"),
			row->results[i]) != 0)
			scene_fail(scene, "an exchange met something else");
	if (!judge_tells(scene->report, "close.peer", row->peer) ||
	    !judge_tells(scene->report, "close.local", row->local))
		scene_fail(scene, "it ended otherwise");
}

/* Every other run of a test is one over IPv6. */
START_TEST(with_servers)
{
	const struct row *row = &rows[_i / 2];
	const struct daemon_plan plan = { .kind = row->kind,
		.family = _i % 2 == 0 ? AF_INET : AF_INET6,
		.site = row->kind == DAEMON_NGINX ? HELLO : NULL };
	struct scene scene = { 0 };
	struct daemon *daemon;
	char name[64];

	if (!daemon_installed(plan.kind) ||
	    (plan.family == AF_INET6 && !lab_has_ipv6()))
		return;
	daemon = daemon_start(&plan);
	snprintf(name, sizeof(name), "check_talks-%s-%d", row->name,
	    plan.family == AF_INET ? 4 : 6);
	scene.name = name;
	scene.witness = witness_open("lo");
	ck_assert_ptr_nonnull(scene.witness);
	scene_play(&scene, plan.family == AF_INET ? "127.0.0.1" : "::1",
	    daemon_port(daemon), row->args);
	compare(&scene, row);
	scene_clear(&scene);
	witness_close(scene.witness);
	daemon_stop(daemon);
}
END_TEST

/* ---- cuts */

/* Something for every kind of expectation, and more behind each match. */
static const char answer[] = "220 a.test ready\r\n250-a.test\r\n"
			     "250-PIPELINING\r\n250 HELP\r\n\x81\0\0\x01"
			     "221 bye\r\n";

#define ANSWER_BYTES (sizeof(answer) - 1)
#define CUTS_MAX 8

/* clang-format off */
static const struct {
	const char *args[24];
	int status;
	unsigned int received[EXCHANGES_MAX];
	const char *results[EXCHANGES_MAX], *which[EXCHANGES_MAX];
} talks[] = {
	{ ARGS("--expect-regex", "^220 ([a-z.]+) [a-z]+\r\n", "--then",
	      "--expect-regex", "(^|\n)250 [^\r]*\r\n", "--not-expect", "554",
	      "--then", "--expect-hex", "81 00 00", "--then", "-e", "bye"),
	    0, { 18, 38, 3, 8 },
	    { "match", "match", "match", "match" },
	    { "^220 ([a-z.]+) [a-z]+\r\n", "(^|\n)250 [^\r]*\r\n", "81 00 00",
		"bye" } },
	{ ARGS("-A", "-e", "PIPELINING", "-e", "220", "--then", "--not-expect",
	      "HELP"),
	    1, { 44, 10 }, { "match", "mismatch" }, { "", "HELP" } },
	{ ARGS("-m", "20", "--then", "-e", "554", "-e", "HELP", "--then", "-e",
	      "220"),
	    1, { 20, 34, 15 }, { "none", "match", "mismatch" },
	    { "", "HELP", "" } },
};
/* clang-format on */

#define TALKS ((int)(sizeof(talks) / sizeof(talks[0])))

static void
compare_cut(const json_t *report, int talk, const char *cut)
{
	const json_t *exchanges = judge_at(report, "exchanges");
	size_t count = 0;

	while (count < EXCHANGES_MAX && talks[talk].results[count] != NULL)
		count++;
	ck_assert_msg(judge_number(report, "exit_status") == talks[talk].status,
	    "cut at %s: status %.0f", cut, judge_number(report, "exit_status"));
	ck_assert_uint_eq(json_array_size(exchanges), count);
	for (size_t i = 0; i < count; i++) {
		const json_t *one = json_array_get(exchanges, i);
		bool last = i + 1 == count;
		double received = judge_number(one, "bytes.received");

		ck_assert_msg(strcmp(judge_string(one, "expect.result"),
				  talks[talk].results[i]) == 0 &&
			strcmp(judge_string(one, "expect.which"),
			    talks[talk].which[i]) == 0,
		    "cut at %s: exchange %zu: %s by '%s'", cut, i,
		    judge_string(one, "expect.result"),
		    judge_string(one, "expect.which"));
		/* What comes with the end of the last one counts as its own. */
		ck_assert_msg(last ? received >= talks[talk].received[i] :
				     received == talks[talk].received[i],
		    "cut at %s: exchange %zu: %.0f B", cut, i, received);
	}
}

/* A server that writes the answer in pieces, which end at those places. */
static void
play_cut(int talk, const size_t *places, size_t count)
{
	static const struct peer_step pause = { PEER_PAUSE, 500, NULL };
	struct peer_step script[2 * CUTS_MAX + 4];
	char cut[128] = "", port[8];
	const char *argv[40] = { "-f", "json", "-t", "50" };
	size_t at = 0, step = 0, n = 4;
	struct peer *peer;
	json_t *report;
	struct run run;

	for (size_t i = 0; i <= count; i++) {
		size_t to = i < count ? places[i] : ANSWER_BYTES;

		if (i < count)
			snprintf(cut + strlen(cut), sizeof(cut) - strlen(cut),
			    " %zu", to);
		if (to == at)
			continue;
		script[step++] =
		    (struct peer_step){ i < count ? PEER_GIVE : PEER_GIVE_FIN,
			    to - at, answer + at };
		script[step++] = pause;
		at = to;
	}
	script[step] = (struct peer_step){ PEER_END, 0, NULL };
	peer = peer_start(AF_INET, script);
	snprintf(port, sizeof(port), "%u", peer_port(peer));
	for (size_t i = 0; talks[talk].args[i] != NULL; i++)
		argv[n++] = talks[talk].args[i];
	argv[n++] = "127.0.0.1";
	argv[n++] = port;
	argv[n] = NULL;
	run_command(&run, argv);
	report = json_loads(run.out, JSON_ALLOW_NUL, NULL);
	ck_assert_ptr_nonnull(report);
	compare_cut(report, talk, cut);
	json_decref(report);
	run_free(&run);
	peer_stop(peer);
}

START_TEST(cut_at_every_byte)
{
	for (size_t place = 0; place < ANSWER_BYTES; place++)
		play_cut(_i, &place, 1);
}
END_TEST

static int
by_place(const void *one, const void *other)
{
	const size_t *a = one, *b = other;

	return (*a > *b) - (*a < *b);
}

/* LASTACK_SEED in the environment says which ones. */
START_TEST(cut_at_random)
{
	const char *given = getenv("LASTACK_SEED");
	unsigned int seed = given != NULL ?
	    (unsigned int)strtoul(given, NULL, 10) :
	    (unsigned int)tcp_now_ns();

	printf("seed %u\n", seed);
	for (int i = 0; i < 40; i++) {
		size_t places[CUTS_MAX];
		size_t count = (size_t)rand_r(&seed) % CUTS_MAX + 1;

		for (size_t k = 0; k < count; k++)
			places[k] = (size_t)rand_r(&seed) % ANSWER_BYTES;
		qsort(places, count, sizeof(places[0]), by_place);
		play_cut(_i, places, count);
	}
}
END_TEST

static void
require_servers(void)
{
	static const enum daemon_kind kinds[] = { DAEMON_REDIS, DAEMON_MSMTPD,
		DAEMON_MEMCACHED, DAEMON_SSHD, DAEMON_NGINX };
	const char *ci = getenv("CI");
	bool strict = ci != NULL && *ci != '\0';

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (daemon_installed(kinds[i]))
			continue;
		fprintf(stderr, "check_talks: %s: not installed%s\n",
		    daemon_name(kinds[i]),
		    strict ? ", and CI must not skip" : "; skipped");
		if (strict)
			exit(EXIT_FAILURE);
	}
}

int
main(void)
{
	TCase *tests = tcase_create("talks");
	int status;

	lab_require();
	require_servers();
	daemons_begin();
	tcase_add_loop_test(tests, with_servers, 0, 2 * ROWS);
	tcase_add_loop_test(tests, cut_at_every_byte, 0, TALKS);
	tcase_add_loop_test(tests, cut_at_random, 0, TALKS);
	status = suite_run(tests, "talks");
	daemons_end();
	return status;
}
