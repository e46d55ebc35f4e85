/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payload out, response in, both at once, until the response is complete.
 */
#ifndef LASTACK_EXCHANGE_H
#define LASTACK_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "expect.h"
#include "payload.h"
#include "request.h"
#include "socket.h"

enum lastack__exchange_end {
	LASTACK__EXCHANGE_GOING,
	LASTACK__EXCHANGE_MATCHED,  /* the expectations are met */
	LASTACK__EXCHANGE_ENOUGH,   /* maxbytes, or idle */
	LASTACK__EXCHANGE_PEER_END, /* the peer's FIN or RST */
	LASTACK__EXCHANGE_FAILED,   /* locally: source, sink; local_errno */
};

struct lastack__exchange {
	const struct lastack_request *request;
	struct lastack__cursor cursor;
	struct lastack__matcher matcher;
	enum lastack__exchange_end end;
	bool sent;    /* the kernel has the whole payload */
	bool pausing; /* between payload and reading */
	bool again;   /* the last step stopped short: step it at once */
	int local_errno;
	enum lastack_phase failed_in; /* where local_errno came from */

	unsigned char *scratch; /* for what is looked at and not kept */
	unsigned char *kept;
	size_t kept_bytes, kept_room;
	uint64_t received_bytes;

	/* Instants; -1: not reached. */
	int64_t sent_ns, first_byte_ns, last_byte_ns, matched_ns;

	/* Nearest to the wire. */
	int64_t first_send_ns; /* the instant before the first send() */
	int64_t stamp_ns;      /* the kernel's, of the first byte */
	bool stamp_exact;      /* else the byte came no later than that */
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

/* When it must be stepped though nothing happens. */
int64_t lastack__exchange_timer(const struct lastack__exchange *exchange);

#endif
