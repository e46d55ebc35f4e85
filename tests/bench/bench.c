/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a probe costs, beside the tools that are used for one, each as a ratio
 * to the least program that does the job (floor.c), in the same runs. It prints
 * tables and asserts nothing.
 *
 *	make bench			BENCH_RUNS=200 of each, in turn,
 *					each time in another order
 *
 * Every run that counts comes right after one of the same command that does not:
 * each finds its own code in the caches, and pays for what it has itself set off
 * in the kernel. A 0 was not counted. Draining is done a twentieth as often, and
 * each run counts. BUILDDIR: where lastack was built (the present directory);
 * LASTACK: another one to measure.
 */
#include <config.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "host.h"
#include "lab.h"
#include "trial.h"
#include "witness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define RUNS_DEFAULT 200
#define RUNS_MOST 10000
#define DRAIN_SHARE 20
#define ARGS_MAX 16
#define ARG_BYTES 4096
#define SETTLE_MS 2000

#define REQUEST "GET / HTTP/1.0\r\n\r\n"
#define ESCAPED "GET / HTTP/1.0\\r\\n\\r\\n"
#define URL "http://127.0.0.1:@P/"

enum job { CONNECT, SMALL, FASTOPEN, DRAIN, JOBS };

static const struct {
	const char *title;
	enum host_way way;
} jobs[JOBS] = {
	{ "connect check", HOST_ANSWER },
	{ "small request, answered with FIN", HOST_ANSWER },
	{ "small request, Fast Open with a cookie", HOST_ANSWER },
	{ "draining 2 GiB", HOST_FLOOD },
};

/* @P stands for the port, @B for the build directory, @L for lastack. */
static const struct tool {
	const char *name;
	const char *args[JOBS][ARGS_MAX]; /* none: it cannot do the job */
	const char *input;
	const char *version; /* the option that tells it */
} tools[] = {
	{ .name = "floor",
	    .args = { { "@B/tests/bench/floor", "@P" },
		{ "@B/tests/bench/floor", "@P", REQUEST },
		{ "@B/tests/bench/floor", "-F", "@P", REQUEST },
		{ "@B/tests/bench/floor", "-t", "@P", REQUEST } } },
	{ .name = "floor, copying",
	    .args = { [DRAIN] = { "@B/tests/bench/floor", "@P", REQUEST } } },
	{ .name = "lastack",
	    .version = "-V",
	    .args = { { "@L", "-z", "127.0.0.1", "@P" },
		{ "@L", "-s", ESCAPED, "-e", "200", "127.0.0.1", "@P" },
		{ "@L", "-F", "-s", ESCAPED, "-e", "200", "127.0.0.1", "@P" },
		{ "@L", "-s", ESCAPED, "-t", "300", "127.0.0.1", "@P" } } },
	{ .name = "lastack -f json",
	    .args = { { "@L", "-f", "json", "-z", "127.0.0.1", "@P" },
		{ "@L", "-f", "json", "-s", ESCAPED, "-e", "200", "127.0.0.1",
		    "@P" },
		{ "@L", "-f", "json", "-F", "-s", ESCAPED, "-e", "200",
		    "127.0.0.1", "@P" } } },
	{ .name = "lastack -Q",
	    .args = { { "@L", "-Q", "-z", "127.0.0.1", "@P" },
		{ "@L", "-Q", "-s", ESCAPED, "-e", "200", "127.0.0.1", "@P" },
		{ "@L", "-Q", "-F", "-s", ESCAPED, "-e", "200", "127.0.0.1",
		    "@P" },
		{ "@L", "-Q", "-s", ESCAPED, "-t", "300", "127.0.0.1",
		    "@P" } } },
	{ .name = "nc",
	    .input = REQUEST,
	    .args = { { "nc", "-z", "127.0.0.1", "@P" },
		{ "nc", "-N", "127.0.0.1", "@P" }, { NULL },
		{ "nc", "-N", "127.0.0.1", "@P" } } },
	{ .name = "check_tcp",
	    .version = "-V",
	    .args = { { "/usr/lib/nagios/plugins/check_tcp", "-H", "127.0.0.1",
			  "-p", "@P" },
		{ "/usr/lib/nagios/plugins/check_tcp", "-H", "127.0.0.1", "-p",
		    "@P", "-E", "-s", ESCAPED, "-e", "HTTP" } } },
	{ .name = "curl",
	    .version = "-V",
	    .args = { { NULL }, { "curl", "-s", "-o", "/dev/null", "-0", URL },
		{ "curl", "-s", "-o", "/dev/null", "-0", "--tcp-fastopen",
		    URL },
		{ "curl", "-s", "-o", "/dev/null", "-0", URL } } },
	{ .name = "socat",
	    .version = "-V",
	    .input = REQUEST,
	    .args = { { "socat", "-u", "OPEN:/dev/null", "TCP:127.0.0.1:@P" },
		{ "socat", "-t", "60", "-", "TCP:127.0.0.1:@P" }, { NULL },
		{ "socat", "-t", "60", "-", "TCP:127.0.0.1:@P" } } },
	{ .name = "ncat",
	    .version = "--version",
	    .input = REQUEST,
	    .args = { { "ncat", "-z", "127.0.0.1", "@P" },
		{ "ncat", "127.0.0.1", "@P" }, { NULL },
		{ "ncat", "127.0.0.1", "@P" } } },
	{ .name = "nping",
	    .version = "-V",
	    .args = { { "nping", "--tcp-connect", "-c", "1", "-p", "@P",
		"127.0.0.1" } } },
};

