/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Longer than other rooms, because it must stand alone: a witness that
 * borrowed code from what it watches would believe its mistakes.
 */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "witness.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <linux/filter.h>
#include <linux/if_packet.h>

/*
 * TPACKET_V2 and not V3: V3 hands over whole blocks, and so hides a frame
 * until its block is full or a timer has run. 65536 frames are 16 MB.
 */
#define RING_FRAME_BYTES 256u
#define RING_BLOCK_BYTES 65536u
#define RING_BLOCKS 256u
#define RING_FRAMES (RING_BLOCK_BYTES / RING_FRAME_BYTES * RING_BLOCKS)
#define RING_BYTES ((size_t)RING_BLOCK_BYTES * RING_BLOCKS)
#define RING_SNAP_OFFSET 66u /* of the frame's bytes, Ethernet, V2 */

_Static_assert(RING_SNAP_OFFSET + WITNESS_SNAP_BYTES <= RING_FRAME_BYTES,
    "a snap must fit its slot, or the kernel cuts it further");

#define RANGES_MAX 32

#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_MSS 2
#define OPTION_FASTOPEN 34

/* One frame, decoded as far as the flows need it. */
struct packet {
	int family;
	const uint8_t *source; /* into the frame */
	const uint8_t *target;
	uint16_t source_port;
	uint16_t target_port;
	uint32_t seq;
	uint32_t ack;
	struct witness_segment segment; /* all but direction, seq, ack */
};

struct range {
	int64_t from;
	int64_t to; /* exclusive */
};

/* What is needed about a side to go on, and of no interest to a test. */
struct track {
	uint8_t address[16];
	int64_t high; /* end of the highest sequence number seen */
	struct range ranges[RANGES_MAX]; /* of payload; apart, ascending */
	unsigned n_ranges;
};

struct flow {
	struct witness_flow pub; /* first: one becomes the other by a cast */
	struct track track[2];
	struct flow *older;
	struct flow *newer;
	struct witness_segment first[WITNESS_KEEP];
	struct witness_segment last[WITNESS_KEEP];
};

struct witness {
	int fd;
	uint8_t *ring;
	unsigned next; /* slot */
	uint64_t drops;
	uint64_t strays;
	struct flow *newest;
	struct flow *oldest;
	unsigned n_flows;
};

/* The ring. */

/*
 * IP alone, and what passes lo on its way in only: a ring of frames that
 * nobody asked for would overflow sooner.
 */
static int
set_filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    (uint32_t)(SKF_AD_OFF + SKF_AD_HATYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPHRD_LOOPBACK, 4, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, WITNESS_SNAP_BYTES),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = {
		.len = sizeof(code) / sizeof(code[0]),
		.filter = code,
	};

	return setsockopt(
	    fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

static int
set_ring(struct witness *w)
{
	struct tpacket_req req = {
		.tp_block_size = RING_BLOCK_BYTES,
		.tp_block_nr = RING_BLOCKS,
		.tp_frame_size = RING_FRAME_BYTES,
		.tp_frame_nr = RING_FRAMES,
	};
	int version = TPACKET_V2;
	void *ring;

	if (setsockopt(w->fd, SOL_PACKET, PACKET_VERSION, &version,
		sizeof(version)) < 0 ||
	    setsockopt(w->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) <
		0)
		return -1;
	ring = mmap(
	    NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);
	if (ring == MAP_FAILED)
		return -1;
	w->ring = ring;
	return 0;
}

static int
bind_interface(int fd, const char *ifname)
{
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
	};

	if (ifname && strcmp(ifname, "any") != 0) {
		sll.sll_ifindex = (int)if_nametoindex(ifname);
		if (sll.sll_ifindex == 0)
			return -1;
	}
	return bind(fd, (struct sockaddr *)&sll, sizeof(sll));
}

struct witness *
witness_open(const char *ifname)
{
	struct witness *w = calloc(1, sizeof(*w));
	int saved;

	if (!w)
		return NULL;
	/* Protocol 0: nothing is captured before all is in place. */
	w->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (w->fd >= 0 && set_filter(w->fd) == 0 && set_ring(w) == 0 &&
	    bind_interface(w->fd, ifname) == 0)
		return w;
	saved = errno;
	witness_close(w);
	errno = saved;
	return NULL;
}

