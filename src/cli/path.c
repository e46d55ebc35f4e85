/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "complain.h"
#include "figure.h"
#include "path.h"

const char *
path_of(const char *target)
{
	static const char prefix[] = "unix:";
	const char *path = target + sizeof(prefix) - 1;

	if (strncmp(target, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	/* A host may be called unix, and then a port follows. */
	return *path == '/' || *path == '@' || *path == '.' ? path : NULL;
}

enum options_result
path_check(const struct options *o, struct text *text)
{
	const struct {
		bool given;
		const char *name;
	} rows[] = {
		{ o->port_name != NULL, "--port" },
		{ o->ipv4, "--ipv4" },
		{ o->ipv6, "--ipv6" },
		{ o->numeric, "--numeric" },
		{ o->all_addresses, "--all-addresses" },
		{ o->source != NULL, "--source" },
		{ o->interface != NULL, "--interface" },
		{ o->mark_text != NULL, "--mark" },
		{ o->tos_text != NULL, "--tos" },
		{ o->fastopen != LASTACK_FASTOPEN_OFF, "--fastopen" },
		{ o->expect_close != LASTACK_END_UNKNOWN, "--expect-close" },
		{ o->close != LASTACK_CLOSE_AUTO, "--close" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].given)
			return complain(text, rows[i].name, NULL,
			    "the target is a Unix socket");
	return OPTIONS_RUN;
}

void
path_error_connect(struct text *to, const struct lastack_result *result)
{
	char figure[FIGURE_TEXT];

	switch (result->outcome) {
	case LASTACK_OUTCOME_REFUSED:
		text_puts(to, "connection refused: nobody listens there");
		break;
	case LASTACK_OUTCOME_CONNECT_TIMEOUT:
		figure_time(figure,
		    lastack_result_phase_ns(result, LASTACK_PHASE_CONNECT));
		text_printf(to, "the server's backlog was full for %s", figure);
		break;
	default:
		text_printf(
		    to, "unreachable: %s", lastack_result_error_text(result));
	}
}

void
path_error_reset(struct text *to, const struct lastack_result *result)
{
	text_puts(to, "the peer closed without reading all that was sent");
	if (result->received_bytes > 0)
		text_printf(to, ", after %" PRIu64 " bytes of the response",
		    result->received_bytes);
}

void
path_close(struct text *to, const struct lastack_result *result)
{
	switch (result->close_peer) {
	case LASTACK_END_FIN:
		text_puts(to,
		    result->close_first == LASTACK_SIDE_PEER ?
			"the peer closed first" :
			"the peer closed");
		break;
	case LASTACK_END_OPEN:
		text_puts(to,
		    lastack_result_phase_ns(result, LASTACK_PHASE_DRAIN) == -1 ?
			"closed: only the connection was asked for" :
			"the peer kept the connection open");
		break;
	case LASTACK_END_NONE:
		break;
	default:
		text_puts(to, "the peer closed, with data of ours unread");
	}
}

void
path_hint(struct text *to, const struct lastack_result *result)
{
	switch (result->outcome) {
	case LASTACK_OUTCOME_REFUSED:
		text_puts(to, "its server has ended, or does not listen yet");
		break;
	case LASTACK_OUTCOME_UNREACHABLE:
		text_puts(to,
		    "there is no such socket: the server does not run, or "
		    "listens at another path");
		break;
	case LASTACK_OUTCOME_CONNECT_TIMEOUT:
		text_puts(to,
		    "the server runs and does not accept: it hangs, or has "
		    "too much to do");
		break;
	default:
		break;
	}
}
