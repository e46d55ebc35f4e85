/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random peers, random options, and the capture as the judge. The seed is
 * printed; LASTACK_RANDOM_SEED gives it, LASTACK_RANDOM_COUNT how many
 * connections (200), LASTACK_RANDOM_FROM which of them to begin with; then
 * each is printed before it is run.
 */
#include <config.h>

#include <check.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "judge.h"
#include "lab.h"
#include "peer.h"
#include "scene.h"

#define STEPS_MAX 8
#define ARGS_MAX 32
#define COUNT_DEFAULT 200

/* One connection to be: all of it follows from the seed. */
struct plan {
	uint64_t state; /* of the generator */
	struct peer_step script[STEPS_MAX + 1];
	char texts[ARGS_MAX][48];
	const char *args[ARGS_MAX + 1];
	size_t count;
	bool ipv6;
};

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
draw_step(struct plan *plan, struct peer_step *step)
{
	static const uint64_t sizes[] = { 1, 10, 1000, 30000, 300000 };

	*step = (struct peer_step){ PEER_TAKE, 0, NULL };
	switch (draw(plan, 11)) {
	case 0:
	case 1:
		break;
	case 2:
		*step = (struct peer_step){ PEER_TAKE_ALL, 0, NULL };
		break;
	case 3:
		*step = (struct peer_step){ PEER_PEEK, 0, NULL };
		break;
	case 4:
	case 5:
		*step = (struct peer_step){ PEER_GIVE,
			1 + draw(plan, sizes[draw(plan, 5)]), NULL };
		break;
	case 6:
		*step = (struct peer_step){ PEER_GIVE, 0, "answer" };
		break;
	case 7:
		*step =
		    (struct peer_step){ PEER_DRIP, 1 + draw(plan, 40), NULL };
		break;
	case 8:
		*step =
		    (struct peer_step){ PEER_PAUSE, draw(plan, 6000), NULL };
		break;
	case 9:
		*step = (struct peer_step){ PEER_FIN, 0, NULL };
		break;
	case 10:
		*step = (struct peer_step){ PEER_URGENT, 0, "abcX" };
		break;
	}
}

static void
draw_script(struct plan *plan)
{
	size_t steps = 1 + draw(plan, STEPS_MAX - 1);
	static const enum peer_action ends[] = { PEER_END, PEER_RESET,
		PEER_AWAIT, PEER_GIVE_FIN };

	for (size_t i = 0; i < steps; i++)
		draw_step(plan, &plan->script[i]);
	plan->script[steps] =
	    (struct peer_step){ ends[draw(plan, 4)], 0, "end" };
	if (steps < STEPS_MAX)
		plan->script[steps + 1] =
		    (struct peer_step){ PEER_END, 0, NULL };
}