static void
drop_flows(struct witness *w)
{
	while (w->oldest) {
		struct flow *f = w->oldest;

		w->oldest = f->newer;
		free(f);
	}
	w->newest = NULL;
	w->n_flows = 0;
}

void
witness_close(struct witness *w)
{
	if (!w)
		return;
	drop_flows(w);
	if (w->ring)
		munmap(w->ring, RING_BYTES);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}

static void
count_drops(struct witness *w)
{
	struct tpacket_stats stats = { 0 };
	socklen_t len = sizeof(stats);

	/* Reading resets the kernel's counters. */
	if (getsockopt(w->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0)
		w->drops += stats.tp_drops;
}

/* Decoding. All reads are bounded by what was captured. */

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void
decode_options(struct witness_segment *s, const uint8_t *p, size_t len)
{
	while (len >= 2 && p[0] != OPTION_END) {
		size_t n = p[0] == OPTION_NOP ? 1 : p[1];

		if (n == 0 || n > len || (n < 2 && p[0] != OPTION_NOP))
			return;
		if (p[0] == OPTION_MSS && n == 4)
			s->mss = get16(p + 2);
		if (p[0] == OPTION_FASTOPEN) {
			s->cookie_bytes = (uint8_t)(n - 2);
			s->cookie = n > 2 ? WITNESS_COOKIE_PRESENT :
					    WITNESS_COOKIE_REQUEST;
		}
		p += n;
		len -= n;
	}
}

/* `carried` is what IP says that it carries, which may exceed the snap. */
static bool
decode_tcp(struct packet *pk, const uint8_t *p, size_t len, size_t carried)
{
	struct witness_segment *s = &pk->segment;
	size_t header;

	if (len < 20)
		return false;
	header = (size_t)(p[12] >> 4) * 4;
	if (header < 20 || header > carried)
		return false;
	pk->source_port = get16(p);
	pk->target_port = get16(p + 2);
	pk->seq = get32(p + 4);
	pk->ack = get32(p + 8);
	s->flags = p[13] & 0x3f;
	s->window = get16(p + 14);
	s->urgent = get16(p + 18);
	s->payload_bytes = (uint32_t)(carried - header);
	if (header > len)
		header = len;
	decode_options(s, p + 20, header - 20);
	return true;
}

static bool decode_ip(
    struct packet *pk, const uint8_t *p, size_t len, size_t wire);

/* The segment quoted takes the place of the packet. */
static bool
decode_icmp(struct packet *pk, const uint8_t *p, size_t len)
{
	struct witness_segment *s = &pk->segment;
	bool error;

	if (len < 8 || s->icmp)
		return false;
	error = pk->family == AF_INET6 ?
	    p[0] < 128 :
	    p[0] == 3 || p[0] == 4 || p[0] == 11 || p[0] == 12;
	if (!error)
		return false;
	s->icmp = true;
	s->icmp_type = p[0];
	s->icmp_code = p[1];
	return decode_ip(pk, p + 8, len - 8, len - 8);
}

static bool
decode_carried(struct packet *pk, int protocol, const uint8_t *p, size_t len,
    size_t carried)
{
	int icmp = pk->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	if (protocol == icmp)
		return decode_icmp(pk, p, len);
	if (protocol != IPPROTO_TCP)
		return false;
	if (!pk->segment.icmp)
		return decode_tcp(pk, p, len, carried);
	if (len < 4) /* a quotation may end behind the ports */
		return false;
	pk->source_port = get16(p);
	pk->target_port = get16(p + 2);
	return true;
}

/* `wire` bounds what the length field is believed, and replaces a 0. */
static bool
decode_ip(struct packet *pk, const uint8_t *p, size_t len, size_t wire)
{
	size_t header = 40;
	size_t total;
	bool v4 = len > 0 && p[0] >> 4 == 4;

	if (len < 20 || (!v4 && (p[0] >> 4 != 6 || len < 40)))
		return false;
	if (v4) {
		header = (size_t)(p[0] & 15) * 4;
		total = get16(p + 2);
		if (get16(p + 6) & 0x1fff) /* not the first fragment */
			return false;
	} else {
		total = get16(p + 4);
		total = total ? total + 40 : 0;
	}
	if (total == 0) /* larger than the field can say (BIG TCP) */
		total = wire;
	if (header < 20 || header > len || header > total)
		return false;
	pk->family = v4 ? AF_INET : AF_INET6;
	pk->source = p + (v4 ? 12 : 8);
	pk->target = p + (v4 ? 16 : 24);
	return decode_carried(
	    pk, p[v4 ? 9 : 6], p + header, len - header, total - header);
}

/* Flows. */

static size_t
address_bytes(int family)
{
	return family == AF_INET ? 4 : 16;
}

static bool
is_side(const struct flow *f, int i, const uint8_t *address, uint16_t port)
{
	return f->pub.side[i].port == port &&
	    memcmp(f->track[i].address, address,
		address_bytes(f->pub.family)) == 0;
}

/* The newest flow of these addresses and ports; sets who sent it. */
static struct flow *
lookup(struct witness *w, const struct packet *pk, int *direction)
{
	for (struct flow *f = w->newest; f; f = f->older) {
		if (f->pub.family != pk->family)
			continue;
		for (int d = 0; d < 2; d++) {
			if (!is_side(f, d, pk->source, pk->source_port) ||
			    !is_side(f, !d, pk->target, pk->target_port))
				continue;
			*direction = d;
			return f;
		}
	}
	return NULL;
}

/* Whether this bare SYN opens a connection other than the one we know. */
static bool
is_new(const struct flow *f, int direction, const struct packet *pk)
{
	const struct witness_side *side;

	if (!f)
		return true;
	side = &f->pub.side[direction];
	if (side->isn_known)
		return side->isn != pk->seq;
	/* Both sides open at once, unless it is over already. */
	return f->pub.end != WITNESS_END_NONE;
}

static void
name_side(struct flow *f, int i, const uint8_t *address, uint16_t port)
{
	struct witness_side *side = &f->pub.side[i];

	memcpy(f->track[i].address, address, address_bytes(f->pub.family));
	inet_ntop(f->pub.family, address, side->address, sizeof(side->address));
	side->port = port;
	side->fin_seq = -1;
	side->fin_ack = -1;
	side->rst_ack = -1;
}

static void
drop_oldest(struct witness *w)
{
	struct flow *f = w->oldest;

	w->oldest = f->newer;
	w->oldest->older = NULL;
	w->n_flows--;
	free(f);
}

static struct flow *
new_flow(struct witness *w, const struct packet *pk)
{
	struct flow *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->pub.family = pk->family;
	name_side(f, WITNESS_CLIENT, pk->source, pk->source_port);
	name_side(f, WITNESS_SERVER, pk->target, pk->target_port);
	f->older = w->newest;
	if (w->newest)
		w->newest->newer = f;
	else
		w->oldest = f;
	w->newest = f;
	if (++w->n_flows > WITNESS_FLOWS_MAX)
		drop_oldest(w);
	return f;
}

/* The sequence number next to `high` that is `seq` in its low 32 bits. */
static int64_t
unwrap(uint32_t seq, uint32_t isn, int64_t high)
{
	return high + (int32_t)(seq - isn - (uint32_t)high);
}

/*
 * Adds a range and returns how many of its numbers are new. Where ranges are
 * too many one takes in the gap next to it: what fills that gap later counts
 * as known, but who has 32 gaps at once is not one of our peers.
 */
static uint64_t
add_range(struct track *t, int64_t from, int64_t to)
{
	struct range *r = t->ranges;
	int64_t had = 0;
	unsigned i = 0, j;

	while (i < t->n_ranges && r[i].to < from)
		i++;
	for (j = i; j < t->n_ranges && r[j].from <= to; j++) {
		had += r[j].to - r[j].from;
		from = r[j].from < from ? r[j].from : from;
		to = r[j].to > to ? r[j].to : to;
	}
	if (i == j && t->n_ranges == RANGES_MAX) {
		if (i > 0)
			r[i - 1].to = to;
		else
			r[0].from = from;
		return (uint64_t)(to - from);
	}
	/* i to j - 1 become one, which may be none so far */
	memmove(&r[i + 1], &r[j], (t->n_ranges - j) * sizeof(*r));
	t->n_ranges += 1 - (j - i);
	r[i] = (struct range){ from, to };
	return (uint64_t)(to - from - had);
}

static void
keep(struct flow *f, const struct witness_segment *s)
{
	uint32_t n = f->pub.seen++;

	if (n < WITNESS_KEEP)
		f->first[n] = *s;
	else
		f->last[n % WITNESS_KEEP] = *s;
	if (f->pub.kept < 2 * WITNESS_KEEP)
		f->pub.kept++;
}

static void
note_syn(struct witness_side *side, struct witness_side *other,
    const struct witness_segment *s)
{
	side->syns++;
	side->last_syn_ns = s->time_ns;
	if (side->syns == 1) {
		side->first_syn_ns = s->time_ns;
		side->cookie = s->cookie;
		side->cookie_bytes = s->cookie_bytes;
		if (s->ack > 1)
			other->syn_data_acked = (uint32_t)(s->ack - 1);
	}
	if (s->payload_bytes > side->syn_data_bytes)
		side->syn_data_bytes = s->payload_bytes;
}

static void
note_payload(
    struct witness_side *side, struct track *t, const struct witness_segment *s)
{
	int64_t from = s->seq + !!(s->flags & WITNESS_SYN);

	side->data_segments++;
	side->payload_bytes_total += s->payload_bytes;
	side->payload_bytes += add_range(t, from, from + s->payload_bytes);
	side->last_payload_ns = s->time_ns;
	if (side->first_payload_ns == 0)
		side->first_payload_ns = s->time_ns;
}

static void
note_close(struct witness_side *side, const struct witness_side *other,
    const struct witness_segment *s)
{
	if (s->flags & WITNESS_FIN && side->fins++ == 0) {
		side->fin_seq = s->seq + s->payload_bytes;
		side->fin_ack = s->ack;
		side->first_fin_ns = s->time_ns;
	}
	if (s->flags & WITNESS_RST && side->rsts++ == 0) {
		side->rst_ack = s->ack;
		side->rst_after_peer_rst = other->rsts > 0;
		side->first_rst_ns = s->time_ns;
	}
}

static void
note_order(struct witness_side *side, const struct witness_side *other)
{
	bool fin = other->fin_seq >= 0;

	side->fin_ack_covers_peer_fin = fin && side->fin_ack > other->fin_seq;
	side->rst_ack_covers_peer_fin = fin && side->rst_ack > other->fin_seq;
}

static void
note_counts(
    struct flow *f, struct witness_side *side, const struct witness_segment *s)
{
	int kind = s->flags &
	    (WITNESS_SYN | WITNESS_FIN | WITNESS_RST | WITNESS_ACK);

	side->segments_total++;
	if (f->pub.end == WITNESS_END_NONE)
		side->segments++;
	if (kind == WITNESS_ACK && s->payload_bytes == 0)
		side->pure_acks++;
}

static void
note_end(struct flow *f, const struct witness_segment *s)
{
	struct witness_side *side = f->pub.side;

	if (f->pub.end != WITNESS_END_NONE)
		return;
	if (s->flags & WITNESS_RST)
		f->pub.end = WITNESS_END_RST;
	else if (side[0].fin_acked_ns && side[1].fin_acked_ns)
		f->pub.end = WITNESS_END_FIN;
	else
		return;
	f->pub.end_ns = s->time_ns;
}

static void
number(
    struct flow *f, int d, const struct packet *pk, struct witness_segment *s)
{
	struct witness_side *side = &f->pub.side[d];
	struct witness_side *other = &f->pub.side[!d];
	int64_t end;

	s->ack = -1;
	if (s->flags & WITNESS_ACK)
		s->ack = other->isn_known ?
		    unwrap(pk->ack, other->isn, f->track[!d].high) :
		    0;
	s->seq = 0;
	if (s->flags & WITNESS_SYN && !side->isn_known) {
		side->isn = pk->seq;
		side->isn_known = true;
	}
	if (!side->isn_known)
		return;
	s->seq = unwrap(pk->seq, side->isn, f->track[d].high);
	end = s->seq + s->payload_bytes + !!(s->flags & WITNESS_SYN) +
	    !!(s->flags & WITNESS_FIN);
	/* A RST may have any number. */
	if (end > f->track[d].high && !(s->flags & WITNESS_RST))
		f->track[d].high = end;
}

static void
add_segment(struct flow *f, int d, struct packet *pk)
{
	struct witness_segment *s = &pk->segment;
	struct witness_side *side = &f->pub.side[d];
	struct witness_side *other = &f->pub.side[!d];

	number(f, d, pk, s);
	s->direction = (uint8_t)d;
	s->after_end = f->pub.end != WITNESS_END_NONE;
	note_counts(f, side, s);
	if (s->flags & WITNESS_SYN && !(side->rsts > 0 && side->syns == 0))
		note_syn(side, other, s);
	if (side->syns == 0 && !(s->flags & WITNESS_RST)) {
		keep(f, s);
		return;
	}
	if (s->payload_bytes && !(s->flags & WITNESS_RST))
		note_payload(side, &f->track[d], s);
	note_close(side, other, s);
	if (s->ack > other->fin_seq && other->fin_seq >= 0 &&
	    !(s->flags & WITNESS_RST) && other->fin_acked_ns == 0)
		other->fin_acked_ns = s->time_ns;
	note_order(side, other);
	note_order(other, side);
	note_end(f, s);
	keep(f, s);
}

static void
add_icmp(struct flow *f, int quoted, struct packet *pk)
{
	struct witness_segment *s = &pk->segment;

	s->direction = (uint8_t)!quoted;
	s->ack = -1;
	s->after_end = f->pub.end != WITNESS_END_NONE;
	if (f->pub.icmp_errors++ == 0)
		f->pub.first_icmp_ns = s->time_ns;
	f->pub.icmp_type = s->icmp_type;
	f->pub.icmp_code = s->icmp_code;
	keep(f, s);
}

static void
take(struct witness *w, struct packet *pk)
{
	int flags = pk->segment.flags;
	int d = WITNESS_CLIENT;
	struct flow *f = lookup(w, pk, &d);

	if (pk->segment.icmp) {
		if (f)
			add_icmp(f, d, pk);
		return;
	}
	if ((flags & (WITNESS_SYN | WITNESS_ACK | WITNESS_RST)) ==
		WITNESS_SYN &&
	    is_new(f, d, pk)) {
		f = new_flow(w, pk);
		d = WITNESS_CLIENT;
		if (!f)
			w->drops++;
	}
	if (f)
		add_segment(f, d, pk);
	else
		w->strays++;
}

static void
take_frame(struct witness *w, const struct tpacket2_hdr *h)
{
	const uint8_t *base = (const uint8_t *)h;
	const struct sockaddr_ll *sll =
	    (const void *)(base + TPACKET_ALIGN(sizeof(*h)));
	struct packet pk = { 0 };
	size_t len = h->tp_snaplen;

	if (sll->sll_hatype != ARPHRD_ETHER &&
	    sll->sll_hatype != ARPHRD_LOOPBACK)
		return;
	if (len > WITNESS_SNAP_BYTES)
		len = WITNESS_SNAP_BYTES;
	if (len < ETHER_HDR_LEN)
		return;
	pk.segment.time_ns = (int64_t)h->tp_sec * 1000000000 + h->tp_nsec;
	pk.segment.wire_bytes = h->tp_len;
	pk.segment.frame_bytes = (uint8_t)len;
	memcpy(pk.segment.frame, base + h->tp_mac, len);
	if (decode_ip(&pk, pk.segment.frame + ETHER_HDR_LEN,
		len - ETHER_HDR_LEN, h->tp_len - ETHER_HDR_LEN))
		take(w, &pk);
}

uint64_t
witness_collect(struct witness *w)
{
	/* Bounded: others may fill the ring faster than we empty it. */
	for (unsigned n = 0; n < RING_FRAMES; n++) {
		struct tpacket2_hdr *h =
		    (void *)(w->ring + (size_t)w->next * RING_FRAME_BYTES);

		if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) &
			TP_STATUS_USER))
			break;
		take_frame(w, h);
		__atomic_store_n(
		    &h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		w->next = (w->next + 1) % RING_FRAMES;
	}
	count_drops(w);
	return w->drops;
}

