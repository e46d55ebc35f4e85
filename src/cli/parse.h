/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values of the command line. Each returns NULL and fills its output, or the
 * reason why the value is wrong, and leaves it alone.
 */
#ifndef PARSE_H
#define PARSE_H

#include <stdint.h>

#include "state.h"
#include "text.h"

/* Decimal digits only, from least to most. */
const char *parse_number(
    const char *value, uint64_t least, uint64_t most, uint64_t *number);

/* Decimal, or hexadecimal after 0x; at most most. */
const char *parse_hex_number(
    const char *value, uint64_t most, uint64_t *number);

/* 10, 0.5 (seconds), 500us, 500ms, 2s, 1m; in nanoseconds. */
const char *parse_time(const char *value, int64_t *ns);

/* A time of more than 0, and perhaps ":" and a state. */
const char *parse_timeout(const char *value, int64_t *ns, enum state *state);

/* A number from 1 to 65535, or the name of a TCP service. */
const char *parse_port(const char *value, uint16_t *port);

/*
 * HOST:PORT or [ADDRESS]:PORT. The host is copied into host, a buffer of
 * host_room bytes. Two colons and no brackets are an address without a port.
 */
const char *parse_target(
    const char *value, char *host, size_t host_room, uint16_t *port);

/*
 * ADDRESS, ADDRESS:PORT or :PORT, an IPv6 address in brackets where it has a
 * port. The address, "" if none is given, is copied into a buffer of room
 * bytes; the port is 0 if none is given. Whether it is an address is not
 * looked at.
 */
const char *parse_endpoint(
    const char *value, char *address, size_t room, uint16_t *port);

/* Appends: \r \n \t \\ \0 \xHH stand for bytes. */
const char *parse_escaped(const char *value, struct text *bytes);

/*
 * Appends a regular expression: \r \n \t \xHH stand for bytes, which then mean
 * themselves; any other backslash is the expression's own.
 */
const char *parse_regex(const char *value, struct text *expression);

/* Appends: pairs of hexadecimal digits, with spaces between them. */
const char *parse_hex(const char *value, struct text *bytes);

#endif
