/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "suite.h"
#include "tcp.h"
#include "timewait.h"

/* One connection: what we would call local and remote at either end. */
struct line {
	int client, server;
	union tcp_address client_address, server_address;
};

static struct line
connected(int family)
{
	struct line line;
	int ends[2];

	tcp_pair(family, ends);
	line.client = ends[0];
	line.server = ends[1];
	tcp_local(line.client, &line.client_address);
	tcp_local(line.server, &line.server_address);
	return line;
}

static enum lastack_truth
look(const union tcp_address *local, const union tcp_address *remote)
{
	return lastack__timewait_look(&local->any, &remote->any, 0);
}

#ifdef LASTACK_TCP_INFO

/* The last segments may still be under way. */
static void
await(const union tcp_address *local, const union tcp_address *remote,
    enum lastack_truth want)
{
	struct tcp_patience patience = { 0 };

	while (look(local, remote) != want && tcp_patient(&patience))
		continue;
	ck_assert_int_eq(look(local, remote), want);
}

static int
family_of(int i)
{
	return i == 0 ? AF_INET : AF_INET6;
}

START_TEST(open_connection)
{
	struct line line = connected(family_of(_i));

	ck_assert_int_eq(
	    look(&line.client_address, &line.server_address), LASTACK_NO);
	ck_assert_int_eq(
	    look(&line.server_address, &line.client_address), LASTACK_NO);
	close(line.client);
	close(line.server);
}
END_TEST

/* It is with the side that closes first, and with that one only. */
START_TEST(client_closes_first)
{
	struct line line = connected(family_of(_i));

	close(line.client);
	tcp_await(line.server, POLLRDHUP);
	/* FIN-WAIT-2 without a socket is kept in the same place. */
	ck_assert_int_eq(
	    look(&line.client_address, &line.server_address), LASTACK_NO);
	close(line.server);
	await(&line.client_address, &line.server_address, LASTACK_YES);
	await(&line.server_address, &line.client_address, LASTACK_NO);
}
END_TEST

START_TEST(server_closes_first)
{
	struct line line = connected(family_of(_i));

	close(line.server);
	tcp_await(line.client, POLLRDHUP);
	close(line.client);
	await(&line.server_address, &line.client_address, LASTACK_YES);
	await(&line.client_address, &line.server_address, LASTACK_NO);
}
END_TEST

/* TIME-WAIT lives apart from the descriptor that led to it. */
START_TEST(with_the_descriptor_still_open)
{
	struct line line = connected(family_of(_i));

	ck_assert_int_eq(shutdown(line.client, SHUT_WR), 0);
	tcp_await(line.server, POLLRDHUP);
	close(line.server);
	tcp_await_state(line.client, TCP_CLOSE);
	await(&line.client_address, &line.server_address, LASTACK_YES);
	close(line.client);
	ck_assert_int_eq(
	    look(&line.client_address, &line.server_address), LASTACK_YES);
}
END_TEST

START_TEST(nobody_after_a_reset)
{
	struct line line = connected(family_of(_i));

	tcp_reset(line.client);
	tcp_await_state(line.server, TCP_CLOSE);
	await(&line.client_address, &line.server_address, LASTACK_NO);
	await(&line.server_address, &line.client_address, LASTACK_NO);
	close(line.server);
}
END_TEST

/* To the same address, but another port. */
START_TEST(another_connection)
{
	struct line one = connected(family_of(_i));
	struct line two = connected(family_of(_i));

	close(one.client);
	tcp_await(one.server, POLLRDHUP);
	close(one.server);
	await(&one.client_address, &one.server_address, LASTACK_YES);
	ck_assert_int_eq(
	    look(&two.client_address, &two.server_address), LASTACK_NO);
	ck_assert_int_eq(
	    look(&one.client_address, &two.server_address), LASTACK_NO);
	close(two.client);
	close(two.server);
}
END_TEST

#endif

/* Whatever it says, it costs no descriptor. */
START_TEST(leaves_no_descriptor)
{
	struct line line = connected(AF_INET);
	int before = dup(line.client);

	close(before);
	for (int i = 0; i < 100; i++)
		look(&line.client_address, &line.server_address);
	ck_assert_int_eq(dup(line.client), before);
	close(before);
	close(line.client);
	close(line.server);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("timewait");

#ifdef LASTACK_TCP_INFO
	int families = tcp_has_ipv6() ? 2 : 1;

	tcase_add_loop_test(tests, open_connection, 0, families);
	tcase_add_loop_test(tests, client_closes_first, 0, families);
	tcase_add_loop_test(tests, server_closes_first, 0, families);
	tcase_add_loop_test(tests, with_the_descriptor_still_open, 0, families);
	tcase_add_loop_test(tests, nobody_after_a_reset, 0, families);
	tcase_add_loop_test(tests, another_connection, 0, families);
#endif
	tcase_add_test(tests, leaves_no_descriptor);
	return suite_run(tests, "timewait");
}
