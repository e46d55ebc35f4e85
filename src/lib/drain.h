/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Discarding what the peer has sent. On Linux a TCP socket does it without a
 * copy (MSG_TRUNC, tcp(7)); elsewhere it is a plain read into a scratch buffer.
 */
#ifndef LASTACK_DRAIN_H
#define LASTACK_DRAIN_H

#include <stdint.h>
#include <sys/types.h>

#include "socket.h"

/* Up to len bytes off the queue; bytes, or 0, as lastack__socket_receive(). */
size_t lastack__drain_once(struct lastack__socket *socket, size_t len);

/*
 * All that is queued, and what comes meanwhile, until none is left or the
 * instant is reached. Returns the bytes.
 */
uint64_t lastack__drain_all(struct lastack__socket *socket, int64_t until_ns);

/* The two ways, for the tests; both return what recv() does. */
ssize_t lastack__drain_truncate(int fd, size_t len);
ssize_t lastack__drain_copy(int fd, size_t len);

#endif
