/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the response's bytes go: --output. */
#ifndef SINK_H
#define SINK_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lastack_probe;

struct sink {
	int fd;		     /* -1: none */
	bool owned;	     /* to be closed */
	bool emptied;	     /* what the file held is gone */
	bool regular;	     /* never blocks */
	int64_t deadline_ns; /* CLOCK_MONOTONIC; for a reader that stalls */

	/* Set by the caller: for a signal while the reader stalls. */
	struct lastack_probe *probe;
	const sigset_t *while_waiting;
	const volatile sig_atomic_t *caught;
};

#define SINK_INIT                                                              \
	{                                                                      \
		.fd = -1                                                       \
	}

/*
 * Opens name (- is standard output) and checks that it can be written to. What
 * the file holds is kept until the first byte comes. Returns 0, or errno.
 */
int sink_open(struct sink *sink, const char *name, int64_t timeout_ns);

/* A lastack_sink. */
int sink_write(void *sink, const void *data, size_t len);

/*
 * connected: an empty response is one too. Returns 0, or errno of what could
 * not be written.
 */
int sink_close(struct sink *sink, bool connected);

#endif
