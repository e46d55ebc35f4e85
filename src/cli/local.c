/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <strings.h>

#include "escape.h"
#include "local.h"
#include "parse.h"

/* The registry of RFC 2474, 2597, 3246, 5865 and 8622; upper six bits. */
#define DSCP(name, value)                                                      \
	{                                                                      \
		name, (value) << 2                                             \
	}

static const struct {
	const char *name;
	uint8_t tos;
} names[] = {
	DSCP("CS0", 0),
	DSCP("CS1", 8),
	DSCP("CS2", 16),
	DSCP("CS3", 24),
	DSCP("CS4", 32),
	DSCP("CS5", 40),
	DSCP("CS6", 48),
	DSCP("CS7", 56),
	DSCP("AF11", 10),
	DSCP("AF12", 12),
	DSCP("AF13", 14),
	DSCP("AF21", 18),
	DSCP("AF22", 20),
	DSCP("AF23", 22),
	DSCP("AF31", 26),
	DSCP("AF32", 28),
	DSCP("AF33", 30),
	DSCP("AF41", 34),
	DSCP("AF42", 36),
	DSCP("AF43", 38),
	DSCP("EF", 46),
	DSCP("VA", 44),
	DSCP("LE", 1),
};

const char *
local_parse_tos(const char *value, uint8_t *tos)
{
	uint64_t number;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(names[i].name, value) == 0) {
			*tos = names[i].tos;
			return NULL;
		}
	}
	if (parse_hex_number(value, UINT64_MAX, &number) != NULL)
		return "neither a number nor a name such as AF21, CS1, EF or "
		       "LE";
	if (number > UINT8_MAX)
		return "more than 255";
	if ((number & LASTACK_TOS_ECN) != 0)
		return "its two low bits are ECN, which is TCP's own";
	*tos = (uint8_t)number;
	return NULL;
}

static const char *
source_advice(int error)
{
	switch (error) {
	case EADDRNOTAVAIL:
		return "not an address of this machine, or the port is in use "
		       "for this target";
	case EADDRINUSE:
		return "another socket has that port";
	case EACCES:
		return "a port as low as that takes the capability "
		       "CAP_NET_BIND_SERVICE";
	case EAFNOSUPPORT:
		return "the target has no address of its family";
	case EINVAL:
		return "there is no way from that address to the target";
	default:
		return NULL;
	}
}

static const char *
advice(enum lastack_local refused, int error)
{
	switch (refused) {
	case LASTACK_LOCAL_SOURCE:
		return source_advice(error);
	case LASTACK_LOCAL_INTERFACE:
		return error == EPERM ?
		    "on this kernel it takes the capability CAP_NET_RAW" :
		    NULL;
	case LASTACK_LOCAL_MARK:
		return error == EPERM ?
		    "it takes the capability CAP_NET_ADMIN" :
		    NULL;
	default:
		return NULL;
	}
}

void
local_error(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	const struct {
		const char *option, *value;
	} refused[] = {
		[LASTACK_LOCAL_SOURCE] = { "--source", o->source },
		[LASTACK_LOCAL_INTERFACE] = { "--interface", o->interface },
		[LASTACK_LOCAL_MARK] = { "--mark", o->mark_text },
		[LASTACK_LOCAL_TOS] = { "--tos", o->tos_text },
	};
	const char *more = advice(result->error_local, result->error_errno);

	text_printf(to, "%s: '", refused[result->error_local].option);
	escape_word(to, refused[result->error_local].value);
	text_printf(to, "': %s%s%s", lastack_result_error_text(result),
	    more != NULL ? ": " : "", more != NULL ? more : "");
}
