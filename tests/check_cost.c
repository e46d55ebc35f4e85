/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a probe costs, in what can be counted: system calls, by strace(1), the
 * C library's start-up included, and segments, by the witness. The limits are
 * what it takes today; whoever has to raise one says why.
 */
#include <config.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab.h"
#include "peer.h"
#include "run.h"
#include "suite.h"
#include "tfo.h"
#include "witness.h"

#define SETTLE_MS 5000
#define ARGS_MAX 32
#define CALLS_MAX 4096
#define SPARE 3 /* waits: how often a busy machine wakes us is its own choice */
#define DRAIN_BYTES (UINT64_C(64) << 20)

#define QUESTION "question"

struct job {
	const char *name;
	const struct peer_step *script;
	const char *args[8];
	bool fastopen; /* with a cookie, got by a run before */
	/* At most: in all, from the first descriptor of the probe on. */
	unsigned int calls, own_calls;
	unsigned int sent, received; /* segments; 0: not counted */
	/*
	 * Words in the order in which the trace has them, whatever is between,
	 * up to a '!' before one that it must not have; or NULL.
	 */
	const char *words[6];
};

static const struct peer_step answer[] = { { PEER_TAKE, 8 },
	{ PEER_GIVE_FIN, .data = "answer" }, { PEER_END } };
static const struct peer_step await[] = { { PEER_AWAIT }, { PEER_END } };
static const struct peer_step flood[] = { { PEER_TAKE, 8 },
	{ PEER_GIVE, DRAIN_BYTES }, { PEER_FIN }, { PEER_TAKE_ALL },
	{ PEER_END } };

static const struct job jobs[] = {
	{ .name = "connect",
	    .script = await,
	    .args = { "-z" },
	    .calls = 51,
	    .own_calls = 15,
	    .sent = 2,
	    .received = 1,
	    .words = { "!SO_TIMESTAMPING" } },
	{ .name = "small",
	    .script = answer,
	    .args = { "-s", QUESTION, "-e", "answer" },
	    .calls = 56,
	    .own_calls = 20,
	    .sent = 3,
	    .received = 4,
	    .words = { "!SO_TIMESTAMPING" } },
	/*
	 * With all figures: stamps cost two calls, the congestion's name one.
	 * What else the stamps cost comes before the clock starts.
	 */
	{ .name = "json",
	    .script = answer,
	    .args = { "-f", "json", "-s", QUESTION, "-e", "answer" },
	    .calls = 58,
	    .own_calls = 22,
	    .sent = 3,
	    .received = 4,
	    .words = { "SO_TIMESTAMPING", "sched_yield", "epoll_create1",
		"connect(" } },
	{ .name = "quiet",
	    .script = answer,
	    .args = { "-Q", "-s", QUESTION, "-e", "answer" },
	    .calls = 54,
	    .own_calls = 18,
	    .sent = 3,
	    .received = 4,
	    .words = { "!SO_TIMESTAMPING" } },
	{ .name = "fastopen",
	    .script = answer,
	    .args = { "-F", "-s", QUESTION, "-e", "answer" },
	    .fastopen = true,
	    .calls = 62,
	    .own_calls = 26,
	    .sent = 2,
	    .received = 3 },
	/* One wait and one read for each 128 KiB, if it is woken that often. */
	{ .name = "drain",
	    .script = flood,
	    .args = { "-s", QUESTION },
	    .calls = 56 + 2 * DRAIN_BYTES / 131072,
	    .own_calls = 20 + 2 * DRAIN_BYTES / 131072,
	    .words = { "SO_RCVLOWAT" } },
};

#define JOBS (sizeof(jobs) / sizeof(jobs[0]))

/* ---- tracing */

static char tracer[4096], program[4096];

