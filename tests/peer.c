/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"

struct peer {
	const struct peer_step *script;
	pthread_t thread;
	int listen_fd;
	int stop_fd; /* readable: end */
	uint16_t port;
};

static socklen_t
loopback(int family, struct sockaddr_storage *storage, uint16_t port)
{
	struct sockaddr_in6 *v6 = (void *)storage;
	struct sockaddr_in *v4 = (void *)storage;

	memset(storage, 0, sizeof(*storage));
	if (family == AF_INET) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	v6->sin6_addr = in6addr_loopback;
	return sizeof(*v6);
}

static int
bound_socket(int family, uint16_t *port)
{
	struct sockaddr_storage storage;
	socklen_t len = loopback(family, &storage, 0);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, (void *)&storage, len) == -1 ||
	    getsockname(fd, (void *)&storage, &len) == -1)
		err(1, "peer: socket");
	*port = ntohs(family == AF_INET ?
		((struct sockaddr_in *)(void *)&storage)->sin_port :
		((struct sockaddr_in6 *)(void *)&storage)->sin6_port);
	return fd;
}

/* Waits for events on fd; false when the peer is to stop. */
static bool
peer_wait(struct peer *peer, int fd, short events, int timeout_ms)
{
	struct pollfd fds[] = { { .fd = peer->stop_fd, .events = POLLIN },
		{ .fd = fd, .events = events } };

	while (poll(fds, fd == -1 ? 1 : 2, timeout_ms) == -1 && errno == EINTR)
		continue;
	return fds[0].revents == 0;
}

static bool
peer_pause(struct peer *peer, uint64_t us)
{
	struct timespec span = { .tv_sec = (time_t)(us / 1000000),
		.tv_nsec = (long)(us % 1000000) * 1000 };
	struct pollfd stop = { .fd = peer->stop_fd, .events = POLLIN };

	return ppoll(&stop, 1, &span, NULL) == 0;
}

/* Reads up to n bytes, all of them where it can; false: stop or no more. */
static bool
peer_take(struct peer *peer, int fd, uint64_t n)
{
	char buffer[65536];
	uint64_t want = n == 0 ? 1 : n;

	while (want > 0) {
		size_t room = n == 0 || want > sizeof(buffer) ? sizeof(buffer) :
								(size_t)want;
		ssize_t got;

		if (!peer_wait(peer, fd, POLLIN, -1))
			return false;
		got = recv(fd, buffer, room, MSG_DONTWAIT);
		if (got == -1 && errno == EAGAIN)
			continue;
		if (got <= 0)
			return false;
		want -= (uint64_t)got < want ? (uint64_t)got : want;
	}
	return true;
}

static bool
peer_give(struct peer *peer, int fd, const char *data, uint64_t n)
{
	static char pattern[65536];

	while (n > 0) {
		size_t bite = n < sizeof(pattern) || data ? (size_t)n :
							    sizeof(pattern);
		ssize_t put;

		if (!peer_wait(peer, fd, POLLOUT, -1))
			return false;
		put = send(fd, data ? data : pattern, bite,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (put == -1 && errno == EAGAIN)
			continue;
		if (put == -1)
			return true; /* the other side has gone: so what */
		n -= (uint64_t)put;
		if (data)
			data += put;
	}
	return true;
}

static bool
peer_drip(struct peer *peer, int fd, uint64_t n)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (; n > 0; n--)
		if (!peer_give(peer, fd, "x", 1))
			return false;
	return true;
}

static bool
peer_await(struct peer *peer, int fd)
{
	struct pollfd fds[] = { { .fd = peer->stop_fd, .events = POLLIN },
		{ .fd = fd, .events = POLLRDHUP } };

	while (poll(fds, 2, -1) == -1 && errno == EINTR)
		continue;
	return fds[0].revents == 0;
}

static void
peer_reset(int fd)
{
	struct linger none = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

/* Returns false when the peer is to stop. */
static bool
peer_serve(struct peer *peer, int fd)
{
	for (const struct peer_step *step = peer->script;; step++) {
		const char *data = step->data;
		uint64_t n = step->n ? step->n : data ? strlen(data) : 0;

		switch (step->action) {
		case PEER_END:
			return true;
		case PEER_TAKE:
			peer_take(peer, fd, step->n);
			break;
		case PEER_TAKE_ALL:
			while (peer_take(peer, fd, 0))
				continue;
			break;
		case PEER_PEEK:
			peer_wait(peer, fd, POLLIN, -1);
			break;
		case PEER_GIVE:
			peer_give(peer, fd, data, n);
			break;
		case PEER_GIVE_FIN:
			send(fd, data, n, MSG_MORE | MSG_NOSIGNAL);
			shutdown(fd, SHUT_WR);
			break;
		case PEER_DRIP:
			peer_drip(peer, fd, n);
			break;
		case PEER_URGENT:
			send(fd, data, n, MSG_OOB | MSG_NOSIGNAL);
			break;
		case PEER_PAUSE:
			peer_pause(peer, n);
			break;
		case PEER_FIN:
			shutdown(fd, SHUT_WR);
			break;
		case PEER_RESET:
			peer_reset(fd);
			return true;
		case PEER_AWAIT:
			peer_await(peer, fd);
			break;
		}
		if (!peer_wait(peer, -1, 0, 0))
			return false;
	}
}

static void *
peer_main(void *argument)
{
	struct peer *peer = argument;
	bool going = true;

	while (going && peer_wait(peer, peer->listen_fd, POLLIN, -1)) {
		int fd = accept4(peer->listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd == -1)
			continue;
		going = peer_serve(peer, fd);
		close(fd);
	}
	return NULL;
}

struct peer *
peer_start(int family, const struct peer_step *script)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	int queue = 16;

	if (peer == NULL)
		err(1, "peer");
	peer->script = script;
	peer->listen_fd = bound_socket(family, &peer->port);
	peer->stop_fd = eventfd(0, EFD_CLOEXEC);
	/* For those who ask; without the sysctl's server bit it is nothing. */
	setsockopt(
	    peer->listen_fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
	if (peer->stop_fd == -1 || listen(peer->listen_fd, 128) == -1)
		err(1, "peer: listen");
	errno = pthread_create(&peer->thread, NULL, peer_main, peer);
	if (errno != 0)
		err(1, "peer: thread");
	return peer;
}

uint16_t
peer_port(const struct peer *peer)
{
	return peer->port;
}

void
peer_stop(struct peer *peer)
{
	uint64_t one = 1;

	if (peer == NULL)
		return;
	if (write(peer->stop_fd, &one, sizeof(one)) == -1)
		err(1, "peer: stop");
	pthread_join(peer->thread, NULL);
	close(peer->listen_fd);
	close(peer->stop_fd);
	free(peer);
}

uint16_t
peer_refusing_port(int family)
{
	uint16_t port;

	close(bound_socket(family, &port));
	return port;
}

uint16_t
peer_deaf_port(int family, int fds[PEER_DEAF_FDS])
{
	struct sockaddr_storage storage;
	socklen_t len;
	uint16_t port;

	fds[0] = bound_socket(family, &port);
	if (listen(fds[0], 0) == -1)
		err(1, "peer: listen");
	len = loopback(family, &storage, port);
	for (int i = 1; i < PEER_DEAF_FDS; i++) {
		fds[i] = socket(
		    family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fds[i] == -1)
			err(1, "peer: socket");
		/* All but the first stay in SYN-SENT. */
		if (connect(fds[i], (void *)&storage, len) == -1 &&
		    errno != EINPROGRESS)
			err(1, "peer: connect");
	}
	return port;
}
