/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payload out, response in, both at once, until the response is complete; and
 * then the next exchange of the conversation. What came behind the end of one
 * belongs to the next.
 */
#ifndef LASTACK_EXCHANGE_H
#define LASTACK_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "evidence.h"
#include "expect.h"
#include "intake.h"
#include "payload.h"
#include "request.h"
#include "socket.h"

enum lastack__exchange_end {
	LASTACK__EXCHANGE_GOING,
	LASTACK__EXCHANGE_MATCHED,  /* the expectations are met */
	LASTACK__EXCHANGE_UNWANTED, /* what must not appear did */
	LASTACK__EXCHANGE_ENOUGH,   /* maxbytes, or idle */
	LASTACK__EXCHANGE_PEER_END, /* the peer's FIN or RST */
	LASTACK__EXCHANGE_FAILED,   /* locally: source, sink; local_errno */
};

/* What one exchange came to. */
struct lastack__record {
	/* Instants; -1: not reached. */
	int64_t sent_ns, first_byte_ns, last_byte_ns, matched_ns, over_ns;
	uint64_t sent_bytes, received_bytes;
	int which; /* the expectation that decided, or -1 */
};

struct lastack__exchange {
	const struct lastack_request *request;
	struct lastack__record *records; /* one for each of the request's */
	struct lastack_exchange *public; /* room for what is told of them */
	size_t current;
	const struct lastack__round *round; /* the request's current one */
	struct lastack__record *record;	    /* and its record */
	bool last;			    /* none comes after it */

	struct lastack__cursor cursor;
	struct lastack__matcher matcher;
	struct lastack__intake intake;
	enum lastack__exchange_end end;
	bool sent;	     /* the kernel has the whole payload */
	bool pausing;	     /* between payload and reading */
	bool again;	     /* the last step stopped short: step it at once */
	bool stalled;	     /* the sink's descriptor takes nothing now */
	int64_t waiting_ns;  /* the peer has closed, and since then nothing was
				to be had of the payload's stream; or -1 */
	bool farewell;	     /* all is over but the goodbye */
	int64_t farewell_ns; /* when that is given up */
	int local_errno;
	enum lastack_phase failed_in; /* where local_errno came from */
	uint64_t received_bytes;      /* in all exchanges */
	uint64_t sent_before;	      /* bytes, in those before this one */

	/* Nearest to the wire, of the first exchange; instants or -1. */
	int64_t first_send_ns; /* the instant before the first send() */
	int64_t stamp_ns;      /* the kernel's, of the first byte */
	bool stamp_exact;      /* else the byte came no later than that */
	bool unasked;	       /* the first byte was sent before ours arrived */

	/* By which the end of the stream was seen, and when; -1: was not. */
	struct lastack__evidence evidence;
	int64_t evidence_ns;
};

/* 0, or LASTACK_ERROR_MEMORY. */
int lastack__exchange_begin(
    struct lastack__exchange *exchange, const struct lastack_request *request);
void lastack__exchange_free(struct lastack__exchange *exchange);

/*
 * As far as it goes without waiting, for a bounded number of turns. now is
 * when the wait for it ended.
 */
void lastack__exchange_step(struct lastack__exchange *exchange,
    struct lastack__socket *socket, int64_t now_ns);

/* The current one is over: writes its record to the end. */
void lastack__exchange_note(struct lastack__exchange *exchange,
    const struct lastack__socket *socket, int64_t now_ns);

/* Goes on to the next one. 0, or LASTACK_ERROR_MEMORY. */
int lastack__exchange_next(struct lastack__exchange *exchange);

/* Goes on to the goodbye, and what a step is for it: true when it is said. */
void lastack__exchange_part(
    struct lastack__exchange *exchange, int64_t timer_ns);
bool lastack__exchange_parted(struct lastack__exchange *exchange,
    struct lastack__socket *socket, int64_t now_ns);

/* When it must be stepped though nothing happens. */
int64_t lastack__exchange_timer(const struct lastack__exchange *exchange);

#endif