static bool
find_tracer(void)
{
	const char *path = getenv("PATH");

	while (path != NULL && *path != '\0') {
		size_t len = strcspn(path, ":");

		snprintf(tracer, sizeof(tracer), "%.*s/strace", (int)len, path);
		if (access(tracer, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

static void
find_program(void)
{
	const char *given = getenv("LASTACK"), *build = getenv("BUILDDIR");

	if (given != NULL && *given != '\0')
		snprintf(program, sizeof(program), "%s", given);
	else
		snprintf(program, sizeof(program), "%s/lastack",
		    build != NULL && *build != '\0' ? build : ".");
}

/* In memory: no file is left behind by a test that fails. */
struct trace {
	int fd;
	char path[32];
	unsigned int calls, own_calls;
};

/* What the allocator and a sanitizer do is not of the probe. */
static bool
of_memory(const char *line)
{
	static const char *const names[] = { "mmap(", "munmap(", "mprotect(",
		"brk(", "madvise(", "getrandom(", "futex(", "sigaltstack(",
		"+++", "---" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(line, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void
count_calls(struct trace *trace)
{
	FILE *file = fopen(trace->path, "r");
	char line[4096];
	bool own = false;

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		/* "PID CALL(...": the process's id is padded. */
		const char *call = line + strspn(line, "0123456789 ");

		if (strncmp(call, "epoll_create1(", 14) == 0 ||
		    strncmp(call, "socket(", 7) == 0)
			own = true;
		if (strncmp(call, "+++", 3) != 0)
			trace->calls++;
		if (own && !of_memory(call))
			trace->own_calls++;
	}
	fclose(file);
}

static void
show_calls(const struct trace *trace)
{
	FILE *file = fopen(trace->path, "r");
	char line[160];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		fprintf(stderr, "%s%s", line, strchr(line, '\n') ? "" : "\n");
	if (file != NULL)
		fclose(file);
}

/* Runs the command under the tracer: that is what run.c is told to run. */
static void
run_traced(const struct job *job, uint16_t port, struct trace *trace)
{
	/* Its own way of looking for leaks does not go with being traced. */
	const char *leaks = "ASAN_OPTIONS=exitcode=99:detect_leaks=0";
	const char *argv[ARGS_MAX] = { "-f", "-o", trace->path, "-E", leaks };
	struct run run;
	char port_text[8];
	size_t count = 5;

	trace->fd = memfd_create("trace", MFD_CLOEXEC);
	ck_assert_int_ne(trace->fd, -1);
	snprintf(trace->path, sizeof(trace->path), "/proc/%d/fd/%d", getpid(),
	    trace->fd);
	argv[count++] = program;
	for (size_t i = 0; job->args[i] != NULL; i++)
		argv[count++] = job->args[i];
	snprintf(port_text, sizeof(port_text), "%u", port);
	argv[count++] = "127.0.0.1";
	argv[count++] = port_text;
	ck_assert_int_eq(setenv("LASTACK", tracer, 1), 0);
	run_command(&run, argv);
	ck_assert_msg(run.status == 0, "%s: status %d: %s%s", job->name,
	    run.status, run.out, run.err);
	run_free(&run);
	count_calls(trace);
}

/* ---- what it came to */

static void
check_segments(const struct job *job, struct witness *witness, uint16_t port)
{
	const struct witness_flow *flow =
	    witness_settle(witness, 0, port, SETTLE_MS);

	ck_assert_ptr_nonnull(flow);
	ck_assert_uint_eq(witness_drops(witness), 0);
	if (job->sent == 0)
		return;
	if (flow->side[WITNESS_CLIENT].segments > job->sent ||
	    flow->side[WITNESS_SERVER].segments > job->received) {
		witness_dump(flow, stderr);
		ck_abort_msg("%s: more segments than %u and %u", job->name,
		    job->sent, job->received);
	}
}

static void
check_calls(const struct job *job, const struct trace *trace)
{
	/* Under a sanitizer the start-up is not ours. */
	if ((trace->calls <= job->calls + SPARE || SANITIZED) &&
	    trace->own_calls <= job->own_calls + SPARE)
		return;
	if (trace->calls < CALLS_MAX)
		show_calls(trace);
	ck_abort_msg("%s: %u system calls, %u of them the probe's own: more "
		     "than %u and %u",
	    job->name, trace->calls, trace->own_calls, job->calls,
	    job->own_calls);
}

/* One line of the trace; moves to the next word where this has the present one. */
static const char *const *
look_for_word(const struct job *job, const char *const *word, const char *line)
{
	if (*word == NULL)
		return word;
	if (**word != '!')
		return word + (strstr(line, *word) != NULL);
	ck_assert_msg(strstr(line, *word + 1) == NULL, "%s: not without %s",
	    job->name, *word + 1);
	return word;
}

static void
check_words(const struct job *job, const struct trace *trace)
{
	const char *const *word = job->words;
	FILE *file = fopen(trace->path, "r");
	char line[4096];

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL)
		word = look_for_word(job, word, line);
	fclose(file);
	ck_assert_msg(*word == NULL || **word == '!', "%s: no %s in its place",
	    job->name, *word);
}

START_TEST(costs)
{
	const struct job *job = &jobs[_i];
	struct witness *witness;
	struct trace trace = { 0 };
	struct peer *peer;

	tfo_enter(TFO_BOTH);
	lab_pin();
	witness = witness_open("lo");
	ck_assert_ptr_nonnull(witness);
	peer = peer_start(AF_INET, job->script);
	if (job->fastopen) {
		struct trace first = { 0 };

		run_traced(job, peer_port(peer), &first);
		close(first.fd);
	}
	run_traced(job, peer_port(peer), &trace);
	check_segments(job, witness, peer_port(peer));
	check_calls(job, &trace);
	check_words(job, &trace);
	if (getenv("COST_SHOW") != NULL)
		fprintf(stderr, "%s: %u calls, %u own\n", job->name,
		    trace.calls, trace.own_calls);
	close(trace.fd);
	peer_stop(peer);
	witness_close(witness);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("cost");
	bool strict = getenv("CI") != NULL && getenv("CI")[0] != '\0';

	if (!find_tracer()) {
		fprintf(stderr, "strace: not installed%s\n",
		    strict ? ", and CI must not skip" : "; skipped");
		return strict ? 1 : 77;
	}
	find_program();
	lab_require();
	tcase_add_loop_test(tests, costs, 0, JOBS);
	return suite_run(tests, "cost");
}
