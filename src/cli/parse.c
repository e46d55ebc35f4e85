/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lastack.h"
#include "parse.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

const char *
parse_number(const char *value, uint64_t least, uint64_t most, uint64_t *number)
{
	uint64_t sum = 0;

	if (*value == '\0')
		return "empty, a number is needed";
	for (const char *c = value; *c != '\0'; c++) {
		if (!is_digit(*c))
			return "not a number";
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, *c - '0', &sum))
			return "too large";
	}
	if (sum < least)
		return "too small";
	if (sum > most)
		return "too large";
	*number = sum;
	return NULL;
}

static const struct {
	const char *name;
	int64_t ns;
} units[] = {
	{ "", INT64_C(1000000000) },
	{ "s", INT64_C(1000000000) },
	{ "ms", 1000000 },
	{ "us", 1000 },
	{ "m", INT64_C(60000000000) },
};

static int64_t
unit_of(const char *name)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(units[i].name, name) == 0)
			return units[i].ns;
	return 0;
}

static const char *
skip_digits(const char *value)
{
	while (*value >= '0' && *value <= '9')
		value++;
	return value;
}

/* By hand, for strtod() takes its decimal point from the locale. */
const char *
parse_time(const char *value, int64_t *ns)
{
	const char *point = skip_digits(value);
	const char *end = point;
	int64_t unit, sum = 0, part;

	if (*point == '.')
		end = skip_digits(point + 1);
	if (end == value || (end == value + 1 && *value == '.'))
		return "not a time such as 10, 0.5, 500us, 500ms, 2s or 1m";
	unit = unit_of(end);
	if (unit == 0)
		return "not a time such as 10, 0.5, 500us, 500ms, 2s or 1m";
	for (const char *c = value; c < point; c++) {
		sum = sum * 10 + (*c - '0') * unit;
		if (sum > LASTACK_TIME_MAX_NS)
			return "longer than a year";
	}
	part = unit;
	for (const char *c = point + 1; c < end; c++) {
		part /= 10;
		sum += (*c - '0') * part;
	}
	if (sum > LASTACK_TIME_MAX_NS)
		return "longer than a year";
	*ns = sum;
	return NULL;
}

const char *
parse_timeout(const char *value, int64_t *ns, enum state *state)
{
	size_t len = strcspn(value, ":");
	const char *reason;
	enum state taken = *state;
	int64_t time_ns;
	char time[64];

	if (len >= sizeof(time))
		return "too long for a time";
	memcpy(time, value, len);
	time[len] = '\0';
	reason = parse_time(time, &time_ns);
	if (reason == NULL && time_ns == 0)
		reason = "it must be more than 0";
	if (reason == NULL && value[len] == ':')
		reason = state_parse_any(value + len + 1, &taken);
	if (reason != NULL)
		return reason;
	*ns = time_ns;
	*state = taken;
	return NULL;
}

const char *
parse_port(const char *value, uint16_t *port)
{
	const struct servent *service;
	uint64_t number;

	if (*value == '\0')
		return "empty, a port is needed";
	if (*skip_digits(value) == '\0') {
		if (parse_number(value, 1, 65535, &number) != NULL)
			return "not a port from 1 to 65535";
		*port = (uint16_t)number;
		return NULL;
	}
	service = getservbyname(value, "tcp");
	if (service == NULL)
		return "neither a port from 1 to 65535 nor a TCP service";
	*port = ntohs((uint16_t)service->s_port);
	return NULL;
}

const char *
parse_target(const char *value, char *host, size_t host_room, uint16_t *port)
{
	const char *begin = value, *end, *colon;
	const char *reason;

	if (*value == '[') {
		begin = value + 1;
		end = strchr(begin, ']');
		if (end == NULL)
			return "the bracket is not closed";
		if (end[1] != ':')
			return "no port is given";
		colon = end + 1;
	} else {
		end = colon = strchr(value, ':');
		if (colon == NULL || strchr(colon + 1, ':') != NULL)
			return "no port is given";
	}
	if (begin == end)
		return "no host is given";
	if ((size_t)(end - begin) >= host_room)
		return "the host is too long";
	reason = parse_port(colon + 1, port);
	if (reason != NULL)
		return reason;
	memcpy(host, begin, (size_t)(end - begin));
	host[end - begin] = '\0';
	return NULL;
}

