/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves the harness itself, against plain sockets: what witness and raw peer
 * get wrong here, they would get wrong about lastack.
 */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "lab.h"
#include "rawpeer.h"
#include "witness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define SETTLE_MS 5000
#define QUIET_MS 100 /* how long absence is watched */
#define NO_TCPDUMP 127
#define BULK_BYTES (64u << 20)

static struct witness *w;
static const struct witness_flow *flow;
static const struct witness_side *client, *server;
static bool ipv6;

/* Plain sockets. */

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct pair {
	int listener;
	int client;
	int server;
	uint16_t client_port;
	uint16_t server_port;
};

static socklen_t
address_len(const union address *a)
{
	return a->sa.sa_family == AF_INET ? sizeof(a->in) : sizeof(a->in6);
}

static union address
address_of(const char *text, uint16_t port)
{
	union address a = { .sa.sa_family = AF_INET };

	a.in.sin_port = htons(port);
	if (inet_pton(AF_INET, text, &a.in.sin_addr) == 1)
		return a;
	memset(&a, 0, sizeof(a));
	a.in6.sin6_family = AF_INET6;
	a.in6.sin6_port = htons(port);
	ck_assert_int_eq(inet_pton(AF_INET6, text, &a.in6.sin6_addr), 1);
	return a;
}

static int
tcp_socket(const union address *a)
{
	int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval tv = { .tv_sec = 10 };

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	ck_assert_int_eq(
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)), 0);
	return fd;
}

static uint16_t
port_of(int fd)
{
	union address a;
	socklen_t len = sizeof(a);

	ck_assert_int_eq(getsockname(fd, &a.sa, &len), 0);
	return ntohs(
	    a.sa.sa_family == AF_INET ? a.in.sin_port : a.in6.sin6_port);
}

