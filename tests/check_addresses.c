/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A name with three addresses, each with a server of its own kind: with
 * --all-addresses every one is probed, and the worst outcome counts.
 */
#include <config.h>

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hosts.h"
#include "lab.h"
#include "run.h"
#include "schema.h"
#include "suite.h"
#include "tcp.h"

#define ADDRESSES 3
#define PORT "28713" /* of a network namespace of our own */
#define HOSTS                                                                  \
	"127.0.0.1 three.test\n127.0.0.2 three.test\n127.0.0.3 three.test\n"

/* clang-format off */
#define ARGS(...) { __VA_ARGS__, NULL }
/* clang-format on */

enum kind {
	ANSWERS, /* +PONG, and closes */
	ERRS,	 /* -ERR, and closes */
	CLOSES,
	RESETS,
	REFUSES,
	SILENT,
};

static unsigned int *served; /* by each; shared with the child */
static pid_t child;

static int
listen_at(int i)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(PORT)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)i) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	ck_assert_int_ge(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

static void
serve(int listener, enum kind kind, unsigned int *count)
{
	int fd = accept(listener, NULL, NULL);
	char byte;

	if (fd == -1 || recv(fd, &byte, 1, 0) != 1 || byte != 'x')
		return;
	__atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
	switch (kind) {
	case ANSWERS:
		send(fd, "+PONG", 5, MSG_NOSIGNAL);
		break;
	case ERRS:
		send(fd, "-ERR", 4, MSG_NOSIGNAL);
		break;
	case RESETS:
		tcp_reset(fd);
		return;
	case SILENT:
		return; /* and open */
	default:
		break;
	}
	close(fd);
}

static void
serve_all(const enum kind *kinds)
{
	struct pollfd fds[ADDRESSES];

	for (int i = 0; i < ADDRESSES; i++)
		fds[i] = (struct pollfd){
			.fd = kinds[i] == REFUSES ? -1 : listen_at(i),
			.events = POLLIN,
		};
	child = fork();
	ck_assert_int_ne(child, -1);
	/* Not to outlive a test that fails. */
	if (child == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (child == 0)
		if (poll(fds, ADDRESSES, -1) > 0)
			for (int i = 0; i < ADDRESSES; i++)
				if (fds[i].revents != 0)
					serve(fds[i].fd, kinds[i], &served[i]);
	for (int i = 0; i < ADDRESSES; i++)
		if (fds[i].fd != -1)
			close(fds[i].fd);
}

static bool
begin(const enum kind *kinds)
{
	if (!hosts_enter(HOSTS))
		return false;
	served = mmap(NULL, ADDRESSES * sizeof(*served), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(served != MAP_FAILED);
	serve_all(kinds);
	return true;
}

static void
finish(void)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	munmap(served, ADDRESSES * sizeof(*served));
}

static json_t *
report_of(const struct run *run)
{
	json_t *report = json_loads(run->out, 0, NULL);

	ck_assert_msg(report != NULL, "%s%s", run->out, run->err);
	return report;
}

/* The place among ours of the address in a row of the report. */
static int
place_of(json_t *attempt)
{
	const char *address = schema_string(attempt, "address");
	int place = 0;

	ck_assert_int_eq(sscanf(address, "127.0.0.%d", &place), 1);
	ck_assert_int_ge(place, 1);
	ck_assert_int_le(place, ADDRESSES);
	return place - 1;
}

/* ---- each with its own outcome */

struct row {
	enum kind kinds[ADDRESSES];
	const char *outcome;
	int status;
};

/* clang-format off */
static const struct row rows[] = {
	{ { ANSWERS, ANSWERS, ANSWERS }, "ok", 0 },
	{ { ERRS, ANSWERS, ANSWERS }, "mismatch", 1 },
	{ { ANSWERS, ERRS, ANSWERS }, "mismatch", 1 },
	{ { ANSWERS, ANSWERS, ERRS }, "mismatch", 1 },
	{ { ERRS, ERRS, ANSWERS }, "mismatch", 1 },
	{ { ANSWERS, REFUSES, ANSWERS }, "refused", 4 },
	{ { REFUSES, ERRS, ANSWERS }, "refused", 4 },
	{ { REFUSES, REFUSES, REFUSES }, "refused", 4 },
	{ { ERRS, CLOSES, ANSWERS }, "closed-early", 9 },
	{ { CLOSES, ANSWERS, ERRS }, "closed-early", 9 },
	{ { RESETS, CLOSES, ERRS }, "reset", 7 },
	{ { ERRS, CLOSES, RESETS }, "reset", 7 },
	{ { REFUSES, RESETS, CLOSES }, "refused", 4 },
};
/* clang-format on */

#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

static const char *
outcome_of(enum kind kind)
{
	static const char *const names[] = { "ok", "mismatch", "closed-early",
		"reset", "refused", "response-timeout" };

	return names[kind];
}

/* What is told beside the rows is of the first with the worst outcome. */
static void
assert_result(json_t *report, const struct row *row, json_t *worst)
{
	enum kind kind = row->kinds[place_of(worst)];
	json_t *remote = schema_at(report, "remote");

	if (kind == REFUSES) {
		ck_assert(json_is_null(remote));
		return;
	}
	ck_assert_str_eq(
	    json_string_value(remote), schema_string(worst, "address"));
	ck_assert_str_eq(schema_string(report, "response.data"),
	    kind == ANSWERS  ? "+PONG" :
		kind == ERRS ? "-ERR" :
			       "");
	ck_assert_int_eq(schema_integer(report, "bytes.sent"), 1);
}

static void
assert_attempts(json_t *report, const struct row *row)
{
	json_t *attempts = schema_at(report, "attempts"), *attempt;
	json_t *worst = NULL;
	bool seen[ADDRESSES] = { false };
	size_t i;

	ck_assert_uint_eq(json_array_size(attempts), ADDRESSES);
	json_array_foreach(attempts, i, attempt)
	{
		int place = place_of(attempt);

		ck_assert(!seen[place]);
		seen[place] = true;
		ck_assert_str_eq(schema_string(attempt, "outcome"),
		    outcome_of(row->kinds[place]));
		ck_assert_int_gt(schema_ns(attempt, "time_us"), 0);
		if (worst == NULL &&
		    strcmp(outcome_of(row->kinds[place]), row->outcome) == 0)
			worst = attempt;
		ck_assert_uint_eq(
		    served[place], row->kinds[place] == REFUSES ? 0 : 1);
	}
	ck_assert_ptr_nonnull(worst);
	assert_result(report, row, worst);
}

/* The phases still add up, and every event lies within them. */
static void
assert_times(json_t *report)
{
	static const char *const phases[] = { "resolve", "connect", "send",
		"wait", "receive", "drain", "close" };
	int64_t sum_ns = 0, total_ns = schema_ns(report, "phases_us.total");
	json_t *event;
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		int64_t ns;

		snprintf(path, sizeof(path), "phases_us.%s", phases[i]);
		ns = schema_ns(report, path);
		sum_ns += ns == -1 ? 0 : ns;
	}
	ck_assert_int_eq(sum_ns, total_ns);
	json_array_foreach(schema_at(report, "events"), i, event)
	{
		ck_assert_int_le(schema_ns(event, "at_us"), total_ns);
	}
}

START_TEST(worst_counts)
{
	const struct row *row = &rows[_i];
	struct run run;
	json_t *report;

	if (!begin(row->kinds))
		return;
	run_command(&run,
	    (const char *[])ARGS("-4", "--all-addresses", "-f", "json", "-v",
		"-s", "x", "-e", "PONG", "--drain=30", "three.test", PORT));
	ck_assert_msg(run.status == row->status, "%s", run.out);
	report = report_of(&run);
	ck_assert_str_eq(schema_string(report, "outcome"), row->outcome);
	assert_attempts(report, row);
	assert_times(report);
	json_decref(report);
	run_free(&run);
	finish();
}
END_TEST

START_TEST(as_text)
{
	static const enum kind kinds[] = { ANSWERS, ERRS, ANSWERS };
	struct run run;

	if (!begin(kinds))
		return;
	run_command(&run,
	    (const char *[])ARGS("-4", "--all-addresses", "-s", "x", "-e",
		"PONG", "--drain=30", "three.test", PORT));
	ck_assert_int_eq(run.status, 1);
	ck_assert_ptr_nonnull(
	    strstr(run.out, "MISMATCH  three.test:" PORT " (127.0.0.2)"));
	ck_assert_ptr_nonnull(strstr(run.out, "127.0.0.1  ok\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "127.0.0.2  mismatch\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "127.0.0.3  ok\n"));
	run_free(&run);
	finish();
}
END_TEST

/* Without it: the first that connects. */
START_TEST(first_only)
{
	static const enum kind kinds[] = { ANSWERS, ANSWERS, ANSWERS };
	struct run run;
	json_t *report;

	if (!begin(kinds))
		return;
	run_command(&run,
	    (const char *[])ARGS(
		"-4", "-f", "json", "-s", "x", "three.test", PORT));
	ck_assert_int_eq(run.status, 0);
	report = report_of(&run);
	ck_assert_uint_eq(json_array_size(schema_at(report, "attempts")), 1);
	ck_assert_uint_eq(served[0] + served[1] + served[2], 1);
	json_decref(report);
	run_free(&run);
	finish();
}
END_TEST

/* Each is sent all of a file, and its response is written. */
START_TEST(file_and_output)
{
	static const enum kind kinds[] = { ANSWERS, ANSWERS, ANSWERS };
	char path[] = "/tmp/lastack-addresses-XXXXXX";
	int fd = mkstemp(path);
	struct run run;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	close(fd);
	if (!begin(kinds))
		return;
	run_command(&run,
	    (const char *[])ARGS("-4", "--all-addresses", "--send-file", path,
		"-Q", "-o", "-", "three.test", PORT));
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(run.out, "+PONG+PONG+PONG");
	for (int i = 0; i < ADDRESSES; i++)
		ck_assert_uint_eq(served[i], 1);
	run_free(&run);
	unlink(path);
	finish();
}
END_TEST

START_TEST(not_from_a_pipe)
{
	struct run_options options = { 0 };
	struct run run;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	options.input_fd = ends[0];
	run_command_with(&run, &options,
	    (const char *[])ARGS(
		"--all-addresses", "--send-file=-", "127.0.0.1", PORT));
	ck_assert_int_eq(run.status, 2);
	ck_assert_ptr_nonnull(strstr(run.err, "--all-addresses: "));
	run_free(&run);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* ---- one deadline, one signal, for all */

START_TEST(one_deadline)
{
	static const enum kind kinds[] = { SILENT, SILENT, SILENT };
	json_t *report, *attempts;
	struct run run;

	if (!begin(kinds))
		return;
	run_command(&run,
	    (const char *[])ARGS("-4", "--all-addresses", "-f", "json", "-t",
		"1", "-s", "x", "three.test", PORT));
	report = report_of(&run);
	attempts = schema_at(report, "attempts");
	ck_assert_uint_eq(json_array_size(attempts), ADDRESSES);
	ck_assert_str_eq(schema_string(json_array_get(attempts, 0), "outcome"),
	    "response-timeout");
	for (size_t i = 1; i < ADDRESSES; i++) {
		json_t *attempt = json_array_get(attempts, i);

		ck_assert_str_eq(
		    schema_string(attempt, "outcome"), "connect-timeout");
		ck_assert_str_eq(schema_string(attempt, "errno"), "ETIMEDOUT");
		ck_assert_int_eq(schema_ns(attempt, "time_us"), 0);
		ck_assert_uint_eq(served[place_of(attempt)], 0);
	}
	ck_assert_int_eq(run.status, 6);
	ck_assert_int_ge(
	    schema_ns(report, "phases_us.total"), INT64_C(1000000000));
	json_decref(report);
	run_free(&run);
	finish();
}
END_TEST

START_TEST(one_signal)
{
	static const enum kind kinds[] = { SILENT, SILENT, SILENT };
	struct tcp_patience patience = { 0 };
	struct run run;
	json_t *report;

	if (!begin(kinds))
		return;
	run_start(&run, NULL,
	    (const char *[])ARGS("-4", "--all-addresses", "-f", "json", "-t",
		"50", "-s", "x", "three.test", PORT));
	while (__atomic_load_n(&served[0], __ATOMIC_SEQ_CST) +
		__atomic_load_n(&served[1], __ATOMIC_SEQ_CST) +
		__atomic_load_n(&served[2], __ATOMIC_SEQ_CST) ==
	    0)
		ck_assert(tcp_patient(&patience));
	ck_assert_int_eq(kill(run.pid, SIGINT), 0);
	run_finish(&run);
	ck_assert_int_eq(run.status, 128 + SIGINT);
	report = report_of(&run);
	ck_assert_uint_eq(json_array_size(schema_at(report, "attempts")), 1);
	json_decref(report);
	run_free(&run);
	finish();
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("addresses");

	lab_require();
	tcase_add_loop_test(tests, worst_counts, 0, ROWS);
	tcase_add_test(tests, as_text);
	tcase_add_test(tests, first_only);
	tcase_add_test(tests, file_and_output);
	tcase_add_test(tests, not_from_a_pipe);
	tcase_add_test(tests, one_deadline);
	tcase_add_test(tests, one_signal);
	return suite_run(tests, "addresses");
}
