/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "perfdata.h"
#include "plugin_prepare.h"

#define HOST_DEFAULT "127.0.0.1"
#define HOST_MARK "HOST" /* in what a service sends */

/* ---- the bytes of -s and -q */

/* check_tcp's: \n \r \t \\, and any other is itself. */
static void
add_escaped(struct text *to, const char *value)
{
	for (const char *c = value; *c != '\0'; c++) {
		char byte = *c;

		if (byte == '\\' && c[1] != '\0') {
			byte = *++c;
			byte = byte == 'n' ? '\n' :
			    byte == 'r'	   ? '\r' :
			    byte == 't'	   ? '\t' :
					     byte;
		}
		text_add(to, &byte, 1);
	}
}

/* The host stands in an attribute of XML there. */
static void
add_service_send(struct text *to, const char *send, const char *host)
{
	const char *mark = strstr(send, HOST_MARK);

	if (mark == NULL) {
		text_puts(to, send);
		return;
	}
	text_add(to, send, (size_t)(mark - send));
	for (const char *c = host; *c != '\0'; c++) {
		if (strchr("<>&'\"", *c) != NULL)
			text_printf(to, "&#%d;", *c);
		else
			text_add(to, c, 1);
	}
	text_puts(to, mark + sizeof(HOST_MARK) - 1);
}

static void
make_send(const struct plugin *p, struct text *bytes)
{
	if (p->send == NULL && p->service->send != NULL)
		add_service_send(bytes, p->service->send, p->options->host);
	else if (p->send != NULL && p->send_escaped)
		add_escaped(bytes, p->send);
	else if (p->send != NULL)
		text_puts(bytes, p->send);
}

static void
make_quit(const struct plugin *p, struct text *bytes)
{
	if (p->quit == NULL && p->service->quit != NULL)
		text_puts(bytes, p->service->quit);
	else if (p->quit != NULL && p->quit_escaped)
		add_escaped(bytes, p->quit);
	else if (p->quit != NULL)
		text_printf(bytes, "%s\r\n", p->quit);
}

/* ---- the target */

/* One in brackets is an address of IPv6. */
static bool
copy_host(struct options *o, const char *host)
{
	size_t len = strlen(host);

	if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	if (len >= sizeof(o->host))
		len = sizeof(o->host) - 1;
	memcpy(o->host, host, len);
	o->host[len] = '\0';
	return len > 0;
}

static enum options_result
no_such_host(const struct plugin *p, struct text *text)
{
	struct text words = TEXT_INIT;
	enum options_result result;

	text_printf(&words, "Invalid hostname, address or socket: %s",
	    p->options->host);
	result = plugin_answer(p, text, STATE_CRITICAL, text_string(&words));
	text_free(&words);
	return result;
}

/* There is nothing to close in another way there. */
static enum options_result
set_path(struct plugin *p, const char *path, struct lastack_request *request,
    struct text *text)
{
	struct options *o = p->options;

	if (o->expect_close != LASTACK_END_UNKNOWN)
		return plugin_usage(p, text, "--expect-close", NULL,
		    "the target is a Unix socket");
	o->close = LASTACK_CLOSE_AUTO;
	o->path = path;
	copy_host(o, path);
	if (lastack_request_set_path(request, path) != 0)
		return plugin_usage(p, text, "--hostname", path,
		    "longer than the path of a Unix socket may be");
	return OPTIONS_RUN;
}

static enum options_result
set_target(struct plugin *p, struct lastack_request *request, struct text *text)
{
	struct options *o = p->options;
	const char *host = o->hostname != NULL ? o->hostname :
	    p->operand != NULL		       ? p->operand :
						 HOST_DEFAULT;

	o->host_hidden = o->hostname == NULL;
	if (host[0] == '/')
		return set_path(p, host, request, text);
	if (o->port == 0)
		o->port = p->service->port;
	if (o->port == 0)
		return plugin_usage(p, text, "no port is given", NULL, NULL);
	lastack_request_set_family(request, p->family);
	if (!copy_host(o, host) ||
	    lastack_request_set_target(request, o->host, o->port) != 0 ||
	    lastack_request_check(request) != 0)
		return no_such_host(p, text);
	return OPTIONS_RUN;
}

