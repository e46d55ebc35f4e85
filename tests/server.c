/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server.h"
#include "tcp.h"

#define PATIENCE_SECONDS 60
#define ARGUMENTS_MAX 64

/*
 * Nothing is asserted in the thread: it is the main one that the test belongs
 * to. What goes wrong here shows in what the client gets.
 */

unsigned char
server_pattern(uint64_t place)
{
	place *= UINT64_C(0x9e3779b97f4a7c15);
	return (unsigned char)(place >> 56);
}

static void
note(struct server *server, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint64_t place = server->got_bytes + i;

		if (bytes[i] != server_pattern(place))
			server->got_pattern = false;
		if (place < SERVER_GOT_BYTES)
			server->got[place] = bytes[i];
	}
	server->got_bytes += len;
}

/* Until most bytes are there in all, or the client has ended. */
static void
take(struct server *server, int fd, uint64_t most)
{
	static _Thread_local unsigned char bytes[SERVER_GOT_BYTES];

	while (server->got_bytes < most) {
		uint64_t left = most - server->got_bytes;
		ssize_t n = recv(fd, bytes,
		    left < sizeof(bytes) ? (size_t)left : sizeof(bytes), 0);

		if (n == 0)
			server->got_fin = true;
		if (n == 0 || (n == -1 && errno != EINTR))
			return;
		if (n > 0)
			note(server, bytes, (size_t)n);
		if (n > 0 && server->script.each)
			sem_post(&server->taken);
	}
}

static bool
give(int fd, const void *data, size_t len)
{
	const char *bytes = data;

	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n == -1 && errno != EINTR)
			return false;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static bool
give_pattern(int fd, uint64_t count)
{
	static _Thread_local unsigned char bytes[65536];
	uint64_t place = 0;

	while (place < count) {
		size_t len = 0;

		for (; len < sizeof(bytes) && place < count; len++)
			bytes[len] = server_pattern(place++);
		if (!give(fd, bytes, len))
			return false;
	}
	return true;
}

static void
wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) == -1 && errno == EINTR)
		continue;
}

static void
play(struct server *server, int fd)
{
	const struct server_script *script = &server->script;

	take(server, fd, script->take);
	if (!script->each)
		sem_post(&server->taken);
	if (script->wait)
		wait_for(&server->go);
	if (script->give_bytes > 0)
		give(fd, script->give, script->give_bytes);
	give_pattern(fd, script->pattern_bytes);
	if (script->end == SERVER_FIN)
		shutdown(fd, SHUT_WR);
	if (script->end != SERVER_RST)
		take(server, fd, UINT64_MAX);
}

/* Hands the descriptor over for server_stop() to shut, or takes it back. */
static bool
publish(struct server *server, int fd)
{
	bool stopping;

	pthread_mutex_lock(&server->lock);
	server->client = fd;
	stopping = server->stopping;
	pthread_mutex_unlock(&server->lock);
	return !stopping;
}

static void
serve(struct server *server, int fd)
{
	struct linger none = { .l_onoff = 1, .l_linger = 0 };

	server->got_bytes = 0;
	server->got_pattern = true;
	server->got_fin = false;
	if (publish(server, fd))
		play(server, fd);
	publish(server, -1);
	if (server->script.end == SERVER_RST)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(fd);
	atomic_fetch_add(&server->ended, 1);
}

static void *
server_main(void *argument)
{
	struct server *server = argument;
	bool going = true;

	while (going) {
		int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd != -1)
			serve(server, fd);
		pthread_mutex_lock(&server->lock);
		going = !server->stopping;
		pthread_mutex_unlock(&server->lock);
	}
	return NULL;
}

void
server_start(
    struct server *server, int family, const struct server_script *script)
{
	memset(server, 0, sizeof(*server));
	server->script = *script;
	server->client = -1;
	server->listener = tcp_listen(family, 64);
	server->host = family == AF_INET ? "127.0.0.1" : "::1";
	server->port = tcp_port(server->listener);
	snprintf(
	    server->port_text, sizeof(server->port_text), "%u", server->port);
	ck_assert_int_eq(sem_init(&server->taken, 0, 0), 0);
	ck_assert_int_eq(sem_init(&server->go, 0, 0), 0);
	ck_assert_int_eq(pthread_mutex_init(&server->lock, NULL), 0);
	ck_assert_int_eq(
	    pthread_create(&server->thread, NULL, server_main, server), 0);
}

void
server_run_start(struct server *server, struct run *run,
    const struct run_options *options, const char *const *argv)
{
	const char *arguments[ARGUMENTS_MAX + 3];
	size_t count = 0;

	for (; argv[count] != NULL; count++) {
		ck_assert_uint_lt(count, ARGUMENTS_MAX);
		arguments[count] = argv[count];
	}
	arguments[count++] = server->host;
	arguments[count++] = server->port_text;
	arguments[count] = NULL;
	run_start(run, options, arguments);
}

void
server_run(struct server *server, struct run *run,
    const struct run_options *options, const char *const *argv)
{
	server_run_start(server, run, options, argv);
	run_finish(run);
}

void
server_await_taken(struct server *server)
{
	struct timespec until;

	ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &until), 0);
	until.tv_sec += PATIENCE_SECONDS;
	while (sem_timedwait(&server->taken, &until) == -1)
		ck_assert_int_eq(errno, EINTR);
}

void
server_go(struct server *server)
{
	sem_post(&server->go);
}

void
server_await_ended(struct server *server, unsigned int clients)
{
	struct tcp_patience patience = { 0 };

	while (atomic_load(&server->ended) < clients && tcp_patient(&patience))
		continue;
	ck_assert_uint_eq(atomic_load(&server->ended), clients);
}

unsigned int
server_clients(struct server *server)
{
	return atomic_load(&server->ended);
}

void
server_stop(struct server *server)
{
	pthread_mutex_lock(&server->lock);
	server->stopping = true;
	if (server->client != -1)
		shutdown(server->client, SHUT_RDWR);
	pthread_mutex_unlock(&server->lock);
	sem_post(&server->go);
	shutdown(server->listener, SHUT_RD);
	pthread_join(server->thread, NULL);
	close(server->listener);
	sem_destroy(&server->taken);
	sem_destroy(&server->go);
	pthread_mutex_destroy(&server->lock);
}
