/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program of someone else's: knows the installed library alone, and nothing
 * of this tree. Probes a port on which nobody listens, by one blocking call and
 * by a poll loop of its own. Takes the version that the library should have.
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <lastack.h>

#define PROBES 2

static int
complain(const char *what, const char *why)
{
	fprintf(stderr, "consumer: %s: %s\n", what, why);
	return 1;
}

/* Bound and not listening: a SYN is answered by RST, and no one else can. */
static int
refusing_socket(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1)
		return -1;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&address, len) == -1 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) == -1) {
		close(fd);
		return -1;
	}
	*port = ntohs(address.sin_port);
	return fd;
}

static int
check_refused(const char *what, const struct lastack_probe *probe)
{
	const struct lastack_result *result = lastack_probe_result(probe);
	const struct lastack_attempt *attempt =
	    lastack_result_attempt(result, 0);

	if (result->size < sizeof(*result))
		return complain(what, "the result is too small");
	if (result->outcome != LASTACK_OUTCOME_REFUSED)
		return complain(what, lastack_outcome_name(result->outcome));
	if (lastack_result_attempts(result) != 1 || attempt == NULL ||
	    strcmp(attempt->address, "127.0.0.1") != 0)
		return complain(what, "not one attempt at 127.0.0.1");
	if (lastack_result_phase_ns(result, LASTACK_PHASE_TOTAL) < 0)
		return complain(what, "it took no time");
	return 0;
}

static int
check_run(const struct lastack_request *request)
{
	struct lastack_probe *probe = NULL;
	int error = lastack_probe_new(request, &probe);
	int failed;

	if (error == 0)
		error = lastack_probe_run(probe, NULL);
	failed = error != 0 ? complain("run", lastack_error_text(error)) :
			      check_refused("run", probe);
	lastack_probe_free(probe);
	return failed;
}

static int
milliseconds_until(int64_t deadline_ns)
{
	struct timespec now;
	int64_t left_ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left_ms = (deadline_ns - now.tv_sec * INT64_C(1000000000) -
		      now.tv_nsec + 999999) /
	    1000000;
	if (left_ms < 0)
		return 0;
	return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

/* Steps all that are not over, side by side. Returns 0, or an error. */
static int
drive(struct lastack_probe *const *probes)
{
	int going[PROBES] = { 1, 1 };

	while (going[0] || going[1]) {
		struct pollfd ready[PROBES];
		int64_t deadline_ns = INT64_MAX;

		for (int i = 0; i < PROBES; i++) {
			int64_t at_ns = lastack_probe_deadline_ns(probes[i]);

			/* poll() passes over a negative descriptor. */
			ready[i] = (struct pollfd){ .fd = -1 };
			if (!going[i])
				continue;
			ready[i].fd = lastack_probe_fd(probes[i]);
			ready[i].events = POLLIN;
			if (at_ns < deadline_ns)
				deadline_ns = at_ns;
		}
		if (poll(ready, PROBES, milliseconds_until(deadline_ns)) == -1)
			return LASTACK_ERROR_SYSTEM;
		for (int i = 0; i < PROBES; i++) {
			if (!going[i])
				continue;
			going[i] = lastack_probe_step(probes[i]);
			if (going[i] < 0)
				return going[i];
		}
	}
	return 0;
}

static int
check_loop(const struct lastack_request *request)
{
	struct lastack_probe *probes[PROBES] = { NULL };
	int error = 0, failed = 0;

	for (int i = 0; i < PROBES && error == 0; i++)
		error = lastack_probe_new(request, &probes[i]);
	if (error == 0)
		error = drive(probes);
	if (error != 0)
		failed = complain("loop", lastack_error_text(error));
	for (int i = 0; i < PROBES; i++) {
		if (!failed)
			failed = check_refused("loop", probes[i]);
		lastack_probe_free(probes[i]);
	}
	return failed;
}

int
main(int argc, char **argv)
{
	struct lastack_request *request = lastack_request_new();
	uint16_t port = 0;
	int fd = refusing_socket(&port);
	int failed;

	if (argc != 2)
		failed = complain("usage", "consumer VERSION");
	else if (strcmp(argv[1], lastack_version()) != 0)
		failed =
		    complain("the library is of version", lastack_version());
	else if (request == NULL || fd == -1 ||
	    lastack_request_set_target(request, "127.0.0.1", port) != 0)
		failed = complain("start", "no request or no socket");
	else
		failed = check_run(request) || check_loop(request);
	lastack_request_free(request);
	if (fd != -1)
		close(fd);
	return failed;
}
