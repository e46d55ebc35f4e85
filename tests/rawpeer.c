/* SPDX-License-Identifier: BSD-2-Clause */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "rawpeer.h"

#include "lab.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define WAIT_MS 5000
#define FRAME_BYTES 1514 /* of Ethernet with its usual MTU */
#define BEYOND_MAX 64
#define ICMP_DELAY_MS 5
#define FIRST_SEQ 0xffffffc0u /* wraps early: who cannot, shall show it */
#define QUOTE4_BYTES 548u     /* ICMP errors stay within 576, RFC 1812 */
#define QUOTE6_BYTES 1232u    /* within 1280, RFC 4443 */

/* What has come and was not waited for yet. */
enum pending {
	PENDING_SYN = 1 << RAWPEER_WAIT_SYN,
	PENDING_PAYLOAD = 1 << RAWPEER_WAIT_PAYLOAD,
	PENDING_FIN = 1 << RAWPEER_WAIT_FIN,
	PENDING_RST = 1 << RAWPEER_WAIT_RST,
	PENDING_ANY = 1 << RAWPEER_WAIT_ANY,
};

struct frame {
	uint8_t bytes[FRAME_BYTES];
	size_t len;
};

/* A segment received, decoded. */
struct segment {
	const uint8_t *source;
	uint16_t port;
	uint32_t seq;
	uint32_t ack;
	int flags;
	uint32_t payload_bytes;
};

struct rawpeer {
	/* Fixed at the start. */
	int family;
	uint8_t address[16];
	uint16_t port;
	const struct rawpeer_step *script;
	size_t steps;
	int fd;
	int stop_fd; /* an eventfd */
	pthread_t thread;

	/* The thread's, and its owner's once it has ended. */
	uint8_t client[16];
	uint16_t client_port; /* 0: no connection so far */
	uint32_t client_isn;
	uint32_t snd_nxt;
	uint32_t snd_una;
	uint32_t rcv_nxt;
	struct range {
		uint32_t from, to;
	} beyond[BEYOND_MAX]; /* came, but after a gap */
	unsigned n_beyond;
	bool has_fin;
	uint32_t fin_seq;
	unsigned pending;   /* enum pending */
	size_t fresh_bytes; /* of payload, since the last wait for it */
	size_t syn_bytes;   /* payload of the last SYN */
	struct frame last;  /* received, from IP on */
	size_t done;	    /* steps */
	const char *why;    /* NULL: all steps done */
};

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

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

static size_t
address_bytes(const struct rawpeer *p)
{
	return p->family == AF_INET ? 4 : 16;
}

static size_t
ip_bytes(const struct rawpeer *p)
{
	return p->family == AF_INET ? 20 : 40;
}