uint64_t
witness_drops(const struct witness *w)
{
	return w->drops;
}

uint64_t
witness_strays(const struct witness *w)
{
	return w->strays;
}

void
witness_forget(struct witness *w)
{
	witness_collect(w);
	drop_flows(w);
}

/* Answers. */

const struct witness_flow *
witness_find(const struct witness *w, const char *client_address,
    uint16_t client_port, uint16_t server_port)
{
	for (const struct flow *f = w->newest; f; f = f->older) {
		const struct witness_side *side = f->pub.side;

		if (client_port && side[WITNESS_CLIENT].port != client_port)
			continue;
		if (server_port && side[WITNESS_SERVER].port != server_port)
			continue;
		if (client_address &&
		    strcmp(side[WITNESS_CLIENT].address, client_address) != 0)
			continue;
		return &f->pub;
	}
	return NULL;
}

unsigned
witness_flows(const struct witness *w)
{
	return w->n_flows;
}

const struct witness_flow *
witness_flow_at(const struct witness *w, unsigned i)
{
	const struct flow *f = w->oldest;

	while (f && i-- > 0)
		f = f->newer;
	return f ? &f->pub : NULL;
}

static int64_t
monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

const struct witness_flow *
witness_await(struct witness *w, uint16_t client_port, uint16_t server_port,
    int timeout_ms, bool (*want)(const struct witness_flow *flow, void *arg),
    void *arg)
{
	int64_t deadline = monotonic_ms() + timeout_ms;

	for (;;) {
		struct pollfd pfd = { .fd = w->fd, .events = POLLIN };
		const struct witness_flow *flow;
		int64_t left;

		/* Time first: what came before the deadline still counts. */
		left = deadline - monotonic_ms();
		witness_collect(w);
		flow = witness_find(w, NULL, client_port, server_port);
		if (flow && want(flow, arg))
			return flow;
		if (left <= 0)
			return NULL;
		poll(&pfd, 1, (int)left);
	}
}

