/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fast local peer: a process of its own for each way to answer, on a port
 * of 127.0.0.1, with Fast Open where the system has it on.
 */
#ifndef HOST_H
#define HOST_H

#include <stdint.h>
#include <sys/types.h>

enum host_way {
	HOST_ANSWER, /* a small response and the FIN in one segment */
	HOST_FLOOD,  /* HOST_FLOOD_BYTES of it */
	HOST_RESET,  /* an RST */
};

#define HOST_WAYS 3
#define HOST_FLOOD_BYTES (UINT64_C(2) << 30)

struct host {
	uint16_t port;
	pid_t pid;
};

/* Exits where it cannot. It dies with this process. */
void host_start(struct host *host, enum host_way way);
void host_stop(const struct host *host);

#endif
