/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a name to addresses, with the semantics of getaddrinfo(3). It knows no
 * deadline, so it runs in a thread, which is left to itself when time is up.
 */
#ifndef LASTACK_RESOLVE_H
#define LASTACK_RESOLVE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lastack.h"

/* More than any sane name has; a bound on what a resolver can make us do. */
#define LASTACK__ADDRESSES_MAX 64

struct lastack__address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un path;
		struct sockaddr_storage storage;
	} u;
	socklen_t len;
};

/* In resolver order. */
struct lastack__addresses {
	struct lastack__address *list; /* owned */
	size_t count;
};

void lastack__addresses_free(struct lastack__addresses *addresses);

/*
 * Room for "address%scope", or for the path of a Unix socket, an abstract one
 * after '@'; the text of "" is no address.
 */
#define LASTACK__ADDRESS_TEXT 112
void lastack__address_text(const struct sockaddr *address, char *text);
uint16_t lastack__address_port(const struct sockaddr *address);
void lastack__address_set_port(struct sockaddr *address, uint16_t port);

/* A Unix socket's. False: empty or too long, and *address is as it was. */
bool lastack__address_of_path(
    const char *path, struct lastack__address *address);

/* Whether host is an address, of which family: *address is filled then. */
bool lastack__resolve_numeric(
    const char *host, uint16_t port, struct lastack__address *address);

/* The same, but only what inet_pton(3) takes: 8080 is meant for a port. */
bool lastack__resolve_strict(
    const char *text, uint16_t port, struct lastack__address *address);

struct lastack__lookup;

/* Starts a thread. NULL: errno says why not. */
struct lastack__lookup *lastack__lookup_start(
    const char *host, uint16_t port, enum lastack_family family);

/* Readable once there is an answer. */
int lastack__lookup_fd(const struct lastack__lookup *lookup);

struct lastack__answer {
	int error;	  /* what getaddrinfo(3) returned */
	int system_errno; /* and errno, where that was EAI_SYSTEM; else 0 */
	struct lastack__addresses addresses; /* now the caller's */
};

/* The answer, if it is there: returns true. */
bool lastack__lookup_answer(
    struct lastack__lookup *lookup, struct lastack__answer *answer);

/* Whether or not it has answered. NULL is fine. */
void lastack__lookup_free(struct lastack__lookup *lookup);

#endif