static bool
has_ended(const struct witness_flow *flow, void *arg)
{
	(void)arg;
	return flow->end != WITNESS_END_NONE;
}

const struct witness_flow *
witness_settle(struct witness *w, uint16_t client_port, uint16_t server_port,
    int timeout_ms)
{
	witness_await(w, client_port, server_port, timeout_ms, has_ended, NULL);
	return witness_find(w, NULL, client_port, server_port);
}

const struct witness_segment *
witness_segment(const struct witness_flow *flow, uint32_t i)
{
	const struct flow *f = (const struct flow *)(const void *)flow;

	if (i >= flow->kept)
		return NULL;
	if (i < WITNESS_KEEP)
		return &f->first[i];
	return &f->last[(flow->seen - flow->kept + i) % WITNESS_KEEP];
}

/* Output. */

static void
flags_text(const struct witness_segment *s, char out[32])
{
	static const char names[6][4] = { "FIN", "SYN", "RST", "PSH", "ACK",
		"URG" };
	static const int order[6] = { 1, 0, 2, 3, 4, 5 };
	size_t n = 0;

	out[0] = '\0';
	for (int i = 0; i < 6; i++) {
		if (!(s->flags & 1 << order[i]))
			continue;
		n += (size_t)snprintf(
		    out + n, 32 - n, "%s%s", n ? "," : "", names[order[i]]);
	}
}

