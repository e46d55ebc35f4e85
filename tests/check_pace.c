/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "drain.h"
#include "pace.h"
#include "socket.h"
#include "suite.h"
#include "tcp.h"

#ifdef LASTACK_DRAIN_TRUNCATE

#define LEAST 65536 /* the first mark, and what it takes to set one */
#define MOST 524288
#define EVER UINT64_MAX
#define MS 1000000

/* Instants are the test's own: nothing here waits for one. */
#define NOW 1000000000

static int ends[2];
static struct lastack__socket socket_;

static void
begin(void)
{
	int room = 4 * MOST;

	tcp_pair(AF_INET, ends);
	/* Or else the kernel takes less than a mark, and tells. */
	ck_assert_int_eq(
	    setsockopt(ends[0], SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
	tcp_nonblocking(ends[0]);
	socket_ = (struct lastack__socket)LASTACK__SOCKET_INIT;
	socket_.fd = ends[0];
}

static void
end(void)
{
	close(ends[0]);
	close(ends[1]);
}

static void
assert_mark(int want)
{
	socklen_t len = sizeof(int);
	int mark = 0;

	ck_assert_int_eq(
	    getsockopt(ends[0], SOL_SOCKET, SO_RCVLOWAT, &mark, &len), 0);
	ck_assert_int_eq(mark, want);
	ck_assert_uint_eq(socket_.pace.mark_bytes, want == 1 ? 0 : want);
}

static bool
is_announced(void)
{
	struct pollfd look = { .fd = ends[0], .events = POLLIN };

	return poll(&look, 1, 0) == 1;
}

static void
give(size_t bytes)
{
	static char data[MOST];

	tcp_send(ends[1], data, bytes, 0);
	tcp_await_queued(ends[0], bytes);
}

START_TEST(little_is_announced_at_once)
{
	lastack__pace_go(&socket_, 0, EVER, NOW);
	assert_mark(1);
	lastack__pace_go(&socket_, LEAST - 1, EVER, NOW);
	assert_mark(1);
	ck_assert_int_eq(lastack__pace_timer(&socket_, NOW + MS), NOW + MS);
	give(1);
	ck_assert(is_announced());
}
END_TEST

START_TEST(much_is_announced_when_there_is_more)
{
	lastack__pace_go(&socket_, LEAST, EVER, NOW);
	assert_mark(LEAST);
	give(LEAST - 1);
	ck_assert(!is_announced());
	tcp_send(ends[1], "x", 1, 0);
	tcp_await_queued(ends[0], LEAST);
	ck_assert(is_announced());
}
END_TEST

/* Twice as much each time, up to a bound. */
START_TEST(rises)
{
	int want = LEAST;

	for (int i = 0; i < 10; i++) {
		lastack__pace_go(&socket_, MOST, EVER, NOW);
		assert_mark(want);
		want = want < MOST ? 2 * want : MOST;
	}
	lastack__pace_go(&socket_, MOST - 1, EVER, NOW);
	assert_mark(MOST);
}
END_TEST

/* What did not come in time is not waited for any longer. */
START_TEST(falls)
{
	lastack__pace_go(&socket_, LEAST, EVER, NOW);
	lastack__pace_go(&socket_, LEAST, EVER, NOW);
	assert_mark(2 * LEAST);
	ck_assert_int_eq(lastack__pace_timer(&socket_, INT64_MAX), NOW + MS);
	ck_assert_int_eq(lastack__pace_timer(&socket_, NOW), NOW);

	/* Woken for another reason: the look is still to come. */
	lastack__pace_go(&socket_, 1, EVER, NOW + MS - 1);
	assert_mark(2 * LEAST);
	ck_assert_int_eq(lastack__pace_timer(&socket_, INT64_MAX), NOW + MS);

	lastack__pace_go(&socket_, 1, EVER, NOW + MS);
	assert_mark(LEAST);
	ck_assert_int_eq(
	    lastack__pace_timer(&socket_, INT64_MAX), NOW + 2 * MS);
	lastack__pace_go(&socket_, 0, EVER, NOW + 2 * MS);
	assert_mark(1);
	ck_assert_int_eq(lastack__pace_timer(&socket_, INT64_MAX), INT64_MAX);
}
END_TEST

/* No more is waited for than is wanted. */
START_TEST(no_further_than_the_limit)
{
	lastack__pace_go(&socket_, LEAST, 1000, NOW);
	assert_mark(1000);
	lastack__pace_go(&socket_, LEAST, 0, NOW);
	assert_mark(1);
}
END_TEST

START_TEST(somebody_looks)
{
	lastack__pace_go(&socket_, LEAST, EVER, NOW);
	give(1);
	ck_assert(!is_announced());
	lastack__pace_stop(&socket_);
	assert_mark(1);
	ck_assert(is_announced());
}
END_TEST

/* Whatever we are woken for, what lies below the mark is read. */
START_TEST(nothing_is_left_lying)
{
	lastack__pace_wake(&socket_);
	ck_assert(!socket_.readable);
	lastack__pace_go(&socket_, LEAST, EVER, NOW);
	give(100);
	lastack__pace_wake(&socket_);
	ck_assert_uint_eq(lastack__drain_all(&socket_, LASTACK__NEVER), 100);
	ck_assert(!socket_.readable);
}
END_TEST

/* The end of the stream wakes us, however little is there. */
START_TEST(the_end_is_announced)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET };
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	ck_assert_int_ne(epoll_fd, -1);
	ck_assert_int_eq(
	    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, ends[0], &event), 0);
	lastack__pace_go(&socket_, LEAST, EVER, NOW);
	give(100);
	ck_assert_int_eq(epoll_wait(epoll_fd, &event, 1, 0), 0);
	if (_i == 0)
		ck_assert_int_eq(shutdown(ends[1], SHUT_WR), 0);
	else
		tcp_reset(ends[1]);
	ck_assert_int_eq(epoll_wait(epoll_fd, &event, 1, 10000), 1);
	ck_assert_uint_ne(event.events & EPOLLIN, 0);
	ck_assert_uint_ne(event.events & EPOLLRDHUP, 0);
	lastack__socket_wake(&socket_, event.events);
	ck_assert_uint_eq(lastack__drain_all(&socket_, LASTACK__NEVER), 100);
	ck_assert(socket_.ended);
	close(epoll_fd);
	if (_i == 1)
		ends[1] = dup(ends[0]); /* for end() to close */
}
END_TEST