#define TOOLS COUNT(tools)

/* What the runs of one tool came to. */
struct row {
	const struct tool *tool;
	double *wall_us, *cpu_us;
	double instructions;
	unsigned int calls, sent, all, time_wait;
	long peak_kib;
	const char *told;
	int status, reset_status;
};

struct bench {
	char build[2048], lastack[2048 + 32], measure[2048 + 32];
	size_t runs;
	struct host hosts[HOST_WAYS];
};

/* ---- a command */

struct command {
	char args[ARGS_MAX][ARG_BYTES];
	const char *argv[ARGS_MAX + 1];
	struct trial trial;
};

static void
put_arg(const struct bench *b, const char *from, uint16_t port, char *to)
{
	size_t len = 0;

	to[0] = '\0';
	for (; *from != '\0' && len < ARG_BYTES - 1; from++) {
		size_t room = ARG_BYTES - len;

		if (from[0] != '@')
			len += (size_t)snprintf(to + len, room, "%c", *from);
		else if (*++from == 'P')
			len += (size_t)snprintf(to + len, room, "%u", port);
		else
			len += (size_t)snprintf(to + len, room, "%s",
			    *from == 'B' ? b->build : b->lastack);
	}
}

static void
prepare(const struct bench *b, const struct tool *tool, enum job job,
    uint16_t port, struct command *c)
{
	size_t i = 0;

	memset(c->argv, 0, sizeof(c->argv));
	for (; i < ARGS_MAX && tool->args[job][i] != NULL; i++) {
		put_arg(b, tool->args[job][i], port, c->args[i]);
		c->argv[i] = c->args[i];
	}
	c->trial = (struct trial){ .argv = c->argv,
		.input = job != CONNECT ? tool->input : NULL };
}

/* ---- counting */

/* Connections to the port that this machine holds in TIME-WAIT. */
static unsigned int
time_waits(uint16_t port)
{
	FILE *file = fopen("/proc/net/tcp", "r");
	unsigned int to, state, count = 0;
	char line[256];

	if (file == NULL)
		err(1, "/proc/net/tcp");
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, " %*u: %*x:%*x %*x:%x %x", &to, &state) == 2 &&
		    to == port && state == 6)
			count++;
	fclose(file);
	return count;
}

static const char *
told(const char *words)
{
	if (strstr(words, "last ACK") != NULL)
		return "both FINs, last ACK";
	if (strstr(words, "FIN") != NULL || strstr(words, "RST") != NULL)
		return "FIN or RST";
	return "nothing";
}

