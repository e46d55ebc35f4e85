/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef LASTACK_TCP_INFO
#include <linux/tcp.h>
#endif

#include "evidence.h"
#include "suite.h"
#include "tcp.h"

/* enum in the kernel's include/net/tcp_states.h. */
#define KERNEL_ESTABLISHED 1
#define KERNEL_FIN_WAIT2 5
#define KERNEL_CLOSE 7
#define KERNEL_CLOSE_WAIT 8

static const struct lastack__evidence nothing;

static void
assert_knows_nothing(const struct lastack__evidence *evidence)
{
	ck_assert_int_eq(evidence->state, LASTACK__STATE_UNKNOWN);
	ck_assert(!evidence->has_counters);
	ck_assert(!evidence->has_figures);
	ck_assert_int_eq(
	    lastack__evidence_peer_fin(evidence, 0), LASTACK_UNKNOWN);
	ck_assert_int_eq(
	    lastack__evidence_fin_acked(evidence, 0), LASTACK_UNKNOWN);
}

START_TEST(nothing_known)
{
	assert_knows_nothing(&nothing);
}
END_TEST

START_TEST(not_a_tcp_socket)
{
	struct lastack__evidence evidence;
	int ends[2];

	memset(&evidence, 0xff, sizeof(evidence));
	lastack__evidence_read(-1, 0, false, &evidence);
	assert_knows_nothing(&evidence);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	memset(&evidence, 0xff, sizeof(evidence));
	lastack__evidence_read(ends[0], 0, false, &evidence);
	assert_knows_nothing(&evidence);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

#ifdef LASTACK_TCP_INFO

/* ---- what TCP_INFO gave, up to any length */

#define COVERS(len, member)                                                    \
	((len) >= offsetof(struct tcp_info, member) +                          \
		sizeof(((struct tcp_info *)0)->member))

static struct tcp_info
sample(void)
{
	return (struct tcp_info){ .tcpi_state = KERNEL_CLOSE_WAIT,
		.tcpi_snd_mss = 1448,
		.tcpi_rtt = 311,
		.tcpi_rttvar = 17,
		.tcpi_total_retrans = 3,
		.tcpi_bytes_acked = UINT64_C(0x1122334455667788),
		.tcpi_bytes_received = UINT64_C(0x99aabbccddeeff00),
		.tcpi_segs_out = 21,
		.tcpi_segs_in = 22,
		.tcpi_notsent_bytes = 23,
		.tcpi_min_rtt = 24 };
}

static void
parse(
    const struct tcp_info *info, size_t len, struct lastack__evidence *evidence)
{
	/* A block of just that length: a read behind it is noticed. */
	unsigned char *bytes = malloc(len > 0 ? len : 1);

	ck_assert_ptr_nonnull(bytes);
	memcpy(bytes, info, len < sizeof(*info) ? len : sizeof(*info));
	memset(evidence, 0xff, sizeof(*evidence));
	lastack__evidence_parse(bytes, len, evidence);
	free(bytes);
}

static void
assert_claims(const struct lastack__evidence *evidence, size_t len)
{
	const struct tcp_info info = sample();
	bool counters = COVERS(len, tcpi_bytes_acked) &&
	    COVERS(len, tcpi_bytes_received) && COVERS(len, tcpi_notsent_bytes);
	bool figures = counters && COVERS(len, tcpi_data_segs_in);

	ck_assert_int_eq(evidence->state,
	    COVERS(len, tcpi_state) ? LASTACK__STATE_PEER_CLOSED :
				      LASTACK__STATE_UNKNOWN);
	ck_assert_msg(evidence->has_counters == counters &&
		evidence->has_figures == figures,
	    "of %zu bytes: counters %d, figures %d", len,
	    evidence->has_counters, evidence->has_figures);
	ck_assert_uint_eq(
	    evidence->bytes_acked, counters ? info.tcpi_bytes_acked : 0);
	ck_assert_uint_eq(
	    evidence->bytes_received, counters ? info.tcpi_bytes_received : 0);
	ck_assert_uint_eq(evidence->unsent_bytes, counters ? 23 : 0);
	ck_assert_uint_eq(evidence->queued_bytes, 0);
	ck_assert_uint_eq(evidence->rtt_us, figures ? 311 : 0);
	ck_assert_uint_eq(evidence->rttvar_us, figures ? 17 : 0);
	ck_assert_uint_eq(evidence->retransmits, figures ? 3 : 0);
	ck_assert_uint_eq(evidence->mss_bytes, figures ? 1448 : 0);
	ck_assert_uint_eq(evidence->segments_out, figures ? 21 : 0);
	ck_assert_uint_eq(evidence->segments_in, figures ? 22 : 0);
	ck_assert_uint_eq(evidence->min_rtt_us, figures ? 24 : 0);
}

START_TEST(every_length)
{
	const struct tcp_info info = sample();

	for (size_t len = 0; len <= sizeof(info) + 64; len++) {
		struct lastack__evidence evidence;

		parse(&info, len, &evidence);
		assert_claims(&evidence, len);
	}
}
END_TEST

START_TEST(every_state)
{
	static const enum lastack__state want[] = {
		[1] = LASTACK__STATE_OPEN,	  /* ESTABLISHED */
		[2] = LASTACK__STATE_CONNECTING,  /* SYN_SENT */
		[3] = LASTACK__STATE_CONNECTING,  /* SYN_RECV */
		[4] = LASTACK__STATE_WE_CLOSED,	  /* FIN_WAIT1 */
		[5] = LASTACK__STATE_WE_CLOSED,	  /* FIN_WAIT2 */
		[6] = LASTACK__STATE_CLOSED,	  /* TIME_WAIT */
		[7] = LASTACK__STATE_CLOSED,	  /* CLOSE */
		[8] = LASTACK__STATE_PEER_CLOSED, /* CLOSE_WAIT */
		[9] = LASTACK__STATE_LAST_ACK,
		[10] = LASTACK__STATE_UNKNOWN, /* LISTEN */
		[11] = LASTACK__STATE_CLOSING,
	};

	for (unsigned int state = 0; state < 256; state++) {
		struct tcp_info info = { .tcpi_state = (__u8)state };
		struct lastack__evidence evidence;

		parse(&info, sizeof(info), &evidence);
		ck_assert_int_eq(evidence.state,
		    state < sizeof(want) / sizeof(want[0]) ?
			want[state] :
			LASTACK__STATE_UNKNOWN);
	}
}
END_TEST

/* The kernel's word for "no sample" must not pass for 4295 seconds. */
START_TEST(no_round_trip_yet)
{
	struct tcp_info info = sample();
	struct lastack__evidence evidence;

	info.tcpi_min_rtt = UINT32_MAX;
	parse(&info, sizeof(info), &evidence);
	ck_assert(evidence.has_figures);
	ck_assert_uint_eq(evidence.min_rtt_us, 0);
}
END_TEST

START_TEST(rules)
{
	struct lastack__evidence evidence = { .has_counters = true,
		.bytes_received = 101,
		.queued_bytes = 40,
		.bytes_acked = 52 };

	ck_assert_int_eq(
	    lastack__evidence_peer_fin(&evidence, 60), LASTACK_YES);
	ck_assert_int_eq(lastack__evidence_peer_fin(&evidence, 61), LASTACK_NO);
	ck_assert_int_eq(lastack__evidence_peer_fin(&evidence, 59), LASTACK_NO);
	ck_assert_int_eq(
	    lastack__evidence_fin_acked(&evidence, 50), LASTACK_YES);
	ck_assert_int_eq(
	    lastack__evidence_fin_acked(&evidence, 51), LASTACK_NO);
	ck_assert_int_eq(
	    lastack__evidence_fin_acked(&evidence, 49), LASTACK_NO);
}
END_TEST

/* ---- real connections */

struct pair {
	int us, peer;
};

static struct pair
connected(int family)
{
	int ends[2];

	tcp_pair(family, ends);
	return (struct pair){ .us = ends[0], .peer = ends[1] };
}

struct claim {
	enum lastack__state state;
	enum lastack_truth peer_fin, fin_acked;
};

/* read and sent: payload bytes. */
static void
assert_evidence(
    int fd, uint64_t read_bytes, uint64_t sent_bytes, struct claim claim)
{
	struct lastack__evidence evidence;

	lastack__evidence_read(fd, read_bytes, false, &evidence);
	ck_assert(evidence.has_counters);
	ck_assert(evidence.has_figures);
	ck_assert_int_eq(evidence.state, claim.state);
	ck_assert_int_eq(
	    lastack__evidence_peer_fin(&evidence, read_bytes), claim.peer_fin);
	ck_assert_int_eq(lastack__evidence_fin_acked(&evidence, sent_bytes),
	    claim.fin_acked);
}

static void
read_exactly(int fd, size_t len)
{
	char bytes[64];

	ck_assert_uint_le(len, sizeof(bytes));
	ck_assert_int_eq(recv(fd, bytes, len, MSG_WAITALL), (ssize_t)len);
}

START_TEST(open_connection)
{
	struct pair pair = connected(AF_INET);

	assert_evidence(pair.us, 0, 0,
	    (struct claim){ LASTACK__STATE_OPEN, LASTACK_NO, LASTACK_NO });
	tcp_send(pair.us, "abc", 3, 0);
	tcp_await_queued(pair.peer, 3);
	tcp_send(pair.peer, "12345", 5, 0);
	tcp_await_queued(pair.us, 5);
	assert_evidence(pair.us, 0, 3,
	    (struct claim){ LASTACK__STATE_OPEN, LASTACK_NO, LASTACK_NO });
	read_exactly(pair.us, 2);
	assert_evidence(pair.us, 2, 3,
	    (struct claim){ LASTACK__STATE_OPEN, LASTACK_NO, LASTACK_NO });
	close(pair.us);
	close(pair.peer);
}
END_TEST

/* Seen behind unread data, and after each byte of it was read. */
START_TEST(peer_fin_behind_data)
{
	struct pair pair = connected(_i == 0 ? AF_INET : AF_INET6);
	const struct claim closed = { LASTACK__STATE_PEER_CLOSED, LASTACK_YES,
		LASTACK_NO };

	tcp_send(pair.peer, "12345", 5, 0);
	ck_assert_int_eq(shutdown(pair.peer, SHUT_WR), 0);
	tcp_await_state(pair.us, KERNEL_CLOSE_WAIT);
	for (uint64_t taken = 0; taken < 5; taken++) {
		assert_evidence(pair.us, taken, 0, closed);
		read_exactly(pair.us, 1);
	}
	assert_evidence(pair.us, 5, 0, closed);
	read_exactly(pair.us, 0);
	assert_evidence(pair.us, 5, 0, closed);
	close(pair.us);
	close(pair.peer);
}
END_TEST

START_TEST(our_fin_acknowledged)
{
	struct pair pair = connected(AF_INET);

	tcp_send(pair.us, "abc", 3, 0);
	ck_assert_int_eq(shutdown(pair.us, SHUT_WR), 0);
	tcp_await_state(pair.us, KERNEL_FIN_WAIT2);
	assert_evidence(pair.us, 0, 3,
	    (struct claim){
		LASTACK__STATE_WE_CLOSED, LASTACK_NO, LASTACK_YES });
	close(pair.peer); /* with our three bytes unread: an RST */
	tcp_await_state(pair.us, KERNEL_CLOSE);
	assert_evidence(pair.us, 0, 3,
	    (struct claim){ LASTACK__STATE_CLOSED, LASTACK_NO, LASTACK_YES });
	close(pair.us);
}
END_TEST

START_TEST(both_fins)
{
	struct pair pair = connected(AF_INET);

	tcp_send(pair.peer, "12345", 5, 0);
	ck_assert_int_eq(shutdown(pair.peer, SHUT_WR), 0);
	tcp_await_state(pair.us, KERNEL_CLOSE_WAIT);
	read_exactly(pair.us, 5);
	ck_assert_int_eq(shutdown(pair.us, SHUT_WR), 0);
	tcp_await_state(pair.us, KERNEL_CLOSE);
	assert_evidence(pair.us, 5, 0,
	    (struct claim){ LASTACK__STATE_CLOSED, LASTACK_YES, LASTACK_YES });
	close(pair.us);
	close(pair.peer);
}
END_TEST

/* Behind data for which the peer has no room our FIN cannot even leave. */
START_TEST(our_fin_still_queued)
{
	struct pair pair = connected(AF_INET);
	struct lastack__evidence evidence;
	static const char block[65536];
	uint64_t sent = 0;
	ssize_t n;

	tcp_nonblocking(pair.us);
	while ((n = send(pair.us, block, sizeof(block), MSG_NOSIGNAL)) > 0)
		sent += (uint64_t)n;
	ck_assert_int_eq(shutdown(pair.us, SHUT_WR), 0);
	lastack__evidence_read(pair.us, 0, false, &evidence);
	ck_assert_int_eq(evidence.state, LASTACK__STATE_WE_CLOSED);
	ck_assert_uint_gt(evidence.unsent_bytes, 0);
	ck_assert_int_eq(
	    lastack__evidence_fin_acked(&evidence, sent), LASTACK_NO);
	close(pair.us);
	close(pair.peer);
}
END_TEST

START_TEST(reset_is_no_fin)
{
	struct pair pair = connected(AF_INET);
	const struct claim dead = { LASTACK__STATE_CLOSED, LASTACK_NO,
		LASTACK_NO };
	char byte;

	tcp_send(pair.peer, "12345", 5, 0);
	tcp_await_queued(pair.us, 5);
	tcp_reset(pair.peer);
	tcp_await_state(pair.us, KERNEL_CLOSE);
	assert_evidence(pair.us, 0, 0, dead);
	read_exactly(pair.us, 5);
	assert_evidence(pair.us, 5, 0, dead);
	ck_assert_int_eq(recv(pair.us, &byte, 1, 0), -1);
	assert_evidence(pair.us, 5, 0, dead);
	close(pair.us);
}
END_TEST

START_TEST(fin_then_reset)
{
	struct pair pair = connected(AF_INET);
	const struct claim dead = { LASTACK__STATE_CLOSED, LASTACK_YES,
		LASTACK_NO };

	tcp_send(pair.peer, "12345", 5, 0);
	ck_assert_int_eq(shutdown(pair.peer, SHUT_WR), 0);
	tcp_await_state(pair.us, KERNEL_CLOSE_WAIT);
	tcp_reset(pair.peer);
	tcp_await_state(pair.us, KERNEL_CLOSE);
	assert_evidence(pair.us, 0, 0, dead);
	read_exactly(pair.us, 5);
	assert_evidence(pair.us, 5, 0, dead);
	close(pair.us);
}
END_TEST

/* The urgent byte is a byte of the stream, and must not pass for a FIN. */
START_TEST(urgent_byte)
{
	struct pair pair = connected(AF_INET);
	const struct claim open = { LASTACK__STATE_OPEN, LASTACK_NO,
		LASTACK_NO };
	const struct claim closed = { LASTACK__STATE_PEER_CLOSED, LASTACK_YES,
		LASTACK_NO };

	ck_assert_int_eq(setsockopt(pair.us, SOL_SOCKET, SO_OOBINLINE,
			     &(int){ 1 }, sizeof(int)),
	    0);
	tcp_send(pair.peer, "abU", 3, MSG_OOB);
	tcp_send(pair.peer, "c", 1, 0);
	tcp_await_queued(pair.us, 4);
	assert_evidence(pair.us, 0, 0, open);
	read_exactly(pair.us, 2);
	assert_evidence(pair.us, 2, 0, open);
	read_exactly(pair.us, 1);
	assert_evidence(pair.us, 3, 0, open);
	read_exactly(pair.us, 1);
	assert_evidence(pair.us, 4, 0, open);
	close(pair.peer);
	tcp_await_state(pair.us, KERNEL_CLOSE_WAIT);
	assert_evidence(pair.us, 4, 0, closed);
	close(pair.us);
}
END_TEST

START_TEST(urgent_byte_before_the_fin)
{
	struct pair pair = connected(AF_INET);
	const struct claim closed = { LASTACK__STATE_PEER_CLOSED, LASTACK_YES,
		LASTACK_NO };

	ck_assert_int_eq(setsockopt(pair.us, SOL_SOCKET, SO_OOBINLINE,
			     &(int){ 1 }, sizeof(int)),
	    0);
	tcp_send(pair.peer, "abU", 3, MSG_OOB);
	close(pair.peer);
	tcp_await_state(pair.us, KERNEL_CLOSE_WAIT);
	assert_evidence(pair.us, 0, 0, closed);
	read_exactly(pair.us, 2);
	assert_evidence(pair.us, 2, 0, closed);
	read_exactly(pair.us, 1);
	assert_evidence(pair.us, 3, 0, closed);
	close(pair.us);
}
END_TEST

/* A full backlog gives no SYN/ACK. */
START_TEST(still_connecting)
{
	int listener = tcp_listen(AF_INET, 0);
	union tcp_address address;
	struct lastack__evidence evidence;
	int fds[3];

	tcp_local(listener, &address);
	for (int i = 0; i < 3; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		ck_assert_int_ge(fds[i], 0);
		ck_assert_int_eq(
		    connect(fds[i], &address.any, tcp_length(&address)), -1);
		if (i == 0)
			tcp_await_state(fds[i], KERNEL_ESTABLISHED);
	}
	lastack__evidence_read(fds[2], 0, false, &evidence);
	ck_assert_int_eq(evidence.state, LASTACK__STATE_CONNECTING);
	ck_assert_int_eq(lastack__evidence_peer_fin(&evidence, 0), LASTACK_NO);
	ck_assert_int_eq(lastack__evidence_fin_acked(&evidence, 0), LASTACK_NO);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	close(listener);
}
END_TEST

START_TEST(figures_of_a_connection)
{
	struct pair pair = connected(AF_INET);
	struct lastack__evidence evidence;

	tcp_send(pair.us, "abc", 3, 0);
	tcp_await_queued(pair.peer, 3);
	lastack__evidence_read(pair.us, 0, false, &evidence);
	ck_assert(evidence.has_figures);
	ck_assert_uint_gt(evidence.rtt_us, 0);
	ck_assert_uint_gt(evidence.mss_bytes, 500);
	ck_assert_uint_eq(evidence.retransmits, 0);
	ck_assert_uint_ge(evidence.segments_out, 3); /* SYN, ACK, data */
	ck_assert_uint_ge(evidence.segments_in, 1);  /* SYN/ACK */
	close(pair.us);
	close(pair.peer);
}
END_TEST

#endif

int
main(void)
{
	TCase *tests = tcase_create("evidence");

	tcase_add_test(tests, nothing_known);
	tcase_add_test(tests, not_a_tcp_socket);
#ifdef LASTACK_TCP_INFO
	tcase_add_test(tests, every_length);
	tcase_add_test(tests, every_state);
	tcase_add_test(tests, no_round_trip_yet);
	tcase_add_test(tests, rules);
	tcase_add_test(tests, open_connection);
	tcase_add_loop_test(
	    tests, peer_fin_behind_data, 0, tcp_has_ipv6() ? 2 : 1);
	tcase_add_test(tests, our_fin_acknowledged);
	tcase_add_test(tests, both_fins);
	tcase_add_test(tests, our_fin_still_queued);
	tcase_add_test(tests, reset_is_no_fin);
	tcase_add_test(tests, fin_then_reset);
	tcase_add_test(tests, urgent_byte);
	tcase_add_test(tests, urgent_byte_before_the_fin);
	tcase_add_test(tests, still_connecting);
	tcase_add_test(tests, figures_of_a_connection);
#endif
	return suite_run(tests, "evidence");
}