static void
dump_segment(const struct witness_segment *s, int64_t start, FILE *out)
{
	const char *arrow = s->direction == WITNESS_CLIENT ? "->" : "<-";
	char flags[32];

	fprintf(out, "  %12.3f us  %s  ", (double)(s->time_ns - start) / 1e3,
	    arrow);
	if (s->icmp) {
		fprintf(
		    out, "ICMP type %u code %u\n", s->icmp_type, s->icmp_code);
		return;
	}
	flags_text(s, flags);
	fprintf(out,
	    "%-16s seq %-10" PRId64 " ack %-10" PRId64 " win %-6u len %u",
	    flags, s->seq, s->ack, s->window, s->payload_bytes);
	if (s->mss)
		fprintf(out, "  mss %u", s->mss);
	if (s->cookie)
		fprintf(out, "  cookie %s %u",
		    s->cookie == WITNESS_COOKIE_REQUEST ? "request" : "present",
		    s->cookie_bytes);
	if (s->flags & WITNESS_URG)
		fprintf(out, "  urg %u", s->urgent);
	fprintf(out, "%s\n", s->after_end ? "  (after the end)" : "");
}

void
witness_dump(const struct witness_flow *flow, FILE *out)
{
	static const char *const ends[] = { "open", "FIN", "RST" };
	const struct witness_side *side = flow->side;

	fprintf(out, "%s.%u -> %s.%u, end: %s\n", side[0].address, side[0].port,
	    side[1].address, side[1].port, ends[flow->end]);
	for (int i = 0; i < 2; i++)
		fprintf(out,
		    "  %s: %u segments (%u in all), %u SYN, %u FIN, "
		    "%u RST, %" PRIu64 " payload bytes, SYN data %u "
		    "(%u acknowledged)\n",
		    i ? "server" : "client", side[i].segments,
		    side[i].segments_total, side[i].syns, side[i].fins,
		    side[i].rsts, side[i].payload_bytes, side[i].syn_data_bytes,
		    side[i].syn_data_acked);
	for (uint32_t i = 0; i < flow->kept; i++) {
		if (i == WITNESS_KEEP && flow->seen > flow->kept)
			fprintf(out, "  ... %u left out\n",
			    flow->seen - flow->kept);
		dump_segment(
		    witness_segment(flow, i), side[0].first_syn_ns, out);
	}
}

