/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fast Open in a capture and in a report. The capture is right.
 */
#ifndef TFO_H
#define TFO_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scene.h"
#include "server.h"
#include "witness.h"

/* The option of a SYN: RFC 7413's, or the experiment's before it. */
enum tfo_cookie {
	TFO_NONE,
	TFO_EMPTY, /* a request */
	TFO_COOKIE,
	TFO_INVALID, /* of a length that the RFC does not allow */
};

struct tfo_wire {
	enum tfo_cookie ours, theirs;
	uint32_t carried; /* payload bytes of our first SYN */
	uint32_t acked;	  /* of these, by the SYN/ACK */
	uint32_t syns;	  /* of ours, with retransmissions */
	bool answered;	  /* by a SYN/ACK */
};

void tfo_look(const struct witness_flow *flow, struct tfo_wire *wire);

/*
 * Whether fastopen.* and bytes.in_syn of the report are what the wire says.
 * Each disagreement is told on standard error.
 */
bool tfo_judge(const struct witness_flow *flow, const json_t *report);

/*
 * Whether our side sent these bytes and no others, by sequence number: for
 * payloads that the witness keeps whole.
 */
bool tfo_sent(
    const struct witness_flow *flow, const void *payload, size_t bytes);

/* What a run is to come to. */
struct tfo_verdict {
	int exit_status;
	const char *status; /* NULL: null */
	int cookie;	    /* 1, 0, or -1 for null */
	int carried;	    /* bytes.in_syn; -1: whatever the wire says */
	const char *reason; /* a part of it; NULL: null */
};

/* Fails the test unless the scene's run came to it, and the wire agrees. */
void tfo_expect(struct scene *scene, const struct tfo_verdict *verdict);

/*
 * Enters a network namespace of this test's own, so that it begins without a
 * cookie: the kernel's cache cannot be emptied from a user namespace. The value
 * is that of net.ipv4.tcp_fastopen.
 */
void tfo_enter(const char *value);

#define TFO_CLIENT "1"
#define TFO_SERVER "2"
#define TFO_BOTH "1027" /* also without TCP_FASTOPEN on the listening socket */

/* A server on loopback, and the runs against it. Zero at first. */
struct tfo_stage {
	struct server server;
	struct scene scene;
	const char *host;
	unsigned int clients;
};

/*
 * In a namespace of its own; family: 0 is IPv4, 1 is IPv6. False: there is no
 * such family here, and nothing to finish.
 */
bool tfo_begin(struct tfo_stage *stage, int family, const char *value,
    const struct server_script *script);
void tfo_finish(struct tfo_stage *stage);

/* One run, until the server is through with it too. */
void tfo_probe(struct tfo_stage *stage, const char *const *args,
    const struct tfo_verdict *verdict);

/* The same with TFO_QUESTION for a payload, which the server is to have got. */
void tfo_ask(struct tfo_stage *stage, const char *const *args,
    const struct tfo_verdict *verdict);

#define TFO_QUESTION "question"

/* The server has got these bytes, and nothing else. */
void tfo_assert_got(const struct tfo_stage *stage, const char *payload);

#endif
