/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WITNESS_H
#define WITNESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The wire witness: captures what passes an interface and tells, for each TCP
 * connection, what was on the wire. It shares nothing with the code under
 * test.
 *
 * On loopback a server's data or RST can overtake its SYN/ACK, when two
 * processors are at it. The client drops such data and takes such a RST for a
 * refusal; so do we: the one counts as a segment and no more, a SYN/ACK after
 * the other is no answer.
 *
 * Times are nanoseconds of CLOCK_REALTIME, 0 for what never happened.
 * Sequence numbers are relative to the sender's first SYN and do not wrap:
 * the SYN is 0, the first payload byte 1. An acknowledgement number is
 * relative to the other side's SYN.
 *
 * Not thread-safe: one thread uses a witness. Needs CAP_NET_RAW in the
 * network namespace (lab.h gives it).
 */

#define WITNESS_SNAP_BYTES 190 /* of a frame, as captured and kept */
#define WITNESS_KEEP 64 /* first and last segments kept of a flow, each */
#define WITNESS_FLOWS_MAX 1024 /* older ones are forgotten */

enum witness_direction {
	WITNESS_CLIENT = 0, /* sent by the side that sent the first SYN */
	WITNESS_SERVER = 1,
};

enum witness_flag { /* as in the TCP header */
	WITNESS_FIN = 0x01,
	WITNESS_SYN = 0x02,
	WITNESS_RST = 0x04,
	WITNESS_PSH = 0x08,
	WITNESS_ACK = 0x10,
	WITNESS_URG = 0x20,
};

enum witness_cookie { /* Fast Open option, RFC 7413 */
	WITNESS_COOKIE_NONE = 0,
	WITNESS_COOKIE_REQUEST, /* the option, empty */
	WITNESS_COOKIE_PRESENT,
};

enum witness_end {
	WITNESS_END_NONE = 0, /* not ended as far as seen */
	WITNESS_END_FIN,      /* both FINs, both acknowledged */
	WITNESS_END_RST,
};

struct witness_segment {
	int64_t time_ns;
	int64_t seq;		/* 0 where the sender's SYN was not seen */
	int64_t ack;		/* -1 without ACK flag */
	uint32_t payload_bytes; /* many MSS on lo: offloads are not undone */
	uint32_t wire_bytes;	/* of the whole frame */
	uint16_t window;	/* not scaled */
	uint16_t urgent;
	uint16_t mss;	   /* option; 0 for none */
	uint8_t flags;	   /* enum witness_flag */
	uint8_t direction; /* enum witness_direction */
	uint8_t cookie;	   /* enum witness_cookie */
	uint8_t cookie_bytes;
	bool icmp; /* not a segment: an ICMP error about the flow */
	uint8_t icmp_type;
	uint8_t icmp_code;
	bool after_end; /* came when the connection had ended */
	uint8_t frame_bytes;
	uint8_t frame[WITNESS_SNAP_BYTES];
};

struct witness_side {
	char address[46];
	uint16_t port;
	bool isn_known;
	uint32_t isn;

	/* Counts; segments up to the end, the ending one included. */
	uint32_t segments;
	uint32_t segments_total; /* those after the end too */
	uint32_t syns; /* with retransmissions; the SYN/ACK is the server's */
	uint32_t fins;
	uint32_t rsts;
	uint32_t data_segments;
	uint32_t pure_acks;	      /* ACK and nothing else, no payload */
	uint64_t payload_bytes;	      /* each sequence number once */
	uint64_t payload_bytes_total; /* with retransmissions */

	/* Fast Open */
	enum witness_cookie cookie; /* in this side's first SYN */
	uint8_t cookie_bytes;
	uint32_t syn_data_bytes; /* largest payload of a SYN of this side */
	uint32_t syn_data_acked; /* of it, by the other side's SYN/ACK */

	int64_t first_syn_ns; /* the server's: the SYN/ACK */
	int64_t last_syn_ns;
	int64_t first_payload_ns; /* SYN data included */
	int64_t last_payload_ns;
	int64_t first_fin_ns;
	int64_t first_rst_ns;
	/* First segment of the other side, not a RST, that covers our FIN. */
	int64_t fin_acked_ns;