/* Nothing more comes behind the peer's end, and a Unix socket has no mark. */
START_TEST(where_there_is_nothing_to_wait_for)
{
	socket_.hung_up = true;
	lastack__pace_go(&socket_, MOST, EVER, NOW);
	assert_mark(1);
	socket_.hung_up = false;
	lastack__pace_go(&socket_, MOST, EVER, NOW);
	assert_mark(LEAST);
	socket_.hung_up = true;
	lastack__pace_go(&socket_, MOST, EVER, NOW);
	assert_mark(1);
	ck_assert_int_eq(lastack__pace_timer(&socket_, INT64_MAX), INT64_MAX);
	socket_.hung_up = false;
	socket_.is_unix = true;
	lastack__pace_go(&socket_, MOST, EVER, NOW);
	assert_mark(1);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("pace");

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, little_is_announced_at_once);
	tcase_add_test(tests, much_is_announced_when_there_is_more);
	tcase_add_test(tests, rises);
	tcase_add_test(tests, falls);
	tcase_add_test(tests, no_further_than_the_limit);
	tcase_add_test(tests, somebody_looks);
	tcase_add_test(tests, nothing_is_left_lying);
	tcase_add_loop_test(tests, the_end_is_announced, 0, 2);
	tcase_add_test(tests, where_there_is_nothing_to_wait_for);
	return suite_run(tests, "pace");
}

#else

/* Without a way to discard, each segment is read as it comes. */
START_TEST(no_mark)
{
	struct lastack__socket socket = LASTACK__SOCKET_INIT;

	lastack__pace_go(&socket, UINT64_MAX, UINT64_MAX, 0);
	ck_assert_uint_eq(socket.pace.mark_bytes, 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("pace");

	tcase_add_test(tests, no_mark);
	return suite_run(tests, "pace");
}

#endif
