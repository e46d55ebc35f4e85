/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifdef SO_ATTACH_FILTER
#include <linux/filter.h>
#endif

#include "clock.h"
#include "socket.h"

static void
set_int(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

/* An interrupted connect() goes on by itself; a second would say EALREADY. */
static int
socket_syn(struct lastack__socket *s, const struct sockaddr *address,
    socklen_t len, const struct lastack__open *open)
{
	if (open->load.cursor != NULL) {
		int error = lastack__fastopen_connect(
		    s->fd, address, len, &open->load, &s->syn);

		s->sent_bytes = s->syn.payload_bytes;
		if (error != 0 || s->syn.opening == LASTACK__OPENING_EMPTY ||
		    s->syn.opening == LASTACK__OPENING_LOADED)
			return error;
	}
	s->syn.sent_ns = lastack__clock_now_ns();
	if (connect(s->fd, address, len) == 0 || errno == EINPROGRESS ||
	    errno == EINTR)
		return 0;
	s->backlogged = s->is_unix && errno == EAGAIN;
	return s->backlogged ? 0 : errno;
}

static int
socket_open(int family)
{
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    family == AF_UNIX ? 0 : IPPROTO_TCP);
}

void
lastack__socket_prepare(struct lastack__open *open, int family)
{
	int fd = socket_open(family);

	if (fd == -1)
		return; /* whoever needs one will be told why */
	lastack__stamp_ask(fd);
	lastack__stamp_settle();
	open->ready = (struct lastack__ready){ true, fd, family };
}

void
lastack__socket_unprepare(struct lastack__open *open)
{
	if (open->ready.there)
		close(open->ready.fd);
	open->ready.there = false;
}

/* The one that is ready, or another, which then has its stamps to ask for. */
static int
socket_take(struct lastack__open *open, int family)
{
	int fd;

	if (open->ready.there && open->ready.family == family) {
		open->ready.there = false;
		return open->ready.fd;
	}
	fd = socket_open(family);
	if (fd != -1 && open->stamps)
		lastack__stamp_ask(fd);
	/* Not before: as long as one has stamps the kernel makes them. */
	lastack__socket_unprepare(open);
	return fd;
}

static void
socket_options(struct lastack__socket *s, const struct lastack__open *open)
{
	/* An urgent byte left out of the stream would pass for a FIN. */
	set_int(s->fd, SOL_SOCKET, SO_OOBINLINE, 1);
	if (s->is_unix)
		return;
#ifdef TCP_QUICKACK
	if (open->hold_ack) {
		set_int(s->fd, IPPROTO_TCP, TCP_QUICKACK, 0);
		s->ack_held = true;
	}
#endif
	if (open->stamps)
		lastack__stamp_clocks(&s->clocks);
}

int
lastack__socket_connect(struct lastack__socket *s,
    const struct sockaddr *address, socklen_t len, struct lastack__open *open)
{
	int error = 0;

	*s = (struct lastack__socket)LASTACK__SOCKET_INIT;
	s->is_unix = address->sa_family == AF_UNIX;
	s->fd = socket_take(open, address->sa_family);
	if (s->fd == -1)
		return errno;
	socket_options(s, open);
	if (open->local != NULL)
		error = lastack__local_set(
		    open->local, s->fd, address, &s->refused);
	if (error == 0) {
		error = socket_syn(s, address, len, open);
		if (open->local != NULL &&
		    lastack__local_is_to_blame(open->local, error))
			s->refused = LASTACK_LOCAL_SOURCE;
	}
	if (error != 0)
		lastack__socket_close(s);
	return error;
}

int
lastack__socket_connect_again(
    struct lastack__socket *s, const struct sockaddr *address, socklen_t len)
{
	if (connect(s->fd, address, len) == -1)
		return errno;
	s->backlogged = false;
	/* What epoll said was of a socket without a peer. */
	s->hung_up = false;
	s->readable = true;
	return 0;
}

