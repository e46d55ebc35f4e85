/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* The kernel's own header: the C libraries' struct tcp_info is shorter. */
#ifdef LASTACK_TCP_INFO
#include <linux/sockios.h>
#include <linux/tcp.h>
#endif

#include "evidence.h"

#ifdef LASTACK_TCP_INFO

/* enum in the kernel's include/net/tcp_states.h, and tcp(7). */
static enum lastack__state
state_of(unsigned int tcpi_state)
{
	static const enum lastack__state states[] = {
		[1] = LASTACK__STATE_OPEN,
		[2] = LASTACK__STATE_CONNECTING,
		[3] = LASTACK__STATE_CONNECTING,
		[4] = LASTACK__STATE_WE_CLOSED,
		[5] = LASTACK__STATE_WE_CLOSED,
		[6] = LASTACK__STATE_CLOSED,
		[7] = LASTACK__STATE_CLOSED,
		[8] = LASTACK__STATE_PEER_CLOSED,
		[9] = LASTACK__STATE_LAST_ACK,
		[11] = LASTACK__STATE_CLOSING,
	};

	if (tcpi_state >= sizeof(states) / sizeof(states[0]))
		return LASTACK__STATE_UNKNOWN;
	return states[tcpi_state];
}

/*
 * tcpi_fastopen_client_fail came with Linux 5.5 in bits that were 0 before;
 * that it is there shows by the length from 6.2 on (tcpi_rehash).
 */
#define LINUX_6_2_BYTES 240

#define COVERS(len, member)                                                    \
	((len) >= offsetof(struct tcp_info, member) +                          \
		sizeof(((struct tcp_info *)0)->member))

void
lastack__evidence_parse(
    const void *data, size_t len, struct lastack__evidence *evidence)
{
	struct tcp_info info = { 0 };

	*evidence = (struct lastack__evidence){ 0 };
	memcpy(&info, data, len < sizeof(info) ? len : sizeof(info));
	if (COVERS(len, tcpi_state))
		evidence->state = state_of(info.tcpi_state);
	if (COVERS(len, tcpi_notsent_bytes)) {
		evidence->has_counters = true;
		evidence->bytes_acked = info.tcpi_bytes_acked;
		evidence->bytes_received = info.tcpi_bytes_received;
		evidence->unsent_bytes = info.tcpi_notsent_bytes;
	}
	if (COVERS(len, tcpi_data_segs_in)) {
		evidence->has_figures = true;
		evidence->rtt_us = info.tcpi_rtt;
		evidence->rttvar_us = info.tcpi_rttvar;
		evidence->retransmits = info.tcpi_total_retrans;
		evidence->mss_bytes = info.tcpi_snd_mss;
		evidence->segments_out = info.tcpi_segs_out;
		evidence->segments_in = info.tcpi_segs_in;
		evidence->data_segments_in = info.tcpi_data_segs_in;
		evidence->syn_data_acked =
		    (info.tcpi_options & TCPI_OPT_SYN_DATA) != 0;
		evidence->fastopen_fail = info.tcpi_fastopen_client_fail;
		evidence->has_fastopen_fail = len >= LINUX_6_2_BYTES;
		if (info.tcpi_min_rtt != UINT32_MAX)
			evidence->min_rtt_us = info.tcpi_min_rtt;
	}
	if (COVERS(len, tcpi_bytes_retrans)) {
		evidence->has_resent = true;
		evidence->data_segments_out = info.tcpi_data_segs_out;
		evidence->resent_bytes = info.tcpi_bytes_retrans;
	}
}

static void
read_info(int fd, struct lastack__evidence *evidence)
{
	/* Roomier than the header's, to see how much the kernel has. */
	union {
		struct tcp_info info;
		unsigned char bytes[512];
	} answer = { .info = { 0 } };
	socklen_t len = sizeof(answer);

	*evidence = (struct lastack__evidence){ 0 };
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &answer, &len) == 0)
		lastack__evidence_parse(&answer, len, evidence);
}

/*
 * What is queued follows from the counters of the same instant, where it is
 * known whether the peer's FIN is one of the bytes received: its state tells,
 * as long as there is a connection. Only after that the queue itself is asked,
 * in which nothing arrives any more.
 */
static void
read_queue(int fd, uint64_t received, bool fin_seen,
    struct lastack__evidence *evidence)
{
	uint64_t more = evidence->bytes_received - received;
	int queued = 0;

	switch (evidence->state) {
	case LASTACK__STATE_OPEN:
	case LASTACK__STATE_WE_CLOSED:
		break;
	case LASTACK__STATE_PEER_CLOSED:
	case LASTACK__STATE_CLOSING:
	case LASTACK__STATE_LAST_ACK:
		fin_seen = true;
		break;
	default:
		if (fin_seen || more == 0)
			break;
		if (ioctl(fd, SIOCINQ, &queued) == -1 || queued < 0)
			evidence->has_counters = false;
		else
			evidence->queued_bytes = (uint64_t)queued;
		return;
	}
	evidence->queued_bytes = fin_seen ? more - 1 : more;
}

void
lastack__evidence_read(int fd, uint64_t received, bool fin_seen,
    struct lastack__evidence *evidence)
{
	read_info(fd, evidence);
	if (evidence->state != LASTACK__STATE_CONNECTING &&
	    evidence->has_counters)
		read_queue(fd, received, fin_seen, evidence);
}

#else

void
lastack__evidence_parse(
    const void *data, size_t len, struct lastack__evidence *evidence)
{
	(void)data;
	(void)len;
	*evidence = (struct lastack__evidence){ 0 };
}

void
lastack__evidence_read(int fd, uint64_t received, bool fin_seen,
    struct lastack__evidence *evidence)
{
	(void)fd;
	(void)received;
	(void)fin_seen;
	*evidence = (struct lastack__evidence){ 0 };
}

#endif

enum lastack_truth
lastack__evidence_peer_fin(
    const struct lastack__evidence *evidence, uint64_t received)
{
	if (!evidence->has_counters)
		return LASTACK_UNKNOWN;
	return evidence->bytes_received ==
		received + evidence->queued_bytes + 1 ?
	    LASTACK_YES :
	    LASTACK_NO;
}

enum lastack_truth
lastack__evidence_fin_acked(
    const struct lastack__evidence *evidence, uint64_t sent)
{
	if (!evidence->has_counters)
		return LASTACK_UNKNOWN;
	return evidence->bytes_acked == sent + 2 ? LASTACK_YES : LASTACK_NO;
}