static void add(struct plan *plan, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
add(struct plan *plan, const char *format, ...)
{
	va_list arguments;

	ck_assert_uint_lt(plan->count, ARGS_MAX);
	va_start(arguments, format);
	vsnprintf(plan->texts[plan->count], sizeof(plan->texts[0]), format,
	    arguments);
	va_end(arguments);
	plan->args[plan->count] = plan->texts[plan->count];
	plan->count++;
}

static void
draw_times(struct plan *plan)
{
	add(plan, "-t");
	add(plan, "%" PRIu64 "ms", 30 + draw(plan, 200));
	if (chance(plan, 70))
		add(plan, "--drain=%" PRIu64 "us", draw(plan, 10000));
	if (chance(plan, 70))
		add(plan, "--idle=%" PRIu64 "us", 1 + draw(plan, 10000));
	if (chance(plan, 20))
		add(plan, "--delay=%" PRIu64 "us", draw(plan, 6000));
}

static void
draw_exchange(struct plan *plan)
{
	static const char *const expects[] = { "answer", "end", "X", "never",
		"" };

	if (chance(plan, 60))
		add(plan, "--send=question");
	if (chance(plan, 20))
		add(plan, "--send-file=random.bin");
	if (chance(plan, 20))
		add(plan, "-N");
	else if (chance(plan, 20))
		add(plan, "--quit=goodbye");
	if (chance(plan, 50))
		add(plan, "--expect=%s", expects[draw(plan, 5)]);
	if (chance(plan, 10))
		add(plan, "--maxbytes=%" PRIu64, 1 + draw(plan, 2000));
}

static void
draw_plan(struct plan *plan)
{
	static const char *const closes[] = { "auto", "auto", "fin", "rst" };

	draw_script(plan);
	draw_times(plan);
	if (chance(plan, 20)) {
		add(plan, "--expect-regex=[a-z]");
		add(plan, "--then");
		add(plan, "--send=first");
		add(plan, "--not-expect=never");
		add(plan, "--maxbytes=%" PRIu64, 1 + draw(plan, 50));
		add(plan, "--then");
		add(plan, "--send=last");
	}
	if (chance(plan, 90))
		draw_exchange(plan);
	if (chance(plan, 50))
		add(plan, "--close=%s", closes[draw(plan, 4)]);
	if (chance(plan, 5))
		add(plan, "--expect-close=fin");
	plan->ipv6 = chance(plan, 30);
	plan->args[plan->count] = NULL;
}

static uint64_t
setting(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value != NULL ? strtoull(value, NULL, 10) : otherwise;
}

static void
print_plan(const struct plan *plan, uint64_t number)
{
	fprintf(stderr, "connection %" PRIu64 ":", number);
	for (size_t i = 0; i < plan->count; i++)
		fprintf(stderr, " %s", plan->args[i]);
	fprintf(stderr, "\n  script:");
	for (size_t i = 0; i <= STEPS_MAX; i++) {
		fprintf(stderr, " %d/%" PRIu64, (int)plan->script[i].action,
		    plan->script[i].n);
		if (plan->script[i].action == PEER_END ||
		    plan->script[i].action == PEER_RESET)
			break;
	}
	fputc('\n', stderr);
}

static void
play(struct scene *scene, uint64_t seed, uint64_t number, bool ipv6)
{
	struct plan plan = { .state = seed + number * 1000003 };
	struct peer *peer;
	char name[96];

	snprintf(name, sizeof(name), "check_random-%" PRIu64 "-%" PRIu64, seed,
	    number);
	scene->name = name;
	draw_plan(&plan);
	ipv6 = ipv6 && plan.ipv6;
	if (getenv("LASTACK_RANDOM_FROM") != NULL)
		print_plan(&plan, number);
	peer = peer_start(ipv6 ? AF_INET6 : AF_INET, plan.script);
	scene_play(
	    scene, ipv6 ? "::1" : "127.0.0.1", peer_port(peer), plan.args);
	peer_stop(peer);
	scene_clear(scene);
}

static void
make_payload(void)
{
	FILE *file = fopen("random.bin", "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(ftruncate(fileno(file), 500000), 0);
	fclose(file);
}

START_TEST(random_connections)
{
	uint64_t seed = setting("LASTACK_RANDOM_SEED", (uint64_t)time(NULL));
	uint64_t count = setting("LASTACK_RANDOM_COUNT", COUNT_DEFAULT);
	uint64_t from = setting("LASTACK_RANDOM_FROM", 0);
	struct scene scene = { .witness = witness_open("lo") };
	bool ipv6 = lab_has_ipv6();

	ck_assert_ptr_nonnull(scene.witness);
	make_payload();
	fprintf(stderr, "LASTACK_RANDOM_SEED=%" PRIu64 "\n", seed);
	for (uint64_t i = from; i < from + count; i++)
		play(&scene, seed, i, ipv6);
	fprintf(stderr,
	    "%" PRIu64 " connections agree with the capture, "
	    "%u fields were left untold\n",
	    count, scene.untold);
	remove("random.bin");
	scene_clear(&scene);
	witness_close(scene.witness);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("random");
	TCase *tcase = tcase_create("random");
	SRunner *runner;
	int failed;

	lab_require();
	tcase_set_timeout(tcase, 3600);
	tcase_add_test(tcase, random_connections);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
