/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fast Open with peers that no kernel is: the raw peer decides what the SYN/ACK
 * takes of the SYN's payload, and the report is held against the capture. Each
 * run has a network namespace, and so a cookie cache, of its own.
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
#include "suite.h"
#include "tfo.h"

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

/* The end of every exchange that goes well. */
#define ANSWER                                                                 \
	{ DATA_FIN, .data = "answer" }, { RAW_WAIT_FIN },                      \
	{                                                                      \
		ACK                                                            \
	}

#define QUESTION "question" /* what the command sends, 8 bytes */
#define ASK "-F", "-s", QUESTION
#define REQUIRE "--fastopen=require", "-s", QUESTION

#define SECOND_US 900000 /* the kernel's first SYN timeout, or nearly */

struct row {
	const char *name;
	bool primed; /* the kernel has a cookie before it */
	const struct rawpeer_step *script;
	size_t steps;
	const char *args[12];
	struct tfo_verdict verdict;
	uint32_t syns;	 /* of ours, on the wire; 0: 1 */
	bool is_file;	 /* the payload is larger.bin */
	bool unanswered; /* nothing more than the SYN came through */
};

static const struct row rows[] = {
	/* Without a cookie. */
	{ .name = "granted",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK, .cookie = "cookie78" },
		{ RAW_WAIT_PAYLOAD }, ANSWER),
	    .args = ARGS(ASK),
	    .verdict = { 0, "requested", 1, 0, "granted; run again" } },
	{ .name = "granted-required",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK, .cookie = "cookie78" },
		{ RAW_WAIT_PAYLOAD }, ANSWER),
	    .args = ARGS(REQUIRE),
	    .verdict = { 11, "requested", 1, 0, "granted; run again" } },
	{ .name = "granted-to-the-second-syn",
	    SCRIPT({ RAW_WAIT_SYN }, { RAW_WAIT_SYN },
		{ SYNACK, .cookie = "cookie78" }, { RAW_WAIT_PAYLOAD }, ANSWER),
	    .args = ARGS(ASK),
	    .verdict = { 0, "requested", 1, 0, "granted; run again" },
	    .syns = 2 },
	{ .name = "not-granted",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD }, ANSWER),
	    .args = ARGS(ASK),
	    .verdict = { 0, "requested", 0, 0, "not granted" } },
	{ .name = "short-cookie",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK, .cookie = "co" },
		{ RAW_WAIT_PAYLOAD }, ANSWER),
	    .args = ARGS(ASK),
	    .verdict = { 0, "requested", 0, 0, "not granted" } },
	{ .name = "odd-cookie",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK, .cookie = "cookie7" },
		{ RAW_WAIT_PAYLOAD }, ANSWER),
	    .args = ARGS(ASK),
	    .verdict = { 0, "requested", 0, 0, "not granted" } },
	{ .name = "long-cookie",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK, .cookie = "cookie7890123456xx" },
		{ RAW_WAIT_PAYLOAD }, ANSWER),
	    .args = ARGS(ASK),
	    .verdict = { 0, "requested", 0, 0, "not granted" } },
	{ .name = "silence-without-cookie",
	    SCRIPT({ RAW_WAIT_SYN }),
	    .args = ARGS(ASK, "-t", "0.2"),
	    .verdict = { 6, NULL, -1, 0, "no SYN/ACK" },
	    .unanswered = true },
	/* With one. */
	{ .name = "accepted",
	    .primed = true,
	    SCRIPT(
		{ RAW_WAIT_SYN, .bytes = 8 }, { SYNACK, .ack_add = 8 }, ANSWER),
	    .args = ARGS(ASK),
	    .verdict = { 0, "accepted", 1, 8, "one round trip saved" } },
	{ .name = "accepted-required",
	    .primed = true,
	    SCRIPT(
		{ RAW_WAIT_SYN, .bytes = 8 }, { SYNACK, .ack_add = 8 }, ANSWER),
	    .args = ARGS(REQUIRE, "-e", "answer"),
	    .verdict = { 0, "accepted", 1, 8, "acknowledged them" } },
	{ .name = "accepted-half-close",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 8 }, { SYNACK, .ack_add = 8 },
		{ RAW_WAIT_FIN }, { DATA_FIN, .data = "answer" },
		{ RAW_WAIT_ACK }),
	    .args = ARGS(ASK, "-N"),
	    .verdict = { 0, "accepted", 1, 8, "carried 8 B" } },
	{ .name = "accepted-with-data-behind",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 8 }, { SYNACK, .ack_add = 8 },
		{ DATA, .data = "more " }, ANSWER),
	    .args = ARGS(REQUIRE, "-e", "more answer"),
	    .verdict = { 0, "accepted", 1, 8, "carried 8 B" } },
	{ .name = "accepted-with-data-in-it",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 8 },
		{ SYNACK, .ack_add = 8, .data = "more " }, { RAW_WAIT_ACK },
		ANSWER),
	    .args = ARGS(REQUIRE, "-e", "more answer"),
	    .verdict = { 0, "accepted", 1, 8, "carried 8 B" } },
	{ .name = "partial",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 8 }, { SYNACK, .ack_add = 3 },
		{ RAW_WAIT_PAYLOAD, .bytes = 5 }, ANSWER),
	    .args = ARGS(ASK),
	    .verdict = { 0, "partial", 1, 8, "a part of them" } },
	{ .name = "partial-required",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 8 }, { SYNACK, .ack_add = 7 },
		{ RAW_WAIT_PAYLOAD, .bytes = 1 }, ANSWER),
	    .args = ARGS(REQUIRE),
	    .verdict = { 11, "partial", 1, 8, "a part of them" } },
	{ .name = "refused",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 8 }, { SYNACK },
		{ RAW_WAIT_PAYLOAD, .bytes = 8 }, ANSWER),
	    .args = ARGS(ASK),
	    .verdict = { 0, "refused", 1, 8, "none of them" } },
	{ .name = "refused-required",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 8 },
		{ SYNACK, .cookie = "another8" },
		{ RAW_WAIT_PAYLOAD, .bytes = 8 }, ANSWER),
	    .args = ARGS(REQUIRE),
	    .verdict = { 11, "refused", 1, 8, "none of them" } },
	{ .name = "refused-half-close",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 8 }, { SYNACK },
		{ RAW_WAIT_PAYLOAD, .bytes = 8 }, { RAW_WAIT_FIN },
		{ DATA_FIN, .data = "answer" }, { RAW_WAIT_ACK }),
	    .args = ARGS(ASK, "-N"),
	    .verdict = { 0, "refused", 1, 8, "none of them" } },
	/* What is sent again does not fit the window, or not the segments. */
	{ .name = "refused-small-window",
	    .primed = true,
	    .is_file = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 1000 }, { SYNACK, .window = 500 },
		{ RAW_WAIT_PAYLOAD, .bytes = 3000, .acking = true }, ANSWER),
	    .args = ARGS("-F", "--send-file=larger.bin"),
	    .verdict = { 0, "refused", 1, -1, "none of them" } },
	{ .name = "refused-small-segments",
	    .primed = true,
	    .is_file = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 1000 }, { SYNACK, .mss = 90 },
		{ RAW_WAIT_PAYLOAD, .bytes = 3000, .acking = true }, ANSWER),
	    .args = ARGS("-F", "--send-file=larger.bin"),
	    .verdict = { 0, "refused", 1, -1, "none of them" } },
	{ .name = "partial-small-segments",
	    .primed = true,
	    .is_file = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 1000 },
		{ SYNACK, .mss = 90, .ack_add = 100 },
		{ RAW_WAIT_PAYLOAD, .bytes = 2900, .acking = true }, ANSWER),
	    .args = ARGS("-F", "--send-file=larger.bin"),
	    .verdict = { 0, "partial", 1, -1, "a part of them" } },
	{ .name = "blackholed",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 8 }, { RAW_WAIT_SYN }, { SYNACK },
		{ RAW_WAIT_PAYLOAD, .bytes = 8 }, ANSWER),
	    .args = ARGS(ASK),
	    .verdict = { 0, "blackholed", 1, 8, "a second later" },
	    .syns = 2 },
	{ .name = "blackholed-required",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 8 }, { RAW_WAIT_SYN }, { SYNACK },
		{ RAW_WAIT_PAYLOAD, .bytes = 8 }, ANSWER),
	    .args = ARGS(REQUIRE),
	    .verdict = { 11, "blackholed", 1, 8, "a second later" },
	    .syns = 2 },
	/* Its SYN/ACK was lost, not our SYN: the payload had been taken. */
	{ .name = "accepted-by-the-second-syn-ack",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 8 }, { RAW_WAIT_SYN },
		{ SYNACK, .ack_add = 8 }, ANSWER),
	    .args = ARGS(ASK),
	    .verdict = { 0, "accepted", 1, 8, "no time saved" },
	    .syns = 2 },
	/* An RST that covers the payload, as kernels send it, or not. */
	{ .name = "rst",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 8 }, { RST, .ack_add = 8 }),
	    .args = ARGS(ASK),
	    .verdict = { 4, NULL, -1, 8, "no SYN/ACK" },
	    .unanswered = true },
	{ .name = "rst-for-the-syn",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 8 }, { RST }),
	    .args = ARGS(REQUIRE),
	    .verdict = { 4, NULL, -1, 8, "no SYN/ACK" },
	    .unanswered = true },
	{ .name = "silence",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 8 }),
	    .args = ARGS(REQUIRE, "-t", "0.2"),
	    .verdict = { 6, NULL, -1, 8, "no SYN/ACK" },
	    .unanswered = true },
	{ .name = "icmp",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 8 },
		{ RAW_ICMP, .icmp = RAW_ICMP_HOST }),
	    .args = ARGS(ASK),
	    .verdict = { 5, NULL, -1, 8, "no SYN/ACK" },
	    .unanswered = true },
	{ .name = "rst-behind-the-syn-ack",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN, .bytes = 8 }, { SYNACK, .ack_add = 8 },
		{ RAW_WAIT_ACK }, { RST }),
	    .args = ARGS(REQUIRE, "-e", "answer"),
	    .verdict = { 7, "accepted", 1, 8, "carried 8 B" } },
	/* A cookie is there; a payload is not. */
	{ .name = "unused",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, ANSWER),
	    .args = ARGS("-F", "-e", "answer"),
	    .verdict = { 0, "unused", -1, 0, "no payload" } },
	{ .name = "unused-required",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_RST }),
	    .args = ARGS("--fastopen=require"),
	    .verdict = { 11, "unused", -1, 0, "no payload" } },
	{ .name = "off",
	    .primed = true,
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD }, ANSWER),
	    .args = ARGS("-s", QUESTION),
	    .verdict = { 0, "off", -1, 0, NULL } },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const char *
