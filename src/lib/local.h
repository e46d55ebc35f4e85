/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local side of a connection: the address and the port it comes from, the
 * interface, the mark, the type of service. Zero is all that a socket has
 * anyway, and costs no system call.
 */
#ifndef LASTACK_LOCAL_H
#define LASTACK_LOCAL_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lastack.h"
#include "resolve.h"

struct lastack__local {
	struct lastack__address source; /* len 0: any of ours */
	uint16_t port;			/* 0: the kernel's choice */
	char interface[IF_NAMESIZE];	/* "": by the routes */
	uint32_t mark;
	uint8_t tos;
};

/* Numeric, or NULL for any. 0, or LASTACK_ERROR_ARGUMENT. */
int lastack__local_source(
    struct lastack__local *local, const char *address, uint16_t port);

/* Whether anything is. */
bool lastack__local_is_asked_for(const struct lastack__local *local);

/* Whether a source of another family than this one is asked for. */
bool lastack__local_is_foreign(
    const struct lastack__local *local, sa_family_t family);

/* The address, for a target of that family; NULL: none was chosen.
 * local NULL: likewise. */
const struct sockaddr *lastack__local_address(
    const struct lastack__local *local, sa_family_t family);

/* The index of the interface, 0: by the routes. */
unsigned int lastack__local_device(const struct lastack__local *local);

/*
 * Before connect(): sets on the socket what is asked for. 0, or errno, and
 * which of them the kernel refused.
 */
int lastack__local_set(const struct lastack__local *local, int fd,
    const struct sockaddr *target, enum lastack_local *refused);

/* After a connect() that failed: whether it was for the source. */
bool lastack__local_is_to_blame(const struct lastack__local *local, int error);

#endif
