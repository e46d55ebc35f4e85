/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "socket.h"
#include "suite.h"
#include "tcp.h"

static const struct lastack__socket none = LASTACK__SOCKET_INIT;

/* ---- what is made of a result of recv() */

struct took {
	struct lastack__socket before;
	ssize_t n;
	int error;
	size_t len;
	struct lastack__socket after;
	size_t taken;
};

/* clang-format off */
static const struct took table[] = {
	/* As much as was asked for: there may be more. */
	{ { .readable = true }, 10, 0, 10,
	  { .readable = true, .taken_bytes = 10 }, 10 },
	/* Less: the queue is empty, and the next byte makes an edge. */
	{ { .readable = true }, 9, 0, 10,
	  { .readable = false, .taken_bytes = 9 }, 9 },
	/* But an end that was announced already makes none. */
	{ { .readable = true, .hung_up = true }, 9, 0, 10,
	  { .readable = true, .hung_up = true, .taken_bytes = 9 }, 9 },
	/* And a read stops short at the urgent mark, whatever follows it. */
	{ { .readable = true, .urgent = true }, 9, 0, 10,
	  { .readable = true, .urgent = true, .taken_bytes = 9 }, 9 },
	{ { .readable = true, .taken_bytes = 5 }, 0, 0, 10,
	  { .ended = true, .taken_bytes = 5 }, 0 },
	{ { .readable = true }, -1, EINTR, 10, { .readable = true }, 0 },
	{ { .readable = true }, -1, EAGAIN, 10, { .readable = false }, 0 },
	{ { .readable = true }, -1, ECONNRESET, 10,
	  { .ended = true, .broken = true, .first_errno = ECONNRESET }, 0 },
	/* The first error is the one. */
	{ { .readable = true, .first_errno = EPIPE }, -1, ECONNRESET, 10,
	  { .ended = true, .broken = true, .first_errno = EPIPE }, 0 },
};
/* clang-format on */

START_TEST(took)
{
	const struct took *row = &table[_i];
	struct lastack__socket socket = row->before;

	errno = row->error;
	ck_assert_uint_eq(
	    lastack__socket_took(&socket, row->n, row->len), row->taken);
	ck_assert_int_eq(socket.readable, row->after.readable);
	ck_assert_int_eq(socket.hung_up, row->after.hung_up);
	ck_assert_int_eq(socket.ended, row->after.ended);
	ck_assert_int_eq(socket.broken, row->after.broken);
	ck_assert_int_eq(socket.first_errno, row->after.first_errno);
	ck_assert_uint_eq(socket.taken_bytes, row->after.taken_bytes);
}
END_TEST