peer_address(int family)
{
	return family == AF_INET ? LAB_PEER_ADDR4 : LAB_PEER_ADDR6;
}

static void
play(struct scene *scene, int family, const struct row *row)
{
	const char *address = peer_address(family);
	struct rawpeer *peer =
	    rawpeer_start(family, address, PORT, row->script, row->steps);

	ck_assert_ptr_nonnull(peer);
	scene_play(scene, address, PORT, row->args);
	if (rawpeer_join(peer) != 0)
		scene_fail(scene, "the script did not come to its end");
	tfo_expect(scene, &row->verdict);
}

/* What the report cannot know and the wire can. */
static void
compare(struct scene *scene, const struct row *row)
{
	const json_t *report = scene->report;
	uint32_t syns = row->syns != 0 ? row->syns : 1;

	if (scene->flow->side[WITNESS_CLIENT].syns != syns)
		scene_fail(scene, "not as many SYNs as there should be");
	/* Payload that is sent again is not a SYN that is. */
	if (row->verdict.status != NULL &&
	    judge_number(report, "kernel.syn_retransmits") != syns - 1)
		scene_fail(scene, "kernel.syn_retransmits");
	if (syns == 1 && strstr(judge_string(report, "hint"), "SYN went"))
		scene_fail(scene, "hint");
	if (syns > 1 && judge_number(report, "phases_us.connect") < SECOND_US)
		scene_fail(scene, "the second is not in the timing");
	if (judge_true(report, "fastopen.requested") !=
	    (strncmp(row->args[0], "-s", 2) != 0))
		scene_fail(scene, "fastopen.requested");
	if (row->unanswered || row->is_file)
		return;
	if (judge_number(report, "bytes.sent") > 0 &&
	    !tfo_sent(scene->flow, QUESTION, strlen(QUESTION)))
		scene_fail(scene, "the payload is not on the wire as it is");
}

