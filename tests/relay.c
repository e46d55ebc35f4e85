/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab.h"
#include "relay.h"

#define FRAME_BYTES 1514
#define QUEUE 512 /* frames on their way, in one direction */
#define BACKLOG 64
#define FLAG_SYN 0x02

struct frame {
	int64_t due_ns;
	size_t len;
	uint8_t bytes[FRAME_BYTES];
};

/* One direction. All are held back for the same time: first in, first out. */
struct queue {
	struct frame frames[QUEUE];
	unsigned int first, count;
};

enum side { NEAR, FAR };

struct relay {
	struct relay_plan plan;
	int fds[2];	  /* packet sockets, by side */
	int listeners[2]; /* IPv4, IPv6; in the far namespace */
	int stop_fd;
	uint16_t port;
	pthread_t thread;
	struct queue queues[2]; /* by the side that they come from */
	unsigned int syns_dropped;
	atomic_uint overflows;
};

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- the far side: a lab in a child, whose sockets outlive it */

static int
listen_at(int family, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (fd == -1 ||
	    bind(fd, family == AF_INET ? (void *)&v4 : (void *)&v6,
		family == AF_INET ? sizeof(v4) : sizeof(v6)) == -1 ||
	    listen(fd, BACKLOG) == -1)
		err(1, "relay: listen");
	return fd;
}

static uint16_t
port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);

	if (getsockname(fd, (void *)&address, &len) == -1)
		err(1, "relay: getsockname");
	return ntohs(address.sin_port);
}

#define PASSED 3

/* Room for the descriptors, aligned as sendmsg() wants it. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(PASSED * sizeof(int))];
};

static void
prepare(struct msghdr *message, union control *control, struct iovec *byte)
{
	static char nothing;

	*byte = (struct iovec){ &nothing, 1 };
	memset(control, 0, sizeof(*control));
	*message = (struct msghdr){ .msg_iov = byte,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(*control) };
}

static void
be_far(int to, const char *fastopen)
{
	union control control;
	struct msghdr message;
	struct iovec byte;
	int fds[PASSED];
	size_t count = lab_has_ipv6() ? PASSED : PASSED - 1;
	int error = lab_enter();

	if (error == 0)
		error = lab_veth();
	if (error == 0 && fastopen != NULL)
		error = lab_sysctl("net.ipv4.tcp_fastopen", fastopen);
	fds[0] = error == 0 ? lab_far_socket() : error;
	if (fds[0] < 0)
		errx(1, "relay: %s", strerror(-fds[0]));
	fds[1] = listen_at(AF_INET, 0);
	if (count == PASSED)
		fds[2] = listen_at(AF_INET6, port_of(fds[1]));
	prepare(&message, &control, &byte);
	message.msg_controllen = CMSG_SPACE(count * sizeof(int));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	if (sendmsg(to, &message, 0) == -1)
		err(1, "relay: sendmsg");
	_exit(0);
}

static void
take_far(struct relay *relay, int from)
{
	union control control;
	struct msghdr message;
	struct iovec byte;
	int fds[PASSED] = { -1, -1, -1 };

	prepare(&message, &control, &byte);
	if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != 1 ||
	    control.header.cmsg_type != SCM_RIGHTS)
		errx(1, "relay: there is no far side");
	memcpy(fds, CMSG_DATA(&control.header),
	    control.header.cmsg_len - CMSG_LEN(0));
	relay->fds[FAR] = fds[0];
	relay->listeners[0] = fds[1];
	relay->listeners[1] = fds[2];
	relay->port = port_of(fds[1]);
}

static void
make_far(struct relay *relay)
{
	int ends[2], status;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
		err(1, "relay: socketpair");
	child = fork();
	if (child == 0)
		be_far(ends[1], relay->plan.fastopen);
	close(ends[1]);
	if (child == -1)
		err(1, "relay: fork");
	take_far(relay, ends[0]);
	close(ends[0]);
	while (waitpid(child, &status, 0) == -1 && errno == EINTR)
		continue;
}

/* ---- frames */

static void
swap(uint8_t *a, uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t kept = a[i];

		a[i] = b[i];
		b[i] = kept;
	}
}

