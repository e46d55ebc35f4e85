/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "drain.h"
#include "suite.h"
#include "tcp.h"

/* Both ways of discarding, each held to the same rules. */
struct way {
	const char *name;
	ssize_t (*drain)(int, size_t);
	bool whole; /* takes all that is queued at one go */
};

static const struct way ways[] = {
	{ "copy", lastack__drain_copy, false },
#ifdef LASTACK_DRAIN_TRUNCATE
	{ "truncate", lastack__drain_truncate, true },
#endif
};

#define WAYS ((int)(sizeof(ways) / sizeof(ways[0])))

struct pair {
	int us, peer;
};

static struct pair
connected(void)
{
	int ends[2];

	tcp_pair(AF_INET, ends);
	tcp_nonblocking(ends[0]);
	return (struct pair){ .us = ends[0], .peer = ends[1] };
}

static void
assert_drains(const struct way *way, int fd, size_t len, ssize_t want)
{
	ssize_t n = way->drain(fd, len);

	ck_assert_msg(n == want, "%s: %zd and not %zd (%s)", way->name, n, want,
	    n == -1 ? strerror(errno) : "");
}

static void
assert_drain_fails(const struct way *way, int fd, int error)
{
	errno = 0;
	assert_drains(way, fd, INT_MAX, -1);
	ck_assert_int_eq(errno, error);
}

START_TEST(nothing_queued)
{
	struct pair pair = connected();

	assert_drain_fails(&ways[_i], pair.us, EAGAIN);
	close(pair.us);
	close(pair.peer);
}
END_TEST

START_TEST(data)
{
	struct pair pair = connected();

	tcp_send(pair.peer, "hello", 5, 0);
	tcp_await_queued(pair.us, 5);
	assert_drains(&ways[_i], pair.us, INT_MAX, 5);
	assert_drain_fails(&ways[_i], pair.us, EAGAIN);
	close(pair.us);
	close(pair.peer);
}
END_TEST

/* What is left behind is the rest, from its first byte on. */
START_TEST(no_more_than_asked_for)
{
	struct pair pair = connected();
	char rest[8] = "";

	tcp_send(pair.peer, "abcdef", 6, 0);
	tcp_await_queued(pair.us, 6);
	assert_drains(&ways[_i], pair.us, 1, 1);
	assert_drains(&ways[_i], pair.us, 2, 2);
	ck_assert_int_eq(recv(pair.us, rest, sizeof(rest), 0), 3);
	ck_assert_str_eq(rest, "def");
	close(pair.us);
	close(pair.peer);
}
END_TEST

START_TEST(data_then_fin)
{
	struct pair pair = connected();

	tcp_send(pair.peer, "hello", 5, 0);
	close(pair.peer);
	tcp_await(pair.us, POLLRDHUP);
	assert_drains(&ways[_i], pair.us, INT_MAX, 5);
	assert_drains(&ways[_i], pair.us, INT_MAX, 0);
	assert_drains(&ways[_i], pair.us, INT_MAX, 0);
	close(pair.us);
}
END_TEST

START_TEST(fin_alone)
{
	struct pair pair = connected();

	close(pair.peer);
	tcp_await(pair.us, POLLRDHUP);
	assert_drains(&ways[_i], pair.us, INT_MAX, 0);
	close(pair.us);
}
END_TEST

/* The reset is told once, after the data; then it looks like a clean end. */
START_TEST(data_then_reset)
{
	struct pair pair = connected();

	tcp_send(pair.peer, "hello", 5, 0);
	tcp_await_queued(pair.us, 5);
	tcp_reset(pair.peer);
	tcp_await(pair.us, POLLHUP);
	assert_drains(&ways[_i], pair.us, INT_MAX, 5);
	assert_drain_fails(&ways[_i], pair.us, ECONNRESET);
	assert_drains(&ways[_i], pair.us, INT_MAX, 0);
	close(pair.us);
}
END_TEST