	/*
	 * Order, judged by numbers and not by time, because frames cross:
	 * covering the other side's FIN means having known of it.
	 */
	int64_t fin_seq; /* of the FIN itself; -1 for none */
	int64_t fin_ack; /* ACK number of the first FIN; -1 for none */
	bool fin_ack_covers_peer_fin;
	int64_t rst_ack; /* of the first RST; -1: no RST, or without ACK */
	bool rst_ack_covers_peer_fin;
	bool rst_after_peer_rst; /* the other side's RST was on the wire */
};

struct witness_flow {
	int family;		     /* AF_INET, AF_INET6 */
	struct witness_side side[2]; /* by enum witness_direction */
	enum witness_end end;
	int64_t end_ns;

	uint32_t icmp_errors; /* that quote a segment of this flow */
	uint8_t icmp_type;    /* of the last */
	uint8_t icmp_code;
	int64_t first_icmp_ns;

	/*
	 * Kept: all when kept == seen, else the first WITNESS_KEEP and the
	 * last. Through witness_segment() in order of capture.
	 */
	uint32_t seen;
	uint32_t kept;
};

struct witness;

/*
 * Captures on one interface, or on all for NULL or "any". What passes lo is
 * taken once, other interfaces in both directions.
 * Returns NULL and sets errno on failure; free with witness_close().
 */
struct witness *witness_open(const char *ifname);
void witness_close(struct witness *w); /* takes NULL */

/*
 * Takes in what is in the ring now (65536 frames fit; collect during larger
 * transfers, or wait for their end in witness_settle()).
 * Returns 0, or the number of frames the kernel dropped, in total since
 * witness_open(), which makes every count here worthless: fail the test.
 */
uint64_t witness_collect(struct witness *w);

/* Frames dropped so far: no space in the ring, or no memory. Must be 0. */
uint64_t witness_drops(const struct witness *w);

/* Segments whose connection's SYN was not seen; they belong to no flow. */
uint64_t witness_strays(const struct witness *w);

/*
 * The newest connection between these ports, of those collected, or NULL.
 * Port 0 stands for any; client_address (NULL: any) is compared as text in
 * the form of inet_ntop(). Valid until witness_forget() or witness_close(),
 * or WITNESS_FLOWS_MAX connections later.
 */
const struct witness_flow *witness_find(const struct witness *w,
    const char *client_address, uint16_t client_port, uint16_t server_port);

/* How many flows are held, and one of them, oldest first (NULL past it). */
unsigned witness_flows(const struct witness *w);
const struct witness_flow *witness_flow_at(const struct witness *w, unsigned i);

/*
 * Collects until the newest connection between the ports (0: any) has ended
 * on the wire, by any RST or by both FINs acknowledged, for at most
 * timeout_ms. The flow, ended or not (see its `end`); NULL if there is none.
 */
const struct witness_flow *witness_settle(struct witness *w,
    uint16_t client_port, uint16_t server_port, int timeout_ms);

/*
 * Collects for at most timeout_ms until want(flow, arg) holds for the newest
 * connection between the ports. Returns that flow, or NULL in vain.
 */
const struct witness_flow *witness_await(struct witness *w,
    uint16_t client_port, uint16_t server_port, int timeout_ms,
    bool (*want)(const struct witness_flow *flow, void *arg), void *arg);

/* Collects, then drops all flows. Drop and stray counts stay. */
void witness_forget(struct witness *w);

/* Kept segment i, 0 to kept - 1; NULL past it. */
const struct witness_segment *witness_segment(
    const struct witness_flow *flow, uint32_t i);

/* The flow as a table for a person. */
void witness_dump(const struct witness_flow *flow, FILE *out);

/*
 * The kept frames of all flows, or of one, as a nanosecond pcap file (link
 * type Ethernet, frames cut at WITNESS_SNAP_BYTES).
 * Return 0 or a negative errno.
 */
int witness_write_pcap(const struct witness *w, const char *path);
int witness_flow_write_pcap(const struct witness_flow *flow, const char *path);

#endif /* WITNESS_H */
