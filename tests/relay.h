/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A path with a length: behind the lab's veth pair, at LAB_PEER_ADDR4 and
 * LAB_PEER_ADDR6, there is a kernel in a namespace of its own, and between the
 * two a thread that holds every frame back for a while and may lose some.
 */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stdint.h>

struct relay_plan {
	int64_t delay_ns; /* of every frame, each way: half a round trip */
	/* Lost, of what our side sends: so many SYNs, the first ones; */
	unsigned int drop_syns;
	bool drop_syn_data; /* and every SYN with payload */
	/* net.ipv4.tcp_fastopen of the far side; NULL: the kernel's default */
	const char *fastopen;
};

struct relay;

/*
 * Makes the veth pair as well: after lab_enter(), instead of lab_veth(), by a
 * process without threads, once. Exits the test program where it cannot; ends
 * with relay_stop().
 */
struct relay *relay_start(const struct relay_plan *plan);

/*
 * The far side's listening socket, AF_INET or AF_INET6 (-1: it has none), on
 * the same port; the relay's to close.
 */
int relay_listener(const struct relay *relay, int family);
uint16_t relay_port(const struct relay *relay);

/* Frames that found the queue full; those of the plan are not among them. */
unsigned int relay_overflows(const struct relay *relay);

void relay_stop(struct relay *relay);

#endif
