/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Prometheus exposition: what is in it is held against its manual and
 * against promtool, and what was not reached is not in it.
 */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"
#include "server.h"
#include "suite.h"
#include "tcp.h"

#define GIVE(literal) .give = literal, .give_bytes = sizeof(literal) - 1
#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NAMES_MAX 64

static struct server server;

struct names {
	char name[NAMES_MAX][64];
	size_t count;
};

static void
add_name(struct names *names, const char *name, size_t len)
{
	ck_assert_uint_lt(len, sizeof(names->name[0]));
	for (size_t i = 0; i < names->count; i++)
		if (strlen(names->name[i]) == len &&
		    memcmp(names->name[i], name, len) == 0)
			return;
	ck_assert_uint_lt(names->count, NAMES_MAX);
	memcpy(names->name[names->count], name, len);
	names->name[names->count++][len] = '\0';
}

static bool
has_name(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->name[i], name) == 0)
			return true;
	return false;
}

/* ---- a reader of the exposition that is not ours: promtool */

static bool
have_promtool(void)
{
	return system("promtool --version >/dev/null 2>&1") == 0;
}

/* What it complains of, by its status or on its outputs, is a failure. */
static void
assert_promtool(const struct run *run)
{
	char said[1024] = "", name[] = "/tmp/lastack-XXXXXX", command[128];
	int fd = mkstemp(name);
	FILE *tool;
	size_t len;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, run->out, run->out_bytes), run->out_bytes);
	close(fd);
	snprintf(
	    command, sizeof(command), "promtool check metrics <%s 2>&1", name);
	tool = popen(command, "r");
	ck_assert_ptr_nonnull(tool);
	len = fread(said, 1, sizeof(said) - 1, tool);
	said[len] = '\0';
	ck_assert_msg(pclose(tool) == 0 && len == 0, "promtool: %s", said);
	unlink(name);
}

/* ---- and one of lines */

/* The value of the sample that begins so; NAN: there is none. */
static double
sample(const struct run *run, const char *begin)
{
	const char *at = run->out;

	while ((at = strstr(at, begin)) != NULL) {
		/* A label may have a brace as well. */
		if (at == run->out || at[-1] == '\n')
			return strtod(
			    (const char *)memrchr(at, ' ', strcspn(at, "\n")),
			    NULL);
		at++;
	}
	return NAN;
}

/* Every line: HELP, TYPE, and the samples that belong to them. */
static void
read_lines(const struct run *run, struct names *names)
{
	char metric[64] = "", target[128] = "";
	char *copy = strdup(run->out), *rest = copy, *line;

	ck_assert_ptr_nonnull(copy);
	ck_assert_uint_eq(run->out_bytes, strlen(run->out));
	ck_assert_int_eq(run->out[run->out_bytes - 1], '\n');
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		char word[64], type[16] = "gauge";
		int end = 0;

		for (const char *c = line; *c != '\0'; c++)
			ck_assert_msg(*c >= ' ' && *c <= '~', "%s", line);
		if (sscanf(line, "# HELP %63s", metric) == 1)
			continue;
		if (sscanf(line, "# TYPE %63s %15s", word, type) == 2) {
			ck_assert_str_eq(word, metric);
			ck_assert_str_eq(type, "gauge");
			continue;
		}
		ck_assert_int_eq(
		    sscanf(line, "%63[a-z_]{target=%n", word, &end), 1);
		ck_assert_str_eq(word, metric);
		ck_assert_int_gt(end, 0);
		/* The first label of all, and the same in all. */
		if (target[0] == '\0')
			snprintf(target, sizeof(target), "%.*s",
			    (int)strcspn(line + end, ",}"), line + end);
		ck_assert_msg(strncmp(line + end, target, strlen(target)) == 0,
		    "%s: %s", target, line);
		add_name(names, word, strlen(word));
	}
	free(copy);
}

/* ---- the situations */

static void
take(struct run *run, struct names *names, int status)
{
	double success = status == 0;

	ck_assert_str_eq(run->err, "");
	ck_assert_msg(
	    run->status == status, "status %d: %s", run->status, run->out);
	read_lines(run, names);
	if (have_promtool())
		assert_promtool(run);
	ck_assert_double_eq(sample(run, "lastack_probe_success{"), success);
	ck_assert_double_eq(sample(run, "lastack_probe_exit_status{"), status);
	ck_assert_double_eq(sample(run, "lastack_probe_info{"), 1);
}

static void
assert_label(const struct run *run, const char *label)
{
	const char *info = strstr(run->out, "\nlastack_probe_info{");
	const char *found = strstr(run->out, label);

	ck_assert_ptr_nonnull(info);
	ck_assert_msg(
	    found != NULL && found < strchr(info + 1, '\n'), "%s", info);
}

