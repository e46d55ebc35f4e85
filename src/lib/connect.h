/* SPDX-License-Identifier: BSD-2-Clause */
/* The handshake: each address in turn, each attempt with its own record. */
#ifndef LASTACK_CONNECT_H
#define LASTACK_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "evidence.h"
#include "lastack.h"
#include "resolve.h"
#include "socket.h"

/* What is kept of an attempt beside the public record. */
struct lastack__attempt {
	struct lastack_attempt record;
	char text[LASTACK__ADDRESS_TEXT];
	enum lastack_local refused; /* what of the local side, if anything */
};

struct lastack__connect {
	struct lastack__addresses addresses; /* owned */
	struct lastack__attempt *attempts;   /* owned; one an address */
	size_t tried;			     /* attempts begun */
	size_t first, bound;	   /* of this run: from there up to that one */
	struct lastack__open open; /* as lastack__socket_connect() */
	bool fastopen; /* asked for, whether or not it can be used */
	enum lastack_truth cookie; /* there before the attempt under way */
	int64_t patience_ns;	   /* a span per address; 0: no bound */
	int64_t begun_ns;	   /* the attempt under way */
	int64_t again_ns;	   /* when to try a full backlog again */
	struct lastack__evidence evidence; /* right after the handshake */
	int64_t first_syn_ns;		   /* -1: none */
};

/* Takes the addresses over. 0, or LASTACK_ERROR_MEMORY. */
int lastack__connect_begin(
    struct lastack__connect *connect, struct lastack__addresses *addresses);
void lastack__connect_free(struct lastack__connect *connect);

enum lastack__connecting {
	LASTACK__CONNECT_STARTED, /* a new descriptor: wait for it */
	LASTACK__CONNECT_GOING,
	LASTACK__CONNECT_DONE,
	LASTACK__CONNECT_FAILED, /* every address */
};

/* Starts with the next address that takes a SYN at all. */
enum lastack__connecting lastack__connect_next(
    struct lastack__connect *connect, struct lastack__socket *socket);

/* Counts the next address as one that there was no time for. */
void lastack__connect_pass(struct lastack__connect *connect);

/*
 * After a wait, which ended at *now; that moves on where the handshake was done
 * by the time we looked, and no event had told so. FAILED here is of this
 * address only: try the next.
 */
enum lastack__connecting lastack__connect_step(struct lastack__connect *connect,
    struct lastack__socket *socket, int64_t *now_ns);

/* Gives the attempt under way up: CONNECT_TIMEOUT or INTERRUPTED. */
void lastack__connect_give_up(struct lastack__connect *connect,
    struct lastack__socket *socket, enum lastack_outcome outcome,
    int64_t now_ns);

int64_t lastack__connect_timer(const struct lastack__connect *connect,
    const struct lastack__socket *socket);

/* Of a failure on every address, the attempt that says most; NULL: none. */
const struct lastack__attempt *lastack__connect_verdict(
    const struct lastack__connect *connect);

/* The address that the last attempt went to. */
const struct lastack__address *lastack__connect_address(
    const struct lastack__connect *connect);

#endif
