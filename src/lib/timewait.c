/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#ifdef LASTACK_TCP_INFO
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#endif

#include "timewait.h"

#ifdef LASTACK_TCP_INFO

#define STATE_TIME_WAIT 6 /* the kernel's include/net/tcp_states.h */

struct question {
	struct nlmsghdr header;
	struct inet_diag_req_v2 request;
};

static void
put_address(const struct sockaddr *address, __be16 *port, __be32 *words)
{
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)address;

		*port = v4->sin_port;
		memcpy(words, &v4->sin_addr, sizeof(v4->sin_addr));
	} else {
		const struct sockaddr_in6 *v6 = (const void *)address;

		*port = v6->sin6_port;
		memcpy(words, &v6->sin6_addr, sizeof(v6->sin6_addr));
	}
}

static enum lastack_truth
read_answer(int fd)
{
	union {
		struct nlmsghdr header;
		unsigned char bytes[1024];
	} answer;
	ssize_t n = recv(fd, &answer, sizeof(answer), 0);

	if (n < (ssize_t)sizeof(answer.header))
		return LASTACK_UNKNOWN;
	if (answer.header.nlmsg_type == NLMSG_ERROR &&
	    n >= (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr))) {
		const struct nlmsgerr *error = NLMSG_DATA(&answer.header);

		return error->error == -ENOENT ? LASTACK_NO : LASTACK_UNKNOWN;
	}
	if (answer.header.nlmsg_type == SOCK_DIAG_BY_FAMILY &&
	    n >= (ssize_t)NLMSG_LENGTH(sizeof(struct inet_diag_msg))) {
		const struct inet_diag_msg *found = NLMSG_DATA(&answer.header);

		return found->idiag_state == STATE_TIME_WAIT ? LASTACK_YES :
							       LASTACK_NO;
	}
	return LASTACK_UNKNOWN;
}

enum lastack_truth
lastack__timewait_look(const struct sockaddr *local,
    const struct sockaddr *remote, unsigned int device)
{
	struct question question = {
		.header = { .nlmsg_len = sizeof(question),
		    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		    .nlmsg_flags = NLM_F_REQUEST },
		.request = { .sdiag_family = (__u8)local->sa_family,
		    .sdiag_protocol = IPPROTO_TCP,
		    .idiag_states = ~0U,
		    .id = { .idiag_cookie = { INET_DIAG_NOCOOKIE,
				INET_DIAG_NOCOOKIE } } },
	};
	struct inet_diag_sockid *id = &question.request.id;
	enum lastack_truth truth = LASTACK_UNKNOWN;
	int fd;

	put_address(local, &id->idiag_sport, id->idiag_src);
	put_address(remote, &id->idiag_dport, id->idiag_dst);
	id->idiag_if = device;
	if (device == 0 && remote->sa_family == AF_INET6)
		id->idiag_if =
		    ((const struct sockaddr_in6 *)(const void *)remote)
			->sin6_scope_id;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_SOCK_DIAG);
	if (fd == -1)
		return LASTACK_UNKNOWN;
	/* The kernel answers within send(). */
	if (send(fd, &question, sizeof(question), 0) == sizeof(question))
		truth = read_answer(fd);
	close(fd);
	return truth;
}

#else

enum lastack_truth
lastack__timewait_look(const struct sockaddr *local,
    const struct sockaddr *remote, unsigned int device)
{
	(void)local;
	(void)remote;
	(void)device;
	return LASTACK_UNKNOWN;
}

#endif
