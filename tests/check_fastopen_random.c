/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fast Open with random peers, settings and options, and the capture as the
 * judge. The seed is printed; LASTACK_FASTOPEN_SEED gives it, and
 * LASTACK_FASTOPEN_COUNT how many connections (150). A connection depends on
 * the cookie that those before it have left: each batch begins without one.
 */
#include <config.h>

#include <check.h>
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "judge.h"
#include "lab.h"
#include "peer.h"
#include "scene.h"
#include "suite.h"
#include "tfo.h"

#define COUNT_DEFAULT 150
#define STEPS_MAX 6
#define ARGS_MAX 16
#define PAYLOAD_BYTES 200000
#define BATCH 20

/* One connection to be: all of it follows from the seed. */
struct plan {
	uint64_t state; /* of the generator */
	struct peer_step script[STEPS_MAX + 1];
	const char *args[ARGS_MAX + 1];
	size_t count;
	unsigned int setting; /* net.ipv4.tcp_fastopen */
	uint64_t payload_bytes;
	bool asks, ipv6, new_key;
};

static const char *const statuses[] = { "off", "unused", "disabled",
	"requested", "accepted", "partial", "refused", "blackholed", "" };

#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

/* How often each was seen, by the processes of all batches. */
static struct tally {
	unsigned int seen[STATUSES];
	unsigned int untold;
	unsigned int connections;
} * tally;

static uint64_t seed, connections;

