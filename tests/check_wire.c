/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What no kernel socket can be made to send: the raw peer plays it across a
 * veth pair, and the report is held against the capture.
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
#include "rawpeer.h"
#include "scene.h"

#define PORT 8080
#define ARGS(...)                                                              \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}
#define SCRIPT(...)                                                            \
	.script = (const struct rawpeer_step[]){ __VA_ARGS__ },                \
	.steps = sizeof((const struct rawpeer_step[]){ __VA_ARGS__ }) /        \
	    sizeof(struct rawpeer_step)

#define SYNACK RAW_SEND, .flags = RAW_SYN | RAW_ACK
#define ACK RAW_SEND, .flags = RAW_ACK
#define RST RAW_SEND, .flags = RAW_RST | RAW_ACK
#define FIN RAW_SEND, .flags = RAW_FIN | RAW_ACK
#define DATA RAW_SEND, .flags = RAW_PSH | RAW_ACK
#define DATA_FIN RAW_SEND, .flags = RAW_PSH | RAW_ACK | RAW_FIN

struct row {
	const char *name;
	const struct rawpeer_step *script;
	size_t steps;
	const char *args[12];
	int status;
	const char *peer, *local, *first;
	bool clean, last_ack, time_wait;
	const char *error; /* errno in the report */
	bool kernel_only;  /* without TCP_INFO this cannot be known */
};

