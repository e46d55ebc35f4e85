/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a cookie saves: the time to the first byte of a response from a peer
 * that is 20 ms away, there and back. LASTACK_BENCH_COUNT: runs of each kind
 * (51). It prints figures and asserts none.
 */
#include <config.h>

#include <check.h>
#include <err.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "judge.h"
#include "lab.h"
#include "relay.h"
#include "run.h"
#include "suite.h"
#include "tfo.h"

#define ONE_WAY_NS 10000000
#define COUNT_DEFAULT 51
#define COUNT_MOST 10000

/* A server at the far end. */
struct far {
	int listener, stop_fd;
	pthread_t thread;
};

static void *
serve(void *argument)
{
	const struct far *far = argument;
	struct pollfd fds[] = { { .fd = far->listener, .events = POLLIN },
		{ .fd = far->stop_fd, .events = POLLIN } };
	char request[64];

	for (;;) {
		int fd;

		if (poll(fds, 2, -1) == -1)
			continue;
		if (fds[1].revents != 0)
			return NULL;
		fd = accept4(far->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd == -1)
			continue;
		if (recv(fd, request, sizeof(request), 0) > 0)
			send(fd, "answer", 6, MSG_MORE | MSG_NOSIGNAL);
		close(fd);
	}
}

static void
far_start(struct far *far, int listener)
{
	far->listener = listener;
	far->stop_fd = eventfd(0, EFD_CLOEXEC);
	errno = pthread_create(&far->thread, NULL, serve, far);
	if (far->stop_fd == -1 || errno != 0)
		err(1, "server");
}

static void
far_stop(struct far *far)
{
	uint64_t one = 1;

	if (write(far->stop_fd, &one, sizeof(one)) == -1)
		err(1, "server");
	pthread_join(far->thread, NULL);
	close(far->stop_fd);
}

/* Microseconds from the SYN to the first byte. */
static double
probe(uint16_t port, const char *status)
{
	char port_text[8];
	const char *const argv[] = { "-f", "json", "-F", "-s", "question", "-e",
		"answer", LAB_PEER_ADDR4, port_text, NULL };
	struct run run;
	json_t *report;
	double us;

	snprintf(port_text, sizeof(port_text), "%u", port);
	run_command(&run, argv);
	report = json_loads(run.out, 0, NULL);
	if (run.status != 0 || report == NULL)
		errx(1, "the probe failed: %s%s", run.out, run.err);
	if (strcmp(judge_string(report, "fastopen.status"), status) != 0)
		errx(1, "Fast Open was to be %s, and is %s", status,
		    judge_string(report, "fastopen.status"));
	us = judge_event(report, "first_byte") -
	    judge_event(report, "connecting");
	json_decref(report);
	run_free(&run);
	return us;
}

static int
compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* Whether or not the far side grants cookies. */
static double
median(const char *fastopen, const char *status, size_t count)
{
	static double times_us[COUNT_MOST];
	const struct relay_plan plan = { .delay_ns = ONE_WAY_NS,
		.fastopen = fastopen };
	struct relay *relay = relay_start(&plan);
	struct far far;

	far_start(&far, relay_listener(relay, AF_INET));
	probe(relay_port(relay), "requested");
	for (size_t i = 0; i < count; i++)
		times_us[i] = probe(relay_port(relay), status);
	far_stop(&far);
	if (relay_overflows(relay) > 0)
		errx(1, "the relay lost frames");
	relay_stop(relay);
	qsort(times_us, count, sizeof(times_us[0]), compare);
	return times_us[count / 2];
}

static size_t
count_wanted(void)
{
	const char *value = getenv("LASTACK_BENCH_COUNT");
	size_t count = value != NULL ? strtoul(value, NULL, 10) : COUNT_DEFAULT;

	return count < 1 || count > COUNT_MOST ? COUNT_DEFAULT : count;
}

/* Each in a process, and a namespace without a cookie, of its own. */
static const struct kind {
	const char *title, *fastopen, *status;
} kinds[] = {
	{ "without a cookie", "1", "requested" },
	{ "with a cookie", TFO_BOTH, "accepted" },
};

static double *medians_us;

START_TEST(first_byte)
{
	tfo_enter(TFO_CLIENT);
	medians_us[_i] =
	    median(kinds[_i].fastopen, kinds[_i].status, count_wanted());
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("fastopen");

	lab_require();
	medians_us = mmap(NULL, 2 * sizeof(*medians_us), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (medians_us == MAP_FAILED)
		err(1, "mmap");
	tcase_add_loop_test(tests, first_byte, 0, 2);
	if (suite_run(tests, "distant") != 0)
		return 1;
	printf("first byte from a peer 20 ms away, medians of %zu runs each\n",
	    count_wanted());
	for (size_t i = 0; i < 2; i++)
		printf("  %-16s  %6.2f ms\n", kinds[i].title,
		    medians_us[i] / 1000);
	printf("  %-16s  %6.2f ms\n", "difference",
	    (medians_us[0] - medians_us[1]) / 1000);
	return 0;
}