struct pcap_header {
	uint32_t magic;
	uint16_t major;
	uint16_t minor;
	uint32_t zone;
	uint32_t accuracy;
	uint32_t snap_bytes;
	uint32_t link_type;
};

struct pcap_record {
	uint32_t sec;
	uint32_t nsec;
	uint32_t kept_bytes;
	uint32_t wire_bytes;
};

static void
pcap_begin(FILE *out)
{
	struct pcap_header h = {
		.magic = 0xa1b23c4d,
		.major = 2,
		.minor = 4,
		.snap_bytes = 262144, /* readers refuse longer frames */
		.link_type = 1,
	};

	fwrite(&h, sizeof(h), 1, out);
}

static void
pcap_add(FILE *out, const struct witness_segment *s)
{
	struct pcap_record r = {
		.sec = (uint32_t)(s->time_ns / 1000000000),
		.nsec = (uint32_t)(s->time_ns % 1000000000),
		.kept_bytes = s->frame_bytes,
		.wire_bytes = s->wire_bytes,
	};

	fwrite(&r, sizeof(r), 1, out);
	fwrite(s->frame, s->frame_bytes, 1, out);
}

static int
pcap_end(FILE *out)
{
	bool bad = ferror(out);

	if (fclose(out) != 0)
		return -errno;
	return bad ? -EIO : 0;
}

