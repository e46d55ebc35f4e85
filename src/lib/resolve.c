/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "resolve.h"

/* Shared by the probe and the thread; the last one to leave frees it. */
struct lastack__lookup {
	atomic_int users;
	atomic_bool answered;
	int event_fd;
	struct lastack__answer answer;
	enum lastack_family family;
	uint16_t port;
	char host[]; /* NUL-terminated */
};

void
lastack__addresses_free(struct lastack__addresses *addresses)
{
	free(addresses->list);
	*addresses = (struct lastack__addresses){ 0 };
}

/* What follows it in the struct is zero, also behind an abstract name. */
static void
path_text(const struct sockaddr *address, char *text)
{
	const struct sockaddr_un *un = (const void *)address;
	bool abstract = un->sun_path[0] == '\0' && un->sun_path[1] != '\0';

	snprintf(text, LASTACK__ADDRESS_TEXT, "%s%.*s", abstract ? "@" : "",
	    (int)sizeof(un->sun_path) - abstract, un->sun_path + abstract);
}

bool
lastack__address_of_path(const char *path, struct lastack__address *address)
{
	struct lastack__address found = { 0 };
	struct sockaddr_un *un = &found.u.path;
	bool abstract = *path == '@';
	size_t len = strlen(path + abstract);

	if (len == 0 || len >= sizeof(un->sun_path))
		return false;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path + abstract, path + abstract, len);
	/* The NUL before an abstract name, or behind a path. */
	found.len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	*address = found;
	return true;
}

/*
 * By hand: inet_ntop(3) does it by sprintf(3), which takes longer to load into
 * a fresh process than a handshake on loopback.
 */
static void
dotted_text(const struct in_addr *address, char *text)
{
	const unsigned char *bytes = (const void *)address;

	for (int i = 0; i < 4; i++) {
		if (i > 0)
			*text++ = '.';
		if (bytes[i] >= 100)
			*text++ = (char)('0' + bytes[i] / 100);
		if (bytes[i] >= 10)
			*text++ = (char)('0' + bytes[i] / 10 % 10);
		*text++ = (char)('0' + bytes[i] % 10);
	}
	*text = '\0';
}

void
lastack__address_text(const struct sockaddr *address, char *text)
{
	const struct sockaddr_in6 *v6 = (const void *)address;
	const struct sockaddr_in *v4 = (const void *)address;
	size_t len;

	text[0] = '\0';
	if (address->sa_family == AF_UNIX)
		path_text(address, text);
	if (address->sa_family == AF_INET)
		dotted_text(&v4->sin_addr, text);
	if (address->sa_family != AF_INET6)
		return;
	inet_ntop(AF_INET6, &v6->sin6_addr, text, LASTACK__ADDRESS_TEXT);
	len = strlen(text);
	if (v6->sin6_scope_id == 0 ||
	    len + 1 + IF_NAMESIZE > LASTACK__ADDRESS_TEXT)
		return;
	text[len] = '%';
	if (if_indextoname(v6->sin6_scope_id, text + len + 1) == NULL)
		snprintf(text + len + 1, LASTACK__ADDRESS_TEXT - len - 1, "%u",
		    (unsigned int)v6->sin6_scope_id);
}

uint16_t
lastack__address_port(const struct sockaddr *address)
{
	const struct sockaddr_in6 *v6 = (const void *)address;
	const struct sockaddr_in *v4 = (const void *)address;

	if (address->sa_family == AF_UNIX)
		return 0;
	return ntohs(
	    address->sa_family == AF_INET ? v4->sin_port : v6->sin6_port);
}

void
lastack__address_set_port(struct sockaddr *address, uint16_t port)
{
	if (address->sa_family == AF_INET)
		((struct sockaddr_in *)(void *)address)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)(void *)address)->sin6_port =
		    htons(port);
}

/* The scope of a link-local address: an interface's name or its number. */
static bool
numeric_scope(const char *scope, uint32_t *id)
{
	char *end;
	unsigned long number;

	*id = if_nametoindex(scope);
	if (*id != 0)
		return true;
	if (*scope < '0' || *scope > '9')
		return false;
	errno = 0;
	number = strtoul(scope, &end, 10);
	if (errno != 0 || *end != '\0' || number > UINT32_MAX)
		return false;
	*id = (uint32_t)number;
	return true;
}

/* The common form first: inet_aton(3) calls on more of the C library. */
static bool
numeric_v4(const char *host, struct in_addr *address)
{
	return inet_pton(AF_INET, host, address) == 1 ||
	    (inet_aton(host, address) == 1 &&
		strpbrk(host, " \t\n\r\f\v") == NULL);
}

