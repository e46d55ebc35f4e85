/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header by which a proxy tells whom a connection is from and whom it was
 * to (HAProxy's proxy-protocol.txt, versions 1 and 2).
 */
#ifndef LASTACK_PROXY_H
#define LASTACK_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "lastack.h"
#include "payload.h"
#include "resolve.h"

struct lastack__proxy {
	enum lastack_proxy version;
	struct lastack__address source, destination; /* len 0: the real one */
};

/*
 * Writes it, and returns its length. Where one address is IPv4 and the other
 * IPv6, the former is written as an IPv4-mapped IPv6 address.
 */
size_t lastack__proxy_header(const struct lastack__proxy *proxy,
    const struct sockaddr *source, const struct sockaddr *destination,
    unsigned char header[LASTACK__LEAD_MAX]);

/*
 * Puts it in front of what the cursor has gathered, with the real addresses
 * those of the socket, which is bound, or about to be connected.
 */
void lastack__proxy_lead(const struct lastack__proxy *proxy, int fd,
    const struct sockaddr *remote, struct lastack__cursor *cursor);

/* Whether both addresses are known, and of different families. */
bool lastack__proxy_is_mixed(
    const struct lastack__proxy *proxy, sa_family_t remote);

#endif
