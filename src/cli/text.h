/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that grows. Memory that runs out is noticed once, at the end. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *bytes; /* owned; NUL-terminated once anything was added */
	size_t len, room;
	bool failed;
};

#define TEXT_INIT                                                              \
	{                                                                      \
		.bytes = NULL                                                  \
	}

void text_add(struct text *text, const void *bytes, size_t len);
void text_puts(struct text *text, const char *string);
void text_printf(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Never NULL. */
const char *text_string(const struct text *text);
void text_free(struct text *text);

#endif
