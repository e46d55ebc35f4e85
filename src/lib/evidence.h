/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel knows of a connection: the one place that reads TCP_INFO and
 * the queues. tcpi_bytes_received counts the peer's FIN as one byte,
 * tcpi_bytes_acked our SYN and our FIN (tcp_rcv_nxt_update() and
 * tcp_snd_una_update() in the kernel's tcp_input.c); both survive a reset. So
 * two counters of our own, read and sent payload bytes, are enough to tell
 * whether either FIN has arrived.
 */
#ifndef LASTACK_EVIDENCE_H
#define LASTACK_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lastack.h"

enum lastack__state {
	LASTACK__STATE_UNKNOWN,
	LASTACK__STATE_CONNECTING,  /* SYN-SENT */
	LASTACK__STATE_OPEN,	    /* ESTABLISHED */
	LASTACK__STATE_PEER_CLOSED, /* CLOSE-WAIT */
	LASTACK__STATE_WE_CLOSED,   /* FIN-WAIT-1, FIN-WAIT-2 */
	LASTACK__STATE_CLOSING,	    /* both FINs, ours first: CLOSING */
	LASTACK__STATE_LAST_ACK,    /* both FINs, the peer's first: LAST-ACK */
	LASTACK__STATE_CLOSED,	    /* over, in one way or another */
};

struct lastack__evidence {
	enum lastack__state state;
	bool has_counters; /* the next four */
	uint64_t bytes_acked;
	uint64_t bytes_received;
	uint32_t unsent_bytes; /* of payload and FIN, still in our queue */
	uint64_t queued_bytes; /* received, not read */

	bool has_figures; /* the rest */
	uint32_t rtt_us, rttvar_us, min_rtt_us;
	uint32_t retransmits, mss_bytes;
	uint32_t segments_out, segments_in;
	uint32_t data_segments_in;
	bool syn_data_acked;	/* Fast Open: all that the SYN carried */
	unsigned fastopen_fail; /* tcpi_fastopen_client_fail */

	bool has_fastopen_fail; /* that 0 is a value too */

	bool has_resent;
	uint64_t resent_bytes; /* of payload, sent again */
	uint32_t data_segments_out;
};

/*
 * A snapshot of a TCP socket, received payload bytes having been read; fin_seen:
 * the peer's FIN is known to have arrived. What the kernel did not give stays
 * unknown.
 */
void lastack__evidence_read(int fd, uint64_t received, bool fin_seen,
    struct lastack__evidence *evidence);

/* From the len bytes that TCP_INFO gave. Apart for the sake of the tests. */
void lastack__evidence_parse(
    const void *info, size_t len, struct lastack__evidence *evidence);

/* The peer's FIN has arrived, received payload bytes having been read. */
enum lastack_truth lastack__evidence_peer_fin(
    const struct lastack__evidence *evidence, uint64_t received);

/* Our FIN was acknowledged, sent payload bytes having been sent. */
enum lastack_truth lastack__evidence_fin_acked(
    const struct lastack__evidence *evidence, uint64_t sent);

#endif