static void
run_row(const struct row *row, int family)
{
	struct scene scene = { 0 };
	char name[96];

	tfo_enter(TFO_CLIENT);
	ck_assert_int_eq(lab_veth(), 0);
	snprintf(name, sizeof(name), "check_fastopen-%s-%s", row->name,
	    family == AF_INET ? "4" : "6");
	scene.name = name;
	scene.witness = witness_open(LAB_VETH);
	ck_assert_ptr_nonnull(scene.witness);
	if (row->primed) {
		play(&scene, family, &rows[0]);
		scene_clear(&scene);
	}
	play(&scene, family, row);
	compare(&scene, row);
	scene_clear(&scene);
	witness_close(scene.witness);
}

START_TEST(rows_ipv4)
{
	run_row(&rows[_i], AF_INET);
}
END_TEST

START_TEST(rows_ipv6)
{
	if (lab_has_ipv6())
		run_row(&rows[_i], AF_INET6);
}
END_TEST

/*
 * A FIN ahead of data that never comes, after a SYN that asked for a cookie:
 * tcp_fastopen_active_disable_ofo_check() takes the path for one that eats
 * data, and pauses Fast Open in the whole namespace.
 */
static const struct row spoiling = {
	.name = "spoiling",
	SCRIPT({ RAW_WAIT_SYN }, { SYNACK, .cookie = "cookie78" },
	    { RAW_WAIT_PAYLOAD }, { FIN, .seq_add = 100, .hold = true },
	    { RAW_WAIT_RST }),
	.args = ARGS(ASK, "-t", "0.3"),
	.verdict = { 8, "requested", 1, 0, "granted" },
};