void
lastack__socket_wake(struct lastack__socket *s, uint32_t events)
{
	if (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		s->readable = true;
	if (events & EPOLLPRI)
		s->urgent = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		s->writable = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		s->hung_up = true;
}

/* The events of poll(2) are those of epoll(7), bit by bit. */
void
lastack__socket_poll(struct lastack__socket *s)
{
	struct pollfd look = { .fd = s->fd, .events = POLLIN | POLLOUT };

	if (poll(&look, 1, 0) == 1)
		lastack__socket_wake(s, (uint32_t)look.revents);
}

static void
socket_fault(struct lastack__socket *s, int error)
{
	if (s->first_errno == 0)
		s->first_errno = error;
}

size_t
lastack__socket_took(struct lastack__socket *s, ssize_t n, size_t len)
{
	if (n > 0) {
		s->taken_bytes += (uint64_t)n;
		/*
		 * A short read has emptied the queue, and what comes later
		 * makes an edge of its own (epoll(7)); but the end of the
		 * stream, once announced, is not announced again.
		 */
		if ((size_t)n < len && !s->hung_up && !s->urgent)
			s->readable = false;
		return (size_t)n;
	}
	if (n == -1 && errno == EINTR)
		return 0;
	s->readable = false;
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n == -1) {
		socket_fault(s, errno);
		s->broken = true;
	}
	s->ended = true;
	return 0;
}

size_t
lastack__socket_receive(struct lastack__socket *s, void *data, size_t len)
{
	return lastack__socket_took(s, recv(s->fd, data, len, 0), len);
}

size_t
lastack__socket_receive_first(
    struct lastack__socket *s, void *data, size_t len, int64_t *stamp_ns)
{
	return lastack__socket_took(s,
	    lastack__stamp_receive(s->fd, data, len, &s->clocks, stamp_ns),
	    len);
}

size_t
lastack__socket_send(
    struct lastack__socket *s, const void *data, size_t len, bool more)
{
	ssize_t n =
	    send(s->fd, data, len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));

	if (n >= 0) {
		s->sent_bytes += (uint64_t)n;
		if ((size_t)n < len)
			s->writable = false;
		return (size_t)n;
	}
	if (errno == EINTR)
		return 0;
	s->writable = false;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return 0;
	socket_fault(s, errno);
	s->broken = true;
	/* What came before the reset can still be read. */
	s->readable = true;
	s->hung_up = true;
	return 0;
}

bool
lastack__socket_has_queued(const struct lastack__socket *s)
{
	int queued = 0;

	return ioctl(s->fd, FIONREAD, &queued) == 0 && queued > 0;
}

void
lastack__socket_congestion(
    const struct lastack__socket *s, char *name, size_t len)
{
#ifdef TCP_CONGESTION
	socklen_t room = (socklen_t)(len - 1);

	memset(name, 0, len);
	if (getsockopt(s->fd, IPPROTO_TCP, TCP_CONGESTION, name, &room) == -1)
		name[0] = '\0';
#else
	(void)s;
	(void)len;
	name[0] = '\0';
#endif
}

void
lastack__socket_release_ack(struct lastack__socket *s)
{
	if (!s->ack_held)
		return;
#ifdef TCP_QUICKACK
	set_int(s->fd, IPPROTO_TCP, TCP_QUICKACK, 1);
#endif
	s->ack_held = false;
}

bool
lastack__socket_shutdown(struct lastack__socket *s)
{
	/* Only ever SHUT_WR: SHUT_RD would answer late data with an RST. */
	if (shutdown(s->fd, SHUT_WR) == -1)
		return false;
	s->fin_sent = true;
	s->ack_held = false;
	return true;
}

int
lastack__socket_errno(struct lastack__socket *s)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (s->first_errno == 0 &&
	    getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0)
		s->first_errno = error;
	return s->first_errno;
}

bool
lastack__socket_was_reset(const struct lastack__socket *s)
{
	/* EPIPE: tcp_reset() in CLOSE-WAIT, that is, after the peer's FIN. */
	return s->first_errno == ECONNRESET || s->first_errno == EPIPE;
}

void
lastack__socket_freeze(struct lastack__socket *s)
{
#ifdef SO_ATTACH_FILTER
	struct sock_filter none = { .code = BPF_RET | BPF_K };
	struct sock_fprog program = { .len = 1, .filter = &none };

	setsockopt(
	    s->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
#else
	(void)s;
#endif
}

void
lastack__socket_thaw(struct lastack__socket *s)
{
#ifdef SO_DETACH_FILTER
	set_int(s->fd, SOL_SOCKET, SO_DETACH_FILTER, 0);
#else
	(void)s;
#endif
}

void
lastack__socket_reset(struct lastack__socket *s)
{
	struct linger none = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	lastack__socket_close(s);
}

void
lastack__socket_close(struct lastack__socket *s)
{
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
}
