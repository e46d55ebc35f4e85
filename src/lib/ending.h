/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a connection: drain, our FIN or RST, the last ACK, and the verdict
 * on how each side ended it.
 *
 * The close policy "auto" is HAProxy's for its health checks: drain first, so
 * that a FIN which the peer has sent is seen and answered by ours; reset only
 * where the peer has not closed, since then nothing else leaves no TIME-WAIT
 * here.
 */
#ifndef LASTACK_ENDING_H
#define LASTACK_ENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "evidence.h"
#include "lastack.h"
#include "resolve.h"
#include "socket.h"

enum lastack__ending_stage {
	LASTACK__ENDING_IDLE,	/* not begun */
	LASTACK__ENDING_DRAIN,	/* waiting for the peer's FIN */
	LASTACK__ENDING_LINGER, /* our FIN is out; waiting for what it lacks */
	LASTACK__ENDING_OVER,
};

struct lastack__ending {
	enum lastack__ending_stage stage;
	enum lastack_close policy;
	int64_t drain_ns;    /* a span */
	int64_t deadline_ns; /* an instant; the past: wait for nothing */
	int64_t timer_ns;
	bool bare; /* only a handshake: nothing to drain, none to race with */
	struct lastack__address local_address, remote_address;
	unsigned int device; /* the index of the only interface; 0: any */

	struct lastack__evidence evidence; /* the newest */
	int64_t evidence_ns;		   /* when it was read */
	uint64_t evidence_bytes;	   /* taken from the peer by then */
	bool fresh;	      /* and nothing was waited for since */
	bool fin_seen;	      /* the peer's, by the evidence so far */
	bool active;	      /* our FIN found the peer's not there */
	bool passive;	      /* it did */
	bool fin_queued;      /* it waits behind data of ours */
	uint64_t begun_bytes; /* taken from the peer before the end began */

	/* Instants; -1: did not happen. */
	int64_t peer_end_ns; /* FIN or RST, when it was noticed */
	int64_t dead_ns;     /* no connection any more */
	int64_t decided_ns;  /* drained; how to end was decided */
	int64_t local_fin_ns, local_rst_ns, last_ack_ns;
	int64_t
	    over_ns; /* the last look, or our RST: what the verdict covers */

	/* The verdict, once over. */
	enum lastack_end peer, local;
	enum lastack_side first;
	enum lastack_truth clean, last_ack, time_wait;
	int64_t peer_fin_ns, peer_rst_ns;
};

void lastack__ending_init(struct lastack__ending *ending);

/* The exchange has looked: that is as good as a look of our own. */
void lastack__ending_learn(struct lastack__ending *ending,
    const struct lastack__socket *socket,
    const struct lastack__evidence *evidence, int64_t at_ns);

/* After a wait: notes when the peer ended, and whether our FIN got out. */
void lastack__ending_notice(struct lastack__ending *ending,
    struct lastack__socket *socket, int64_t now_ns);

/* Sends our FIN now, for a half-close or as the end. */
void lastack__ending_fin(
    struct lastack__ending *ending, struct lastack__socket *socket);

/* The peer has reset the connection. Asks only where nothing told it yet. */
bool lastack__ending_was_reset(
    struct lastack__ending *ending, struct lastack__socket *socket);

/* The exchange is over. policy, drain_ns, deadline_ns and bare are set. */
void lastack__ending_begin(struct lastack__ending *ending,
    const struct lastack__socket *socket, int64_t now_ns);

/* Over when stage says so: the verdict is there, the descriptor closed. */
void lastack__ending_step(struct lastack__ending *ending,
    struct lastack__socket *socket, int64_t now_ns);

#endif
