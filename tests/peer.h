/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A scripted server on a kernel socket: it accepts one connection after
 * another on a loopback port of its own and goes through its script with each,
 * in a thread. What a kernel socket cannot be made to send, rawpeer.h sends.
 */
#ifndef PEER_H
#define PEER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum peer_action {
	PEER_END,      /* of the script: close() */
	PEER_TAKE,     /* read n bytes; 0: whatever comes first */
	PEER_TAKE_ALL, /* read until the other side's FIN or RST */
	PEER_PEEK,     /* until there is something to read; leave it there */
	PEER_GIVE,     /* write data, or n bytes of a pattern */
	PEER_GIVE_FIN, /* the same, less than 64 KiB, and FIN on its back */
	PEER_DRIP,     /* write n bytes one at a time, each a segment */
	PEER_URGENT,   /* write n bytes, the last one urgent */
	PEER_PAUSE,    /* n microseconds; for a peer that is slow */
	PEER_FIN,      /* shutdown(SHUT_WR) */
	PEER_RESET,    /* close() with an RST */
	PEER_AWAIT,    /* until the other side has ended, reading nothing */
};

struct peer_step {
	enum peer_action action;
	uint64_t n;
	const char *data;
};

struct peer;

/*
 * family: AF_INET or AF_INET6. The script ends with PEER_END or PEER_RESET and
 * outlives the peer. Exits the test program where it cannot.
 */
struct peer *peer_start(int family, const struct peer_step *script);
uint16_t peer_port(const struct peer *peer);

/* Ends the thread, whatever it is waiting for; NULL is fine. */
void peer_stop(struct peer *peer);

/* A port of lo on which nothing listens: an RST is the answer. */
uint16_t peer_refusing_port(int family);

/*
 * A port whose backlog is full: no SYN/ACK is the answer. The descriptors are
 * to be closed afterwards.
 */
#define PEER_DEAF_FDS 4
uint16_t peer_deaf_port(int family, int fds[PEER_DEAF_FDS]);

#endif
