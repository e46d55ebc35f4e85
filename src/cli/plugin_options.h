/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of a monitoring plugin: check_tcp's, and what it lacks. */
#ifndef PLUGIN_OPTIONS_H
#define PLUGIN_OPTIONS_H

#include "options.h"
#include "services.h"

/* Of the command line, as far as it is not in the options. */
struct plugin {
	struct options *options;
	const struct service *service;
	const char *program;
	const char *operand;
	const char *send; /* as written; NULL: the service's */
	const char *quit;
	bool send_escaped, quit_escaped; /* -E came before */
	bool escapes;
	bool all, tls;
	bool expects; /* -e was given */
	uint64_t maxbytes;
	int64_t delay_ns, idle_ns;
	enum lastack_family family;
};

/* As options_parse(); OPTIONS_DONE where there is nothing to run. */
enum options_result plugin_options_parse(struct options *options, int argc,
    char **argv, struct lastack_request *request, struct text *text);

/* What is to be said instead of a run. Returns OPTIONS_DONE. */
enum options_result plugin_answer(const struct plugin *plugin,
    struct text *text, enum state state, const char *words);

/* A wrong command line: the message and the usage. value and why may be NULL. */
enum options_result plugin_usage(const struct plugin *plugin, struct text *text,
    const char *what, const char *value, const char *why);

#endif
