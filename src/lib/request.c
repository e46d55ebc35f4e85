/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"
#include "resolve.h"

#define HOST_MAX 1025 /* NI_MAXHOST */

#define ROUNDS_MAX 10000

/* One more exchange, with nothing in it. 0, or LASTACK_ERROR_MEMORY. */
static int
add_round(struct lastack_request *request)
{
	struct lastack__round *rounds = reallocarray(
	    request->rounds, request->round_count + 1, sizeof(*rounds));

	if (rounds == NULL)
		return LASTACK_ERROR_MEMORY;
	request->rounds = rounds;
	rounds[request->round_count++] =
	    (struct lastack__round){ .idle_ns = INT64_C(1000000000) };
	return 0;
}

/* The one that setters speak of. */
static struct lastack__round *
last_round(struct lastack_request *request)
{
	return &request->rounds[request->round_count - 1];
}

struct lastack_request *
lastack_request_new(void)
{
	struct lastack_request *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return NULL;
	if (add_round(request) != 0) {
		free(request);
		return NULL;
	}
	request->sink_fd = -1;
	request->total_ns = INT64_C(10000000000);
	request->drain_ns = INT64_C(100000000);
	return request;
}

void
lastack_request_free(struct lastack_request *request)
{
	if (request == NULL)
		return;
	free(request->host);
	for (size_t i = 0; i < request->round_count; i++) {
		lastack__payload_free(&request->rounds[i].payload);
		lastack__expect_free(&request->rounds[i].expect);
	}
	free(request->rounds);
	lastack__payload_free(&request->goodbye);
	free(request);
}

int
lastack_request_set_target(
    struct lastack_request *request, const char *host, uint16_t port)
{
	char *copy;

	if (host == NULL || *host == '\0' || strlen(host) > HOST_MAX ||
	    port == 0)
		return LASTACK_ERROR_ARGUMENT;
	copy = strdup(host);
	if (copy == NULL)
		return LASTACK_ERROR_MEMORY;
	free(request->host);
	request->host = copy;
	request->port = port;
	request->path.len = 0;
	return 0;
}

int
lastack_request_set_path(struct lastack_request *request, const char *path)
{
	if (path == NULL || !lastack__address_of_path(path, &request->path))
		return LASTACK_ERROR_ARGUMENT;
	free(request->host);
	request->host = NULL;
	return 0;
}

int
lastack_request_set_family(
    struct lastack_request *request, enum lastack_family family)
{
	if (family != LASTACK_FAMILY_ANY && family != LASTACK_FAMILY_IPV4 &&
	    family != LASTACK_FAMILY_IPV6)
		return LASTACK_ERROR_ARGUMENT;
	request->family = family;
	return 0;
}

int
lastack_request_set_all_addresses(
    struct lastack_request *request, bool all_addresses)
{
	request->all_addresses = all_addresses;
	return 0;
}

int
lastack_request_set_numeric(struct lastack_request *request, bool numeric)
{
	request->numeric = numeric;
	return 0;
}

int
lastack_request_add_payload(
    struct lastack_request *request, const void *data, size_t len)
{
	if (data == NULL && len > 0)
		return LASTACK_ERROR_ARGUMENT;
	return lastack__payload_add(&last_round(request)->payload, data, len);
}

int
lastack_request_add_payload_fd(struct lastack_request *request, int fd)
{
	return lastack__payload_add_fd(&last_round(request)->payload, fd);
}

int
lastack_request_add_exchange(struct lastack_request *request)
{
	if (request->round_count == ROUNDS_MAX)
		return LASTACK_ERROR_ARGUMENT;
	return add_round(request);
}

int
lastack_request_set_quit(
    struct lastack_request *request, const void *data, size_t len)
{
	struct lastack__payload goodbye = { 0 };
	int error;

	if (data == NULL && len > 0)
		return LASTACK_ERROR_ARGUMENT;
	error = lastack__payload_add(&goodbye, data, len);
	if (error != 0) {
		lastack__payload_free(&goodbye);
		return error;
	}
	lastack__payload_free(&request->goodbye);
	request->goodbye = goodbye;
	return 0;
}

int
lastack_request_set_half_close(struct lastack_request *request, bool half_close)
{
	request->half_close = half_close;
	return 0;
}

int
lastack_request_add_expect(
    struct lastack_request *request, const void *data, size_t len)
{
	if (data == NULL && len > 0)
		return LASTACK_ERROR_ARGUMENT;
	return lastack__expect_add(&last_round(request)->expect, data, len);
}

int
lastack_request_add_expect_regex(
    struct lastack_request *request, const char *regex)
{
	if (regex == NULL || *regex == '\0')
		return LASTACK_ERROR_ARGUMENT;
	return lastack__expect_add_pattern(&last_round(request)->expect, regex);
}

int
lastack_request_add_unwanted(
    struct lastack_request *request, const void *data, size_t len)
{
	if (data == NULL || len == 0)
		return LASTACK_ERROR_ARGUMENT;
	return lastack__expect_add_unwanted(
	    &last_round(request)->expect, data, len);
}