/* Of one run more: to capture costs, so it is not done while others count. */
static void
count_segments(
    struct row *row, struct command *c, uint16_t port, const struct bench *b)
{
	struct witness *witness = witness_open("lo");
	const struct witness_flow *flow;

	if (witness == NULL)
		err(1, "capture");
	trial_run(&c->trial, b->measure);
	flow = witness_settle(witness, 0, port, SETTLE_MS);
	if (flow != NULL) {
		row->sent = flow->side[WITNESS_CLIENT].segments_total;
		row->all =
		    row->sent + flow->side[WITNESS_SERVER].segments_total;
	}
	witness_close(witness);
}

/* What one run is enough for. */
static void
count_one(const struct bench *b, struct row *row, enum job job)
{
	uint16_t port = b->hosts[jobs[job].way].port;
	unsigned int before = time_waits(port), after;
	static struct command c;

	prepare(b, row->tool, job, port, &c);
	c.trial.listen = job != DRAIN || row->tool->args[job][0][0] == '@';
	trial_run(&c.trial, b->measure);
	row->status = c.trial.status;
	row->told = told(c.trial.words);
	after = time_waits(port);
	row->time_wait = after > before ? after - before : 0;
	if (job != DRAIN)
		count_segments(row, &c, port, b);
	/* Those who copy take minutes for 2 GiB when each call is watched. */
	if (job != DRAIN || row->tool->args[job][0][0] == '@') {
		row->instructions = trial_instructions(&c.trial);
		row->calls = trial_calls(&c.trial);
	}
	if (job == CONNECT)
		return;
	prepare(b, row->tool, job, b->hosts[HOST_RESET].port, &c);
	trial_run(&c.trial, b->measure);
	row->reset_status = c.trial.status;
}

/* ---- the runs */

static void
run_once(const struct bench *b, struct row *row, enum job job, size_t run)
{
	static struct command c;

	prepare(b, row->tool, job, b->hosts[jobs[job].way].port, &c);
	if (job != DRAIN)
		trial_run(&c.trial, b->measure);
	trial_run(&c.trial, b->measure);
	row->wall_us[run] = c.trial.wall_us;
	row->cpu_us[run] = c.trial.cpu_us;
	if (c.trial.peak_kib > row->peak_kib)
		row->peak_kib = c.trial.peak_kib;
}

/* Any order is as good as another, and none is to be in the figures. */
static void
shuffle(size_t *order, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t other = (size_t)rand() % i, last = order[i - 1];

		order[i - 1] = order[other];
		order[other] = last;
	}
}

static void
run_all(const struct bench *b, struct row *rows, size_t count, enum job job,
    size_t runs)
{
	size_t order[TOOLS];

	for (size_t i = 0; i < count; i++)
		order[i] = i;
	for (size_t run = 0; run < runs; run++) {
		shuffle(order, count);
		for (size_t i = 0; i < count; i++)
			run_once(b, &rows[order[i]], job, run);
	}
}

static int
compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double
median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void
print_status(int status)
{
	if (WIFEXITED(status))
		printf(" %5d", WEXITSTATUS(status));
	else
		printf("  sig%-2d", WTERMSIG(status));
}

static void
print_table(struct row *rows, size_t count, enum job job, size_t runs)
{
	double wall = 0, cpu = 0;

	printf("\n%s, %zu runs each, medians as ratios to the floor\n",
	    jobs[job].title, runs);
	printf("%-15s %6s %6s %6s %6s %8s %5s %5s %3s %5s %5s  %s\n", "",
	    "wall", "cpu", "instr", "calls", "peak KiB", "sent", "segs", "TW",
	    "exit", "onRST", "told of the close");
	for (size_t i = 0; i < count; i++) {
		struct row *r = &rows[i];
		double its_wall = median(r->wall_us, runs);
		double its_cpu = median(r->cpu_us, runs);

		if (i == 0)
			wall = its_wall, cpu = its_cpu;
		printf("%-15s %6.2f %6.2f %6.2f %6u %8ld %5u %5u %3u",
		    r->tool->name, its_wall / wall, its_cpu / cpu,
		    rows[0].instructions > 0 ?
			r->instructions / rows[0].instructions :
			0,
		    r->calls, r->peak_kib, r->sent, r->all, r->time_wait);
		print_status(r->status);
		if (job != CONNECT)
			print_status(r->reset_status);
		else
			printf("     -");
		printf("  %s\n", r->told);
	}
	printf("the floor: %.0f us, cpu %.0f us, %.0f instructions\n", wall,
	    cpu, rows[0].instructions);
	fflush(stdout);
}

