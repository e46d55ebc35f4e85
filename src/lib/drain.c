/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>

#include "clock.h"
#include "drain.h"

#define SCRATCH_BYTES 16384

ssize_t
lastack__drain_copy(int fd, size_t len)
{
	unsigned char scratch[SCRATCH_BYTES];
	size_t room = len < sizeof(scratch) ? len : sizeof(scratch);

	return recv(fd, scratch, room, 0);
}

ssize_t
lastack__drain_truncate(int fd, size_t len)
{
	/* Length 0 would return 0 and look like the end of the stream. */
	return recv(fd, NULL, len < INT_MAX ? len : INT_MAX, MSG_TRUNC);
}

size_t
lastack__drain_once(struct lastack__socket *socket, size_t len)
{
	ssize_t n;

#ifdef LASTACK_DRAIN_TRUNCATE
	n = lastack__drain_truncate(socket->fd, len);
	if (n != -1 || errno != EFAULT)
		return lastack__socket_took(socket, n, len);
#endif
	n = lastack__drain_copy(socket->fd, len);
	return lastack__socket_took(
	    socket, n, len < SCRATCH_BYTES ? len : SCRATCH_BYTES);
}

uint64_t
lastack__drain_all(struct lastack__socket *socket, int64_t until_ns)
{
	uint64_t before = socket->taken_bytes;

	while (socket->readable && !socket->ended) {
		lastack__drain_once(socket, INT_MAX);
		if (lastack__clock_now_ns() >= until_ns)
			break;
	}
	return socket->taken_bytes - before;
}
