/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that grows. Memory that runs out is noticed once, at the end. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
void text_number(struct text *text, uint64_t number);
void text_spaces(struct text *text, size_t count);
/* The string and the spaces that it lacks to so many bytes: behind it, before. */
void text_left(struct text *text, const char *string, size_t bytes);
void text_right(struct text *text, const char *string, size_t bytes);

/*
 * For where that is not enough. A report of a run that went well does without:
 * see figure.c.
 */
void text_printf(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* All of it, however many writes that takes. Returns 0, or errno. */
int text_write(const struct text *text, int fd);

/* Never NULL. */
const char *text_string(const struct text *text);
void text_free(struct text *text);

#endif
