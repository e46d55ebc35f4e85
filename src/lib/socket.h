/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one descriptor of a connection. It never blocks; what is known of its
 * readiness comes from epoll's edges. Every errno of the connection is taken
 * here, in order, and the first one stays: a reset is told once only, by
 * whichever call meets it first.
 */
#ifndef LASTACK_SOCKET_H
#define LASTACK_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "fastopen.h"
#include "local.h"
#include "pace.h"
#include "stamp.h"

struct lastack__socket {
	int fd;
	bool readable, writable; /* an edge that is not used up yet */
	bool hung_up;		 /* the peer has ended: read to the very end */
	bool urgent;		 /* a read may stop short at the urgent mark */
	bool ended;		 /* read to the very end, or failed */
	bool broken;		 /* nothing can be sent any more */
	bool fin_sent;
	bool is_unix;	 /* a Unix socket, not one of TCP */
	bool backlogged; /* its server's backlog was full: connect again */
	bool ack_held;	 /* the handshake's ACK waits for a payload */
	int first_errno; /* of the connection, 0 if none */
	enum lastack_local refused; /* why it could not be opened */
	struct lastack__syn syn;
	struct lastack__clocks clocks; /* when it was opened */
	struct lastack__pace pace;
	uint64_t sent_bytes;
	uint64_t taken_bytes; /* read or discarded */
};

#define LASTACK__SOCKET_INIT                                                   \
	{                                                                      \
		.fd = -1                                                       \
	}

/* A descriptor that was opened before it was known where it is to go. */
struct lastack__ready {
	bool there;
	int fd;
	int family;
};

struct lastack__open {
	/*
	 * Data, FIN or RST will follow the handshake at once: its ACK shall
	 * ride on that.
	 */
	bool hold_ack;
	bool stamps;			    /* the first byte shall have one */
	struct lastack__ready ready;	    /* owned; the first connect's */
	const struct lastack__local *local; /* borrowed; NULL: as it comes */
	struct lastack__load load;	    /* for Fast Open */
};

/*
 * Opens one for an address of that family, with stamps: asked for before any
 * clock runs, what the kernel takes to switch them on is in none of the times.
 */
void lastack__socket_prepare(struct lastack__open *open, int family);
void lastack__socket_unprepare(struct lastack__open *open);

/* Opens a socket and starts to connect. Returns 0, or errno. */
int lastack__socket_connect(struct lastack__socket *socket,
    const struct sockaddr *address, socklen_t len, struct lastack__open *open);

/*
 * The same address once more, for a socket that is backlogged: nothing tells
 * when there is room. Returns 0 or errno, EAGAIN if it still is.
 */
int lastack__socket_connect_again(struct lastack__socket *socket,
    const struct sockaddr *address, socklen_t len);

/* Takes what epoll says. */
void lastack__socket_wake(struct lastack__socket *socket, uint32_t events);

/* Takes what is the case now, without a wait: an edge may be still to come. */
void lastack__socket_poll(struct lastack__socket *socket);

/* Bytes, or 0: none now, or none ever where it ended. */
size_t lastack__socket_receive(
    struct lastack__socket *socket, void *data, size_t len);

/*
 * The same, for the first byte: with its stamp, -1 where there is none. data
 * NULL: discards, where LASTACK_DRAIN_TRUNCATE.
 */
size_t lastack__socket_receive_first(
    struct lastack__socket *socket, void *data, size_t len, int64_t *stamp_ns);

/* Takes the result of a recv() on this socket, of up to len bytes. */
size_t lastack__socket_took(
    struct lastack__socket *socket, ssize_t n, size_t len);

/* Bytes, or 0: not now, or never where it is broken. */
size_t lastack__socket_send(
    struct lastack__socket *socket, const void *data, size_t len, bool more);

/* There is something to read, now. */
bool lastack__socket_has_queued(const struct lastack__socket *socket);

/* The congestion control's name into a buffer of len bytes; or "". */
void lastack__socket_congestion(
    const struct lastack__socket *socket, char *name, size_t len);

/* Lets the ACK go that the kernel may be holding back. */
void lastack__socket_release_ack(struct lastack__socket *socket);

/* Sends our FIN. Returns whether the kernel did. */
bool lastack__socket_shutdown(struct lastack__socket *socket);

/* Takes SO_ERROR, if no errno was met before; returns the first one. */
int lastack__socket_errno(struct lastack__socket *socket);

/* The first errno is one by which a reset is told. */
bool lastack__socket_was_reset(const struct lastack__socket *socket);

/*
 * From here on the kernel takes no segment of the peer's for this connection,
 * as if they had all come too late: what is read of its state then is what
 * our RST will carry, and no FIN slips in between. Thaw takes it back.
 */
void lastack__socket_freeze(struct lastack__socket *socket);
void lastack__socket_thaw(struct lastack__socket *socket);

/* With an RST, where the state of the connection still has one to send. */
void lastack__socket_reset(struct lastack__socket *socket);
void lastack__socket_close(struct lastack__socket *socket);

#endif
