/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "connect.h"
#include "suite.h"
#include "tcp.h"

/* One address, on which a connection is there by now. */
static void
open_one(
    struct lastack__connect *connect, struct lastack__socket *s, int listener)
{
	struct lastack__addresses addresses = { .count = 1 };
	union tcp_address address;

	tcp_local(listener, &address);
	addresses.list = calloc(1, sizeof(*addresses.list));
	ck_assert_ptr_nonnull(addresses.list);
	addresses.list->len = tcp_length(&address);
	addresses.list->u.v4 = address.v4;
	*connect = (struct lastack__connect){ 0 };
	ck_assert_int_eq(lastack__connect_begin(connect, &addresses), 0);
	ck_assert_int_eq(
	    lastack__connect_next(connect, s), LASTACK__CONNECT_STARTED);
	tcp_await(s->fd, POLLOUT);
}

/*
 * It is told when it was seen: at the event, or, where we look before there is
 * one, not at some instant before the SYN/ACK.
 */
START_TEST(connected_when_seen)
{
	int listener = tcp_listen(AF_INET, 1);
	struct lastack__socket s = LASTACK__SOCKET_INIT;
	struct lastack__connect connect;
	int64_t there_ns, now_ns;

	open_one(&connect, &s, listener);
	there_ns = tcp_now_ns();
	now_ns = connect.begun_ns;
	s.writable = _i == 1;
	ck_assert_int_eq(lastack__connect_step(&connect, &s, &now_ns),
	    LASTACK__CONNECT_DONE);
	if (s.writable)
		ck_assert_int_eq(now_ns, connect.begun_ns);
	else
		ck_assert_int_ge(now_ns, there_ns);
	ck_assert_int_eq(
	    connect.attempts[0].record.time_ns, now_ns - connect.begun_ns);
	lastack__socket_close(&s);
	lastack__connect_free(&connect);
	close(listener);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("connect");

#ifdef LASTACK_TCP_INFO
	tcase_add_loop_test(tests, connected_when_seen, 0, 2);
#else
	/* Nothing but the event tells there. */
	tcase_add_loop_test(tests, connected_when_seen, 1, 2);
#endif
	return suite_run(tests, "connect");
}