static void
do_job(const struct bench *b, enum job job)
{
	size_t runs = job == DRAIN ? b->runs / DRAIN_SHARE + 1 : b->runs;
	struct row rows[TOOLS] = { { NULL } };
	size_t count = 0;

	for (size_t i = 0; i < TOOLS; i++) {
		const char *program = tools[i].args[job][0];

		if (program == NULL ||
		    (program[0] != '@' && !trial_installed(program)))
			continue;
		rows[count].tool = &tools[i];
		rows[count].wall_us = calloc(runs, sizeof(double));
		rows[count].cpu_us = calloc(runs, sizeof(double));
		if (rows[count].wall_us == NULL || rows[count].cpu_us == NULL)
			err(1, "memory");
		count_one(b, &rows[count++], job);
	}
	run_all(b, rows, count, job, runs);
	print_table(rows, count, job, runs);
	for (size_t i = 0; i < count; i++) {
		free(rows[i].wall_us);
		free(rows[i].cpu_us);
	}
}

/* ---- the whole */

static void
find_all(struct bench *b)
{
	const char *build = getenv("BUILDDIR"), *given = getenv("LASTACK");
	const char *runs = getenv("BENCH_RUNS");
	size_t n = runs != NULL ? strtoul(runs, NULL, 10) : RUNS_DEFAULT;

	b->runs = n < 1 || n > RUNS_MOST ? RUNS_DEFAULT : n;
	snprintf(b->build, sizeof(b->build), "%s", build ? build : ".");
	snprintf(
	    b->measure, sizeof(b->measure), "%s/tests/bench/measure", b->build);
	if (given != NULL && *given != '\0') {
		snprintf(b->lastack, sizeof(b->lastack), "%s", given);
		return;
	}
	snprintf(b->lastack, sizeof(b->lastack), "%s/lastack", b->build);
}

static void
print_versions(const struct bench *b)
{
	struct utsname name;
	static struct trial trial;

	if (uname(&name) == 0)
		printf("%s %s %s\n", name.sysname, name.release, name.machine);
	for (size_t i = 0; i < TOOLS; i++) {
		const char *program = tools[i].args[SMALL][0] ?
		    tools[i].args[SMALL][0] :
		    tools[i].args[CONNECT][0];
		const char *argv[] = { NULL, tools[i].version, NULL };
		char *line = trial.words;

		if (tools[i].version == NULL)
			continue;
		if (program[0] == '@')
			program = b->lastack;
		else if (!trial_installed(program))
			continue;
		argv[0] = program;
		trial = (struct trial){ .argv = argv, .listen = true };
		trial_run(&trial, b->measure);
		line += strspn(line, "\n");
		line = tools[i].name[0] == 's' && strchr(line, '\n') ?
		    strchr(line, '\n') + 1 :
		    line;
		printf("%s: %.*s\n", tools[i].name, (int)strcspn(line, "\n"),
		    line);
	}
	fflush(stdout);
}

int
main(void)
{
	static struct bench b;

	lab_require();
	if (lab_sysctl("net.ipv4.tcp_fastopen", "3") != 0)
		err(1, "tcp_fastopen");
	unsetenv("LD_LIBRARY_PATH");
	find_all(&b);
	for (int way = 0; way < HOST_WAYS; way++)
		host_start(&b.hosts[way], (enum host_way)way);
	print_versions(&b);
	for (int job = 0; job < JOBS; job++)
		do_job(&b, (enum job)job);
	for (int way = 0; way < HOST_WAYS; way++)
		host_stop(&b.hosts[way]);
	return 0;
}