/* splitmix64, by Sebastiano Vigna, in the public domain. */
static uint64_t
draw(struct plan *plan, uint64_t below)
{
	uint64_t z = (plan->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % below;
}

static bool
chance(struct plan *plan, uint64_t percent)
{
	return draw(plan, 100) < percent;
}

static void
add(struct plan *plan, const char *arg)
{
	ck_assert_uint_lt(plan->count, ARGS_MAX);
	plan->args[plan->count++] = arg;
}

static void
draw_script(struct plan *plan)
{
	static const struct peer_step steps[] = {
		{ PEER_TAKE, 0, NULL },
		{ PEER_TAKE, 0, NULL },
		{ PEER_TAKE, 5, NULL },
		{ PEER_TAKE_ALL, 0, NULL },
		{ PEER_PEEK, 0, NULL },
		{ PEER_GIVE, 0, "answer" },
		{ PEER_GIVE, 0, "answer" },
		{ PEER_GIVE, 30000, NULL },
		{ PEER_DRIP, 9, NULL },
		{ PEER_PAUSE, 2000, NULL },
		{ PEER_FIN, 0, NULL },
	};
	static const enum peer_action ends[] = { PEER_END, PEER_END, PEER_RESET,
		PEER_AWAIT, PEER_GIVE_FIN };
	size_t count = draw(plan, STEPS_MAX - 1);

	for (size_t i = 0; i < count; i++)
		plan->script[i] =
		    steps[draw(plan, sizeof(steps) / sizeof(steps[0]))];
	plan->script[count] =
	    (struct peer_step){ ends[draw(plan, 5)], 0, "end" };
}

static void
draw_payload(struct plan *plan)
{
	static const char *const texts[] = { "question", "q",
		"a somewhat longer question that wants an answer" };

	if (chance(plan, 70)) {
		add(plan, "-s");
		add(plan, texts[draw(plan, 3)]);
		plan->payload_bytes += strlen(plan->args[plan->count - 1]);
	}
	if (chance(plan, 20)) {
		add(plan, "--send-file=fastopen_random.bin");
		plan->payload_bytes += PAYLOAD_BYTES;
	}
	if (chance(plan, 25))
		add(plan, "-N");
	if (chance(plan, 50))
		add(plan, "--expect=answer");
}

static void
draw_plan(struct plan *plan)
{
	static const char *const wishes[] = { "-F", "--fastopen=try",
		"--fastopen=require" };
	static const char *const closes[] = { "--close=auto", "--close=fin",
		"--close=rst" };
	/* Most often both sides; then without cookies, or one side only. */
	static const unsigned int settings[] = { 3, 3, 3, 3, 3, 3, 0x603, 0x7,
		0x207, 1, 2, 0 };

	draw_script(plan);
	plan->asks = chance(plan, 95);
	if (plan->asks)
		add(plan, wishes[draw(plan, 3)]);
	draw_payload(plan);
	if (chance(plan, 50))
		add(plan, closes[draw(plan, 3)]);
	add(plan, "--drain=5ms");
	add(plan, "--idle=5ms");
	add(plan, chance(plan, 50) ? "-t" : "--timeout");
	add(plan, "200ms");
	plan->setting = settings[draw(plan, 12)];
	plan->new_key = chance(plan, 15);
	plan->ipv6 = chance(plan, 40);
	plan->args[plan->count] = NULL;
}

static void
set(struct plan *plan)
{
	char value[48];

	snprintf(value, sizeof(value), "%u", plan->setting);
	ck_assert_int_eq(lab_sysctl("net.ipv4.tcp_fastopen", value), 0);
	snprintf(value, sizeof(value), "%x-%x-%x-%x",
	    (unsigned int)draw(plan, 1 << 30), 2U, 3U, 4U);
	if (plan->new_key)
		ck_assert_int_eq(
		    lab_sysctl("net.ipv4.tcp_fastopen_key", value), 0);
}

/* What a plain SYN on the wire is to be called. */
static bool
is_named_right(const struct plan *plan, const char *status)
{
	if (!plan->asks)
		return strcmp(status, "off") == 0;
	if (plan->payload_bytes == 0)
		return strcmp(status, "unused") == 0;
	return (strcmp(status, "disabled") == 0) == !(plan->setting & 1);
}

static void
count(const char *status)
{
	for (size_t i = 0; i < STATUSES; i++)
		if (strcmp(statuses[i], status) == 0)
			tally->seen[i]++;
	tally->connections++;
}

static bool
is_required(const struct plan *plan)
{
	return plan->asks && strstr(plan->args[0], "require") != NULL;
}

static void
compare(struct scene *scene, const struct plan *plan)
{
	const char *status = judge_string(scene->report, "fastopen.status");
	bool accepted = strcmp(status, "accepted") == 0;

	if (scene->flow == NULL || !tfo_judge(scene->flow, scene->report))
		scene_fail(scene, "Fast Open is not what the wire says");
	if (scene->flow->side[WITNESS_CLIENT].payload_bytes >
	    plan->payload_bytes)
		scene_fail(scene, "more payload than there is");
	if (!is_named_right(plan, status))
		scene_fail(scene, "not what a plain SYN is to be called");
	if (scene->run.status == 11 && (accepted || !is_required(plan)))
		scene_fail(scene, "wrong exit status 11");
	if (scene->run.status == 0 && !accepted && is_required(plan))
		scene_fail(scene, "required, and no exit status 11");
	count(status);
}

static void
play(struct scene *scene, uint64_t number, bool ipv6)
{
	struct plan plan = { .state = seed + number * 1000003 };
	struct peer *peer;
	char name[96];

	snprintf(name, sizeof(name),
	    "check_fastopen_random-%" PRIu64 "-%" PRIu64, seed, number);
	scene->name = name;
	draw_plan(&plan);
	set(&plan);
	ipv6 = ipv6 && plan.ipv6;
	peer = peer_start(ipv6 ? AF_INET6 : AF_INET, plan.script);
	scene_play(
	    scene, ipv6 ? "::1" : "127.0.0.1", peer_port(peer), plan.args);
	compare(scene, &plan);
	peer_stop(peer);
	scene_clear(scene);
}

static uint64_t
setting(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value != NULL ? strtoull(value, NULL, 10) : otherwise;
}

static void
make_payload(void)
{
	FILE *file = fopen("fastopen_random.bin", "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(ftruncate(fileno(file), PAYLOAD_BYTES), 0);
	fclose(file);
}

static void
remove_payload(void)
{
	remove("fastopen_random.bin");
}

START_TEST(random_connections)
{
	uint64_t from = (uint64_t)_i * BATCH;
	uint64_t end = from + BATCH;
	struct scene scene = { 0 };
	bool ipv6;

	tfo_enter(TFO_CLIENT);
	ipv6 = lab_has_ipv6();
	scene.witness = witness_open("lo");
	ck_assert_ptr_nonnull(scene.witness);
	for (uint64_t i = from; i < end && i < connections; i++)
		play(&scene, i, ipv6);
	tally->untold += scene.untold;
	scene_clear(&scene);
	witness_close(scene.witness);
}
END_TEST

static void
print_tally(void)
{
	fprintf(stderr,
	    "%u connections agree with the capture, "
	    "%u fields were left untold:",
	    tally->connections, tally->untold);
	for (size_t i = 0; i < STATUSES; i++)
		fprintf(stderr, " %u %s", tally->seen[i],
		    *statuses[i] != '\0' ? statuses[i] : "null");
	fputc('\n', stderr);
}

int
main(void)
{
	TCase *tests = tcase_create("random");
	int status;

	lab_require();
	seed = setting("LASTACK_FASTOPEN_SEED", (uint64_t)time(NULL));
	connections = setting("LASTACK_FASTOPEN_COUNT", COUNT_DEFAULT);
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED)
		err(1, "mmap");
	fprintf(stderr, "LASTACK_FASTOPEN_SEED=%" PRIu64 "\n", seed);
	tcase_add_unchecked_fixture(tests, make_payload, remove_payload);
	tcase_add_loop_test(tests, random_connections, 0,
	    (int)((connections + BATCH - 1) / BATCH));
	status = suite_run(tests, "fastopen_random");
	print_tally();
	return status;
}
