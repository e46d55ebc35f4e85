/* SPDX-License-Identifier: BSD-2-Clause */
/* What to do, as the rooms of the library see it; lastack.h has the setters. */
#ifndef LASTACK_REQUEST_H
#define LASTACK_REQUEST_H

#include <stdbool.h>

#include "expect.h"
#include "lastack.h"
#include "local.h"
#include "payload.h"
#include "proxy.h"

/* One exchange of the conversation. */
struct lastack__round {
	struct lastack__payload payload;
	struct lastack__expect expect;
	uint64_t maxbytes; /* 0: no limit */
	int64_t idle_ns, delay_ns;
};

struct lastack_request {
	char *host;
	uint16_t port;
	struct lastack__address path; /* instead of a host; len 0: none */
	enum lastack_family family;
	bool numeric, all_addresses;

	struct lastack__round *rounds; /* one at least */
	size_t round_count;
	struct lastack__payload goodbye;
	bool half_close;
	bool send_only;
	enum lastack_end expect_close;
	bool connect_only;
	bool lean;

	int64_t total_ns, connect_ns, drain_ns;
	enum lastack_close close;
	enum lastack_fastopen fastopen;
	struct lastack__local local;
	struct lastack__proxy proxy;

	size_t keep_bytes;
	lastack_sink sink;
	void *sink_context;
	int sink_fd; /* borrowed; -1: none */
};

/* Whether an exchange begins with bytes of ours. */
bool lastack__request_sends(
    const struct lastack_request *request, size_t index);

/* Neither payload, half-close, expectation nor sink: nothing to exchange. */
bool lastack__request_connects_only(const struct lastack_request *request);

#endif
