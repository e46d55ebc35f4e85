/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "intake.h"

#define KEPT_FIRST_BYTES 4096

void
lastack__intake_free(struct lastack__intake *in)
{
	free(in->scratch);
	free(in->kept);
	free(in->carry);
}

bool
lastack__intake_wants(const struct lastack__intake *in)
{
	return in->request->sink != NULL ||
	    in->kept_bytes < in->request->keep_bytes;
}

/* Room at the end of what is kept; false: no memory. */
static bool
intake_grow(struct lastack__intake *in)
{
	size_t size = in->kept_room ? in->kept_room * 2 : KEPT_FIRST_BYTES;
	unsigned char *kept;

	if (in->kept_bytes < in->kept_room)
		return true;
	if (size > in->request->keep_bytes)
		size = in->request->keep_bytes;
	kept = realloc(in->kept, size);
	if (kept == NULL)
		return false;
	in->kept = kept;
	in->kept_room = size;
	return true;
}

unsigned char *
lastack__intake_room(struct lastack__intake *in, size_t *room)
{
	*room = LASTACK__INTAKE_BYTES;
	if (in->kept_bytes < in->request->keep_bytes) {
		if (!intake_grow(in))
			return NULL;
		if (in->kept_room - in->kept_bytes < *room)
			*room = in->kept_room - in->kept_bytes;
		return in->kept + in->kept_bytes;
	}
	if (in->scratch == NULL)
		in->scratch = malloc(LASTACK__INTAKE_BYTES);
	return in->scratch;
}

int
lastack__intake_take(
    struct lastack__intake *in, const unsigned char *data, size_t n)
{
	if (data != in->scratch)
		in->kept_bytes += n;
	if (in->request->sink == NULL)
		return 0;
	return in->request->sink(in->request->sink_context, data, n);
}

size_t
lastack__intake_carried(
    const struct lastack__intake *in, const unsigned char **data)
{
	/* No offset to a null pointer, not even 0. */
	*data = in->carry != NULL ? in->carry + in->carry_begin : NULL;
	return in->carry_end - in->carry_begin;
}

void
lastack__intake_consume(struct lastack__intake *in, size_t n)
{
	in->carry_begin += n;
}

size_t
lastack__intake_space(const struct lastack__intake *in)
{
	return LASTACK__INTAKE_BYTES - (in->carry_end - in->carry_begin);
}

int
lastack__intake_carry(
    struct lastack__intake *in, const unsigned char *data, size_t n)
{
	size_t had = in->carry_end - in->carry_begin;

	if (in->carry == NULL)
		in->carry = malloc(LASTACK__INTAKE_BYTES);
	if (in->carry == NULL || n > LASTACK__INTAKE_BYTES - had)
		return LASTACK_ERROR_MEMORY;
	if (had > 0)
		memmove(in->carry, in->carry + in->carry_begin, had);
	memcpy(in->carry + had, data, n);
	in->carry_begin = 0;
	in->carry_end = had + n;
	return 0;
}