/* RFC 1071. */
static uint32_t
add_sum(uint32_t sum, const uint8_t *p, size_t len)
{
	for (; len >= 2; p += 2, len -= 2)
		sum += get16(p);
	if (len)
		sum += (uint32_t)p[0] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static unsigned
checksum(uint32_t sum, const uint8_t *p, size_t len)
{
	return ~add_sum(sum, p, len) & 0xffff;
}

/* The checksum of what IP carries, over the pseudo-header too. */
static unsigned
carried_checksum(const struct rawpeer *p, unsigned protocol,
    const uint8_t *bytes, size_t len)
{
	uint32_t sum = protocol + (uint32_t)len;

	sum = add_sum(sum, p->address, address_bytes(p));
	sum = add_sum(sum, p->client, address_bytes(p));
	return checksum(sum, bytes, len);
}

/* Ethernet and IP headers for what the frame carries already. */
static void
put_headers(const struct rawpeer *p, struct frame *f, unsigned protocol)
{
	static const uint8_t to[] = LAB_VETH_MAC, from[] = LAB_PEER_MAC;
	uint8_t *ip = f->bytes + ETHER_HDR_LEN;
	size_t total = f->len - ETHER_HDR_LEN;

	memcpy(f->bytes, to, 6);
	memcpy(f->bytes + 6, from, 6);
	memset(ip, 0, ip_bytes(p));
	if (p->family == AF_INET) {
		put16(f->bytes + 12, ETHERTYPE_IP);
		ip[0] = 0x45;
		put16(ip + 2, (unsigned)total);
		put16(ip + 6, 0x4000); /* do not fragment */
		ip[8] = 64;
		ip[9] = (uint8_t)protocol;
		memcpy(ip + 12, p->address, 4);
		memcpy(ip + 16, p->client, 4);
		put16(ip + 10, checksum(0, ip, 20));
	} else {
		put16(f->bytes + 12, ETHERTYPE_IPV6);
		ip[0] = 0x60;
		put16(ip + 4, (unsigned)(total - 40));
		ip[6] = (uint8_t)protocol;
		ip[7] = 64;
		memcpy(ip + 8, p->address, 16);
		memcpy(ip + 24, p->client, 16);
	}
}

static const char *
send_frame(const struct rawpeer *p, const struct frame *f)
{
	if (send(p->fd, f->bytes, f->len, 0) == (ssize_t)f->len)
		return NULL;
	return strerror(errno);
}

/* Appends an option; returns the new end, or NULL if it does not fit. */
static uint8_t *
put_option(uint8_t *at, const uint8_t *end, unsigned kind, const void *data,
    size_t len)
{
	if (!at || (size_t)(end - at) < len + 2)
		return NULL;
	*at++ = (uint8_t)kind;
	*at++ = (uint8_t)(len + 2);
	if (len)
		memcpy(at, data, len);
	return at + len;
}

/* All options of a step; returns their padded end, or NULL. */
static uint8_t *
put_options(
    const struct rawpeer *p, const struct rawpeer_step *step, uint8_t *at)
{
	const uint8_t *start = at;
	const uint8_t *end = at + 40;
	uint8_t mss[2];

	if (step->flags & RAW_SYN) {
		put16(mss,
		    step->mss ? step->mss :
				(unsigned)(1500 - 20 - ip_bytes(p)));
		at = put_option(at, end, 2, mss, sizeof(mss));
	}
	if (step->cookie)
		at = put_option(at, end, 34, step->cookie,
		    step->cookie_bytes ? step->cookie_bytes :
					 strlen(step->cookie));
	if (!at || (size_t)(end - at) < step->options_bytes)
		return NULL;
	if (step->options_bytes)
		memcpy(at, step->options, step->options_bytes);
	at += step->options_bytes;
	while ((at - start) % 4)
		*at++ = 1; /* NOP */
	return at;
}

static void
put_tcp(const struct rawpeer *p, const struct rawpeer_step *step, uint8_t *tcp)
{
	uint32_t ack = p->rcv_nxt + (uint32_t)step->ack_add;
	unsigned window = step->window == 0 ? 65535u :
	    step->window < 0		    ? 0 :
					      (unsigned)step->window;

	memset(tcp, 0, 20);
	put16(tcp, p->port);
	put16(tcp + 2, p->client_port);
	put32(tcp + 4, p->snd_nxt + (uint32_t)step->seq_add);
	if (step->flags & RAW_ACK)
		put32(tcp + 8, ack);
	tcp[13] = step->flags;
	put16(tcp + 14, window);
	put16(tcp + 18, step->urgent);
}

static void
advance(struct rawpeer *p, const struct rawpeer_step *step, size_t bytes)
{
	uint32_t carried = (uint32_t)bytes + !!(step->flags & RAW_SYN) +
	    !!(step->flags & RAW_FIN);
	uint32_t end = p->snd_nxt + (uint32_t)step->seq_add + carried;

	/* The part of its SYN data that the client need not repeat. */
	if (step->flags & RAW_SYN && step->ack_add > 0)
		p->rcv_nxt += (uint32_t)step->ack_add;
	if (carried && !step->hold && (int32_t)(end - p->snd_nxt) > 0)
		p->snd_nxt = end;
}

static const char *
do_send(struct rawpeer *p, const struct rawpeer_step *step)
{
	struct frame f;
	uint8_t *tcp = f.bytes + ETHER_HDR_LEN + ip_bytes(p);
	size_t bytes = step->bytes;
	uint8_t *at;

	if (!p->client_port)
		return "nobody to send to: no SYN has come";
	if (step->data && !bytes)
		bytes = strlen(step->data);
	put_tcp(p, step, tcp);
	at = put_options(p, step, tcp + 20);
	if (!at)
		return "options longer than 40 bytes";
	tcp[12] = (uint8_t)((at - tcp) / 4 << 4);
	if (bytes > (size_t)(f.bytes + sizeof(f.bytes) - at))
		return "data longer than one frame";
	if (bytes && step->data)
		memcpy(at, step->data, bytes);
	else
		memset(at, 'x', bytes);
	at += bytes;
	put16(tcp + 16,
	    carried_checksum(p, IPPROTO_TCP, tcp, (size_t)(at - tcp)));
	f.len = (size_t)(at - f.bytes);
	put_headers(p, &f, IPPROTO_TCP);
	advance(p, step, bytes);
	return send_frame(p, &f);
}

static unsigned
icmp6_code(enum rawpeer_icmp code)
{
	switch (code) { /* RFC 4443, 3.1 */
	case RAW_ICMP_NET:
		return 0;
	case RAW_ICMP_HOST:
		return 3;
	case RAW_ICMP_PORT:
		return 4;
	case RAW_ICMP_PROHIBITED:
		break;
	}
	return 1;
}

static const char *
do_icmp(struct rawpeer *p, const struct rawpeer_step *step)
{
	struct frame f;
	bool v4 = p->family == AF_INET;
	uint8_t *icmp = f.bytes + ETHER_HDR_LEN + ip_bytes(p);
	size_t quote = v4 ? QUOTE4_BYTES : QUOTE6_BYTES;
	unsigned sum;

	if (!p->last.len)
		return "nothing to quote: no segment has come";
	if (quote > p->last.len)
		quote = p->last.len;
	memset(icmp, 0, 8);
	icmp[0] = v4 ? 3 : 1;
	icmp[1] = (uint8_t)(v4 ? step->icmp : icmp6_code(step->icmp));
	memcpy(icmp + 8, p->last.bytes, quote);
	if (v4)
		sum = checksum(0, icmp, 8 + quote);
	else
		sum = carried_checksum(p, IPPROTO_ICMPV6, icmp, 8 + quote);
	put16(icmp + 2, sum);
	f.len = (size_t)(icmp + 8 + quote - f.bytes);
	put_headers(p, &f, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	return send_frame(p, &f);
}

/*
 * Decodes an IP packet for our address and port. Checksums are not looked
 * at: the kernel leaves them to the card that veth is not.
 */
static bool
decode(
    const struct rawpeer *p, const uint8_t *ip, size_t len, struct segment *s)
{
	bool v4 = p->family == AF_INET;
	size_t header = ip_bytes(p);
	size_t total;
	const uint8_t *tcp = ip + header;

	if (len < header + 20 || ip[0] >> 4 != (v4 ? 4 : 6) ||
	    ip[v4 ? 9 : 6] != IPPROTO_TCP || (v4 && ip[0] != 0x45))
		return false;
	total = v4 ? get16(ip + 2) : get16(ip + 4) + 40u;
	if (memcmp(ip + (v4 ? 16 : 24), p->address, address_bytes(p)) != 0 ||
	    get16(tcp + 2) != p->port)
		return false;
	s->source = ip + (v4 ? 12 : 8);
	s->port = get16(tcp);
	s->seq = get32(tcp + 4);
	s->ack = get32(tcp + 8);
	s->flags = tcp[13];
	header += (size_t)(tcp[12] >> 4) * 4;
	if (header > total)
		return false;
	s->payload_bytes = (uint32_t)(total - header);
	return true;
}

static void
new_connection(struct rawpeer *p, const struct segment *s)
{
	memcpy(p->client, s->source, address_bytes(p));
	p->client_port = s->port;
	p->client_isn = s->seq;
	p->rcv_nxt = s->seq + 1;
	p->n_beyond = 0;
	p->has_fin = false;
	p->snd_nxt = FIRST_SEQ;
	p->snd_una = FIRST_SEQ;
	p->pending = 0;
	p->fresh_bytes = 0;
}

static bool
is_client(const struct rawpeer *p, const struct segment *s)
{
	return s->port == p->client_port &&
	    memcmp(s->source, p->client, address_bytes(p)) == 0;
}

/* Moves rcv_nxt over the range, if it begins there or before. */
static bool
join(struct rawpeer *p, uint32_t from, uint32_t to)
{
	if ((int32_t)(from - p->rcv_nxt) > 0)
		return false;
	if ((int32_t)(to - p->rcv_nxt) > 0)
		p->rcv_nxt = to;
	return true;
}

/* One that overtook others waits for them; a full list forgets it. */
static void
take_range(struct rawpeer *p, uint32_t from, uint32_t to)
{
	unsigned i = 0;

	if (!join(p, from, to)) {
		if (p->n_beyond < BEYOND_MAX)
			p->beyond[p->n_beyond++] = (struct range){ from, to };
		return;
	}
	while (i < p->n_beyond) {
		if (join(p, p->beyond[i].from, p->beyond[i].to)) {
			p->beyond[i] = p->beyond[--p->n_beyond];
			i = 0;
		} else {
			i++;
		}
	}
}

/* Brings our numbers up to what came. */
static void
take_numbers(struct rawpeer *p, const struct segment *s)
{
	uint32_t end = s->seq + s->payload_bytes;
	uint32_t before = p->rcv_nxt;

	if (s->flags & RAW_ACK && (int32_t)(s->ack - p->snd_una) > 0)
		p->snd_una = s->ack;
	if (s->flags & (RAW_SYN | RAW_RST))
		return;
	if (s->flags & RAW_FIN) {
		p->has_fin = true;
		p->fin_seq = end++;
	}
	take_range(p, s->seq, end);
	p->fresh_bytes += p->rcv_nxt - before;
	if (p->has_fin && (int32_t)(before - p->fin_seq) <= 0 &&
	    (int32_t)(p->rcv_nxt - p->fin_seq) > 0)
		p->fresh_bytes--;
}

static void
take_segment(struct rawpeer *p, const struct segment *s)
{
	if (s->flags & RAW_SYN) {
		p->pending |= PENDING_SYN;
		p->syn_bytes = s->payload_bytes;
	} else if (s->payload_bytes) {
		p->pending |= PENDING_PAYLOAD;
	}
	if (s->flags & RAW_FIN)
		p->pending |= PENDING_FIN;
	if (s->flags & RAW_RST)
		p->pending |= PENDING_RST;
	p->pending |= PENDING_ANY;
	take_numbers(p, s);
}

/* Reads one frame. False when none is there. */
static bool
receive(struct rawpeer *p, const struct rawpeer_step *step)
{
	const struct rawpeer_step answer = { .flags = RAW_ACK };
	struct frame f;
	struct segment s;
	ssize_t n = recv(p->fd, f.bytes, sizeof(f.bytes), 0);

	if (n < 0)
		return false;
	if (n <= ETHER_HDR_LEN ||
	    !decode(p, f.bytes + ETHER_HDR_LEN, (size_t)n - ETHER_HDR_LEN, &s))
		return true;
	if (step->action == RAWPEER_WAIT_SYN &&
	    (s.flags & (RAW_SYN | RAW_ACK)) == RAW_SYN &&
	    (!is_client(p, &s) || s.seq != p->client_isn))
		new_connection(p, &s);
	if (!is_client(p, &s))
		return true;
	p->last.len = (size_t)n - ETHER_HDR_LEN;
	memcpy(p->last.bytes, f.bytes + ETHER_HDR_LEN, p->last.len);
	take_segment(p, &s);
	if (step->acking && (s.payload_bytes || s.flags & RAW_FIN))
		do_send(p, &answer);
	return true;
}

/* Whether the step's wait is over; what it waited for is then used up. */
static bool
is_satisfied(struct rawpeer *p, const struct rawpeer_step *step)
{
	bool came = p->pending & 1u << step->action;

	if (step->action == RAWPEER_IGNORE)
		return false;
	if (step->action == RAWPEER_WAIT_ACK)
		came = p->client_port && p->snd_una == p->snd_nxt;
	if (step->action == RAWPEER_WAIT_SYN)
		came = came && p->syn_bytes >= step->bytes;
	if (step->action == RAWPEER_WAIT_PAYLOAD && step->bytes)
		came = p->fresh_bytes >= step->bytes;
	if (!came)
		return false;
	if (step->action == RAWPEER_WAIT_PAYLOAD) {
		/* With a count, what exceeds it is left to the next wait. */
		p->fresh_bytes -= step->bytes ? step->bytes : p->fresh_bytes;
		if (p->fresh_bytes)
			return true;
	}
	p->pending &= ~(1u << step->action | PENDING_ANY);
	return true;
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Until something is readable or time is up; true when told to stop. */
static bool
pause_until(struct rawpeer *p, int64_t deadline, bool frames)
{
	struct pollfd pfd[2] = {
		{ .fd = p->stop_fd, .events = POLLIN },
		{ .fd = frames ? p->fd : -1, .events = POLLIN },
	};
	int64_t left = deadline - now_ms();

	poll(pfd, 2, left < 0 ? 0 : (int)left);
	return pfd[0].revents;
}

static const char *
do_delay(struct rawpeer *p, const struct rawpeer_step *step)
{
	int64_t deadline = now_ms() + step->ms;

	while (now_ms() < deadline)
		if (pause_until(p, deadline, false))
			return "stopped";
	return NULL;
}

/* Takes in segments until the wait is over or none is left. */
static bool
hear(struct rawpeer *p, const struct rawpeer_step *step)
{
	while (!is_satisfied(p, step))
		if (!receive(p, step))
			return false;
	return true;
}

static const char *
do_wait(struct rawpeer *p, const struct rawpeer_step *step)
{
	bool ignore = step->action == RAWPEER_IGNORE;
	int64_t deadline = now_ms() + (step->ms || ignore ? step->ms : WAIT_MS);
	bool more = true;

	while (more) {
		/* Time first: what came before the deadline still counts. */
		more = now_ms() < deadline;
		if (hear(p, step))
			return NULL;
		if (more && pause_until(p, deadline, true))
			return "stopped";
	}
	if (!ignore)
		return "time is up";
	p->pending = 0;
	p->fresh_bytes = 0;
	return NULL;
}

static const char *
do_step(struct rawpeer *p, const struct rawpeer_step *step)
{
	switch (step->action) {
	case RAWPEER_SEND:
		return do_send(p, step);
	case RAWPEER_DELAY:
		return do_delay(p, step);
	case RAWPEER_ICMP:
		pause_until(p, now_ms() + ICMP_DELAY_MS, false);
		return do_icmp(p, step);
	default:
		return do_wait(p, step);
	}
}

static void *
follow(void *arg)
{
	struct rawpeer *p = arg;

	lab_pin(); /* the order of the script is that of the wire */
	for (; p->done < p->steps; p->done++) {
		p->why = do_step(p, &p->script[p->done]);
		if (p->why)
			break;
	}
	return NULL;
}

static void
release(struct rawpeer *p)
{
	if (p->fd >= 0)
		close(p->fd);
	if (p->stop_fd >= 0)
		close(p->stop_fd);
	free(p);
}

/* The descriptors and the thread. Returns 0 or an errno. */
static int
launch(struct rawpeer *p)
{
	int fd = lab_far_socket();

	if (fd < 0)
		return -fd;
	p->fd = fd;
	p->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (p->stop_fd < 0)
		return errno;
	return pthread_create(&p->thread, NULL, follow, p);
}

struct rawpeer *
rawpeer_start(int family, const char *address, uint16_t port,
    const struct rawpeer_step *script, size_t steps)
{
	struct rawpeer *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return NULL;
	p->family = family;
	p->port = port;
	p->script = script;
	p->steps = steps;
	p->fd = -1;
	p->stop_fd = -1;
	if (inet_pton(family, address, p->address) != 1)
		rc = EINVAL;
	else
		rc = launch(p);
	if (rc == 0)
		return p;
	release(p);
	errno = rc;
	return NULL;
}

static const char *
action_name(enum rawpeer_action action)
{
	static const char *const names[] = {
		[RAWPEER_WAIT_SYN] = "RAW_WAIT_SYN",
		[RAWPEER_WAIT_ACK] = "RAW_WAIT_ACK",
		[RAWPEER_WAIT_PAYLOAD] = "RAW_WAIT_PAYLOAD",
		[RAWPEER_WAIT_FIN] = "RAW_WAIT_FIN",
		[RAWPEER_WAIT_RST] = "RAW_WAIT_RST",
		[RAWPEER_WAIT_ANY] = "RAW_WAIT_ANY",
		[RAWPEER_SEND] = "RAW_SEND",
		[RAWPEER_DELAY] = "RAW_DELAY",
		[RAWPEER_IGNORE] = "RAW_IGNORE",
		[RAWPEER_ICMP] = "RAW_ICMP",
	};

	return names[action];
}

int
rawpeer_join(struct rawpeer *p)
{
	int failed = 0;

	pthread_join(p->thread, NULL);
	if (p->why) {
		failed = (int)p->done + 1;
		fprintf(stderr, "rawpeer: step %d of %zu (%s): %s\n", failed,
		    p->steps, action_name(p->script[p->done].action), p->why);
	}
	release(p);
	return failed;
}

size_t
rawpeer_stop(struct rawpeer *p)
{
	uint64_t one = 1;
	size_t done;

	if (!p)
		return 0;
	if (write(p->stop_fd, &one, sizeof(one)) < 0)
		abort();
	pthread_join(p->thread, NULL);
	done = p->done;
	release(p);
	return done;
}