static int
listen_on(const char *text)
{
	union address a = address_of(text, 0);
	int fd = tcp_socket(&a);
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &one, sizeof(one));
	ck_assert_int_eq(bind(fd, &a.sa, address_len(&a)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

static struct pair
connect_pair(const char *text)
{
	struct pair p;
	union address a;

	p.listener = listen_on(text);
	p.server_port = port_of(p.listener);
	a = address_of(text, p.server_port);
	p.client = tcp_socket(&a);
	ck_assert_int_eq(connect(p.client, &a.sa, address_len(&a)), 0);
	p.client_port = port_of(p.client);
	p.server = accept(p.listener, NULL, NULL);
	ck_assert_int_ge(p.server, 0);
	return p;
}

static void
say(int fd, const char *text)
{
	ssize_t len = (ssize_t)strlen(text);

	ck_assert_int_eq(send(fd, text, (size_t)len, MSG_NOSIGNAL), len);
}

/* Exactly this, and with "" the end of the stream. */
static void
hear(int fd, const char *text)
{
	char buf[64];
	size_t len = strlen(text);

	ck_assert_int_eq(
	    recv(fd, buf, len ? len : 1, MSG_WAITALL), (ssize_t)len);
	ck_assert_int_eq(memcmp(buf, text, len), 0);
}

static void
reset(int fd)
{
	struct linger now = { .l_onoff = 1 };

	ck_assert_int_eq(
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	close(fd);
}

static int
socket_error(int fd)
{
	int error = -1;
	socklen_t len = sizeof(error);

	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	return error;
}

static int
tcp_state(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info.tcpi_state;
}

/* The verdict: sets flow, client and server. */

static void
judge(const struct witness_flow *f, enum witness_end end)
{
	flow = f;
	ck_assert_ptr_nonnull(flow);
	client = &flow->side[WITNESS_CLIENT];
	server = &flow->side[WITNESS_SERVER];
	if (flow->end != end)
		witness_dump(flow, stderr);
	ck_assert_int_eq(flow->end, end);
	ck_assert_uint_eq(witness_drops(w), 0);
	ck_assert_uint_eq(flow->seen,
	    client->segments_total + server->segments_total +
		flow->icmp_errors);
}

static void
settle(uint16_t client_port, uint16_t server_port, enum witness_end end)
{
	judge(witness_settle(w, client_port, server_port, SETTLE_MS), end);
}

static void
settle_pair(struct pair *p, enum witness_end end)
{
	settle(p->client_port, p->server_port, end);
	close(p->listener);
}

/* For witness_await(). */

static bool
never(const struct witness_flow *f, void *arg)
{
	(void)f;
	(void)arg;
	return false;
}

static bool
has_icmp(const struct witness_flow *f, void *arg)
{
	(void)arg;
	return f->icmp_errors > 0;
}

static bool
has_server_rst(const struct witness_flow *f, void *arg)
{
	(void)arg;
	return f->side[WITNESS_SERVER].rsts > 0;
}

static void
open_lo(void)
{
	w = witness_open("lo");
	ck_assert_ptr_nonnull(w);
}

static void
open_veth(void)
{
	w = witness_open(LAB_VETH);
	ck_assert_ptr_nonnull(w);
}

static void
close_witness(void)
{
	witness_close(w);
	w = NULL;
}

/* On lo, between two sockets of the kernel. */

static const char *const locals[] = { "127.0.0.1", "::1" };

START_TEST(fin_fin)
{
	struct pair p;

	if (_i == 1 && !ipv6)
		return;
	p = connect_pair(locals[_i]);
	say(p.client, "hi");
	hear(p.server, "hi");
	say(p.server, "hello");
	close(p.server);
	hear(p.client, "hello");
	hear(p.client, "");
	close(p.client);
	settle_pair(&p, WITNESS_END_FIN);

	ck_assert_int_eq(flow->family, _i ? AF_INET6 : AF_INET);
	ck_assert_str_eq(client->address, locals[_i]);
	ck_assert_str_eq(server->address, locals[_i]);
	ck_assert_uint_eq(client->port, p.client_port);
	ck_assert_uint_eq(server->port, p.server_port);
	ck_assert_uint_eq(client->syns, 1);
	ck_assert_uint_eq(server->syns, 1);
	ck_assert_uint_eq(client->fins, 1);
	ck_assert_uint_eq(server->fins, 1);
	ck_assert_uint_eq(client->rsts + server->rsts, 0);
	ck_assert_uint_eq(client->payload_bytes, 2);
	ck_assert_uint_eq(server->payload_bytes, 5);
	ck_assert_int_eq(client->fin_seq, 3);
	ck_assert_int_eq(server->fin_seq, 6);
	ck_assert(client->fin_ack_covers_peer_fin);
	ck_assert(!server->fin_ack_covers_peer_fin);
	ck_assert_int_eq(client->rst_ack, -1);
	ck_assert(!client->rst_ack_covers_peer_fin);
}
END_TEST

START_TEST(times_are_in_order)
{
	struct pair p = connect_pair("127.0.0.1");
	struct timespec now;

	say(p.client, "hi");
	hear(p.server, "hi");
	say(p.server, "hello");
	hear(p.client, "hello");
	close(p.server);
	hear(p.client, "");
	close(p.client);
	settle_pair(&p, WITNESS_END_FIN);

	clock_gettime(CLOCK_REALTIME, &now);
	ck_assert_int_lt(
	    now.tv_sec * 1000000000 + now.tv_nsec - client->first_syn_ns,
	    10000000000);
	ck_assert_int_gt(client->first_syn_ns, 0);
	ck_assert_int_eq(client->first_syn_ns, client->last_syn_ns);
	ck_assert_int_lt(client->first_syn_ns, server->first_syn_ns);
	ck_assert_int_lt(server->first_syn_ns, client->first_payload_ns);
	ck_assert_int_lt(client->first_payload_ns, server->first_payload_ns);
	ck_assert_int_lt(server->last_payload_ns, server->first_fin_ns);
	ck_assert_int_lt(server->first_fin_ns, client->first_fin_ns);
	ck_assert_int_le(server->fin_acked_ns, client->first_fin_ns);
	ck_assert_int_lt(client->first_fin_ns, client->fin_acked_ns);
	ck_assert_int_eq(flow->end_ns, client->fin_acked_ns);
	ck_assert_int_eq(client->first_rst_ns, 0);
}
END_TEST

START_TEST(rst_by_linger)
{
	struct pair p = connect_pair("127.0.0.1");

	reset(p.client);
	settle_pair(&p, WITNESS_END_RST);
	close(p.server);

	ck_assert_uint_eq(client->rsts, 1);
	ck_assert_uint_eq(server->rsts, 0);
	ck_assert_uint_eq(client->fins + server->fins, 0);
	ck_assert_int_eq(client->rst_ack, 1);
	ck_assert_int_eq(client->fin_seq, -1);
	ck_assert(!client->rst_ack_covers_peer_fin);
	ck_assert(!client->rst_after_peer_rst);
	ck_assert_int_eq(flow->end_ns, client->first_rst_ns);
	/* SYN, ACK, RST and SYN/ACK */
	ck_assert_uint_eq(client->segments, 3);
	ck_assert_uint_eq(client->pure_acks, 1);
	ck_assert_uint_eq(server->segments, 1);
}
END_TEST

START_TEST(rst_with_unread_data)
{
	struct pair p = connect_pair("127.0.0.1");
	char c;

	say(p.server, "hello");
	ck_assert_int_eq(recv(p.client, &c, 1, MSG_PEEK), 1);
	close(p.client);
	settle_pair(&p, WITNESS_END_RST);
	close(p.server);

	ck_assert_uint_eq(client->rsts, 1);
	ck_assert_uint_eq(client->fins, 0);
	ck_assert_uint_eq(server->payload_bytes, 5);
	ck_assert_int_eq(client->rst_ack, 6);
}
END_TEST

/* The server closes; the client, which has seen it, resets. */
START_TEST(rst_after_peer_fin)
{
	struct pair p = connect_pair("127.0.0.1");

	close(p.server);
	hear(p.client, "");
	reset(p.client);
	settle_pair(&p, WITNESS_END_RST);

	ck_assert_uint_eq(server->fins, 1);
	ck_assert_uint_eq(client->fins, 0);
	ck_assert_uint_eq(client->rsts, 1);
	ck_assert(client->rst_ack_covers_peer_fin);
	ck_assert(!server->rst_ack_covers_peer_fin);
}
END_TEST

/* The server closes for good; what the client still sends meets a RST. */
START_TEST(fin_then_rst_of_one_side)
{
	struct pair p = connect_pair("127.0.0.1");

	close(p.server);
	hear(p.client, "");
	say(p.client, "too late");
	settle_pair(&p, WITNESS_END_RST);
	close(p.client);

	ck_assert_uint_eq(server->fins, 1);
	ck_assert_uint_eq(server->rsts, 1);
	ck_assert_int_eq(server->rst_ack, -1); /* a RST without ACK */
	ck_assert_int_gt(server->first_rst_ns, server->first_fin_ns);
	ck_assert_uint_eq(client->rsts, 0);
	ck_assert_uint_eq(client->payload_bytes, 8);
}
END_TEST

START_TEST(half_close)
{
	struct pair p = connect_pair("127.0.0.1");

	say(p.client, "ask");
	ck_assert_int_eq(shutdown(p.client, SHUT_WR), 0);
	hear(p.server, "ask");
	hear(p.server, "");
	say(p.server, "answer");
	hear(p.client, "answer");
	close(p.server);
	hear(p.client, "");
	settle_pair(&p, WITNESS_END_FIN);
	close(p.client);

	ck_assert_int_gt(server->first_payload_ns, client->first_fin_ns);
	ck_assert(server->fin_ack_covers_peer_fin);
	ck_assert(!client->fin_ack_covers_peer_fin);
	ck_assert_uint_eq(client->rsts + server->rsts, 0);
	ck_assert_uint_eq(server->payload_bytes, 6);
}
END_TEST

START_TEST(refused)
{
	union address a = address_of("127.0.0.1", 0);
	int bound = tcp_socket(&a);
	int fd = tcp_socket(&a);

	ck_assert_int_eq(bind(bound, &a.sa, address_len(&a)), 0);
	a = address_of("127.0.0.1", port_of(bound));
	ck_assert_int_eq(connect(fd, &a.sa, address_len(&a)), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	settle(0, port_of(bound), WITNESS_END_RST);
	close(fd);
	close(bound);

	ck_assert_uint_eq(client->segments, 1);
	ck_assert_uint_eq(server->segments, 1);
	ck_assert_uint_eq(server->rsts, 1);
	ck_assert_uint_eq(server->syns, 0);
	ck_assert_int_eq(server->rst_ack, 1);
	ck_assert(!server->isn_known);
}
END_TEST

/* Moves what fits; false once the stream ended. */
static bool
pump(struct pair *p, size_t *left, size_t *got)
{
	static char buf[1 << 18];
	size_t len = *left < sizeof(buf) ? *left : sizeof(buf);
	ssize_t n;

	if (len > 0) {
		n = send(p->client, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		ck_assert(n >= 0 || errno == EAGAIN);
		*left -= n > 0 ? (size_t)n : 0;
		if (*left == 0)
			shutdown(p->client, SHUT_WR);
	}
	n = recv(p->server, buf, sizeof(buf), MSG_DONTWAIT);
	ck_assert(n >= 0 || errno == EAGAIN);
	*got += n > 0 ? (size_t)n : 0;
	return n != 0;
}

/* Nothing is collected meanwhile: the ring has to hold it all. */
START_TEST(bulk)
{
	struct pair p = connect_pair("127.0.0.1");
	size_t left = BULK_BYTES, got = 0;

	while (pump(&p, &left, &got))
		;
	ck_assert_uint_eq(got, BULK_BYTES);
	close(p.server);
	settle_pair(&p, WITNESS_END_FIN);
	close(p.client);

	ck_assert_uint_eq(client->payload_bytes, BULK_BYTES);
	ck_assert_int_eq(client->fin_seq, BULK_BYTES + 1);
	ck_assert_uint_eq(server->payload_bytes, 0);
	ck_assert_uint_eq(client->segments, client->segments_total);
	ck_assert_uint_gt(client->data_segments, WITNESS_KEEP);
	ck_assert_uint_gt(flow->seen, flow->kept);
}
END_TEST

START_TEST(first_and_last_are_kept)
{
	struct pair p = connect_pair("127.0.0.1");
	const struct witness_segment *s, *before = NULL;
	int one = 1;

	setsockopt(p.client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (int i = 0; i < 200; i++) {
		say(p.client, "x");
		hear(p.server, "x");
	}
	reset(p.client);
	settle_pair(&p, WITNESS_END_RST);
	close(p.server);

	ck_assert_uint_eq(flow->kept, 2 * WITNESS_KEEP);
	ck_assert_int_eq(witness_segment(flow, 0)->flags, WITNESS_SYN);
	ck_assert_int_eq(
	    witness_segment(flow, 1)->flags, WITNESS_SYN | WITNESS_ACK);
	for (uint32_t i = 0; i < flow->kept; i++) {
		s = witness_segment(flow, i);
		ck_assert(!before || before->time_ns <= s->time_ns);
		before = s;
	}
	ck_assert_int_eq(before->flags, WITNESS_RST | WITNESS_ACK);
	ck_assert_int_eq(before->seq, 201);
	ck_assert_ptr_null(witness_segment(flow, flow->kept));
}
END_TEST

/* The same ports again are another connection. */
START_TEST(port_reuse)
{
	int listener = listen_on("127.0.0.1");
	uint16_t to = port_of(listener);
	uint16_t from = 0;
	int one = 1;

	for (int i = 0; i < 3; i++) {
		union address local = address_of("127.0.0.1", from);
		union address a = address_of("127.0.0.1", to);
		int fd = tcp_socket(&a);

		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		ck_assert_int_eq(bind(fd, &local.sa, sizeof(local.in)), 0);
		ck_assert_int_eq(connect(fd, &a.sa, sizeof(a.in)), 0);
		from = port_of(fd);
		say(fd, &"xyz"[i]);
		reset(fd);
		close(accept(listener, NULL, NULL));
	}
	settle(from, to, WITNESS_END_RST);
	close(listener);

	ck_assert_uint_eq(witness_flows(w), 3);
	ck_assert_uint_eq(client->payload_bytes, 1);
	ck_assert_uint_eq(client->syns, 1);
	ck_assert_ptr_eq(witness_flow_at(w, 2), flow);
	ck_assert_ptr_null(witness_flow_at(w, 3));
	flow = witness_flow_at(w, 0);
	ck_assert_uint_eq(flow->side[WITNESS_CLIENT].payload_bytes, 3);
	ck_assert_uint_eq(flow->side[WITNESS_CLIENT].port, from);
}
END_TEST

START_TEST(find_and_forget)
{
	struct pair p = connect_pair("127.0.0.1");

	witness_await(w, p.client_port, p.server_port, QUIET_MS, never, NULL);
	judge(witness_find(w, NULL, p.client_port, p.server_port),
	    WITNESS_END_NONE);
	ck_assert_ptr_eq(witness_find(w, "127.0.0.1", 0, p.server_port), flow);
	ck_assert_ptr_eq(witness_find(w, NULL, p.client_port, 0), flow);
	ck_assert_ptr_null(witness_find(w, "127.0.0.2", 0, p.server_port));
	ck_assert_ptr_null(witness_find(w, NULL, p.server_port, p.client_port));
	ck_assert_uint_eq(witness_strays(w), 0);
	witness_forget(w);
	ck_assert_uint_eq(witness_flows(w), 0);
	ck_assert_ptr_null(witness_find(w, NULL, 0, 0));
	reset(p.client);
	ck_assert_ptr_null(witness_await(w, 0, 0, QUIET_MS, never, NULL));
	ck_assert_uint_eq(witness_strays(w), 1);
	close(p.server);
	close(p.listener);
}
END_TEST

/* A witness that missed something says so. */
START_TEST(drops_are_told)
{
	union address a = address_of("127.0.0.1", 9);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	for (int i = 0; i < 70000; i++)
		sendto(fd, "", 1, MSG_DONTWAIT, &a.sa, sizeof(a.in));
	close(fd);
	ck_assert_uint_gt(witness_collect(w), 0);
	ck_assert_uint_gt(witness_drops(w), 0);
}
END_TEST

static int
fastopen_socket(void)
{
	union address a = address_of("127.0.0.1", 0);
	int fd = tcp_socket(&a);
	int one = 1;

	ck_assert_int_eq(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one,
			     sizeof(one)),
	    0);
	return fd;
}

static void
fastopen_exchange(int listener)
{
	union address a = address_of("127.0.0.1", port_of(listener));
	int fd = fastopen_socket();
	int peer;

	ck_assert_int_eq(connect(fd, &a.sa, sizeof(a.in)), 0);
	say(fd, "hello");
	peer = accept(listener, NULL, NULL);
	hear(peer, "hello");
	close(peer);
	hear(fd, "");
	close(fd);
	settle(0, port_of(listener), WITNESS_END_FIN);
	ck_assert_uint_eq(client->payload_bytes, 5);
	ck_assert_uint_eq(client->payload_bytes_total, 5);
}

START_TEST(fastopen)
{
	int listener = listen_on("127.0.0.1");

	fastopen_exchange(listener);
	ck_assert_int_eq(client->cookie, WITNESS_COOKIE_REQUEST);
	ck_assert_uint_eq(client->cookie_bytes, 0);
	ck_assert_int_eq(server->cookie, WITNESS_COOKIE_PRESENT);
	ck_assert_uint_eq(server->cookie_bytes, 8);
	ck_assert_uint_eq(client->syn_data_bytes, 0);
	ck_assert_uint_eq(client->syn_data_acked, 0);

	fastopen_exchange(listener);
	ck_assert_int_eq(client->cookie, WITNESS_COOKIE_PRESENT);
	ck_assert_uint_eq(client->cookie_bytes, 8);
	ck_assert_int_eq(server->cookie, WITNESS_COOKIE_NONE);
	ck_assert_uint_eq(client->syn_data_bytes, 5);
	ck_assert_uint_eq(client->syn_data_acked, 5);
	ck_assert_int_eq(client->first_payload_ns, client->first_syn_ns);
	close(listener);
}
END_TEST

/* Reads all of fd, and counts the lines. */
static int
count_lines(int fd)
{
	char buf[4096];
	ssize_t n;
	int lines = 0;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			lines += buf[i] == '\n';
	return lines;
}

static void
write_all(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = write(fd, text, strlen(text));

	(void)n; /* tcpdump will complain */
	close(fd);
}

/*
 * tcpdump gives up being root, which it cannot in a namespace that has no
 * other user: so it gets one more namespace, where it is none.
 */
_Noreturn static void
run_tcpdump(const char *path, int out)
{
	if (unshare(CLONE_NEWUSER) < 0)
		_exit(NO_TCPDUMP);
	write_all("/proc/self/setgroups", "deny");
	write_all("/proc/self/uid_map", "1 0 1");
	write_all("/proc/self/gid_map", "1 0 1");
	dup2(out, 1);
	execlp("tcpdump", "tcpdump", "-nr", path, (char *)NULL);
	_exit(errno == ENOENT ? NO_TCPDUMP : 1);
}

/* How many packets tcpdump reads there; -1 where it cannot run. */
static int
tcpdump_packets(const char *path)
{
	int out[2], lines, status;
	pid_t pid;

	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		run_tcpdump(path, out[1]);
	close(out[1]);
	lines = count_lines(out[0]);
	close(out[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_TCPDUMP)
		return -1;
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	return lines;
}

/* Header and records, read as their format says; in the order of time. */
static void
check_pcap(const char *path, uint32_t packets)
{
	uint32_t header[6], record[4], n = 0;
	uint64_t time_ns, before = 0;
	FILE *in = fopen(path, "re");
	int dumped;

	ck_assert_ptr_nonnull(in);
	ck_assert_uint_eq(fread(header, sizeof(header), 1, in), 1);
	ck_assert_uint_eq(header[0], 0xa1b23c4d);
	for (; fread(record, sizeof(record), 1, in) == 1; n++) {
		time_ns = record[0] * 1000000000ull + record[1];
		ck_assert_uint_ge(time_ns, before);
		ck_assert_uint_le(record[2], record[3]);
		ck_assert_int_eq(fseek(in, record[2], SEEK_CUR), 0);
		before = time_ns;
	}
	fclose(in);
	ck_assert_uint_eq(n, packets);
	dumped = tcpdump_packets(path);
	if (dumped >= 0)
		ck_assert_int_eq(dumped, packets);
}

/* Two connections at once, one with frames larger than what is kept. */
START_TEST(pcap)
{
	struct pair p = connect_pair("127.0.0.1");
	struct pair q = connect_pair("127.0.0.1");
	char path[] = "/tmp/check_witness.XXXXXX";
	int fd = mkstemp(path);
	char big[4000] = "";
	uint32_t kept;

	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(send(p.client, big, sizeof(big), 0), sizeof(big));
	reset(p.client);
	reset(q.client);
	close(p.server);
	close(q.server);
	settle_pair(&p, WITNESS_END_RST);
	kept = flow->kept;
	ck_assert_int_eq(witness_flow_write_pcap(flow, path), 0);
	check_pcap(path, kept);
	settle_pair(&q, WITNESS_END_RST);
	ck_assert_int_eq(witness_write_pcap(w, path), 0);
	check_pcap(path, kept + flow->kept);
	unlink(path);
	ck_assert_int_eq(witness_write_pcap(w, "/nowhere/at/all"), -ENOENT);
}
END_TEST

START_TEST(dump)
{
	struct pair p = connect_pair("127.0.0.1");
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	say(p.client, "hi");
	hear(p.server, "hi");
	reset(p.client);
	settle_pair(&p, WITNESS_END_RST);
	close(p.server);
	witness_dump(flow, out);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text, "end: RST"));
	ck_assert_ptr_nonnull(strstr(text, "->  SYN "));
	ck_assert_ptr_nonnull(strstr(text, "<-  SYN,ACK "));
	ck_assert_ptr_nonnull(strstr(text, "mss 65495"));
	ck_assert_ptr_nonnull(strstr(text, "len 2"));
	ck_assert_ptr_nonnull(strstr(text, "->  RST,ACK "));
	free(text);
}
END_TEST

/* Behind the veth pair, with a raw peer. */

static const char *const peers[] = { LAB_PEER_ADDR4, LAB_PEER_ADDR6 };
#define PEER_PORT 4711

static struct rawpeer *
start(int i, const struct rawpeer_step *script, size_t steps)
{
	struct rawpeer *peer = rawpeer_start(
	    i ? AF_INET6 : AF_INET, peers[i], PEER_PORT, script, steps);

	ck_assert_ptr_nonnull(peer);
	return peer;
}
#define START(i, script) start(i, script, RAWPEER_STEPS(script))

static int
connect_peer(int i)
{
	union address a = address_of(peers[i], PEER_PORT);
	int fd = tcp_socket(&a);

	ck_assert_int_eq(connect(fd, &a.sa, address_len(&a)), 0);
	return fd;
}

static int
begin_connect(int i)
{
	union address a = address_of(peers[i], PEER_PORT);
	int fd = tcp_socket(&a);

	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(connect(fd, &a.sa, address_len(&a)), -1);
	ck_assert_int_eq(errno, EINPROGRESS);
	return fd;
}

START_TEST(raw_exchange)
{
	static const struct rawpeer_step script[] = {
		{ RAW_WAIT_SYN },
		{ RAW_SEND, .flags = RAW_SYN | RAW_ACK },
		{ RAW_WAIT_PAYLOAD, .bytes = 4 },
		{ RAW_SEND, .flags = RAW_PSH | RAW_ACK | RAW_FIN,
		    .data = "hello" },
		{ RAW_WAIT_FIN },
		{ RAW_SEND, .flags = RAW_ACK },
	};
	struct rawpeer *peer;
	int fd;

	if (_i == 1 && !ipv6)
		return;
	peer = START(_i, script);
	fd = connect_peer(_i);
	say(fd, "ping");
	hear(fd, "hello");
	hear(fd, "");
	close(fd);
	ck_assert_int_eq(rawpeer_join(peer), 0);
	settle(0, PEER_PORT, WITNESS_END_FIN);

	ck_assert_str_eq(server->address, peers[_i]);
	ck_assert_uint_eq(client->payload_bytes, 4);
	ck_assert_uint_eq(server->payload_bytes, 5);
	ck_assert_uint_eq(server->segments_total, 3);
	ck_assert_uint_eq(server->fins, 1);
	ck_assert_int_eq(server->fin_seq, 6);
	ck_assert(client->fin_ack_covers_peer_fin);
	ck_assert_uint_eq(witness_segment(flow, 1)->mss, _i ? 1440 : 1460);
	ck_assert_uint_eq(witness_strays(w), 0);
}
END_TEST

/* Both FINs on the wire before either side knew of the other's. */
START_TEST(raw_simultaneous_close)
{
	static const struct rawpeer_step script[] = {
		{ RAW_WAIT_SYN },
		{ RAW_SEND, .flags = RAW_SYN | RAW_ACK },
		{ RAW_WAIT_FIN },
		{ RAW_SEND, .flags = RAW_FIN | RAW_ACK, .ack_add = -1 },
		{ RAW_WAIT_ACK },
		{ RAW_SEND, .flags = RAW_ACK },
	};
	struct rawpeer *peer = START(0, script);
	int fd = connect_peer(0);

	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	hear(fd, "");
	ck_assert_int_eq(rawpeer_join(peer), 0);
	settle(0, PEER_PORT, WITNESS_END_FIN);
	close(fd);

	ck_assert_uint_eq(client->fins, 1);
	ck_assert_uint_eq(server->fins, 1);
	ck_assert(!client->fin_ack_covers_peer_fin);
	ck_assert(!server->fin_ack_covers_peer_fin);
	ck_assert_int_ne(client->fin_acked_ns, 0);
	ck_assert_int_ne(server->fin_acked_ns, 0);
}
END_TEST

START_TEST(raw_rst_in_last_ack)
{
	static const struct rawpeer_step script[] = {
		{ RAW_WAIT_SYN },
		{ RAW_SEND, .flags = RAW_SYN | RAW_ACK },
		{ RAW_WAIT_ACK },
		{ RAW_SEND, .flags = RAW_FIN | RAW_ACK },
		{ RAW_WAIT_FIN },
		{ RAW_SEND, .flags = RAW_RST | RAW_ACK },
	};
	struct rawpeer *peer = START(0, script);
	int fd = connect_peer(0);

	hear(fd, "");
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_eq(rawpeer_join(peer), 0);
	settle(0, PEER_PORT, WITNESS_END_RST);
	ck_assert_ptr_nonnull(
	    witness_await(w, 0, PEER_PORT, SETTLE_MS, has_server_rst, NULL));
	ck_assert_int_eq(tcp_state(fd), TCP_CLOSE);
	ck_assert_int_eq(socket_error(fd), ECONNRESET);
	close(fd);

	ck_assert_uint_eq(client->fins, 1);
	ck_assert(client->fin_ack_covers_peer_fin);
	ck_assert_uint_eq(server->rsts, 1);
	ck_assert(server->rst_ack_covers_peer_fin);
	ck_assert_int_eq(client->fin_acked_ns, 0); /* a RST is no ACK */
	ck_assert_int_ne(server->fin_acked_ns, 0);
}
END_TEST

/* The peer resets before it has seen our FIN. */
START_TEST(raw_rst_crosses_fin)
{
	static const struct rawpeer_step script[] = {
		{ RAW_WAIT_SYN },
		{ RAW_SEND, .flags = RAW_SYN | RAW_ACK },
		{ RAW_WAIT_FIN },
		{ RAW_SEND, .flags = RAW_RST | RAW_ACK, .ack_add = -1 },
	};
	struct rawpeer *peer = START(0, script);
	int fd = connect_peer(0);

	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_eq(rawpeer_join(peer), 0);
	settle(0, PEER_PORT, WITNESS_END_RST);
	close(fd);
	ck_assert_uint_eq(client->fins, 1);
	ck_assert_int_eq(server->rst_ack, client->fin_seq);
	ck_assert(!server->rst_ack_covers_peer_fin);
}
END_TEST

/* The RSTs of both sides cross. */
START_TEST(raw_rst_after_rst)
{
	static const struct rawpeer_step script[] = {
		{ RAW_WAIT_SYN },
		{ RAW_SEND, .flags = RAW_SYN | RAW_ACK },
		{ RAW_WAIT_RST },
		{ RAW_SEND, .flags = RAW_RST | RAW_ACK },
	};
	struct rawpeer *peer = START(0, script);

	reset(connect_peer(0));
	ck_assert_int_eq(rawpeer_join(peer), 0);
	ck_assert_ptr_nonnull(
	    witness_await(w, 0, PEER_PORT, SETTLE_MS, has_server_rst, NULL));
	settle(0, PEER_PORT, WITNESS_END_RST);

	ck_assert_uint_eq(client->rsts, 1);
	ck_assert_uint_eq(server->rsts, 1);
	ck_assert(!client->rst_after_peer_rst);
	ck_assert(server->rst_after_peer_rst);
	ck_assert_uint_eq(server->segments, 1);
	ck_assert_uint_eq(server->segments_total, 2);
	ck_assert(witness_segment(flow, flow->kept - 1)->after_end);
}
END_TEST

/* A peer that accepts and then says nothing, not even an ACK. */
START_TEST(raw_silent)
{
	static const struct rawpeer_step script[] = {
		{ RAW_WAIT_SYN },
		{ RAW_SEND, .flags = RAW_SYN | RAW_ACK },
		{ RAW_WAIT_PAYLOAD },
		{ RAW_WAIT_RST },
	};
	struct rawpeer *peer = START(0, script);
	int fd = connect_peer(0);

	say(fd, "anybody?");
	ck_assert_ptr_null(
	    witness_await(w, 0, PEER_PORT, QUIET_MS, never, NULL));
	judge(witness_find(w, NULL, 0, PEER_PORT), WITNESS_END_NONE);
	ck_assert_uint_eq(server->segments_total, 1);
	ck_assert_uint_eq(flow->icmp_errors, 0);
	reset(fd);
	settle(0, PEER_PORT, WITNESS_END_RST);
	ck_assert_uint_eq(client->rsts, 1);
	ck_assert_uint_eq(client->payload_bytes, 8);
	ck_assert_int_eq(rawpeer_join(peer), 0);
}
END_TEST

/* Without a peer nothing answers: the kernel at the far end is mute. */
START_TEST(far_end_is_mute)
{
	int fd;

	if (_i == 1 && !ipv6)
		return;
	fd = begin_connect(_i);
	ck_assert_ptr_null(
	    witness_await(w, 0, PEER_PORT, QUIET_MS, never, NULL));
	judge(witness_find(w, NULL, 0, PEER_PORT), WITNESS_END_NONE);
	ck_assert_uint_eq(client->segments, 1);
	ck_assert_uint_eq(server->segments_total, 0);
	ck_assert_uint_eq(flow->icmp_errors, 0);
	ck_assert_uint_eq(witness_strays(w), 0);
	close(fd);
}
END_TEST

/* Costs the second that the kernel waits before it repeats its SYN. */
START_TEST(raw_second_syn)
{
	static const struct rawpeer_step script[] = {
		{ RAW_WAIT_SYN },
		{ RAW_WAIT_SYN },
		{ RAW_SEND, .flags = RAW_SYN | RAW_ACK },
		{ RAW_WAIT_RST },
	};
	struct rawpeer *peer = START(0, script);

	reset(connect_peer(0));
	ck_assert_int_eq(rawpeer_join(peer), 0);
	settle(0, PEER_PORT, WITNESS_END_RST);
	ck_assert_uint_eq(witness_flows(w), 1);
	ck_assert_uint_eq(client->syns, 2);
	ck_assert_uint_eq(server->syns, 1);
	ck_assert_int_gt(client->last_syn_ns - client->first_syn_ns, 800000000);
	ck_assert_int_lt(client->last_syn_ns, server->first_syn_ns);
}
END_TEST

/* Disorder, repetition and overlap: each payload byte counts once. */
START_TEST(raw_repeated_data)
{
	static const struct rawpeer_step script[] = {
		{ RAW_WAIT_SYN },
		{ RAW_SEND, .flags = RAW_SYN | RAW_ACK },
		{ RAW_WAIT_ACK },
		{ RAW_SEND, .flags = RAW_ACK, .seq_add = 40, .bytes = 100,
		    .hold = true },
		{ RAW_SEND, .flags = RAW_ACK, .bytes = 30 },
		{ RAW_SEND, .flags = RAW_ACK, .bytes = 10, .seq_add = -25 },
		{ RAW_SEND, .flags = RAW_ACK, .bytes = 60, .seq_add = -10 },
		{ RAW_SEND, .flags = RAW_ACK, .bytes = 60 },
		{ RAW_WAIT_ACK },
		{ RAW_SEND, .flags = RAW_FIN | RAW_ACK },
		{ RAW_WAIT_FIN },
		{ RAW_SEND, .flags = RAW_ACK },
	};
	struct rawpeer *peer = START(0, script);
	int fd = connect_peer(0);
	char buf[200];

	ck_assert_int_eq(recv(fd, buf, sizeof(buf), MSG_WAITALL), 140);
	close(fd);
	ck_assert_int_eq(rawpeer_join(peer), 0);
	settle(0, PEER_PORT, WITNESS_END_FIN);
	ck_assert_uint_eq(server->payload_bytes, 140);
	ck_assert_uint_eq(server->payload_bytes_total, 260);
	ck_assert_uint_eq(server->data_segments, 5);
	ck_assert_uint_eq(server->pure_acks, 1);
	ck_assert_int_eq(server->fin_seq, 141);
}
END_TEST

START_TEST(raw_segments_are_plain)
{
	static const struct rawpeer_step script[] = {
		{ RAW_WAIT_SYN },
		{ RAW_SEND, .flags = RAW_SYN | RAW_ACK },
		{ RAW_WAIT_PAYLOAD, .bytes = 20000, .acking = true },
		{ RAW_SEND, .flags = RAW_RST | RAW_ACK },
	};
	struct rawpeer *peer = START(0, script);
	int fd = connect_peer(0);
	const struct witness_segment *s;
	static char big[20000];

	ck_assert_int_eq(send(fd, big, sizeof(big), 0), sizeof(big));
	ck_assert_int_eq(rawpeer_join(peer), 0);
	settle(0, PEER_PORT, WITNESS_END_RST);
	close(fd);
	ck_assert_uint_eq(client->payload_bytes, sizeof(big));
	for (uint32_t i = 0; (s = witness_segment(flow, i)); i++) {
		ck_assert_uint_le(s->payload_bytes, 1460);
		ck_assert_uint_le(s->wire_bytes, 1514);
	}
}
END_TEST

/* A zero window holds the data back; urgent data is marked. */
START_TEST(raw_window_and_urgent)
{
	static const struct rawpeer_step script[] = {
		{ RAW_WAIT_SYN },
		{ RAW_SEND, .flags = RAW_SYN | RAW_ACK,
		    .window = RAW_WINDOW_ZERO, .mss = 1000 },
		{ RAW_WAIT_ACK },
		{ RAW_SEND, .flags = RAW_ACK | RAW_URG | RAW_PSH, .data = "abc",
		    .urgent = 3, .window = RAW_WINDOW_ZERO },
		{ RAW_WAIT_ACK },
		{ RAW_DELAY, .ms = QUIET_MS },
		{ RAW_SEND, .flags = RAW_ACK, .window = 100 },
		{ RAW_WAIT_PAYLOAD, .bytes = 5 },
		{ RAW_SEND, .flags = RAW_RST | RAW_ACK },
	};
	struct rawpeer *peer = START(0, script);
	int fd = connect_peer(0);
	struct pollfd pfd = { .fd = fd, .events = POLLPRI };
	char c = 0;

	say(fd, "12345");
	ck_assert_int_eq(poll(&pfd, 1, SETTLE_MS), 1);
	ck_assert_int_eq(recv(fd, &c, 1, MSG_OOB), 1);
	ck_assert_int_eq(c, 'c');
	ck_assert_int_eq(rawpeer_join(peer), 0);
	settle(0, PEER_PORT, WITNESS_END_RST);
	close(fd);
	ck_assert_uint_eq(witness_segment(flow, 1)->window, 0);
	ck_assert_uint_eq(witness_segment(flow, 1)->mss, 1000);
	ck_assert_uint_eq(server->payload_bytes, 3);
	ck_assert_int_gt(client->first_payload_ns - server->first_payload_ns,
	    QUIET_MS * 1000000 - 1000000);
}
END_TEST

struct icmp_case {
	enum rawpeer_icmp icmp;
	int family; /* index of peers */
	int type;
	int code;
	int error; /* of connect() */
};

static const struct icmp_case icmp_cases[] = {
	{ RAW_ICMP_NET, 0, 3, 0, ENETUNREACH },
	{ RAW_ICMP_HOST, 0, 3, 1, EHOSTUNREACH },
	{ RAW_ICMP_PORT, 0, 3, 3, ECONNREFUSED },
	{ RAW_ICMP_PROHIBITED, 0, 3, 13, EHOSTUNREACH },
	{ RAW_ICMP_NET, 1, 1, 0, ENETUNREACH },
	{ RAW_ICMP_HOST, 1, 1, 3, EHOSTUNREACH },
	{ RAW_ICMP_PORT, 1, 1, 4, ECONNREFUSED },
	{ RAW_ICMP_PROHIBITED, 1, 1, 1, EACCES },
};
#define ICMP_CASES (int)(sizeof(icmp_cases) / sizeof(icmp_cases[0]))

START_TEST(raw_icmp_to_syn)
{
	const struct icmp_case *c = &icmp_cases[_i];
	const struct rawpeer_step script[] = {
		{ RAW_WAIT_SYN },
		{ RAW_ICMP, .icmp = c->icmp },
	};
	union address a = address_of(peers[c->family], PEER_PORT);
	struct rawpeer *peer;
	int fd;

	if (c->family == 1 && !ipv6)
		return;
	peer = START(c->family, script);
	fd = tcp_socket(&a);
	ck_assert_int_eq(connect(fd, &a.sa, address_len(&a)), -1);
	ck_assert_int_eq(errno, c->error);
	close(fd);
	ck_assert_int_eq(rawpeer_join(peer), 0);
	judge(witness_await(w, 0, PEER_PORT, SETTLE_MS, has_icmp, NULL),
	    WITNESS_END_NONE);
	ck_assert_uint_eq(flow->icmp_errors, 1);
	ck_assert_uint_eq(flow->icmp_type, c->type);
	ck_assert_uint_eq(flow->icmp_code, c->code);
	ck_assert_int_gt(flow->first_icmp_ns, client->first_syn_ns);
	ck_assert_uint_eq(client->segments_total, 1);
	ck_assert_uint_eq(server->segments_total, 0);
}
END_TEST

/* No event announces a soft error, so we ask until there is one. */
static int
soft_error(int fd)
{
	int error = 0;

	for (int i = 0; i < SETTLE_MS && error == 0; i++) {
		poll(NULL, 0, 1);
		error = socket_error(fd);
	}
	return error;
}

/* The connection lives on, and the next ACK wipes the error out. */
START_TEST(raw_icmp_while_established)
{
	static const struct rawpeer_step script[] = {
		{ RAW_WAIT_SYN },
		{ RAW_SEND, .flags = RAW_SYN | RAW_ACK },
		{ RAW_WAIT_ANY },
		{ RAW_WAIT_ANY },
		{ RAW_ICMP, .icmp = RAW_ICMP_HOST },
		{ RAW_WAIT_PAYLOAD, .bytes = 8 },
		{ RAW_SEND, .flags = RAW_ACK, .data = "ok" },
		{ RAW_WAIT_FIN },
		{ RAW_SEND, .flags = RAW_FIN | RAW_ACK },
		{ RAW_WAIT_ACK },
	};
	struct rawpeer *peer;
	int fd, one = 1;

	if (_i == 1 && !ipv6)
		return;
	peer = START(_i, script);
	fd = connect_peer(_i);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	say(fd, "ping");
	ck_assert_int_eq(soft_error(fd), EHOSTUNREACH);
	say(fd, "pong");
	hear(fd, "ok");
	ck_assert_int_eq(socket_error(fd), 0);
	ck_assert_int_eq(tcp_state(fd), TCP_ESTABLISHED);
	shutdown(fd, SHUT_WR);
	hear(fd, "");
	close(fd);
	ck_assert_int_eq(rawpeer_join(peer), 0);
	settle(0, PEER_PORT, WITNESS_END_FIN);
	ck_assert_uint_eq(flow->icmp_errors, 1);
	ck_assert_uint_eq(flow->icmp_type, _i ? 1 : 3);
}
END_TEST

static int
fastopen_peer(const char *payload)
{
	union address a = address_of(LAB_PEER_ADDR4, PEER_PORT);
	int fd = fastopen_socket();

	ck_assert_int_eq(connect(fd, &a.sa, sizeof(a.in)), 0);
	say(fd, payload);
	return fd;
}

/* A first connection gets a cookie, the second one sends ten bytes with it. */
START_TEST(raw_partial_syn_data)
{
	static const struct rawpeer_step script[] = {
		{ RAW_WAIT_SYN },
		{ RAW_SEND, .flags = RAW_SYN | RAW_ACK, .cookie = "biscuits" },
		{ RAW_WAIT_PAYLOAD },
		{ RAW_SEND, .flags = RAW_RST | RAW_ACK },
		{ RAW_WAIT_SYN, .bytes = 10 },
		{ RAW_SEND, .flags = RAW_SYN | RAW_ACK, .ack_add = 4 },
		{ RAW_WAIT_PAYLOAD, .bytes = 6 },
		{ RAW_SEND, .flags = RAW_FIN | RAW_ACK },
		{ RAW_WAIT_FIN },
		{ RAW_SEND, .flags = RAW_ACK },
	};
	struct rawpeer *peer = START(0, script);
	int fd = fastopen_peer("x");
	char c;

	ck_assert_int_eq(recv(fd, &c, 1, 0), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	close(fd);
	settle(0, PEER_PORT, WITNESS_END_RST);
	ck_assert_int_eq(client->cookie, WITNESS_COOKIE_REQUEST);
	ck_assert_int_eq(server->cookie, WITNESS_COOKIE_PRESENT);
	ck_assert_uint_eq(server->cookie_bytes, 8);

	witness_forget(w);
	fd = fastopen_peer("0123456789");
	hear(fd, "");
	close(fd);
	ck_assert_int_eq(rawpeer_join(peer), 0);
	settle(0, PEER_PORT, WITNESS_END_FIN);
	ck_assert_int_eq(client->cookie, WITNESS_COOKIE_PRESENT);
	ck_assert_uint_eq(client->syn_data_bytes, 10);
	ck_assert_uint_eq(client->syn_data_acked, 4);
	ck_assert_uint_eq(client->payload_bytes, 10);
	ck_assert_uint_eq(client->payload_bytes_total, 16);
}
END_TEST

/* The message of a failure that is wanted would look like one that is not. */
static int
join_quietly(struct rawpeer *peer)
{
	int saved = dup(2), null = open("/dev/null", O_WRONLY);
	int rc;

	dup2(null, 2);
	rc = rawpeer_join(peer);
	dup2(saved, 2);
	close(saved);
	close(null);
	return rc;
}

/*
 * A peer whose script was not met says where; and what came before the end
 * of RAW_IGNORE was ignored.
 */
START_TEST(raw_failure_is_told)
{
	static const struct rawpeer_step script[] = {
		{ RAW_WAIT_SYN },
		{ RAW_SEND, .flags = RAW_SYN | RAW_ACK },
		{ RAW_WAIT_ANY },
		{ RAW_WAIT_ANY },
		{ RAW_IGNORE, .ms = 1 },
		{ RAW_WAIT_PAYLOAD, .bytes = 3, .ms = 10 },
	};
	struct rawpeer *peer = START(0, script);
	int fd = connect_peer(0);

	say(fd, "abc");
	ck_assert_int_eq(join_quietly(peer), 6);
	reset(fd);
	settle(0, PEER_PORT, WITNESS_END_RST);
}
END_TEST

/* The SYN that was waited for is not the segment after it. */
START_TEST(raw_any_is_a_later_one)
{
	static const struct rawpeer_step script[] = {
		{ RAW_WAIT_SYN },
		{ RAW_WAIT_ANY, .ms = 10 },
	};
	struct rawpeer *peer = START(0, script);
	int fd = begin_connect(0);

	ck_assert_int_eq(join_quietly(peer), 2);
	close(fd);
}
END_TEST

START_TEST(raw_stop)
{
	static const struct rawpeer_step script[] = {
		{ RAW_WAIT_SYN },
		{ RAW_SEND, .flags = RAW_SYN | RAW_ACK },
		{ RAW_WAIT_FIN, .ms = 60000 },
	};
	struct rawpeer *peer = START(0, script);

	reset(connect_peer(0));
	settle(0, PEER_PORT, WITNESS_END_RST);
	ck_assert_uint_eq(rawpeer_stop(peer), 2);
	ck_assert_uint_eq(rawpeer_stop(NULL), 0);
}
END_TEST

/* All interfaces: the frames of lo once, those of the pair once. */
START_TEST(any_interface)
{
	static const struct rawpeer_step script[] = {
		{ RAW_WAIT_SYN },
		{ RAW_SEND, .flags = RAW_RST | RAW_ACK },
	};
	struct rawpeer *peer = START(0, script);
	union address a = address_of(LAB_PEER_ADDR4, PEER_PORT);
	struct pair p;
	int fd = tcp_socket(&a);

	close_witness();
	w = witness_open(NULL);
	ck_assert_ptr_nonnull(w);
	ck_assert_int_eq(connect(fd, &a.sa, sizeof(a.in)), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	close(fd);
	ck_assert_int_eq(rawpeer_join(peer), 0);
	settle(0, PEER_PORT, WITNESS_END_RST);
	ck_assert_uint_eq(client->segments_total, 1);
	ck_assert_uint_eq(server->segments_total, 1);

	p = connect_pair("127.0.0.1");
	reset(p.client);
	settle_pair(&p, WITNESS_END_RST);
	close(p.server);
	ck_assert_uint_eq(client->segments_total, 3);
	ck_assert_uint_eq(server->segments_total, 1);
}
END_TEST

static TCase *
plain_cases(void)
{
	TCase *tc = tcase_create("plain");

	tcase_add_checked_fixture(tc, open_lo, close_witness);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, fin_fin, 0, 2);
	tcase_add_test(tc, times_are_in_order);
	tcase_add_test(tc, rst_by_linger);
	tcase_add_test(tc, rst_with_unread_data);
	tcase_add_test(tc, rst_after_peer_fin);
	tcase_add_test(tc, fin_then_rst_of_one_side);
	tcase_add_test(tc, half_close);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, bulk);
	tcase_add_test(tc, first_and_last_are_kept);
	tcase_add_test(tc, port_reuse);
	tcase_add_test(tc, find_and_forget);
	tcase_add_test(tc, drops_are_told);
	tcase_add_test(tc, fastopen);
	tcase_add_test(tc, pcap);
	tcase_add_test(tc, dump);
	return tc;
}

static TCase *
raw_cases(void)
{
	TCase *tc = tcase_create("raw");

	tcase_add_checked_fixture(tc, open_veth, close_witness);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, raw_exchange, 0, 2);
	tcase_add_test(tc, raw_simultaneous_close);
	tcase_add_test(tc, raw_rst_in_last_ack);
	tcase_add_test(tc, raw_rst_crosses_fin);
	tcase_add_test(tc, raw_rst_after_rst);
	tcase_add_test(tc, raw_silent);
	tcase_add_loop_test(tc, far_end_is_mute, 0, 2);
	tcase_add_test(tc, raw_second_syn);
	tcase_add_test(tc, raw_repeated_data);
	tcase_add_test(tc, raw_segments_are_plain);
	tcase_add_test(tc, raw_window_and_urgent);
	tcase_add_loop_test(tc, raw_icmp_to_syn, 0, ICMP_CASES);
	tcase_add_loop_test(tc, raw_icmp_while_established, 0, 2);
	tcase_add_test(tc, raw_partial_syn_data);
	tcase_add_test(tc, raw_failure_is_told);
	tcase_add_test(tc, raw_any_is_a_later_one);
	tcase_add_test(tc, raw_stop);
	tcase_add_test(tc, any_interface);
	return tc;
}

int
main(void)
{
	Suite *s = suite_create("witness");
	SRunner *runner;
	int failed;

	lab_require();
	lab_require_veth();
	lab_pin(); /* some tests count segments, and ask for their order */
	ipv6 = lab_has_ipv6();
	if (lab_sysctl("net.ipv4.tcp_fastopen", "3") < 0)
		return EXIT_FAILURE;
	suite_add_tcase(s, plain_cases());
	suite_add_tcase(s, raw_cases());
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
