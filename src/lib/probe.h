/* SPDX-License-Identifier: BSD-2-Clause */
/* One run: the phases strung together over one descriptor of epoll(7). */
#ifndef LASTACK_PROBE_H
#define LASTACK_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "connect.h"
#include "ending.h"
#include "exchange.h"
#include "lastack.h"
#include "request.h"
#include "resolve.h"
#include "result.h"
#include "socket.h"

enum lastack__stage {
	LASTACK__STAGE_RESOLVE,
	LASTACK__STAGE_CONNECT,
	LASTACK__STAGE_EXCHANGE,
	LASTACK__STAGE_END,
	LASTACK__STAGE_OVER,
};

/* Of the addresses that were probed so far; the exchange holds its bytes. */
struct lastack__worst {
	bool there;
	struct lastack__result result;
	struct lastack__exchange exchange;
};

struct lastack_probe {
	const struct lastack_request *request; /* the caller's */
	enum lastack__stage stage;
	bool connects_only; /* no exchange */
	bool bare;	    /* and nothing asked of the peer's end either */
	bool waits_in_ms;   /* the kernel has no epoll_pwait2() */
	int epoll_fd;
	int watched_stream; /* of the payload; -1: none */
	bool sink_watched;
	int interrupted_by; /* a signal's number; 0: not */

	/* Instants; -1: not reached. */
	int64_t now_ns; /* when the last wait ended */
	int64_t start_ns, deadline_ns;
	int64_t resolved_ns, connected_ns, complete_ns;

	struct lastack__lookup *lookup;
	struct lastack__connect connect;
	struct lastack__socket socket;
	struct lastack__exchange exchange;
	struct lastack__ending ending;
	struct lastack__result result;
	struct lastack__worst worst;
};

#endif