/* Where the address ends, and at *rest what follows it; NULL: unbalanced. */
static const char *
endpoint_end(const char *value, const char **rest)
{
	const char *end = strchr(value, *value == '[' ? ']' : ':');

	if (*value == '[') {
		*rest = end != NULL ? end + 1 : NULL;
		return end;
	}
	/* Two colons and no brackets: an address without a port. */
	if (end == NULL || strchr(end + 1, ':') != NULL)
		end = value + strlen(value);
	*rest = end;
	return end;
}

const char *
parse_endpoint(const char *value, char *address, size_t room, uint16_t *port)
{
	const char *rest, *end = endpoint_end(value, &rest);
	const char *begin = *value == '[' ? value + 1 : value;
	const char *reason = NULL;
	uint16_t number = 0;

	if (end == NULL)
		return "the bracket is not closed";
	if (*rest != '\0' && *rest != ':')
		return "no port follows the bracket";
	if (begin == end && (*rest == '\0' || *value == '['))
		return "no address is given";
	if ((size_t)(end - begin) >= room)
		return "not an address";
	if (*rest == ':')
		reason = parse_port(rest + 1, &number);
	if (reason != NULL)
		return reason;
	memcpy(address, begin, (size_t)(end - begin));
	address[end - begin] = '\0';
	*port = number;
	return NULL;
}

static int
hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Two digits at c; -1 if they are not there. */
static int
hex_pair(const char *c)
{
	int high = hex_digit(c[0]);
	int low = high == -1 ? -1 : hex_digit(c[1]);

	return low == -1 ? -1 : high << 4 | low;
}

const char *
parse_hex_number(const char *value, uint64_t most, uint64_t *number)
{
	uint64_t sum = 0;

	if (value[0] != '0' || (value[1] != 'x' && value[1] != 'X'))
		return parse_number(value, 0, most, number);
	value += 2;
	if (*value == '\0')
		return "not a number";
	for (; *value != '\0'; value++) {
		int digit = hex_digit(*value);

		if (digit == -1)
			return "not a number";
		if (sum > UINT64_MAX >> 4)
			return "too large";
		sum = sum << 4 | (unsigned int)digit;
	}
	if (sum > most)
		return "too large";
	*number = sum;
	return NULL;
}

const char *
parse_escaped(const char *value, struct text *bytes)
{
	for (const char *c = value; *c != '\0'; c++) {
		int byte = (unsigned char)*c;

		if (*c == '\\') {
			switch (*++c) {
			case 'r':
				byte = '\r';
				break;
			case 'n':
				byte = '\n';
				break;
			case 't':
				byte = '\t';
				break;
			case '\\':
				break;
			case '0':
				byte = 0;
				break;
			case 'x':
				byte = hex_pair(c + 1);
				if (byte == -1)
					return "\\x needs two hexadecimal "
					       "digits";
				c += 2;
				break;
			case '\0':
				return "it ends in a backslash";
			default:
				return "it has an escape other than "
				       "\\r \\n \\t \\\\ \\0 \\xHH";
			}
		}
		text_add(bytes, &(unsigned char){ (unsigned char)byte }, 1);
	}
	return bytes->failed ? "out of memory" : NULL;
}

static void
add_literal(struct text *expression, int byte)
{
	char c = (char)byte;

	if (strchr("\\.[]()*+?{}|^$", c) != NULL)
		text_puts(expression, "\\");
	text_add(expression, &c, 1);
}

const char *
parse_regex(const char *value, struct text *expression)
{
	for (const char *c = value; *c != '\0'; c++) {
		int byte;

		if (*c != '\\') {
			text_add(expression, c, 1);
			continue;
		}
		switch (*++c) {
		case 'r':
			text_puts(expression, "\r");
			break;
		case 'n':
			text_puts(expression, "\n");
			break;
		case 't':
			text_puts(expression, "\t");
			break;
		case 'x':
			byte = hex_pair(c + 1);
			if (byte == -1)
				return "\\x needs two hexadecimal digits";
			if (byte == 0)
				return "a NUL cannot be part of it";
			add_literal(expression, byte);
			c += 2;
			break;
		case '\0':
			return "it ends in a backslash";
		default:
			text_add(expression, c - 1, 2);
		}
	}
	return expression->failed ? "out of memory" : NULL;
}

const char *
parse_hex(const char *value, struct text *bytes)
{
	for (const char *c = value; *c != '\0'; c++) {
		int byte;

		if (*c == ' ')
			continue;
		byte = hex_pair(c);
		if (byte == -1)
			return "not pairs of hexadecimal digits";
		text_add(bytes, &(unsigned char){ (unsigned char)byte }, 1);
		c++;
	}
	return bytes->failed ? "out of memory" : NULL;
}
