/* SPDX-License-Identifier: BSD-2-Clause */
/* What a plugin does by the name it is called by. */
#ifndef SERVICES_H
#define SERVICES_H

#include <stdbool.h>
#include <stdint.h>

#define SERVICE_EXPECTS 2

struct service {
	const char *name;  /* behind "check_" */
	const char *label; /* in its line */
	uint16_t port;	   /* 0: none */
	const char *send;  /* HOST stands for the host, as XML has it */
	const char *expects[SERVICE_EXPECTS]; /* any, at the start */
	const char *quit;
	bool adds; /* -e adds to these, instead of taking their place */
	bool jail, tls;
};

/* Whether the program was called as a plugin, "check_" and something. */
bool services_called(const char *program);

/* NULL: there is none of that name. */
const struct service *services_find(const char *program);

/* The last part of a path. */
const char *services_name(const char *program);

#endif
