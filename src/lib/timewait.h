/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether this machine holds a connection in TIME-WAIT. */
#ifndef LASTACK_TIMEWAIT_H
#define LASTACK_TIMEWAIT_H

#include <sys/socket.h>

#include "lastack.h"

/*
 * Asks the kernel (sock_diag(7)), which keeps TIME-WAIT apart from the socket
 * that it came from. device: the index of the interface that the socket was
 * bound to, or 0. UNKNOWN where it will not say.
 */
enum lastack_truth lastack__timewait_look(const struct sockaddr *local,
    const struct sockaddr *remote, unsigned int device);

#endif
