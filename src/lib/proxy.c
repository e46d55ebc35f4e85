/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "proxy.h"

/* Section 2.2 of the specification. */
static const unsigned char signature[12] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
	0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a };

#define COMMAND_LOCAL 0x20 /* version 2 in the upper four bits */
#define COMMAND_PROXY 0x21
#define TCP_OVER_IPV4 0x11
#define TCP_OVER_IPV6 0x21

/* An end, as both versions write it. */
struct end {
	unsigned char bytes[16]; /* of the address, the first 4 for IPv4 */
	uint16_t port;
};

static void
end_of(const struct sockaddr *address, bool ipv6, struct end *end)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	*end = (struct end){ .port = lastack__address_port(address) };
	if (address->sa_family == AF_INET6) {
		memcpy(end->bytes, &v6->sin6_addr, 16);
	} else if (ipv6) {
		memset(end->bytes + 10, 0xff, 2);
		memcpy(end->bytes + 12, &v4->sin_addr, 4);
	} else {
		memcpy(end->bytes, &v4->sin_addr, 4);
	}
}

static size_t
write_line(const struct end *source, const struct end *destination, bool ipv6,
    unsigned char *header)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	char line[LASTACK__LEAD_MAX];
	int family = ipv6 ? AF_INET6 : AF_INET;
	int len;

	inet_ntop(family, source->bytes, from, sizeof(from));
	inet_ntop(family, destination->bytes, to, sizeof(to));
	len = snprintf(line, sizeof(line), "PROXY %s %s %s %u %u\r\n",
	    ipv6 ? "TCP6" : "TCP4", from, to, source->port, destination->port);
	memcpy(header, line, (size_t)len);
	return (size_t)len;
}

static unsigned char *
put_u16(unsigned char *at, size_t number)
{
	*at++ = (unsigned char)(number >> 8);
	*at++ = (unsigned char)number;
	return at;
}

static size_t
write_binary(const struct end *source, const struct end *destination, bool ipv6,
    unsigned char *header)
{
	size_t len = ipv6 ? 16 : 4;
	unsigned char *at = header;

	memcpy(at, signature, sizeof(signature));
	at += sizeof(signature);
	*at++ = COMMAND_PROXY;
	*at++ = ipv6 ? TCP_OVER_IPV6 : TCP_OVER_IPV4;
	at = put_u16(at, 2 * (len + 2));
	memcpy(at, source->bytes, len);
	memcpy(at + len, destination->bytes, len);
	at = put_u16(at + 2 * len, source->port);
	at = put_u16(at, destination->port);
	return (size_t)(at - header);
}

/* The connection is the sender's own: there is nobody to tell of. */
static size_t
write_local(unsigned char *header)
{
	memcpy(header, signature, sizeof(signature));
	header[sizeof(signature)] = COMMAND_LOCAL;
	memset(header + sizeof(signature) + 1, 0, 3);
	return sizeof(signature) + 4;
}

size_t
lastack__proxy_header(const struct lastack__proxy *proxy,
    const struct sockaddr *source, const struct sockaddr *destination,
    unsigned char header[LASTACK__LEAD_MAX])
{
	struct end from, to;
	bool ipv6;

	if (proxy->version == LASTACK_PROXY_LOCAL)
		return write_local(header);
	ipv6 = source->sa_family == AF_INET6 ||
	    destination->sa_family == AF_INET6;
	end_of(source, ipv6, &from);
	end_of(destination, ipv6, &to);
	if (proxy->version == LASTACK_PROXY_V1)
		return write_line(&from, &to, ipv6, header);
	return write_binary(&from, &to, ipv6, header);
}

void
lastack__proxy_lead(const struct lastack__proxy *proxy, int fd,
    const struct sockaddr *remote, struct lastack__cursor *cursor)
{
	const struct sockaddr *source = &proxy->source.u.any;
	const struct sockaddr *destination = remote;
	unsigned char header[LASTACK__LEAD_MAX];
	struct lastack__address local = { .len = sizeof(local.u) };

	if (proxy->source.len == 0 && proxy->version != LASTACK_PROXY_LOCAL) {
		local.u.any.sa_family = remote->sa_family;
		getsockname(fd, &local.u.any, &local.len);
		source = &local.u.any;
	}
	if (proxy->destination.len != 0)
		destination = &proxy->destination.u.any;
	lastack__cursor_lead(cursor, header,
	    lastack__proxy_header(proxy, source, destination, header));
}

bool
lastack__proxy_is_mixed(const struct lastack__proxy *proxy, sa_family_t remote)
{
	sa_family_t source = remote, destination = remote;

	if (proxy->source.len != 0)
		source = proxy->source.u.any.sa_family;
	if (proxy->destination.len != 0)
		destination = proxy->destination.u.any.sa_family;
	return source != AF_UNSPEC && destination != AF_UNSPEC &&
	    source != destination;
}