bool
lastack__resolve_numeric(
    const char *host, uint16_t port, struct lastack__address *address)
{
	struct lastack__address found = { 0 };
	struct sockaddr_in *v4 = &found.u.v4;
	struct sockaddr_in6 *v6 = &found.u.v6;
	const char *scope = strchr(host, '%');
	char text[INET6_ADDRSTRLEN] = "";

	if (numeric_v4(host, &v4->sin_addr)) {
		v4->sin_family = AF_INET;
		found.len = sizeof(*v4);
	} else {
		size_t len = scope ? (size_t)(scope - host) : strlen(host);

		found = (struct lastack__address){ 0 };
		if (len >= sizeof(text))
			return false;
		memcpy(text, host, len);
		if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
			return false;
		if (scope && !numeric_scope(scope + 1, &v6->sin6_scope_id))
			return false;
		v6->sin6_family = AF_INET6;
		found.len = sizeof(*v6);
	}
	lastack__address_set_port(&found.u.any, port);
	*address = found;
	return true;
}

bool
lastack__resolve_strict(
    const char *text, uint16_t port, struct lastack__address *address)
{
	struct lastack__address found;
	struct in_addr dotted;

	if (!lastack__resolve_numeric(text, port, &found) ||
	    (found.u.any.sa_family == AF_INET &&
		inet_pton(AF_INET, text, &dotted) != 1))
		return false;
	*address = found;
	return true;
}

static void
lookup_leave(struct lastack__lookup *lookup)
{
	if (atomic_fetch_sub(&lookup->users, 1) > 1)
		return;
	close(lookup->event_fd);
	lastack__addresses_free(&lookup->answer.addresses);
	free(lookup);
}

static int
lookup_copy(struct lastack__lookup *lookup, const struct addrinfo *found)
{
	struct lastack__addresses *to = &lookup->answer.addresses;
	size_t count = 0;

	for (const struct addrinfo *ai = found; ai; ai = ai->ai_next)
		count++;
	if (count > LASTACK__ADDRESSES_MAX)
		count = LASTACK__ADDRESSES_MAX;
	to->list = calloc(count ? count : 1, sizeof(*to->list));
	if (to->list == NULL)
		return EAI_MEMORY;
	for (; found != NULL && to->count < count; found = found->ai_next) {
		struct lastack__address *address = &to->list[to->count];

		if (found->ai_family != AF_INET && found->ai_family != AF_INET6)
			continue;
		memcpy(&address->u, found->ai_addr, found->ai_addrlen);
		address->len = found->ai_addrlen;
		lastack__address_set_port(&address->u.any, lookup->port);
		to->count++;
	}
	return to->count > 0 ? 0 : EAI_NONAME;
}

static void *
lookup_main(void *argument)
{
	struct lastack__lookup *lookup = argument;
	struct lastack__answer *answer = &lookup->answer;
	struct addrinfo *found = NULL;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	uint64_t one = 1;

	if (lookup->family == LASTACK_FAMILY_IPV4)
		hints.ai_family = AF_INET;
	if (lookup->family == LASTACK_FAMILY_IPV6)
		hints.ai_family = AF_INET6;
	answer->error = getaddrinfo(lookup->host, NULL, &hints, &found);
	if (answer->error == EAI_SYSTEM)
		answer->system_errno = errno;
	if (answer->error == 0) {
		answer->error = lookup_copy(lookup, found);
		freeaddrinfo(found);
	}
	atomic_store(&lookup->answered, true);
	/* Cannot fail or block: the counter is 0. */
	while (
	    write(lookup->event_fd, &one, sizeof(one)) == -1 && errno == EINTR)
		continue;
	lookup_leave(lookup);
	return NULL;
}

/* Detached, and deaf to every signal: those belong to the program. */
static int
lookup_spawn(struct lastack__lookup *lookup)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;
	int error;

	error = pthread_attr_init(&attributes);
	if (error != 0)
		return error;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attributes, lookup_main, lookup);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return error;
}

struct lastack__lookup *
lastack__lookup_start(
    const char *host, uint16_t port, enum lastack_family family)
{
	size_t len = strlen(host) + 1;
	struct lastack__lookup *lookup = calloc(1, sizeof(*lookup) + len);
	int error;

	if (lookup == NULL)
		return NULL;
	memcpy(lookup->host, host, len);
	lookup->port = port;
	lookup->family = family;
	atomic_init(&lookup->users, 2);
	atomic_init(&lookup->answered, false);
	lookup->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (lookup->event_fd == -1) {
		error = errno;
		free(lookup);
		errno = error;
		return NULL;
	}
	error = lookup_spawn(lookup);
	if (error != 0) {
		close(lookup->event_fd);
		free(lookup);
		errno = error;
		return NULL;
	}
	return lookup;
}

int
lastack__lookup_fd(const struct lastack__lookup *lookup)
{
	return lookup->event_fd;
}

bool
lastack__lookup_answer(
    struct lastack__lookup *lookup, struct lastack__answer *answer)
{
	if (!atomic_load(&lookup->answered))
		return false;
	*answer = lookup->answer;
	lookup->answer.addresses = (struct lastack__addresses){ 0 };
	return true;
}

void
lastack__lookup_free(struct lastack__lookup *lookup)
{
	if (lookup != NULL)
		lookup_leave(lookup);
}
