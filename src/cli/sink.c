/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lastack.h"
#include "sink.h"

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int
sink_open(struct sink *sink, const char *name, int64_t timeout_ns)
{
	struct stat status;
	struct sink opened = { .fd = STDOUT_FILENO };

	if (strcmp(name, "-") != 0) {
		opened.fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
		if (opened.fd == -1)
			return errno;
		opened.owned = true;
	}
	if (fstat(opened.fd, &status) == -1) {
		int error = errno;

		if (opened.owned)
			close(opened.fd);
		return error;
	}
	opened.regular = S_ISREG(status.st_mode);
	opened.deadline_ns = now_ns() + timeout_ns;
	*sink = opened;
	return 0;
}

static int
sink_empty(struct sink *sink)
{
	if (sink->emptied || !sink->owned)
		return 0;
	sink->emptied = true;
	if (sink->regular && ftruncate(sink->fd, 0) == -1)
		return errno;
	return 0;
}

/* Until a pipe or terminal takes something; a file always does. */
static int
sink_wait(const struct sink *sink)
{
	struct pollfd ready = { .fd = sink->fd, .events = POLLOUT };
	int64_t left_ns = sink->deadline_ns - now_ns();
	struct timespec left = { 0 };
	int n;

	if (sink->regular)
		return 0;
	if (left_ns > 0) {
		left.tv_sec = left_ns / 1000000000;
		left.tv_nsec = left_ns % 1000000000;
	}
	n = ppoll(&ready, 1, &left, sink->while_waiting);
	if (n == 0)
		return ETIMEDOUT;
	if (n == -1 && errno == EINTR && *sink->caught != 0) {
		lastack_probe_interrupt(sink->probe, *sink->caught);
		return EINTR;
	}
	return n == -1 && errno != EINTR ? errno : 0;
}

int
sink_write(void *context, const void *data, size_t len)
{
	struct sink *sink = context;
	const char *bytes = data;
	int error = sink_empty(sink);

	while (error == 0 && len > 0) {
		/* What a ready pipe takes for sure without blocking. */
		size_t bite = sink->regular || len < PIPE_BUF ? len : PIPE_BUF;
		ssize_t n;

		error = sink_wait(sink);
		if (error != 0)
			return error;
		n = write(sink->fd, bytes, bite);
		if (n == -1 && errno != EINTR && errno != EAGAIN)
			return errno;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return error;
}

int
sink_close(struct sink *sink, bool connected)
{
	int error = 0;

	if (sink->fd == -1)
		return 0;
	if (connected)
		error = sink_empty(sink);
	if (sink->owned && close(sink->fd) == -1 && error == 0)
		error = errno;
	*sink = (struct sink)SINK_INIT;
	return error;
}