/* A whole exchange, with all that it has to tell. */
static void
run_good(struct names *names)
{
	static const char *const phases[] = { "connect", "send", "wait",
		"receive", "drain", "close" };
	double sum = 0, total;
	struct run run;

	server_start(&server, AF_INET,
	    &(struct server_script){ .take = 4, GIVE("hello") });
	server_run(&server, &run, NULL,
	    ARGV("-F", "-d", "20ms", "-f", "prometheus", "-s", "ping", "-e",
		"hello"));
	take(&run, names, 0);
	ck_assert_double_eq(sample(&run, "lastack_sent_bytes{"), 4);
	ck_assert_double_eq(sample(&run, "lastack_received_bytes{"), 5);
	ck_assert_double_eq(sample(&run, "lastack_expect_match{"), 1);
	ck_assert_double_eq(sample(&run, "lastack_attempts{"), 1);
	assert_label(&run, ",outcome=\"ok\"");
	assert_label(&run, ",close_peer=\"fin\"");
	ck_assert_ptr_null(strstr(run.out, "errno="));
	ck_assert_ptr_null(strstr(run.out, "phase=\"resolve\""));
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		char name[128];

		snprintf(name, sizeof(name),
		    "lastack_phase_duration_seconds{target=\"127.0.0.1:%s\","
		    "phase=\"%s\"",
		    server.port_text, phases[i]);
		sum += sample(&run, name);
	}
	total = sample(&run, "lastack_probe_duration_seconds{");
	ck_assert_double_eq_tol(sum, total, 1e-9);
	ck_assert_double_ge(total, 0.02);
	ck_assert_double_le(total, (double)run.elapsed_ns / 1e9);
	run_free(&run);
	server_stop(&server);
}

static void
run_connect_only(struct names *names)
{
	struct run run;

	server_start(
	    &server, AF_INET6, &(struct server_script){ .end = SERVER_HOLD });
	server_run(&server, &run, NULL, ARGV("-f", "prometheus"));
	take(&run, names, 0);
	ck_assert_ptr_nonnull(strstr(run.out, "{target=\"[::1]:"));
	ck_assert(isnan(sample(&run, "lastack_sent_bytes{")));
	ck_assert(isnan(sample(&run, "lastack_received_bytes{")));
	ck_assert(isnan(sample(&run, "lastack_drained_bytes{")));
	ck_assert(isnan(sample(&run, "lastack_syn_payload_bytes{")));
	ck_assert(isnan(sample(&run, "lastack_expect_match{")));
	run_free(&run);
	server_stop(&server);
}

/* Nothing of a connection, and no 0 in its place. */
static void
run_refused(struct names *names)
{
	struct names own = { .count = 0 };
	int fd = tcp_bound(AF_INET);
	char port[8];
	struct run run;

	snprintf(port, sizeof(port), "%u", tcp_port(fd));
	run_command(&run,
	    ARGV("-F", "-f", "prometheus", "-s", "x", "-e", "y", "127.0.0.1",
		port));
	take(&run, &own, 4);
	ck_assert_uint_eq(own.count, 6);
	ck_assert(has_name(&own, "lastack_phase_duration_seconds"));
	ck_assert(has_name(&own, "lastack_attempts"));
	assert_label(&run, ",outcome=\"refused\"");
	assert_label(&run, ",errno=\"ECONNREFUSED\"");
	assert_label(&run, ",phase=\"connect\"");
	for (size_t i = 0; i < own.count; i++)
		add_name(names, own.name[i], strlen(own.name[i]));
	run_free(&run);
	close(fd);
}

static void
run_mismatch(struct names *names)
{
	struct run run;

	server_start(&server, AF_INET,
	    &(struct server_script){ .take = 1, GIVE("a\"\\\n\x1b}") });
	server_run(&server, &run, NULL,
	    ARGV("-v", "-f", "prometheus", "-s", "x", "-e", "hello"));
	take(&run, names, 1);
	ck_assert_double_eq(sample(&run, "lastack_expect_match{"), 0);
	assert_label(&run, ",outcome=\"mismatch\"");
	run_free(&run);
	server_stop(&server);
}

/* A host that would end the label, the line or the file. */
static void
run_hostile_target(struct names *names)
{
	static const char host[] = "a\"} 1\n# \\\x1b\xff..";
	struct run run;

	run_command(&run, ARGV("-f", "prometheus", "-t", "50ms", host, "1"));
	take(&run, names, 3);
	ck_assert_ptr_nonnull(strstr(
	    run.out, "{target=\"a\\\"} 1\\\\n# \\\\\\\\x1b\\\\xff..:1\"}"));
	run_free(&run);
}

START_TEST(situations)
{
	struct names names = { .count = 0 };

	run_good(&names);
	run_connect_only(&names);
	run_refused(&names);
	run_mismatch(&names);
	run_hostile_target(&names);
}
END_TEST

/* ---- the manual */

/* ".It Va lastack_sent_bytes", within its section. */
static void
read_manual(struct names *names)
{
	const char *source = getenv("SRCDIR");
	char path[4096], line[256];
	bool inside = false;
	FILE *file;

	snprintf(path, sizeof(path), "%s/man/lastack.1",
	    source != NULL ? source : ".");
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, ".Ss ", 4) == 0)
			inside = strcmp(line + 4, "Prometheus") == 0;
		if (inside && strncmp(line, ".It Va ", 7) == 0)
			add_name(names, line + 7, strlen(line + 7));
	}
	fclose(file);
}

START_TEST(manual)
{
	struct names told = { .count = 0 }, seen = { .count = 0 };

	read_manual(&told);
	run_good(&seen);
	run_mismatch(&seen);
	ck_assert_uint_gt(told.count, 20);
	for (size_t i = 0; i < seen.count; i++)
		ck_assert_msg(has_name(&told, seen.name[i]),
		    "%s is not in the manual", seen.name[i]);
#ifdef LASTACK_TCP_INFO
	for (size_t i = 0; i < told.count; i++)
		ck_assert_msg(has_name(&seen, told.name[i]),
		    "%s is only in the manual", told.name[i]);
#endif
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("prometheus");

	if (!have_promtool())
		fprintf(stderr, "no promtool: less is looked at\n");
	tcase_add_test(tests, situations);
	tcase_add_test(tests, manual);
	return suite_run(tests, "prometheus");
}