static uint32_t
add_sum(uint32_t sum, const uint8_t *p, size_t len)
{
	for (; len >= 2; p += 2, len -= 2)
		sum += (uint32_t)(p[0] << 8 | p[1]);
	if (len > 0)
		sum += (uint32_t)p[0] << 8;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Where TCP begins and how long it is with its payload; NULL: not TCP. */
static uint8_t *
find_tcp(struct frame *frame, size_t *len)
{
	uint8_t *ip = frame->bytes + ETHER_HDR_LEN;
	bool v4 = ip[0] >> 4 == 4;
	size_t header = v4 ? 20 : 40;
	size_t total = v4 ? (size_t)(ip[2] << 8 | ip[3]) :
			    (size_t)(ip[4] << 8 | ip[5]) + header;

	if (frame->len < ETHER_HDR_LEN + header + 20 ||
	    total > frame->len - ETHER_HDR_LEN || total < header + 20 ||
	    ip[v4 ? 9 : 6] != IPPROTO_TCP || (v4 && ip[0] != 0x45))
		return NULL;
	*len = total - header;
	return ip + header;
}

/*
 * Both sides have the address that lab.h gives to la0, and both know the other
 * by that of the raw peer. Each sees its own numbers when they are swapped,
 * which changes no sum; TCP's was left to a card that is not there.
 */
static void
translate(struct frame *frame)
{
	uint8_t *ip = frame->bytes + ETHER_HDR_LEN;
	bool v4 = ip[0] >> 4 == 4;
	size_t len;
	uint8_t *tcp = find_tcp(frame, &len);
	uint8_t *from = ip + (v4 ? 12 : 8);
	size_t bytes = v4 ? 4 : 16;
	uint32_t sum;

	swap(frame->bytes, frame->bytes + ETHER_ADDR_LEN, ETHER_ADDR_LEN);
	if (tcp == NULL)
		return;
	swap(from, from + bytes, bytes);
	tcp[16] = tcp[17] = 0;
	sum = add_sum(IPPROTO_TCP + (uint32_t)len, from, 2 * bytes);
	sum = ~add_sum(sum, tcp, len);
	tcp[16] = (uint8_t)(sum >> 8);
	tcp[17] = (uint8_t)sum;
}

static bool
is_lost(struct relay *relay, struct frame *frame)
{
	size_t len;
	const uint8_t *tcp = find_tcp(frame, &len);

	if (tcp == NULL || !(tcp[13] & FLAG_SYN))
		return false;
	if (relay->syns_dropped < relay->plan.drop_syns) {
		relay->syns_dropped++;
		return true;
	}
	return relay->plan.drop_syn_data && len > (size_t)(tcp[12] >> 4) * 4;
}

/* ---- the thread */

static void
take_in(struct relay *relay, enum side side)
{
	struct queue *queue = &relay->queues[side];
	struct frame spare = { .len = 0 };

	for (;;) {
		bool full = queue->count == QUEUE;
		struct frame *frame = full ?
		    &spare :
		    &queue->frames[(queue->first + queue->count) % QUEUE];
		ssize_t n = recv(
		    relay->fds[side], frame->bytes, sizeof(frame->bytes), 0);

		if (n < 0)
			return;
		frame->len = (size_t)n;
		frame->due_ns = now_ns() + relay->plan.delay_ns;
		if (n < ETHER_HDR_LEN + 40 ||
		    (side == NEAR && is_lost(relay, frame)))
			continue;
		if (full) {
			atomic_fetch_add(&relay->overflows, 1);
			continue;
		}
		translate(frame);
		queue->count++;
	}
}

/* Sends what is due. Returns the time until the next is, or -1. */
static int64_t
give_out(struct relay *relay, enum side side)
{
	struct queue *queue = &relay->queues[side];

	while (queue->count > 0) {
		const struct frame *frame = &queue->frames[queue->first];
		int64_t left = frame->due_ns - now_ns();

		if (left > 0)
			return left;
		/* Who cannot take it has lost it, as on any path. */
		if (send(relay->fds[side == NEAR ? FAR : NEAR], frame->bytes,
			frame->len, 0) == -1)
			atomic_fetch_add(&relay->overflows, 1);
		queue->first = (queue->first + 1) % QUEUE;
		queue->count--;
	}
	return -1;
}

static void *
relay_main(void *argument)
{
	struct relay *relay = argument;
	struct pollfd fds[] = { { .fd = relay->fds[NEAR], .events = POLLIN },
		{ .fd = relay->fds[FAR], .events = POLLIN },
		{ .fd = relay->stop_fd, .events = POLLIN } };

	while (fds[2].revents == 0) {
		int64_t near = give_out(relay, NEAR);
		int64_t far = give_out(relay, FAR);
		int64_t left = near < 0 || (far >= 0 && far < near) ? far :
								      near;
		struct timespec span = { .tv_sec = left / 1000000000,
			.tv_nsec = left % 1000000000 };

		if (ppoll(fds, 3, left < 0 ? NULL : &span, NULL) == -1)
			continue;
		take_in(relay, NEAR);
		take_in(relay, FAR);
	}
	return NULL;
}

struct relay *
relay_start(const struct relay_plan *plan)
{
	struct relay *relay = calloc(1, sizeof(*relay));

	if (relay == NULL)
		err(1, "relay");
	relay->plan = *plan;
	make_far(relay); /* first: a process has one veth pair */
	errno = -lab_veth();
	if (errno != 0)
		err(1, "relay: veth");
	relay->fds[NEAR] = lab_far_socket();
	if (relay->fds[NEAR] < 0)
		errx(1, "relay: %s", strerror(-relay->fds[NEAR]));
	relay->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (relay->stop_fd == -1)
		err(1, "relay: eventfd");
	errno = pthread_create(&relay->thread, NULL, relay_main, relay);
	if (errno != 0)
		err(1, "relay: thread");
	return relay;
}

int
relay_listener(const struct relay *relay, int family)
{
	return relay->listeners[family == AF_INET ? 0 : 1];
}

uint16_t
relay_port(const struct relay *relay)
{
	return relay->port;
}

unsigned int
relay_overflows(const struct relay *relay)
{
	return atomic_load(&relay->overflows);
}

void
relay_stop(struct relay *relay)
{
	uint64_t one = 1;

	if (relay == NULL)
		return;
	if (write(relay->stop_fd, &one, sizeof(one)) == -1)
		err(1, "relay: stop");
	pthread_join(relay->thread, NULL);
	for (size_t i = 0; i < 2; i++) {
		close(relay->fds[i]);
		if (relay->listeners[i] != -1)
			close(relay->listeners[i]);
	}
	close(relay->stop_fd);
	free(relay);
}