START_TEST(edges)
{
	static const struct {
		uint32_t events;
		bool readable, writable, hung_up, urgent;
	} rows[] = {
		{ 0, false, false, false, false },
		{ EPOLLIN, true, false, false, false },
		{ EPOLLOUT, false, true, false, false },
		{ EPOLLPRI, true, false, false, true },
		{ EPOLLRDHUP, true, false, true, false },
		{ EPOLLHUP, true, true, true, false },
		{ EPOLLERR, true, true, true, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lastack__socket socket = none;

		lastack__socket_wake(&socket, rows[i].events);
		ck_assert_int_eq(socket.readable, rows[i].readable);
		ck_assert_int_eq(socket.writable, rows[i].writable);
		ck_assert_int_eq(socket.hung_up, rows[i].hung_up);
		ck_assert_int_eq(socket.urgent, rows[i].urgent);
		/* Edges add up until they are used. */
		lastack__socket_wake(&socket, 0);
		ck_assert_int_eq(socket.readable, rows[i].readable);
	}
}
END_TEST

START_TEST(reset_words)
{
	static const struct {
		int error;
		bool reset;
	} rows[] = { { 0, false }, { ECONNRESET, true }, { EPIPE, true },
		{ ETIMEDOUT, false }, { EHOSTUNREACH, false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lastack__socket socket = none;

		socket.first_errno = rows[i].error;
		ck_assert_int_eq(
		    lastack__socket_was_reset(&socket), rows[i].reset);
	}
}
END_TEST

/* ---- real connections */

/* Ours is the library's own, connected to a plain one. */
static int
connected(struct lastack__socket *socket, bool hold_ack)
{
	int listener = tcp_listen(AF_INET, 1);
	union tcp_address address;
	int peer;

	tcp_local(listener, &address);
	ck_assert_int_eq(
	    lastack__socket_connect(socket, &address.any, tcp_length(&address),
		&(struct lastack__open){ .hold_ack = hold_ack }),
	    0);
	tcp_await(socket->fd, POLLOUT);
	socket->writable = true;
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(peer, 0);
	close(listener);
	return peer;
}

/* Adds what poll(2) shows, as epoll would have. */
static void
wake(struct lastack__socket *socket)
{
	struct pollfd ready = { .fd = socket->fd,
		.events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP };

	ck_assert_int_eq(poll(&ready, 1, 0), 1);
	lastack__socket_wake(socket, (uint32_t)ready.revents);
}

START_TEST(descriptor)
{
	struct lastack__socket socket;
	int peer = connected(&socket, false);

	ck_assert_int_ne(fcntl(socket.fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(socket.fd, F_GETFD) & FD_CLOEXEC, 0);
	lastack__socket_close(&socket);
	ck_assert_int_eq(socket.fd, -1);
	lastack__socket_close(&socket);
	close(peer);
}
END_TEST

/* The lowest that is free, which is the one that socket(2) would give. */
static int
next_descriptor(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ne(fd, -1);
	close(fd);
	return fd;
}

/* Of the right family it is the connection's; of another it is closed. */
START_TEST(prepared)
{
	static const int families[] = { AF_INET, AF_INET6, AF_UNIX };
	struct lastack__open open = { .stamps = true };
	int listener = tcp_listen(AF_INET, 8);
	struct lastack__socket socket;
	union tcp_address address;
	int fd = next_descriptor();

	tcp_local(listener, &address);
	for (size_t i = 0; i < 3; i++) {
		lastack__socket_prepare(&open, families[i]);
		ck_assert(open.ready.there);
		ck_assert_int_eq(open.ready.fd, fd);
		ck_assert_int_eq(lastack__socket_connect(&socket, &address.any,
				     tcp_length(&address), &open),
		    0);
		ck_assert(!open.ready.there);
		if (i == 0)
			ck_assert_int_eq(socket.fd, fd);
		ck_assert_int_ne(fcntl(socket.fd, F_GETFL) & O_NONBLOCK, 0);
		ck_assert_int_ne(fcntl(socket.fd, F_GETFD) & FD_CLOEXEC, 0);
		lastack__socket_reset(&socket);
		ck_assert_int_eq(next_descriptor(), fd);
	}
	lastack__socket_prepare(&open, AF_INET);
	lastack__socket_unprepare(&open);
	lastack__socket_unprepare(&open);
	ck_assert_int_eq(next_descriptor(), fd);
	close(listener);
}
END_TEST

START_TEST(nowhere_to_connect)
{
	union tcp_address address = { .v4 = { .sin_family = AF_INET } };
	struct lastack__socket socket;

	address.v4.sin_addr.s_addr = htonl(INADDR_BROADCAST);
	address.v4.sin_port = htons(80);
	ck_assert_int_ne(
	    lastack__socket_connect(&socket, &address.any, sizeof(address.v4),
		&(struct lastack__open){ .hold_ack = false }),
	    0);
	ck_assert_int_eq(socket.fd, -1);
	address.any.sa_family = AF_UNSPEC;
	ck_assert_int_ne(
	    lastack__socket_connect(&socket, &address.any, sizeof(address.v4),
		&(struct lastack__open){ .hold_ack = false }),
	    0);
	ck_assert_int_eq(socket.fd, -1);
}
END_TEST

START_TEST(both_ways)
{
	struct lastack__socket socket;
	int peer = connected(&socket, true);
	char bytes[16] = "";

	ck_assert_uint_eq(lastack__socket_send(&socket, "abc", 3, false), 3);
	ck_assert_uint_eq(socket.sent_bytes, 3);
	ck_assert_int_eq(recv(peer, bytes, sizeof(bytes), 0), 3);
	tcp_send(peer, "12345", 5, 0);
	tcp_await_queued(socket.fd, 5);
	wake(&socket);
	ck_assert_uint_eq(
	    lastack__socket_receive(&socket, bytes, sizeof(bytes)), 5);
	ck_assert_uint_eq(socket.taken_bytes, 5);
	ck_assert_uint_eq(
	    lastack__socket_receive(&socket, bytes, sizeof(bytes)), 0);
	ck_assert(!socket.ended);
	lastack__socket_close(&socket);
	close(peer);
}
END_TEST

/* The byte after the mark is not lost for a short read at the mark. */
START_TEST(urgent_data)
{
	struct lastack__socket socket;
	int peer = connected(&socket, false);
	char bytes[16] = "";
	size_t taken = 0;

	tcp_send(peer, "abU", 3, MSG_OOB);
	tcp_send(peer, "cd", 2, 0);
	tcp_await_queued(socket.fd, 5);
	wake(&socket);
	while (socket.readable)
		taken += lastack__socket_receive(
		    &socket, bytes + taken, sizeof(bytes) - taken);
	ck_assert_uint_eq(taken, 5);
	ck_assert_str_eq(bytes, "abUcd");
	ck_assert(!socket.ended);
	lastack__socket_close(&socket);
	close(peer);
}
END_TEST

START_TEST(no_room_to_send)
{
	struct lastack__socket socket;
	int peer = connected(&socket, false);
	static const char block[1 << 20];
	uint64_t sent = 0;

	while (socket.writable)
		sent +=
		    lastack__socket_send(&socket, block, sizeof(block), false);
	ck_assert_uint_eq(sent, socket.sent_bytes);
	ck_assert_uint_gt(sent, 0);
	ck_assert(!socket.broken);
	lastack__socket_close(&socket);
	close(peer);
}
END_TEST

/*
 * A send() that meets the reset takes it from recv(), which then reads what
 * came before, and an end that looks clean. The reset must not be forgotten.
 */
START_TEST(send_meets_the_reset)
{
	struct lastack__socket socket;
	int peer = connected(&socket, false);
	char bytes[16] = "";

	tcp_send(peer, "last words", 10, 0);
	tcp_await_queued(socket.fd, 10);
	tcp_reset(peer);
	tcp_await(socket.fd, POLLHUP);
	ck_assert_uint_eq(lastack__socket_send(&socket, "x", 1, false), 0);
	ck_assert(socket.broken);
	ck_assert(!socket.ended);
	ck_assert(socket.readable);
	ck_assert_uint_eq(
	    lastack__socket_receive(&socket, bytes, sizeof(bytes)), 10);
	ck_assert_str_eq(bytes, "last words");
	ck_assert(socket.readable);
	ck_assert_uint_eq(
	    lastack__socket_receive(&socket, bytes, sizeof(bytes)), 0);
	ck_assert(socket.ended);
	ck_assert(lastack__socket_was_reset(&socket));
	ck_assert_uint_eq(socket.sent_bytes, 0);
	lastack__socket_close(&socket);
}
END_TEST

START_TEST(fin_then_reset)
{
	struct lastack__socket socket;
	int peer = connected(&socket, false);
	char byte;

	ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
	tcp_await(socket.fd, POLLRDHUP);
	tcp_reset(peer);
	tcp_await(socket.fd, POLLHUP);
	wake(&socket);
	ck_assert_uint_eq(lastack__socket_receive(&socket, &byte, 1), 0);
	ck_assert(socket.ended);
	ck_assert(!socket.broken);
	ck_assert_int_eq(lastack__socket_errno(&socket), EPIPE);
	ck_assert(lastack__socket_was_reset(&socket));
	/* SO_ERROR tells it once; the socket keeps it. */
	ck_assert_int_eq(lastack__socket_errno(&socket), EPIPE);
	lastack__socket_close(&socket);
}
END_TEST

START_TEST(our_fin)
{
	struct lastack__socket socket;
	int peer = connected(&socket, true);
	char byte;

	ck_assert(lastack__socket_shutdown(&socket));
	ck_assert(socket.fin_sent);
	ck_assert(!socket.ack_held);
	ck_assert_int_eq(recv(peer, &byte, 1, 0), 0);
	/* Only one direction is closed. */
	tcp_send(peer, "x", 1, 0);
	tcp_await_queued(socket.fd, 1);
	ck_assert_uint_eq(lastack__socket_receive(&socket, &byte, 1), 1);
	lastack__socket_close(&socket);
	close(peer);
}
END_TEST

START_TEST(no_fin_on_a_dead_connection)
{
	struct lastack__socket socket;
	int peer = connected(&socket, false);

	tcp_reset(peer);
	tcp_await(socket.fd, POLLHUP);
	ck_assert(!lastack__socket_shutdown(&socket));
	ck_assert(!socket.fin_sent);
	lastack__socket_close(&socket);
}
END_TEST

START_TEST(our_reset)
{
	struct lastack__socket socket;
	int peer = connected(&socket, false);
	char byte;

	lastack__socket_reset(&socket);
	ck_assert_int_eq(socket.fd, -1);
	ck_assert_int_eq(recv(peer, &byte, 1, 0), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	close(peer);
}
END_TEST

START_TEST(held_ack_is_let_go_once)
{
	struct lastack__socket socket;
	int peer = connected(&socket, true);
	socklen_t len = sizeof(int);
	int quick = 0;

	ck_assert(socket.ack_held);
	lastack__socket_release_ack(&socket);
	ck_assert(!socket.ack_held);
	ck_assert_int_eq(
	    getsockopt(socket.fd, IPPROTO_TCP, TCP_QUICKACK, &quick, &len), 0);
	ck_assert_int_ne(quick, 0);
	lastack__socket_release_ack(&socket);
	lastack__socket_close(&socket);
	close(peer);
}
END_TEST

#ifdef SO_ATTACH_FILTER
/* A FIN that comes while frozen is as if it had come too late. */
START_TEST(frozen)
{
	struct lastack__socket socket;
	int peer = connected(&socket, false);
	char byte;

	lastack__socket_freeze(&socket);
	ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
	ck_assert_int_eq(recv(socket.fd, &byte, 1, 0), -1);
	ck_assert_int_eq(errno, EAGAIN);
	lastack__socket_thaw(&socket);
	/* The peer's kernel sends it again. */
	tcp_await(socket.fd, POLLRDHUP);
	ck_assert_int_eq(recv(socket.fd, &byte, 1, 0), 0);
	lastack__socket_close(&socket);
	close(peer);
}
END_TEST
#endif

int
main(void)
{
	TCase *tests = tcase_create("socket");

	tcase_add_loop_test(
	    tests, took, 0, (int)(sizeof(table) / sizeof(table[0])));
	tcase_add_test(tests, edges);
	tcase_add_test(tests, reset_words);
	tcase_add_test(tests, descriptor);
	tcase_add_test(tests, prepared);
	tcase_add_test(tests, nowhere_to_connect);
	tcase_add_test(tests, both_ways);
	tcase_add_test(tests, urgent_data);
	tcase_add_test(tests, no_room_to_send);
	tcase_add_test(tests, send_meets_the_reset);
	tcase_add_test(tests, fin_then_reset);
	tcase_add_test(tests, our_fin);
	tcase_add_test(tests, no_fin_on_a_dead_connection);
	tcase_add_test(tests, our_reset);
	tcase_add_test(tests, held_ack_is_let_go_once);
#ifdef SO_ATTACH_FILTER
	tcase_add_test(tests, frozen);
#endif
	return suite_run(tests, "socket");
}