static const struct row rows[] = {
	{ .name = "plain",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ DATA_FIN, .data = "answer" }, { RAW_WAIT_FIN }, { ACK }),
	    .args = ARGS("-s", "question", "-e", "answer", "--drain=5"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true },
	{ .name = "last-ack-late",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ DATA_FIN, .data = "answer" }, { RAW_WAIT_FIN },
		{ RAW_DELAY, .ms = 30 }, { ACK }),
	    .args = ARGS("-s", "question", "-e", "answer", "--drain=5"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true },
	{ .name = "last-ack-never",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ DATA_FIN, .data = "answer" }, { RAW_WAIT_FIN }),
	    .args = ARGS("-s", "question", "-e", "answer", "--drain=30ms"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer" },
	{ .name = "rst-in-last-ack",
	    .kernel_only = true,
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ DATA_FIN, .data = "answer" }, { RAW_WAIT_FIN }, { RST }),
	    .args = ARGS("-s", "question", "-e", "answer", "--drain=5"),
	    .peer = "fin+rst",
	    .local = "fin",
	    .first = "peer" },
	{ .name = "simultaneous-close",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ DATA, .data = "answer" }, { RAW_WAIT_FIN },
		{ FIN, .ack_add = -1 }, { ACK }),
	    .args = ARGS(
		"-s", "question", "-e", "answer", "--close=fin", "--drain=5"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "local",
	    .clean = true,
	    .last_ack = true,
	    .time_wait = true },
	{ .name = "rst-in-closing",
	    .kernel_only = true,
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ DATA, .data = "answer" }, { RAW_WAIT_FIN },
		{ FIN, .ack_add = -1 }, { RAW_DELAY, .ms = 10 }, { RST }),
	    .args = ARGS(
		"-s", "question", "-e", "answer", "--close=fin", "--drain=5"),
	    .peer = "fin+rst",
	    .local = "fin",
	    .first = "local" },
	{ .name = "rst-in-fin-wait-1",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ DATA, .data = "answer" }, { RAW_WAIT_FIN }, { RST }),
	    .args = ARGS(
		"-s", "question", "-e", "answer", "--close=fin", "--drain=5"),
	    .peer = "rst",
	    .local = "fin",
	    .first = "local" },
	{ .name = "rst-in-fin-wait-2",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ DATA, .data = "answer" }, { RAW_WAIT_FIN }, { ACK },
		{ RAW_DELAY, .ms = 10 }, { RST }),
	    .args = ARGS(
		"-s", "question", "-e", "answer", "--close=fin", "--drain=5"),
	    .peer = "rst",
	    .local = "fin",
	    .first = "local",
	    .last_ack = true },
	{ .name = "fin-answered-to-our-data-by-rst",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK, .window = 100 },
		{ RAW_WAIT_PAYLOAD }, { FIN }, { RAW_DELAY, .ms = 10 },
		{ RST }),
	    .args = ARGS("--send-file=large.bin", "-e", "answer"),
	    .status = 7,
	    .peer = "fin+rst",
	    .local = "none",
	    .first = "peer" },
	/* Our FIN waits behind data; the peer's comes meanwhile. */
	{ .name = "fin-behind-data",
	    .kernel_only = true,
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK, .window = 1000 },
		{ RAW_WAIT_PAYLOAD, .bytes = 1000 }, { RAW_DELAY, .ms = 50 },
		{ DATA_FIN, .data = "answer", .window = RAW_WINDOW_ZERO },
		{ RAW_DELAY, .ms = 300 }, { ACK, .window = 60000 },
		{ RAW_WAIT_FIN, .acking = true }),
	    .args = ARGS("--send-hex=00", "--send-file=small.bin", "-N", "-e",
		"answer", "--drain=5"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true,
	    .time_wait = true },
	{ .name = "fin-ahead-of-its-data",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ FIN, .seq_add = 6, .hold = true }, { RAW_DELAY, .ms = 10 },
		{ DATA_FIN, .data = "answer" }, { RAW_WAIT_FIN }, { ACK }),
	    .args = ARGS("-s", "question", "-e", "answer", "--drain=5"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true },
	{ .name = "data-twice",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ DATA, .data = "answer", .hold = true },
		{ DATA, .data = "answer", .hold = true },
		{ DATA_FIN, .data = "answer" }, { RAW_WAIT_FIN }, { ACK }),
	    .args = ARGS("-s", "question", "--drain=5"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true },
	{ .name = "silent-after-the-handshake",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD }, { ACK },
		{ RAW_WAIT_RST }),
	    .args = ARGS("-s", "question", "-t", "0.2"),
	    .status = 8,
	    .peer = "open",
	    .local = "rst",
	    .first = "local" },
	{ .name = "window-closed",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK, .window = 100 },
		{ RAW_WAIT_PAYLOAD }, { ACK, .window = RAW_WINDOW_ZERO },
		{ RAW_WAIT_RST }),
	    .args = ARGS("--send-file=large.bin", "-t", "0.2"),
	    .status = 8,
	    .peer = "open",
	    .local = "rst",
	    .first = "local" },
	{ .name = "syn-lost",
	    SCRIPT({ RAW_WAIT_SYN }, { RAW_IGNORE, .ms = 100 },
		{ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ DATA_FIN, .data = "answer" }, { RAW_WAIT_FIN }, { ACK }),
	    .args = ARGS("-s", "question", "-e", "answer", "--drain=5"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true },
	{ .name = "icmp-while-established",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_ICMP, .icmp = RAW_ICMP_HOST }, { RAW_DELAY, .ms = 10 },
		{ DATA_FIN, .data = "answer" }, { RAW_WAIT_FIN }, { ACK }),
	    .args = ARGS("-s", "question", "-e", "answer", "--drain=5"),
	    .peer = "fin",
	    .local = "fin",
	    .first = "peer",
	    .clean = true,
	    .last_ack = true },
	{ .name = "icmp-and-silence",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD },
		{ RAW_ICMP, .icmp = RAW_ICMP_HOST }, { RAW_WAIT_RST }),
	    .args = ARGS("-s", "question", "-t", "0.2"),
	    .status = 8,
	    .peer = "open",
	    .local = "rst",
	    .first = "local" },
	/* tcp_retries2 is 1 here: the kernel gives up after a second or so. */
	{ .name = "lost",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD }),
	    .args = ARGS("-s", "question", "-e", "answer", "-t", "30"),
	    .status = 8,
	    .peer = "lost",
	    .local = "none",
	    .first = "",
	    .error = "ETIMEDOUT" },
	{ .name = "syn-silence",
	    SCRIPT({ RAW_WAIT_SYN }),
	    .args = ARGS("-z", "-t", "0.2"),
	    .status = 6,
	    .peer = "none",
	    .local = "none",
	    .first = "",
	    .error = "ETIMEDOUT" },
	{ .name = "syn-rst",
	    SCRIPT({ RAW_WAIT_SYN }, { RST }),
	    .args = ARGS("-z"),
	    .status = 4,
	    .peer = "none",
	    .local = "none",
	    .first = "",
	    .error = "ECONNREFUSED" },
	{ .name = "syn-icmp-host",
	    SCRIPT({ RAW_WAIT_SYN }, { RAW_ICMP, .icmp = RAW_ICMP_HOST }),
	    .args = ARGS("-z"),
	    .status = 5,
	    .peer = "none",
	    .local = "none",
	    .first = "",
	    .error = "EHOSTUNREACH" },
	{ .name = "syn-icmp-net",
	    SCRIPT({ RAW_WAIT_SYN }, { RAW_ICMP, .icmp = RAW_ICMP_NET }),
	    .args = ARGS("-z"),
	    .status = 5,
	    .peer = "none",
	    .local = "none",
	    .first = "",
	    .error = "ENETUNREACH" },
	{ .name = "syn-icmp-port",
	    .kernel_only = true, /* no RST was received: not "refused" */
	    SCRIPT({ RAW_WAIT_SYN }, { RAW_ICMP, .icmp = RAW_ICMP_PORT }),
	    .args = ARGS("-z"),
	    .status = 5,
	    .peer = "none",
	    .local = "none",
	    .first = "",
	    .error = "ECONNREFUSED" },
	{ .name = "syn-icmp-prohibited",
	    SCRIPT({ RAW_WAIT_SYN }, { RAW_ICMP, .icmp = RAW_ICMP_PROHIBITED }),
	    .args = ARGS("-z"),
	    .status = 5,
	    .peer = "none",
	    .local = "none",
	    .first = "" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
compare(struct scene *scene, const struct row *row)
{
	json_t *r = scene->report;

	if (scene->run.status != row->status)
		scene_fail(scene, "wrong exit status");
	ck_assert(judge_tells(r, "close.peer", row->peer));
	ck_assert(judge_tells(r, "close.local", row->local));
	ck_assert(judge_tells(r, "close.first", row->first));
	ck_assert(judge_tells_truth(r, "close.clean", row->clean));
	ck_assert(judge_tells_truth(r, "close.last_ack", row->last_ack));
	ck_assert(judge_tells_truth(r, "close.time_wait", row->time_wait));
	if (row->error != NULL)
		ck_assert_str_eq(judge_string(r, "error.errno"), row->error);
#ifdef LASTACK_TCP_INFO
	ck_assert_uint_eq(scene->untold, 0);
#endif
}

static void
play(const struct row *row, int family)
{
	const char *address = family == AF_INET ? LAB_PEER_ADDR4 :
						  LAB_PEER_ADDR6;
	struct scene scene = { .witness = witness_open(LAB_VETH) };
	struct rawpeer *peer;
	char name[64];

#ifndef LASTACK_TCP_INFO
	if (row->kernel_only)
		return;
#endif
	snprintf(name, sizeof(name), "check_wire-%s-%s", row->name,
	    family == AF_INET ? "4" : "6");
	scene.name = name;
	ck_assert_ptr_nonnull(scene.witness);
	peer = rawpeer_start(family, address, PORT, row->script, row->steps);
	ck_assert_ptr_nonnull(peer);
	scene_play(&scene, address, PORT, row->args);
	if (rawpeer_join(peer) != 0)
		scene_fail(&scene, "the script did not come to its end");
	compare(&scene, row);
	scene_clear(&scene);
	witness_close(scene.witness);
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

/* Both larger than any window here; only the small one fits a send buffer. */
static void
make_payloads(void)
{
	FILE *small = fopen("small.bin", "w");
	FILE *large = fopen("large.bin", "w");

	ck_assert_ptr_nonnull(small);
	ck_assert_ptr_nonnull(large);
	ck_assert_int_eq(ftruncate(fileno(small), 8000), 0);
	ck_assert_int_eq(ftruncate(fileno(large), 16 << 20), 0);
	fclose(small);
	fclose(large);
}

static void
remove_payloads(void)
{
	remove("small.bin");
	remove("large.bin");
}

static Suite *
wire_suite(void)
{
	Suite *suite = suite_create("wire");
	TCase *tcase = tcase_create("ends");

	tcase_set_timeout(tcase, 120);
	tcase_add_unchecked_fixture(tcase, make_payloads, remove_payloads);
	tcase_add_loop_test(tcase, ends_ipv4, 0, ROWS);
	tcase_add_loop_test(tcase, ends_ipv6, 0, ROWS);
	suite_add_tcase(suite, tcase);
	return suite;
}

int
main(void)
{
	SRunner *runner;
	int failed;

	lab_require();
	lab_require_veth();
	if (lab_sysctl("net.ipv4.tcp_retries2", "1") != 0)
		return 1;
	runner = srunner_create(wire_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
