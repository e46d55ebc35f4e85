/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include "complain.h"
#include "parse.h"
#include "proxy.h"

struct end {
	const char *option, *value;
	int (*set)(struct lastack_request *, const char *, uint16_t);
};

static enum options_result
set_end(
    const struct end *end, struct lastack_request *request, struct text *text)
{
	char address[ENDPOINT_ROOM];
	const char *reason;
	uint16_t port;

	if (end->value == NULL)
		return OPTIONS_RUN;
	reason = parse_endpoint(end->value, address, sizeof(address), &port);
	if (reason == NULL && port == 0)
		reason = "no port is given";
	if (reason == NULL && end->set(request, address, port) != 0)
		reason = "not an IPv4 or IPv6 address with a port";
	if (reason == NULL)
		return OPTIONS_RUN;
	return complain(text, end->option, end->value, reason);
}

/* What the request says no to. */
static const char *
contradiction(const struct options *o)
{
	bool both = o->proxy_source != NULL && o->proxy_destination != NULL;

	if (o->path != NULL && !both)
		return "the target is a Unix socket: give --proxy-source and "
		       "--proxy-destination";
	return "source and destination are of different address families: v1 "
	       "has one for both";
}

enum options_result
proxy_prepare(
    const struct options *o, struct lastack_request *request, struct text *text)
{
	const struct end ends[] = {
		{ "--proxy-source", o->proxy_source,
		    lastack_request_set_proxy_source },
		{ "--proxy-destination", o->proxy_destination,
		    lastack_request_set_proxy_destination },
	};
	bool tells = o->proxy == LASTACK_PROXY_V1 ||
	    o->proxy == LASTACK_PROXY_V2;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (ends[i].value != NULL && !tells)
			return complain(text, ends[i].option, ends[i].value,
			    "there is no --proxy-protocol=v1 or v2");
		if (set_end(&ends[i], request, text) != OPTIONS_RUN)
			return OPTIONS_USAGE;
	}
	lastack_request_set_proxy(request, o->proxy);
	if (lastack_request_check(request) != 0)
		return complain(
		    text, "--proxy-protocol", NULL, contradiction(o));
	return OPTIONS_RUN;
}