static int
by_time(const void *a, const void *b)
{
	const struct witness_segment *const *x = a;
	const struct witness_segment *const *y = b;

	return ((*x)->time_ns > (*y)->time_ns) -
	    ((*x)->time_ns < (*y)->time_ns);
}

int
witness_write_pcap(const struct witness *w, const char *path)
{
	const struct witness_segment **all;
	size_t room = (size_t)w->n_flows * 2 * WITNESS_KEEP + 1;
	size_t n = 0;
	FILE *out;
	int rc;

	all = calloc(room, sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (const struct flow *f = w->oldest; f; f = f->newer)
		for (uint32_t i = 0; i < f->pub.kept; i++)
			all[n++] = witness_segment(&f->pub, i);
	qsort(all, n, sizeof(*all), by_time);
	out = fopen(path, "we");
	if (!out) {
		rc = -errno;
		free(all);
		return rc;
	}
	pcap_begin(out);
	for (size_t i = 0; i < n; i++)
		pcap_add(out, all[i]);
	free(all);
	return pcap_end(out);
}

int
witness_flow_write_pcap(const struct witness_flow *flow, const char *path)
{
	FILE *out = fopen(path, "we");

	if (!out)
		return -errno;
	pcap_begin(out);
	for (uint32_t i = 0; i < flow->kept; i++)
		pcap_add(out, witness_segment(flow, i));
	return pcap_end(out);
}