int
lastack_request_set_expect_all(struct lastack_request *request, bool all)
{
	last_round(request)->expect.all = all;
	return 0;
}

int
lastack_request_set_expect_start(struct lastack_request *request, bool start)
{
	last_round(request)->expect.at_start = start;
	return 0;
}

int
lastack_request_set_send_only(struct lastack_request *request, bool send_only)
{
	request->send_only = send_only;
	return 0;
}

int
lastack_request_set_expect_close(
    struct lastack_request *request, enum lastack_end end)
{
	if (end != LASTACK_END_UNKNOWN && end != LASTACK_END_FIN &&
	    end != LASTACK_END_RST && end != LASTACK_END_OPEN)
		return LASTACK_ERROR_ARGUMENT;
	request->expect_close = end;
	return 0;
}

int
lastack_request_set_maxbytes(struct lastack_request *request, uint64_t bytes)
{
	last_round(request)->maxbytes = bytes;
	return 0;
}

int
lastack_request_set_time(
    struct lastack_request *request, enum lastack_time which, int64_t ns)
{
	if (ns < 0 || ns > LASTACK_TIME_MAX_NS)
		return LASTACK_ERROR_ARGUMENT;
	if (ns == 0 &&
	    (which == LASTACK_TIME_TOTAL || which == LASTACK_TIME_IDLE))
		return LASTACK_ERROR_ARGUMENT;
	switch (which) {
	case LASTACK_TIME_TOTAL:
		request->total_ns = ns;
		return 0;
	case LASTACK_TIME_CONNECT:
		request->connect_ns = ns;
		return 0;
	case LASTACK_TIME_IDLE:
		last_round(request)->idle_ns = ns;
		return 0;
	case LASTACK_TIME_DRAIN:
		request->drain_ns = ns;
		return 0;
	case LASTACK_TIME_DELAY:
		last_round(request)->delay_ns = ns;
		return 0;
	}
	return LASTACK_ERROR_ARGUMENT;
}

int
lastack_request_set_close(
    struct lastack_request *request, enum lastack_close policy)
{
	if (policy != LASTACK_CLOSE_AUTO && policy != LASTACK_CLOSE_FIN &&
	    policy != LASTACK_CLOSE_RST)
		return LASTACK_ERROR_ARGUMENT;
	request->close = policy;
	return 0;
}

int
lastack_request_set_fastopen(
    struct lastack_request *request, enum lastack_fastopen fastopen)
{
	if (fastopen != LASTACK_FASTOPEN_OFF &&
	    fastopen != LASTACK_FASTOPEN_TRY &&
	    fastopen != LASTACK_FASTOPEN_REQUIRE)
		return LASTACK_ERROR_ARGUMENT;
	request->fastopen = fastopen;
	return 0;
}

int
lastack_request_set_source(
    struct lastack_request *request, const char *address, uint16_t port)
{
	return lastack__local_source(&request->local, address, port);
}

int
lastack_request_set_interface(struct lastack_request *request, const char *name)
{
	size_t len = name != NULL ? strlen(name) : 0;

	if (name != NULL &&
	    (len == 0 || len >= sizeof(request->local.interface)))
		return LASTACK_ERROR_ARGUMENT;
	memset(request->local.interface, 0, sizeof(request->local.interface));
	if (name != NULL)
		memcpy(request->local.interface, name, len);
	return 0;
}

int
lastack_request_set_mark(struct lastack_request *request, uint32_t mark)
{
	request->local.mark = mark;
	return 0;
}

int
lastack_request_set_tos(struct lastack_request *request, uint8_t tos)
{
	if ((tos & LASTACK_TOS_ECN) != 0)
		return LASTACK_ERROR_ARGUMENT;
	request->local.tos = tos;
	return 0;
}

int
lastack_request_set_connect_only(
    struct lastack_request *request, bool connect_only)
{
	request->connect_only = connect_only;
	return 0;
}

int
lastack_request_set_lean(struct lastack_request *request, bool lean)
{
	request->lean = lean;
	return 0;
}

int
lastack_request_set_keep(struct lastack_request *request, size_t bytes)
{
	request->keep_bytes = bytes;
	return 0;
}

int
lastack_request_set_sink(
    struct lastack_request *request, lastack_sink sink, void *context)
{
	request->sink = sink;
	request->sink_context = context;
	return 0;
}

int
lastack_request_set_sink_fd(struct lastack_request *request, int fd)
{
	if (fd < -1)
		return LASTACK_ERROR_ARGUMENT;
	request->sink_fd = fd;
	return 0;
}

int
lastack_request_set_proxy(
    struct lastack_request *request, enum lastack_proxy version)
{
	if (version != LASTACK_PROXY_OFF && version != LASTACK_PROXY_V1 &&
	    version != LASTACK_PROXY_V2 && version != LASTACK_PROXY_LOCAL)
		return LASTACK_ERROR_ARGUMENT;
	request->proxy.version = version;
	return 0;
}

/* NULL and 0: the real one. */
static int
set_end(struct lastack__address *end, const char *address, uint16_t port)
{
	if ((address == NULL) != (port == 0))
		return LASTACK_ERROR_ARGUMENT;
	if (address == NULL) {
		end->len = 0;
		return 0;
	}
	return lastack__resolve_strict(address, port, end) ?
	    0 :
	    LASTACK_ERROR_ARGUMENT;
}

