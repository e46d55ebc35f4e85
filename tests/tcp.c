/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <check.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "tcp.h"

#define PATIENCE_NS INT64_C(30000000000)

int64_t
tcp_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool
tcp_patient(struct tcp_patience *patience)
{
	const struct timespec rest = { .tv_nsec = 500000 };
	int64_t now_ns = tcp_now_ns();

	if (patience->deadline_ns == 0)
		patience->deadline_ns = now_ns + PATIENCE_NS;
	else
		nanosleep(&rest, NULL);
	return now_ns < patience->deadline_ns;
}

static void
loopback(int family, union tcp_address *address)
{
	memset(address, 0, sizeof(*address));
	address->any.sa_family = (sa_family_t)family;
	if (family == AF_INET)
		address->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		address->v6.sin6_addr = in6addr_loopback;
}

socklen_t
tcp_length(const union tcp_address *address)
{
	return address->any.sa_family == AF_INET ? sizeof(address->v4) :
						   sizeof(address->v6);
}

static int
open_bound(int family)
{
	union tcp_address address;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	loopback(family, &address);
	if (bind(fd, &address.any, tcp_length(&address)) == 0)
		return fd;
	close(fd);
	return -1;
}

bool
tcp_has_ipv6(void)
{
	int fd = open_bound(AF_INET6);

	if (fd == -1)
		return false;
	close(fd);
	return true;
}

int
tcp_bound(int family)
{
	int fd = open_bound(family);

	ck_assert_int_ge(fd, 0);
	return fd;
}

int
tcp_listen(int family, int backlog)
{
	int fd = tcp_bound(family);

	ck_assert_int_eq(listen(fd, backlog), 0);
	return fd;
}

void
tcp_local(int fd, union tcp_address *address)
{
	socklen_t len = sizeof(*address);

	memset(address, 0, sizeof(*address));
	ck_assert_int_eq(getsockname(fd, &address->any, &len), 0);
}

uint16_t
tcp_port(int fd)
{
	union tcp_address address;

	tcp_local(fd, &address);
	return ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port :
							address.v6.sin6_port);
}

void
tcp_pair(int family, int ends[2])
{
	int listener = tcp_listen(family, 1);
	union tcp_address address;

	tcp_local(listener, &address);
	ends[0] = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(ends[0], 0);
	ck_assert_int_eq(
	    connect(ends[0], &address.any, tcp_length(&address)), 0);
	ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(ends[1], 0);
	close(listener);
}

void
tcp_nonblocking(int fd)
{
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

void
tcp_reset(int fd)
{
	struct linger none = { .l_onoff = 1, .l_linger = 0 };

	ck_assert_int_eq(
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
	close(fd);
}

void
tcp_send(int fd, const void *data, size_t len, int flags)
{
	ck_assert_int_eq(
	    send(fd, data, len, flags | MSG_NOSIGNAL), (ssize_t)len);
}

void
tcp_await_queued(int fd, size_t len)
{
	struct tcp_patience patience = { 0 };
	int queued = 0;

	do
		ck_assert_int_eq(ioctl(fd, SIOCINQ, &queued), 0);
	while ((size_t)queued < len && tcp_patient(&patience));
	ck_assert_uint_eq((size_t)queued, len);
}

void
tcp_await(int fd, short events)
{
	struct tcp_patience patience = { 0 };
	struct pollfd ready = { .fd = fd, .events = events };

	/* Other events may come earlier and would end each poll() at once. */
	do
		ck_assert_int_ge(poll(&ready, 1, 100), 0);
	while ((ready.revents & events) != events && tcp_patient(&patience));
	ck_assert_int_eq(ready.revents & events, events);
}

void
tcp_await_state(int fd, unsigned int state)
{
	struct tcp_patience patience = { 0 };
	struct tcp_info info;
	socklen_t len;

	do {
		len = sizeof(info);
		ck_assert_int_eq(
		    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	} while (info.tcpi_state != state && tcp_patient(&patience));
	ck_assert_uint_eq(info.tcpi_state, state);
}
