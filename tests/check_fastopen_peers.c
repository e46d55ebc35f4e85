/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fast Open between two kernel sockets, one status after the other. Each test
 * has a network namespace, and so a cookie cache, of its own.
 */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "judge.h"
#include "lab.h"
#include "peer.h"
#include "suite.h"
#include "tfo.h"

#define ARGS(...)                                                              \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}

#define QUESTION TFO_QUESTION
#define ASK "-F", "-s", QUESTION
#define REQUIRE "--fastopen=require", "-s", QUESTION
#define ANOTHER_KEY "00000001-00000002-00000003-00000004"

static const struct server_script answering = {
	.take = 8,
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

START_TEST(granted_then_accepted)
{
	if (!tfo_begin(&stage, _i, TFO_BOTH, &answering))
		return;
	tfo_ask(&stage, ARGS(ASK, "-e", "answer"), &granted);
	tfo_ask(&stage, ARGS(ASK, "-e", "answer"), &accepted);
	tfo_ask(&stage, ARGS(ASK), &accepted);
	tfo_ask(&stage, ARGS(REQUIRE), &accepted);
	tfo_finish(&stage);
}
END_TEST

START_TEST(required_and_granted)
{
	if (!tfo_begin(&stage, _i, TFO_BOTH, &answering))
		return;
	tfo_ask(&stage, ARGS(REQUIRE),
	    &(struct tfo_verdict){ 11, "requested", 1, 0, "granted" });
	tfo_ask(&stage, ARGS(REQUIRE), &accepted);
	tfo_finish(&stage);
}
END_TEST

/* The second request is the experiment's option: the kernel tries both. */
START_TEST(not_granted)
{
	static const struct tfo_verdict refusals[] = {
		{ 0, "requested", 0, 0, "not granted" },
		{ 11, "requested", 0, 0, "not granted" },
	};

	if (!tfo_begin(&stage, _i, TFO_CLIENT, &answering))
		return;
	tfo_ask(&stage, ARGS(ASK), &refusals[0]);
	tfo_ask(&stage, ARGS(ASK), &refusals[0]);
	tfo_ask(&stage, ARGS(REQUIRE), &refusals[1]);
	tfo_finish(&stage);
}
END_TEST

START_TEST(refused_after_a_new_key)
{
	static const char key[] = "net.ipv4.tcp_fastopen_key";

	if (!tfo_begin(&stage, _i, TFO_BOTH, &answering))
		return;
	tfo_ask(&stage, ARGS(ASK), &granted);
	ck_assert_int_eq(lab_sysctl(key, ANOTHER_KEY), 0);
	tfo_ask(&stage, ARGS(ASK),
	    &(struct tfo_verdict){ 0, "refused", 1, 8, "none of them" });
	tfo_ask(&stage, ARGS(ASK), &accepted);
	ck_assert_int_eq(lab_sysctl(key, "1-2-3-5"), 0);
	tfo_ask(&stage, ARGS(REQUIRE),
	    &(struct tfo_verdict){ 11, "refused", 1, 8, "none of them" });
	tfo_ask(&stage, ARGS(REQUIRE), &accepted);
	tfo_finish(&stage);
}
END_TEST

START_TEST(disabled)
{
	static const struct tfo_verdict verdicts[] = {
		{ 0, "disabled", 0, 0, "net.ipv4.tcp_fastopen" },
		{ 11, "disabled", 0, 0, "net.ipv4.tcp_fastopen" },
	};

	if (!tfo_begin(&stage, _i, TFO_SERVER, &answering))
		return;
	tfo_ask(&stage, ARGS(ASK), &verdicts[0]);
	tfo_ask(&stage, ARGS(REQUIRE), &verdicts[1]);
	tfo_finish(&stage);
}
END_TEST

START_TEST(off)
{
	static const struct tfo_verdict verdict = { 0, "off", -1, 0, NULL };

	if (!tfo_begin(&stage, _i, TFO_BOTH, &answering))
		return;
	tfo_ask(&stage, ARGS(ASK), &granted);
	tfo_ask(&stage, ARGS("-s", QUESTION), &verdict);
	ck_assert(!judge_true(stage.scene.report, "fastopen.requested"));
	tfo_finish(&stage);
}
END_TEST

#ifdef __NR_setsockopt
/* A kernel that does not know the option is played by a filter. */
static void
forbid_fastopen(void)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_setsockopt, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TCP_FASTOPEN_CONNECT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOPROTOOPT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]),
		.filter = code,
	};

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

START_TEST(unsupported)
{
	static const struct tfo_verdict verdicts[] = {
		{ 0, "unsupported", 1, 0, "this kernel" },
		{ 11, "unsupported", 1, 0, "this kernel" },
	};

	if (!tfo_begin(&stage, _i, TFO_BOTH, &answering))
		return;
	tfo_ask(&stage, ARGS(ASK), &granted);
	forbid_fastopen();
	tfo_ask(&stage, ARGS(ASK), &verdicts[0]);
	tfo_ask(&stage, ARGS(REQUIRE), &verdicts[1]);
	tfo_finish(&stage);
}
END_TEST
#endif

/* ---- segments */

/* A process that is kept waiting that long has the kernel send a pure ACK. */
#define DELAYED_ACK_NS 30000000
#define TRIES 50

static bool
was_kept_waiting(const struct witness_flow *flow)
{
	return flow->side[WITNESS_CLIENT].first_fin_ns -
	    flow->side[WITNESS_SERVER].first_syn_ns >
	    DELAYED_ACK_NS;
}

START_TEST(fewest_segments)
{
	static const struct peer_step script[] = {
		{ PEER_TAKE, 0, NULL },
		{ PEER_GIVE_FIN, 0, "answer" },
		{ PEER_END, 0, NULL },
	};
	struct scene *scene = &stage.scene;
	struct peer *peer;
	int tries = 0;

	/* The server that tfo_begin() starts is not asked. */
	if (!tfo_begin(&stage, _i, TFO_BOTH, &answering))
		return;
	lab_pin();
	peer = peer_start(_i == 0 ? AF_INET : AF_INET6, script);
	scene_play(scene, stage.host, peer_port(peer), ARGS(ASK));
	tfo_expect(scene, &granted);
	do {
		scene_play(scene, stage.host, peer_port(peer),
		    ARGS(ASK, "-e", "answer"));
		tfo_expect(scene, &accepted);
		ck_assert(
		    tfo_sent(scene->flow, TFO_QUESTION, strlen(TFO_QUESTION)));
		ck_assert(judge_true(scene->report, "close.clean"));
	} while (was_kept_waiting(scene->flow) && ++tries < TRIES);
	if (scene->flow->side[WITNESS_CLIENT].segments_total != 2 ||
	    scene->flow->side[WITNESS_SERVER].segments_total != 3)
		scene_fail(scene, "more segments than there need to be");
	peer_stop(peer);
	tfo_finish(&stage);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("fastopen_peers");

	lab_require();
	tcase_add_loop_test(tests, granted_then_accepted, 0, 2);
	tcase_add_loop_test(tests, required_and_granted, 0, 2);
	tcase_add_loop_test(tests, not_granted, 0, 2);
	tcase_add_loop_test(tests, refused_after_a_new_key, 0, 2);
	tcase_add_loop_test(tests, disabled, 0, 2);
	tcase_add_loop_test(tests, off, 0, 2);
#ifdef __NR_setsockopt
	tcase_add_loop_test(tests, unsupported, 0, 2);
#endif
	tcase_add_loop_test(tests, fewest_segments, 0, 2);
	return suite_run(tests, "fastopen_peers");
}
