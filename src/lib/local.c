/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "local.h"

int
lastack__local_source(
    struct lastack__local *local, const char *address, uint16_t port)
{
	struct lastack__address source = { .len = 0 };

	if (address != NULL && !lastack__resolve_strict(address, port, &source))
		return LASTACK_ERROR_ARGUMENT;
	local->source = source;
	local->port = port;
	return 0;
}

bool
lastack__local_is_asked_for(const struct lastack__local *local)
{
	return local->source.len != 0 || local->port != 0 ||
	    local->interface[0] != '\0' || local->mark != 0 || local->tos != 0;
}

bool
lastack__local_is_foreign(
    const struct lastack__local *local, sa_family_t family)
{
	return local->source.len != 0 &&
	    local->source.u.any.sa_family != family;
}

const struct sockaddr *
lastack__local_address(const struct lastack__local *local, sa_family_t family)
{
	if (local == NULL || local->source.len == 0 ||
	    lastack__local_is_foreign(local, family))
		return NULL;
	return &local->source.u.any;
}

unsigned int
lastack__local_device(const struct lastack__local *local)
{
	return local->interface[0] != '\0' ? if_nametoindex(local->interface) :
					     0;
}

static int
set_option(int fd, int level, int option, const void *value, socklen_t len)
{
	return setsockopt(fd, level, option, value, len) == -1 ? errno : 0;
}

static int
set_int(int fd, int level, int option, int value)
{
	return set_option(fd, level, option, &value, sizeof(value));
}

static int
set_interface(const struct lastack__local *local, int fd)
{
	if (local->interface[0] == '\0')
		return 0;
#ifdef SO_BINDTODEVICE
	return set_option(fd, SOL_SOCKET, SO_BINDTODEVICE, local->interface,
	    (socklen_t)strlen(local->interface) + 1);
#else
	(void)fd;
	return ENOPROTOOPT;
#endif
}

static int
set_mark(const struct lastack__local *local, int fd)
{
	if (local->mark == 0)
		return 0;
#ifdef SO_MARK
	return set_option(
	    fd, SOL_SOCKET, SO_MARK, &local->mark, sizeof(local->mark));
#else
	(void)fd;
	return ENOPROTOOPT;
#endif
}

/* An IPv4 address in an IPv6 one is IPv4 on the wire. */
static bool
is_ipv4(const struct sockaddr *target)
{
	const struct sockaddr_in6 *v6 = (const void *)target;

	return target->sa_family == AF_INET ||
	    IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
}

static int
set_tos(
    const struct lastack__local *local, int fd, const struct sockaddr *target)
{
	if (local->tos == 0)
		return 0;
	if (is_ipv4(target))
		return set_int(fd, IPPROTO_IP, IP_TOS, local->tos);
	return set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, local->tos);
}

/* A link-local source without a zone is meant to be of the target's. */
static void
choose_zone(struct lastack__address *source, const struct sockaddr *target)
{
	const struct sockaddr_in6 *remote = (const void *)target;
	struct sockaddr_in6 *v6 = &source->u.v6;

	if (target->sa_family == AF_INET6 && v6->sin6_scope_id == 0 &&
	    IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
		v6->sin6_scope_id = remote->sin6_scope_id;
}

static int
set_source(
    const struct lastack__local *local, int fd, const struct sockaddr *target)
{
	struct lastack__address source = local->source;

	if (source.len == 0 && local->port == 0)
		return 0;
	if (lastack__local_is_foreign(local, target->sa_family))
		return EAFNOSUPPORT;
	if (source.len == 0) {
		source.u.any.sa_family = target->sa_family;
		source.len = target->sa_family == AF_INET ?
		    sizeof(source.u.v4) :
		    sizeof(source.u.v6);
		lastack__address_set_port(&source.u.any, local->port);
	}
	choose_zone(&source, target);
	/* A port may still be in TIME-WAIT after the run before this one. */
	if (local->port != 0)
		set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
#ifdef IP_BIND_ADDRESS_NO_PORT
	/* connect() chooses a port that is free for this target alone. */
	else
		set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
#endif
	return bind(fd, &source.u.any, source.len) == -1 ? errno : 0;
}

int
lastack__local_set(const struct lastack__local *local, int fd,
    const struct sockaddr *target, enum lastack_local *refused)
{
	int error;

	*refused = LASTACK_LOCAL_INTERFACE;
	error = set_interface(local, fd);
	if (error != 0)
		return error;
	*refused = LASTACK_LOCAL_MARK;
	error = set_mark(local, fd);
	if (error != 0)
		return error;
	*refused = LASTACK_LOCAL_TOS;
	error = set_tos(local, fd, target);
	if (error != 0)
		return error;
	*refused = LASTACK_LOCAL_SOURCE;
	error = set_source(local, fd, target);
	if (error == 0)
		*refused = LASTACK_LOCAL_NONE;
	return error;
}

bool
lastack__local_is_to_blame(const struct lastack__local *local, int error)
{
	switch (error) {
	case EADDRINUSE: /* the same connection exists, or is in TIME-WAIT */
	case EADDRNOTAVAIL:
		return local->port != 0;
	case EINVAL: /* from loopback to elsewhere, or to another zone */
		return local->source.len != 0;
	default:
		return false;
	}
}