START_TEST(reset_alone)
{
	struct pair pair = connected();

	tcp_reset(pair.peer);
	tcp_await(pair.us, POLLHUP);
	assert_drain_fails(&ways[_i], pair.us, ECONNRESET);
	assert_drains(&ways[_i], pair.us, INT_MAX, 0);
	close(pair.us);
}
END_TEST

static void
send_with_mark(int fd)
{
	tcp_send(fd, "abc", 3, 0);
	tcp_send(fd, "U", 1, MSG_OOB);
	tcp_send(fd, "de", 2, 0);
}

START_TEST(stops_at_the_urgent_mark)
{
	struct pair pair = connected();

	ck_assert_int_eq(setsockopt(pair.us, SOL_SOCKET, SO_OOBINLINE,
			     &(int){ 1 }, sizeof(int)),
	    0);
	send_with_mark(pair.peer);
	tcp_await_queued(pair.us, 6);
	assert_drains(&ways[_i], pair.us, INT_MAX, 3);
	assert_drains(&ways[_i], pair.us, INT_MAX, 3);
	assert_drain_fails(&ways[_i], pair.us, EAGAIN);
	close(pair.us);
	close(pair.peer);
}
END_TEST

START_TEST(large_amount)
{
	enum { BYTES = 100000 };
	struct pair pair = connected();
	char *bytes = calloc(1, BYTES);
	size_t left = BYTES;

	ck_assert_ptr_nonnull(bytes);
	tcp_send(pair.peer, bytes, BYTES, 0);
	tcp_await_queued(pair.us, BYTES);
	if (ways[_i].whole)
		assert_drains(&ways[_i], pair.us, INT_MAX, BYTES);
	while (!ways[_i].whole && left > 0) {
		ssize_t n = ways[_i].drain(pair.us, INT_MAX);

		ck_assert_int_gt(n, 0);
		left -= (size_t)n;
	}
	assert_drain_fails(&ways[_i], pair.us, EAGAIN);
	free(bytes);
	close(pair.us);
	close(pair.peer);
}
END_TEST

/* ---- through struct lastack__socket */

static struct lastack__socket
readable(int fd)
{
	struct lastack__socket socket = LASTACK__SOCKET_INIT;

	socket.fd = fd;
	lastack__socket_wake(&socket, EPOLLIN);
	return socket;
}

START_TEST(once_takes_the_limit)
{
	struct pair pair = connected();
	struct lastack__socket socket = readable(pair.us);

	tcp_send(pair.peer, "abcdef", 6, 0);
	tcp_await_queued(pair.us, 6);
	ck_assert_uint_eq(lastack__drain_once(&socket, 4), 4);
	ck_assert_uint_eq(socket.taken_bytes, 4);
	ck_assert(socket.readable); /* as much as was asked for: go on */
	ck_assert_uint_eq(lastack__drain_once(&socket, 4), 2);
	ck_assert_uint_eq(socket.taken_bytes, 6);
	ck_assert(!socket.readable);
	ck_assert(!socket.ended);
	close(pair.us);
	close(pair.peer);
}
END_TEST

START_TEST(all_to_the_fin)
{
	struct pair pair = connected();
	struct lastack__socket socket = readable(pair.us);

	tcp_send(pair.peer, "abcdef", 6, 0);
	close(pair.peer);
	tcp_await(pair.us, POLLRDHUP);
	lastack__socket_wake(&socket, EPOLLIN | EPOLLRDHUP);
	ck_assert_uint_eq(lastack__drain_all(&socket, LASTACK__NEVER), 6);
	ck_assert(socket.ended);
	ck_assert(!socket.broken);
	ck_assert_int_eq(socket.first_errno, 0);
	ck_assert_uint_eq(lastack__drain_all(&socket, LASTACK__NEVER), 0);
	close(pair.us);
}
END_TEST

