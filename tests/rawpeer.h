/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RAWPEER_H
#define RAWPEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The raw peer: a TCP server behind the lab's veth pair that does exactly
 * what its script says, in a thread of its own, and nothing else: no ACK, no
 * retransmission, no RST that is not a step.
 *
 *	static const struct rawpeer_step script[] = {
 *		{ RAW_WAIT_SYN },
 *		{ RAW_SEND, .flags = RAW_SYN | RAW_ACK },
 *		{ RAW_WAIT_PAYLOAD },
 *		{ RAW_SEND, .flags = RAW_PSH | RAW_ACK | RAW_FIN,
 *		    .data = "hello" },
 *		{ RAW_WAIT_FIN },
 *		{ RAW_SEND, .flags = RAW_RST | RAW_ACK },
 *	};
 *	struct rawpeer *peer = rawpeer_start(AF_INET, LAB_PEER_ADDR4, 80,
 *	    script, RAWPEER_STEPS(script));
 *	... connect to 192.0.2.2 port 80 ...
 *	ck_assert_int_eq(rawpeer_join(peer), 0);
 *
 * Numbers. A sent segment has the next sequence number of this side and
 * acknowledges all that came, up to the first gap, but of SYN data nothing:
 * say `.ack_add = N` on the SYN/ACK to take N bytes of it for good.
 * What a segment carries moves this side's next sequence number, unless
 * `.hold` is set. The first sequence number is chosen to wrap soon.
 *
 * Waiting. What was seen and not yet waited for counts: a FIN that rode on
 * the payload satisfies a WAIT_FIN after the WAIT_PAYLOAD. So a script need
 * not know how the other side cuts its segments. Retransmissions count as
 * well, for WAIT_SYN, WAIT_FIN, WAIT_ANY and a WAIT_PAYLOAD without bytes.
 */

enum rawpeer_action {
	RAWPEER_WAIT_SYN,
	RAWPEER_WAIT_ACK,
	RAWPEER_WAIT_PAYLOAD,
	RAWPEER_WAIT_FIN,
	RAWPEER_WAIT_RST,
	RAWPEER_WAIT_ANY,
	RAWPEER_SEND,
	RAWPEER_DELAY,
	RAWPEER_IGNORE,
	RAWPEER_ICMP,
};

/* The beginning of a step; initialisers, so that compilers miss nothing. */

/*
 * A SYN, with at least .bytes of payload. One of another port or initial
 * sequence number than before starts a new connection.
 */
#define RAW_WAIT_SYN .action = RAWPEER_WAIT_SYN
/* Until all we sent is acknowledged. */
#define RAW_WAIT_ACK .action = RAWPEER_WAIT_ACK
/* A segment with payload, not a SYN; with .bytes: that many new ones. */
#define RAW_WAIT_PAYLOAD .action = RAWPEER_WAIT_PAYLOAD
#define RAW_WAIT_FIN .action = RAWPEER_WAIT_FIN
#define RAW_WAIT_RST .action = RAWPEER_WAIT_RST
/* A segment after the one that the last wait ended with. */
#define RAW_WAIT_ANY .action = RAWPEER_WAIT_ANY
/* One segment. */
#define RAW_SEND .action = RAWPEER_SEND
/* For .ms; what comes meanwhile stays queued for later steps. */
#define RAW_DELAY .action = RAWPEER_DELAY
/* For .ms takes what comes and forgets that it came. */
#define RAW_IGNORE .action = RAWPEER_IGNORE
/*
 * An error that quotes the last segment received. It leaves a little later: the
 * kernel drops one about a socket that is inside a system call.
 */
#define RAW_ICMP .action = RAWPEER_ICMP

enum rawpeer_flag { /* as in the TCP header */
	RAW_FIN = 0x01,
	RAW_SYN = 0x02,
	RAW_RST = 0x04,
	RAW_PSH = 0x08,
	RAW_ACK = 0x10,
	RAW_URG = 0x20,
};

/* Codes of ICMP destination unreachable; IPv6 gets the equivalent. */
enum rawpeer_icmp {
	RAW_ICMP_NET = 0,
	RAW_ICMP_HOST = 1,
	RAW_ICMP_PORT = 3,
	RAW_ICMP_PROHIBITED = 13,
};

#define RAW_WINDOW_ZERO (-1)

struct rawpeer_step {
	enum rawpeer_action action;
	/* RAW_SEND */
	uint8_t flags;
	const char *data;     /* at most an MSS */
	size_t bytes;	      /* of data (0: strlen), or to wait for */
	int32_t seq_add;      /* to the automatic sequence number */
	int32_t ack_add;      /* to the automatic acknowledgement number */
	bool hold;	      /* do not move this side's sequence number */
	int32_t window;	      /* 0: 65535; RAW_WINDOW_ZERO: 0; never scaled */
	uint16_t urgent;      /* pointer; set RAW_URG too */
	uint16_t mss;	      /* option of a SYN; 0: what fits the MTU */
	const char *cookie;   /* Fast Open option with this cookie */
	size_t cookie_bytes;  /* 0: strlen(cookie) */
	const char *options;  /* more TCP options as they are */
	size_t options_bytes; /* padded with NOPs to a multiple of 4 */
	/* waits */
	bool acking; /* acknowledge every payload and FIN while waiting */
	/* The limit of a wait (0: 5000), the length of DELAY and IGNORE. */
	int ms;
	/* RAW_ICMP */
	enum rawpeer_icmp icmp;
};

#define RAWPEER_STEPS(script) (sizeof(script) / sizeof((script)[0]))

struct rawpeer;

/*
 * Starts a peer at address (text; one of those that lab.h names) and port;
 * lab_veth() must have been called. It hears everything from the return on.
 * The script must stay valid until the peer is joined or stopped.
 * Returns NULL and sets errno on failure.
 */
struct rawpeer *rawpeer_start(int family, const char *address, uint16_t port,
    const struct rawpeer_step *script, size_t steps);

/*
 * Waits for the end of the script (bounded, as every step is) and frees the
 * peer. Returns 0, or the number of the step that failed, counted from 1,
 * with the reason on standard error.
 */
int rawpeer_join(struct rawpeer *peer);

/*
 * Ends the script where it is, and frees the peer; takes NULL. Returns the
 * number of steps that had been completed.
 */
size_t rawpeer_stop(struct rawpeer *peer);

#endif /* RAWPEER_H */
