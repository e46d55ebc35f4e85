/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server on loopback for tests of the command. It goes through its script
 * with one client after another, in a thread, and remembers what it got.
 */
#ifndef SERVER_H
#define SERVER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "run.h"

enum server_end {
	SERVER_FIN,  /* FIN; then read what comes until the client ends */
	SERVER_HOLD, /* read until the client ends */
	SERVER_RST,
};

#define SERVER_ALL SIZE_MAX

/* In this order. */
struct server_script {
	bool each;	  /* tell server_await_taken() of every read */
	size_t take;	  /* bytes to read first; SERVER_ALL: to the FIN */
	bool wait;	  /* then for server_go() */
	const void *give; /* then to send this */
	size_t give_bytes;
	uint64_t pattern_bytes; /* and as many of server_pattern() */
	enum server_end end;
};

#define SERVER_GOT_BYTES 65536

struct server {
	/* Of the client that came last; read them once it has ended. */
	unsigned char got[SERVER_GOT_BYTES]; /* no more than the first ones */
	uint64_t got_bytes;
	bool got_pattern; /* all of it was server_pattern() */
	bool got_fin;	  /* and not an RST at the end */

	const char *host; /* "127.0.0.1" or "::1" */
	uint16_t port;
	char port_text[8];

	/* For server.c alone. */
	struct server_script script;
	int listener;
	pthread_t thread;
	pthread_mutex_t lock;
	int client;
	bool stopping;
	sem_t taken, go;
	atomic_uint ended;
};

/* Once started it must not be moved. family: AF_INET or AF_INET6. */
void server_start(
    struct server *server, int family, const struct server_script *script);

/* Runs the command on it: the arguments, then the address and the port. */
void server_run(struct server *server, struct run *run,
    const struct run_options *options, const char *const *argv);

/* Only starts it, as run_start(). */
void server_run_start(struct server *server, struct run *run,
    const struct run_options *options, const char *const *argv);

/*
 * Until a client's bytes, as many as the script takes, are there, or, with
 * "each", one read's more.
 */
void server_await_taken(struct server *server);

/* Lets a waiting script go on. */
void server_go(struct server *server);

/* Until so many clients, since the start, have been served to their end. */
void server_await_ended(struct server *server, unsigned int clients);

/* How many were served. */
unsigned int server_clients(struct server *server);

void server_stop(struct server *server);

/* The byte at that place of a stream in which no part is like another. */
unsigned char server_pattern(uint64_t place);

#endif
