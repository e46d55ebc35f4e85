/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line: argv made into a request and the wishes for the report. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ini.h"
#include "lastack.h"
#include "state.h"
#include "talk.h"
#include "text.h"
#include "threshold.h"

enum format {
	FORMAT_TEXT,
	FORMAT_JSON,
	FORMAT_PROMETHEUS,
	FORMAT_WRITE_OUT,
	FORMAT_NAGIOS,
};

enum color {
	COLOR_AUTO,
	COLOR_ALWAYS,
	COLOR_NEVER,
};

#define ENDPOINT_ROOM 64 /* an IPv6 address with its zone */

struct options {
	char host[1026];  /* without brackets; of a Unix socket the target */
	const char *path; /* of a Unix socket, '@' for an abstract name */
	uint16_t port;

	const char *hostname, *port_name; /* -H and -p */
	struct talk talk;		  /* owned */
	const char *quit;		  /* as written; NULL: none */
	bool raw;
	bool ipv4, ipv6, numeric, all_addresses, half_close, connect_only;
	int64_t timeout_ns, connect_ns, drain_ns;
	enum lastack_close close;
	enum lastack_end expect_close;
	enum lastack_fastopen fastopen;
	struct threshold thresholds[SPAN_COUNT];

	/* Of the local side; the strings as written, NULL: not given. */
	const char *source, *interface, *mark_text, *tos_text;
	char source_address[ENDPOINT_ROOM]; /* "": any */
	uint16_t source_port;
	uint32_t mark;
	uint8_t tos;

	enum lastack_proxy proxy;
	const char *proxy_source, *proxy_destination; /* as written */

	/* Of a monitoring plugin. */
	const char *service; /* in its line; NULL: "TCP" */
	bool host_hidden;    /* from its line */
	struct states states;
	struct ini extra; /* owned: --extra-opts */

	enum format format;
	enum color color;
	const char *output;
	const char *output_report;
	const char *write_out; /* of FORMAT_WRITE_OUT */
	bool quiet, jail, help, version;
	int verbose;

	char reason[128]; /* the words of the library of regular expressions */

	int answer_status; /* to exit with, where nothing is to be run */
	int *files;	   /* owned: the payload's descriptors */
	size_t file_count;
};

enum options_result {
	OPTIONS_RUN,   /* the request is complete */
	OPTIONS_DONE,  /* --help or --version: printed into the text */
	OPTIONS_USAGE, /* a wrong command line: the text is the message */
	OPTIONS_LOCAL, /* right, but a file is not to be had: likewise */
};

/*
 * Fills options and request from argv. The text is what there is to print, or
 * empty. The options borrow from argv and are to be freed in every case.
 */
enum options_result options_parse(struct options *options, int argc,
    char **argv, struct lastack_request *request, struct text *text);

/* Values that a plugin takes as well: NULL, or why one is wrong. */
const char *options_take_close(struct options *options, const char *value);
const char *options_take_expect_close(
    struct options *options, const char *value);

/* What the line of a plugin begins with. */
const char *options_service(const struct options *options);

void options_free(struct options *options);

#endif