int
lastack_request_set_proxy_source(
    struct lastack_request *request, const char *address, uint16_t port)
{
	return set_end(&request->proxy.source, address, port);
}

int
lastack_request_set_proxy_destination(
    struct lastack_request *request, const char *address, uint16_t port)
{
	return set_end(&request->proxy.destination, address, port);
}

bool
lastack__request_sends(const struct lastack_request *request, size_t index)
{
	return request->rounds[index].payload.count > 0 ||
	    (index == 0 && request->proxy.version != LASTACK_PROXY_OFF);
}

static bool
request_exchanges(const struct lastack_request *request)
{
	const struct lastack__round *first = request->rounds;

	return request->round_count > 1 || lastack__request_sends(request, 0) ||
	    request->half_close || request->send_only ||
	    first->expect.count > 0 || request->sink != NULL;
}

/* Nothing to send, to expect or to read: it would never begin or never end. */
static bool
has_empty_round(const struct lastack_request *request)
{
	for (size_t i = 0; i < request->round_count; i++) {
		const struct lastack__round *round = &request->rounds[i];

		if (!lastack__request_sends(request, i) &&
		    round->expect.count == 0 && round->maxbytes == 0)
			return true;
	}
	return false;
}

bool
lastack__request_connects_only(const struct lastack_request *request)
{
	return !request_exchanges(request);
}

/* What the target will be of, if that is known. */
static sa_family_t
request_family(const struct lastack_request *request)
{
	switch (request->family) {
	case LASTACK_FAMILY_IPV4:
		return AF_INET;
	case LASTACK_FAMILY_IPV6:
		return AF_INET6;
	default:
		return AF_UNSPEC;
	}
}

static bool
awaits_something(const struct lastack_request *request)
{
	for (size_t i = 0; i < request->round_count; i++)
		if (request->rounds[i].expect.count > 0)
			return true;
	return request->sink != NULL;
}

/* remote: the target's family, AF_UNSPEC where it is not known. */
static bool
proxy_is_wrong(const struct lastack__proxy *proxy, sa_family_t remote)
{
	bool given = proxy->source.len != 0 || proxy->destination.len != 0;
	bool both = proxy->source.len != 0 && proxy->destination.len != 0;

	if (proxy->version == LASTACK_PROXY_OFF ||
	    proxy->version == LASTACK_PROXY_LOCAL)
		return given;
	/* A Unix socket has no address that could be told. */
	if (remote == AF_UNIX && !both)
		return true;
	return proxy->version == LASTACK_PROXY_V1 &&
	    lastack__proxy_is_mixed(proxy, remote);
}

/* What can be sent once only. */
static bool
has_stream(const struct lastack_request *request)
{
	for (size_t i = 0; i < request->round_count; i++)
		if (lastack__payload_has_stream(&request->rounds[i].payload))
			return true;
	return false;
}

static int
check_path(const struct lastack_request *request)
{
	bool tcp = request->family != LASTACK_FAMILY_ANY || request->numeric ||
	    request->all_addresses ||
	    request->fastopen != LASTACK_FASTOPEN_OFF ||
	    request->close != LASTACK_CLOSE_AUTO ||
	    request->expect_close != LASTACK_END_UNKNOWN ||
	    lastack__local_is_asked_for(&request->local) ||
	    proxy_is_wrong(&request->proxy, AF_UNIX);

	return tcp ? LASTACK_ERROR_ARGUMENT : 0;
}

int
lastack_request_check(const struct lastack_request *request)
{
	sa_family_t family = request_family(request);
	struct lastack__address address;

	if (request->connect_only &&
	    (request_exchanges(request) || request->goodbye.count > 0))
		return LASTACK_ERROR_ARGUMENT;
	if (request->round_count > 1 && has_empty_round(request))
		return LASTACK_ERROR_ARGUMENT;
	if (request->send_only && awaits_something(request))
		return LASTACK_ERROR_ARGUMENT;
	/* Behind our FIN there is no goodbye. */
	if (request->half_close && request->goodbye.count > 0)
		return LASTACK_ERROR_ARGUMENT;
	if (request->all_addresses && has_stream(request))
		return LASTACK_ERROR_ARGUMENT;
	if (request->path.len != 0)
		return check_path(request);
	if (request->host == NULL)
		return LASTACK_ERROR_ARGUMENT;
	if (lastack__resolve_numeric(request->host, request->port, &address)) {
		if (family != AF_UNSPEC && family != address.u.any.sa_family)
			return LASTACK_ERROR_ARGUMENT;
		family = address.u.any.sa_family;
	} else if (request->numeric) {
		return LASTACK_ERROR_ARGUMENT;
	}
	if (family != AF_UNSPEC &&
	    lastack__local_is_foreign(&request->local, family))
		return LASTACK_ERROR_ARGUMENT;
	if (proxy_is_wrong(&request->proxy, family))
		return LASTACK_ERROR_ARGUMENT;
	return 0;
}
