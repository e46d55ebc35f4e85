/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP Fast Open (RFC 7413), client side: the SYN carries the payload where the
 * kernel has a cookie for the address, and asks for one where it has not.
 */
#ifndef LASTACK_FASTOPEN_H
#define LASTACK_FASTOPEN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "evidence.h"
#include "lastack.h"

/* What became of the wish when the SYN was sent. */
enum lastack__opening {
	LASTACK__OPENING_PLAIN, /* not asked for, or nothing to carry */
	LASTACK__OPENING_DISABLED,
	LASTACK__OPENING_UNSUPPORTED,
	LASTACK__OPENING_EMPTY,	 /* the SYN went out without payload */
	LASTACK__OPENING_LOADED, /* with payload */
};

struct lastack__cursor;
struct lastack__proxy;

/* What the SYN shall carry; borrowed. */
struct lastack__load {
	struct lastack__cursor *cursor; /* NULL: Fast Open is not asked for */
	const struct lastack__proxy *proxy; /* its header leads; NULL: none */
};

/* How the SYN left. */
struct lastack__syn {
	enum lastack__opening opening;
	size_t payload_bytes; /* that it carried */
	int64_t sent_ns;      /* the instant before */
};

/*
 * Connects a nonblocking socket with the load, as much as the SYN takes.
 * DISABLED and UNSUPPORTED: nothing was sent. Returns 0 or errno.
 */
int lastack__fastopen_connect(int fd, const struct sockaddr *address,
    socklen_t len, const struct lastack__load *load, struct lastack__syn *syn);

/*
 * What became of it, seen right after the handshake. known: whether the kernel
 * had a cookie before it.
 */
enum lastack_fastopen_status lastack__fastopen_status(
    const struct lastack__syn *syn, const struct lastack__evidence *evidence,
    enum lastack_truth known);

#endif
