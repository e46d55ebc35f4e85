/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a walk over the report's fields (fields.h) is written with: one row of
 * functions for each format.
 */
#ifndef WRITER_H
#define WRITER_H

#include <stddef.h>

#include "text.h"

enum writer_shape {
	WRITER_OBJECT,
	WRITER_ARRAY,
};

struct writer;

/* name: of a member of an object; NULL where it is none. */
struct writer_format {
	void (*open)(
	    struct writer *writer, const char *name, enum writer_shape shape);
	void (*close)(struct writer *writer, enum writer_shape shape);
	void (*null)(struct writer *writer, const char *name);

	/* A number, true or false, the same in every format and locale. */
	void (*word)(struct writer *writer, const char *name, const char *word);

	/* Ours, the user's or the system's, a server's bytes escaped in it. */
	void (*string)(
	    struct writer *writer, const char *name, const char *string);

	/* As they came from the server. */
	void (*bytes)(struct writer *writer, const char *name,
	    const void *bytes, size_t len);
};

struct writer {
	const struct writer_format *format;
	struct text *to;
};

extern const struct writer_format writer_json;

/*
 * Without names, for one value: null is nothing, a string is made harmless for
 * a line, and an object or an array is JSON.
 */
extern const struct writer_format writer_plain;

#endif
