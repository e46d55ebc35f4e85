/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>
#include <strings.h>

#include "services.h"

#define PREFIX "check_"
#define PREFIX_LENGTH (sizeof(PREFIX) - 1)

static const struct service services[] = {
	{ .name = "tcp", .label = "TCP" },
	{ .name = "lastack", .label = "TCP" },
	{ .name = "ftp",
	    .label = "FTP",
	    .port = 21,
	    .expects = { "220" },
	    .quit = "QUIT\r\n" },
	{ .name = "pop",
	    .label = "POP",
	    .port = 110,
	    .expects = { "+OK" },
	    .quit = "QUIT\r\n" },
	{ .name = "spop",
	    .label = "SPOP",
	    .port = 995,
	    .expects = { "+OK" },
	    .quit = "QUIT\r\n",
	    .tls = true },
	{ .name = "smtp",
	    .label = "SMTP",
	    .port = 25,
	    .expects = { "220" },
	    .quit = "QUIT\r\n" },
	{ .name = "ssmtp",
	    .label = "SSMTP",
	    .port = 465,
	    .expects = { "220" },
	    .quit = "QUIT\r\n",
	    .tls = true },
	{ .name = "imap",
	    .label = "IMAP",
	    .port = 143,
	    .expects = { "* OK" },
	    .quit = "a1 LOGOUT\r\n" },
	{ .name = "simap",
	    .label = "SIMAP",
	    .port = 993,
	    .expects = { "* OK" },
	    .quit = "a1 LOGOUT\r\n",
	    .tls = true },
	{ .name = "nntp",
	    .label = "NNTP",
	    .port = 119,
	    .expects = { "200", "201" },
	    .quit = "QUIT\r\n",
	    .adds = true },
	{ .name = "nntps",
	    .label = "NNTPS",
	    .port = 563,
	    .expects = { "200", "201" },
	    .quit = "QUIT\r\n",
	    .adds = true,
	    .tls = true },
	{ .name = "jabber",
	    .label = "JABBER",
	    .port = 5222,
	    .send = "<stream:stream to='HOST' xmlns='jabber:client' "
		    "xmlns:stream='http://etherx.jabber.org/streams'>\n",
	    .expects = { "<?xml version='1.0'" },
	    .quit = "</stream:stream>\n",
	    .jail = true },
	{ .name = "clamd",
	    .label = "CLAMD",
	    .port = 3310,
	    .send = "PING",
	    .expects = { "PONG" } },
};

const char *
services_name(const char *program)
{
	const char *slash = strrchr(program, '/');

	return slash != NULL ? slash + 1 : program;
}

bool
services_called(const char *program)
{
	return strncmp(services_name(program), PREFIX, PREFIX_LENGTH) == 0;
}

const struct service *
services_find(const char *program)
{
	const char *name = services_name(program) + PREFIX_LENGTH;

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (strcasecmp(services[i].name, name) == 0)
			return &services[i];
	return NULL;
}