static const struct row paused[] = {
	{ .name = "paused",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD }, ANSWER),
	    .args = ARGS(ASK),
	    .verdict = { 0, "paused", 1, 0, "paused" } },
	{ .name = "paused-required",
	    SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD }, ANSWER),
	    .args = ARGS(REQUIRE),
	    .verdict = { 11, "paused", 1, 0, "paused" } },
};

#define PAUSE "net.ipv4.tcp_fastopen_blackhole_timeout_sec"

static const struct row *
find_row(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	ck_abort_msg("no row '%s'", name);
}

static void
pause_fastopen(struct scene *scene, int family)
{
	tfo_enter(TFO_CLIENT);
	ck_assert_int_eq(lab_veth(), 0);
	ck_assert_int_eq(lab_sysctl(PAUSE, "3600"), 0);
	scene->name = "check_fastopen-paused";
	scene->witness = witness_open(LAB_VETH);
	ck_assert_ptr_nonnull(scene->witness);
	play(scene, family, &spoiling);
	scene_clear(scene);
}

START_TEST(pauses)
{
	int family = _i == 0 ? AF_INET : AF_INET6;
	struct scene scene = { 0 };

	if (family == AF_INET6 && !lab_has_ipv6())
		return;
	pause_fastopen(&scene, family);
	for (size_t i = 0; i < sizeof(paused) / sizeof(paused[0]); i++) {
		play(&scene, family, &paused[i]);
		compare(&scene, &paused[i]);
		scene_clear(&scene);
	}
	/* Writing it, whatever the value, ends the pause. */
	ck_assert_int_eq(lab_sysctl(PAUSE, "3600"), 0);
	play(&scene, family, find_row("accepted-required"));
	scene_clear(&scene);
	witness_close(scene.witness);
}
END_TEST

static const struct row elsewhere = {
	.name = "paused-elsewhere",
	SCRIPT({ RAW_WAIT_SYN }, { SYNACK }, { RAW_WAIT_PAYLOAD }, ANSWER),
	.args = ARGS(ASK),
	.verdict = { 0, "paused", 0, 0, "paused" },
};

/* The pause is for all addresses, those without a cookie too. */
START_TEST(pauses_without_a_cookie)
{
	const struct row *row = &elsewhere;
	struct scene scene = { 0 };
	struct rawpeer *peer;

	pause_fastopen(&scene, AF_INET);
	peer =
	    rawpeer_start(AF_INET, "192.0.2.3", PORT, row->script, row->steps);
	ck_assert_ptr_nonnull(peer);
	scene_play(&scene, "192.0.2.3", PORT, row->args);
	ck_assert_int_eq(rawpeer_join(peer), 0);
	tfo_expect(&scene, &row->verdict);
	scene_clear(&scene);
	witness_close(scene.witness);
}
END_TEST

static void
make_payload(void)
{
	FILE *file = fopen("larger.bin", "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(ftruncate(fileno(file), 3000), 0);
	fclose(file);
}

static void
remove_payload(void)
{
	remove("larger.bin");
}

int
main(void)
{
	TCase *tests = tcase_create("fastopen");

	lab_require();
	tcase_add_unchecked_fixture(tests, make_payload, remove_payload);
	tcase_add_loop_test(tests, rows_ipv4, 0, ROWS);
	tcase_add_loop_test(tests, rows_ipv6, 0, ROWS);
	tcase_add_loop_test(tests, pauses, 0, 2);
	tcase_add_test(tests, pauses_without_a_cookie);
	return suite_run(tests, "fastopen");
}
