/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether the kernel holds a Fast Open cookie for an address. */
#ifndef LASTACK_COOKIE_H
#define LASTACK_COOKIE_H

#include <sys/socket.h>

#include "lastack.h"

/*
 * Asks the kernel's cache of TCP metrics, which any user may, without a packet.
 * A cookie belongs to a pair of addresses, whatever the ports; local may be
 * NULL: with any of ours. UNKNOWN where the kernel will not say.
 */
enum lastack_truth lastack__cookie_look(
    const struct sockaddr *local, const struct sockaddr *remote);

#endif
