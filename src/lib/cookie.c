/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#ifdef LASTACK_TCP_METRICS
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/tcp_metrics.h>
#endif

#include "cookie.h"

#ifdef LASTACK_TCP_METRICS

/* Room for one question or answer of either family. */
union message {
	struct {
		struct nlmsghdr header;
		struct genlmsghdr generic;
	} head;
	unsigned char bytes[2048];
};

static void
begin(union message *message, uint16_t type, uint8_t command)
{
	memset(message, 0, sizeof(*message));
	message->head.header.nlmsg_len = sizeof(message->head);
	message->head.header.nlmsg_type = type;
	message->head.header.nlmsg_flags = NLM_F_REQUEST;
	message->head.generic.cmd = command;
	message->head.generic.version = 1;
}

/* The caller's attributes are few and short: they fit. */
static void
put(union message *message, uint16_t type, const void *data, size_t len)
{
	size_t at = NLMSG_ALIGN(message->head.header.nlmsg_len);
	struct nlattr attribute = { .nla_type = type,
		.nla_len = (uint16_t)(NLA_HDRLEN + len) };

	memcpy(message->bytes + at, &attribute, sizeof(attribute));
	memcpy(message->bytes + at + NLA_HDRLEN, data, len);
	message->head.header.nlmsg_len =
	    (uint32_t)(at + NLA_ALIGN(NLA_HDRLEN + len));
}

/* The answer replaces the question. Returns 0 or errno. */
static int
ask(int fd, union message *message)
{
	struct nlmsghdr *header = &message->head.header;
	ssize_t n;

	if (send(fd, message, header->nlmsg_len, 0) == -1)
		return errno;
	/* The kernel has answered within send(). */
	n = recv(fd, message, sizeof(*message), 0);
	if (n == -1)
		return errno;
	if (n < (ssize_t)sizeof(message->head) || header->nlmsg_len > (size_t)n)
		return EBADMSG;
	if (header->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *error = NLMSG_DATA(header);

		return error->error != 0 ? -error->error : EBADMSG;
	}
	return 0;
}

/* The data of an attribute of that type; NULL: none. */
static const void *
find(const union message *message, uint16_t type, size_t *len)
{
	size_t end = message->head.header.nlmsg_len;
	size_t at = sizeof(message->head);

	while (at + NLA_HDRLEN <= end) {
		struct nlattr attribute;

		memcpy(&attribute, message->bytes + at, sizeof(attribute));
		if (attribute.nla_len < NLA_HDRLEN ||
		    attribute.nla_len > end - at)
			return NULL;
		if ((attribute.nla_type & NLA_TYPE_MASK) == type) {
			*len = attribute.nla_len - (size_t)NLA_HDRLEN;
			return message->bytes + at + NLA_HDRLEN;
		}
		at += NLA_ALIGN(attribute.nla_len);
	}
	return NULL;
}

static int
find_family(int fd, uint16_t *family)
{
	union message message;
	const void *id;
	size_t len;
	int error;

	begin(&message, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	put(&message, CTRL_ATTR_FAMILY_NAME, TCP_METRICS_GENL_NAME,
	    sizeof(TCP_METRICS_GENL_NAME));
	error = ask(fd, &message);
	if (error != 0)
		return error;
	id = find(&message, CTRL_ATTR_FAMILY_ID, &len);
	if (id == NULL || len != sizeof(*family))
		return EBADMSG;
	memcpy(family, id, sizeof(*family));
	return 0;
}

static void
put_address(union message *message, const struct sockaddr *address, bool ours)
{
	const struct sockaddr_in6 *v6 = (const void *)address;
	const struct sockaddr_in *v4 = (const void *)address;

	if (address->sa_family == AF_INET)
		put(message,
		    ours ? TCP_METRICS_ATTR_SADDR_IPV4 :
			   TCP_METRICS_ATTR_ADDR_IPV4,
		    &v4->sin_addr, sizeof(v4->sin_addr));
	else
		put(message,
		    ours ? TCP_METRICS_ATTR_SADDR_IPV6 :
			   TCP_METRICS_ATTR_ADDR_IPV6,
		    &v6->sin6_addr, sizeof(v6->sin6_addr));
}

static enum lastack_truth
look(int fd, const struct sockaddr *local, const struct sockaddr *remote)
{
	union message message;
	uint16_t family;
	size_t len;
	int error;

	if (find_family(fd, &family) != 0)
		return LASTACK_UNKNOWN;
	begin(&message, family, TCP_METRICS_CMD_GET);
	put_address(&message, remote, false);
	if (local != NULL)
		put_address(&message, local, true);
	error = ask(fd, &message);
	if (error == ESRCH)
		return LASTACK_NO;
	if (error != 0)
		return LASTACK_UNKNOWN;
	return find(&message, TCP_METRICS_ATTR_FOPEN_COOKIE, &len) != NULL ?
	    LASTACK_YES :
	    LASTACK_NO;
}

enum lastack_truth
lastack__cookie_look(
    const struct sockaddr *local, const struct sockaddr *remote)
{
	enum lastack_truth truth;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_GENERIC);

	if (fd == -1)
		return LASTACK_UNKNOWN;
	truth = look(fd, local, remote);
	close(fd);
	return truth;
}

#else

enum lastack_truth
lastack__cookie_look(
    const struct sockaddr *local, const struct sockaddr *remote)
{
	(void)local;
	(void)remote;
	return LASTACK_UNKNOWN;
}

#endif