/* ---- the rest */

static const char *
set_expectations(struct plugin *p, struct lastack_request *request)
{
	bool service = !p->expects || p->service->adds;
	struct talk *talk = &p->options->talk;
	struct talk given = *talk;
	const char *reason = NULL;

	/* The service's come first, as they are numbered. */
	*talk = (struct talk){ 0 };
	for (size_t i = 0; service && i < SERVICE_EXPECTS && reason == NULL;
	     i++)
		if (p->service->expects[i] != NULL)
			reason = talk_add_expectation(
			    talk, EXPECTATION_STRING, p->service->expects[i]);
	for (size_t i = 0; given.count > 0 && reason == NULL &&
	     i < given.turns[0].expectation_count;
	     i++)
		reason = talk_add_expectation(talk, EXPECTATION_STRING,
		    given.turns[0].expectations[i].value);
	talk_free(&given);
	for (size_t i = 0; talk->count > 0 && reason == NULL &&
	     i < talk->turns[0].expectation_count;
	     i++) {
		const char *value = talk->turns[0].expectations[i].value;

		if (lastack_request_add_expect(request, value, strlen(value)) !=
		    0)
			reason = "out of memory";
	}
	lastack_request_set_expect_start(request, !p->expects);
	return reason;
}

static const char *
set_strings(const struct plugin *p, struct lastack_request *request)
{
	struct text send = TEXT_INIT, quit = TEXT_INIT;
	const char *reason = NULL;

	make_send(p, &send);
	make_quit(p, &quit);
	if (send.failed || quit.failed ||
	    lastack_request_add_payload(request, send.bytes, send.len) != 0 ||
	    lastack_request_set_quit(request, quit.bytes, quit.len) != 0)
		reason = "out of memory";
	/* What is not expected is not waited for. */
	if (talk_expectations(&p->options->talk) == 0)
		lastack_request_set_send_only(
		    request, send.len > 0 || p->delay_ns > 0);
	text_free(&send);
	text_free(&quit);
	return reason;
}

static const char *
set_request(struct plugin *p, struct lastack_request *request)
{
	struct options *o = p->options;
	struct turn *turn = talk_turn(&o->talk);

	if (turn == NULL)
		return "out of memory";
	turn->delay_ns = p->delay_ns; /* for the times that leave it out */
	lastack_request_set_expect_all(request, p->all);
	lastack_request_set_maxbytes(request, p->maxbytes);
	lastack_request_set_expect_close(request, o->expect_close);
	lastack_request_set_close(request, o->close);
	lastack_request_set_fastopen(request, o->fastopen);
	lastack_request_set_time(request, LASTACK_TIME_TOTAL, o->timeout_ns);
	lastack_request_set_time(request, LASTACK_TIME_CONNECT, o->connect_ns);
	lastack_request_set_time(request, LASTACK_TIME_DRAIN, o->drain_ns);
	lastack_request_set_time(request, LASTACK_TIME_DELAY, p->delay_ns);
	lastack_request_set_time(request, LASTACK_TIME_IDLE, p->idle_ns);
	if (!o->jail)
		lastack_request_set_keep(request, LASTACK_KEEP_DEFAULT_BYTES);
	return NULL;
}

enum options_result
plugin_prepare(
    struct plugin *p, struct lastack_request *request, struct text *text)
{
	enum options_result result;
	const char *reason;

	if (p->tls || p->service->tls)
		return plugin_answer(
		    p, text, STATE_UNKNOWN, "built without TLS");
	result = set_target(p, request, text);
	if (result != OPTIONS_RUN)
		return result;
	reason = set_expectations(p, request);
	if (reason == NULL)
		reason = set_strings(p, request);
	if (reason == NULL)
		reason = set_request(p, request);
	if (reason != NULL)
		return plugin_answer(p, text, STATE_UNKNOWN, reason);
	return OPTIONS_RUN;
}
