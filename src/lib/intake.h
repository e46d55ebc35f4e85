/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was read: room for it, what is kept of it, who else takes it, and what
 * the next exchange is to find.
 */
#ifndef LASTACK_INTAKE_H
#define LASTACK_INTAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "request.h"

#define LASTACK__INTAKE_BYTES 65536 /* of one read, and of what is carried */

struct lastack__intake {
	const struct lastack_request *request;
	unsigned char *scratch; /* for what is looked at and not kept */
	unsigned char *kept;
	size_t kept_bytes, kept_room;
	unsigned char *carry; /* read, but behind the end of an exchange */
	size_t carry_begin, carry_end;
};

void lastack__intake_free(struct lastack__intake *intake);

/* Somebody takes the next byte, whatever is expected. */
bool lastack__intake_wants(const struct lastack__intake *intake);

/* Where to read to, at the end of what is kept, or aside; NULL: no memory. */
unsigned char *lastack__intake_room(
    struct lastack__intake *intake, size_t *room);

/* n bytes were read to that room. Returns 0, or the sink's errno. */
int lastack__intake_take(
    struct lastack__intake *intake, const unsigned char *data, size_t n);

/* What is carried; the bytes are valid until the next call. */
size_t lastack__intake_carried(
    const struct lastack__intake *intake, const unsigned char **data);
void lastack__intake_consume(struct lastack__intake *intake, size_t n);

/* How much more can be. */
size_t lastack__intake_space(const struct lastack__intake *intake);
/* Behind what is carried already. 0, or LASTACK_ERROR_MEMORY. */
int lastack__intake_carry(
    struct lastack__intake *intake, const unsigned char *data, size_t n);

#endif
