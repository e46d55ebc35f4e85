/* SPDX-License-Identifier: BSD-2-Clause */
/* A row of the tables in fields.c, and what most of their values are put by. */
#ifndef FIELD_H
#define FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lastack.h"
#include "options.h"
#include "writer.h"

struct place;

struct field {
	const char *name; /* NULL: the end of the table */

	/* Of a value; at: what it has to know of its row. */
	void (*put)(const struct place *place);
	size_t at;

	/* Of an object, which may be null, or of an array's elements. */
	const struct field *members;
	bool (*there)(const struct place *place); /* NULL: always */
	size_t (*count)(const struct place *place);
};

/* On the walk. */
struct place {
	struct writer *writer;
	const struct options *options;
	const struct lastack_result *result;
	const struct field *field;
	size_t index; /* of an array's element, within it */
};

/* clang-format off */
#define VALUE(n, p) { .name = (n), .put = (p) }
#define VALUE_AT(n, p, a) { .name = (n), .put = (p), .at = (a) }
#define MEMBER(n, p, m) \
	VALUE_AT(n, p, offsetof(struct lastack_result, m))
#define END { .name = NULL }
/* clang-format on */

/* ---- of any origin; a string that is NULL is null */

void field_string(const struct place *place, const char *string);

/* Nothing to say is null. The text is freed. */
void field_text(const struct place *place, struct text *text);

void field_number(const struct place *place, uint64_t number);
void field_bool(const struct place *place, bool value);

/* Microseconds, to the nanosecond; null where it was not reached: -1. */
void field_us(const struct place *place, int64_t ns);

/* ---- a member of the result, by its type */

void field_u64(const struct place *place);
void field_u32(const struct place *place);
void field_u32_or_null(const struct place *place); /* 0: there is none */
void field_ns(const struct place *place);
void field_truth(const struct place *place);
void field_end(const struct place *place);
void field_method(const struct place *place);

#endif