START_TEST(all_to_the_reset)
{
	struct pair pair = connected();
	struct lastack__socket socket = readable(pair.us);

	tcp_send(pair.peer, "abcdef", 6, 0);
	tcp_await_queued(pair.us, 6);
	tcp_reset(pair.peer);
	tcp_await(pair.us, POLLHUP);
	lastack__socket_wake(&socket, EPOLLIN | EPOLLHUP | EPOLLERR);
	ck_assert_uint_eq(lastack__drain_all(&socket, LASTACK__NEVER), 6);
	ck_assert(socket.ended);
	ck_assert(socket.broken);
	ck_assert_int_eq(socket.first_errno, ECONNRESET);
	ck_assert(lastack__socket_was_reset(&socket));
	close(pair.us);
}
END_TEST

START_TEST(all_past_the_urgent_mark)
{
	struct pair pair = connected();
	struct lastack__socket socket = readable(pair.us);

	ck_assert_int_eq(setsockopt(pair.us, SOL_SOCKET, SO_OOBINLINE,
			     &(int){ 1 }, sizeof(int)),
	    0);
	send_with_mark(pair.peer);
	tcp_await_queued(pair.us, 6);
	lastack__socket_wake(&socket, EPOLLIN | EPOLLPRI);
	ck_assert_uint_eq(lastack__drain_all(&socket, LASTACK__NEVER), 6);
	ck_assert(!socket.ended);
	ck_assert(!socket.readable);
	close(pair.us);
	close(pair.peer);
}
END_TEST

/* Time that is up lets one turn pass, not an endless stream. */
START_TEST(all_until_the_instant)
{
	struct pair pair = connected();
	struct lastack__socket socket = readable(pair.us);

	tcp_send(pair.peer, "abc", 3, 0);
	tcp_send(pair.peer, "U", 1, MSG_OOB);
	tcp_send(pair.peer, "de", 2, 0);
	tcp_await(pair.us, POLLPRI);
	lastack__socket_wake(&socket, EPOLLIN | EPOLLPRI);
	ck_assert_uint_eq(lastack__drain_all(&socket, 0), 3);
	ck_assert(socket.readable);
	close(pair.us);
	close(pair.peer);
}
END_TEST

/* Where the kernel cannot discard: a socket that is not TCP, for one. */
START_TEST(falls_back_to_reading)
{
	struct lastack__socket socket;
	int ends[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	socket = readable(ends[0]);
	tcp_send(ends[1], "abcdef", 6, 0);
#ifdef LASTACK_DRAIN_TRUNCATE
	ck_assert_int_eq(lastack__drain_truncate(ends[0], INT_MAX), -1);
	ck_assert_int_eq(errno, EFAULT);
#endif
	ck_assert_uint_eq(lastack__drain_once(&socket, 2), 2);
	ck_assert_uint_eq(lastack__drain_all(&socket, LASTACK__NEVER), 4);
	ck_assert(!socket.ended);
	close(ends[1]);
	lastack__socket_wake(&socket, EPOLLIN | EPOLLRDHUP);
	ck_assert_uint_eq(lastack__drain_all(&socket, LASTACK__NEVER), 0);
	ck_assert(socket.ended);
	ck_assert(!socket.broken);
	close(ends[0]);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("drain");

	tcase_add_loop_test(tests, nothing_queued, 0, WAYS);
	tcase_add_loop_test(tests, data, 0, WAYS);
	tcase_add_loop_test(tests, no_more_than_asked_for, 0, WAYS);
	tcase_add_loop_test(tests, data_then_fin, 0, WAYS);
	tcase_add_loop_test(tests, fin_alone, 0, WAYS);
	tcase_add_loop_test(tests, data_then_reset, 0, WAYS);
	tcase_add_loop_test(tests, reset_alone, 0, WAYS);
	tcase_add_loop_test(tests, stops_at_the_urgent_mark, 0, WAYS);
	tcase_add_loop_test(tests, large_amount, 0, WAYS);
	tcase_add_test(tests, once_takes_the_limit);
	tcase_add_test(tests, all_to_the_fin);
	tcase_add_test(tests, all_to_the_reset);
	tcase_add_test(tests, all_past_the_urgent_mark);
	tcase_add_test(tests, all_until_the_instant);
	tcase_add_test(tests, falls_back_to_reading);
	return suite_run(tests, "drain");
}
