/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real servers for a test, as distributions ship them: each in the foreground
 * as a child of the test, with its configuration, its files and its log in a
 * directory of its own. What goes wrong here fails the test at once.
 *
 * In the lab (lab.h): they inherit the namespace, and are its uid 0.
 */
#ifndef DAEMON_H
#define DAEMON_H

#include <stdbool.h>
#include <stdint.h>

enum daemon_kind {
	DAEMON_NGINX,
	DAEMON_HAPROXY,
	DAEMON_REDIS,
	DAEMON_SSHD,
	DAEMON_MSMTPD, /* takes mail and forgets it */
	DAEMON_MEMCACHED,
};

#define DAEMON_KINDS 6

struct daemon_plan {
	enum daemon_kind kind;
	int family; /* AF_INET or AF_INET6: it listens on that loopback */
	/*
	 * Lines that the configuration ends with; NULL: none. nginx: within
	 * server, after listen and root, which is daemon_directory(). HAProxy:
	 * within listen, in mode http as long as they do not say otherwise.
	 * msmtpd, memcached: they have none.
	 */
	const char *site;
	uint16_t backend; /* HAProxy: its only server, on the same loopback */
};

struct daemon;

/* What to look for, and to tell of. */
const char *daemon_name(enum daemon_kind kind);

bool daemon_installed(enum daemon_kind kind);

/*
 * Around all tests, in main(): the directory that holds those of the servers.
 * At the end all of it is removed, also what a test that failed has left.
 */
void daemons_begin(void);
void daemons_end(void);

/* Returns when it accepts connections; free with daemon_stop(). */
struct daemon *daemon_start(const struct daemon_plan *plan);

uint16_t daemon_port(const struct daemon *daemon);

/* Without a slash at the end; valid as long as the server is. */
const char *daemon_directory(const struct daemon *daemon);

/* Ends it, if it still runs, and removes its directory. Takes NULL. */
void daemon_stop(struct daemon *daemon);

#endif
