/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP sockets on loopback for the tests: port 0 always, no bare sleep. What
 * goes wrong fails the test at once.
 */
#ifndef TCP_H
#define TCP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

union tcp_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage storage;
};

/* Whether ::1 is there. */
bool tcp_has_ipv6(void);

/* A listening socket on 127.0.0.1 (AF_INET) or ::1 (AF_INET6). */
int tcp_listen(int family, int backlog);

/* A socket that is bound and does not listen: a SYN there meets an RST. */
int tcp_bound(int family);

uint16_t tcp_port(int fd);
void tcp_local(int fd, union tcp_address *address);
socklen_t tcp_length(const union tcp_address *address);

/* Two ends of one connection; ends[0] is the one that connected. */
void tcp_pair(int family, int ends[2]);

/* Nonblocking, as the library's own. */
void tcp_nonblocking(int fd);

/* Closes it with an RST. */
void tcp_reset(int fd);

void tcp_send(int fd, const void *data, size_t len, int flags);

/* Until so many bytes are queued in the socket. */
void tcp_await_queued(int fd, size_t len);

/* Until poll(2) shows all of these events. */
void tcp_await(int fd, short events);

/* Until tcpi_state is this one, of <netinet/tcp.h>. */
void tcp_await_state(int fd, unsigned int state);

/*
 * For a condition without an event: true again and again for some seconds,
 * with a short rest each time, then false.
 */
struct tcp_patience {
	int64_t deadline_ns;
};

bool tcp_patient(struct tcp_patience *patience);

int64_t tcp_now_ns(void);

#endif
