/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "figure.h"
#include "text.h"

#define PRINTF_BYTES 64 /* at least, before the first attempt */

static bool
text_grow(struct text *text, size_t more)
{
	size_t room = text->room ? text->room : 1024;
	char *bytes;

	if (text->failed)
		return false;
	while (room - text->len <= more) {
		if (room > SIZE_MAX / 2) {
			text->failed = true;
			return false;
		}
		room *= 2;
	}
	if (room == text->room)
		return true;
	bytes = realloc(text->bytes, room);
	if (bytes == NULL) {
		text->failed = true;
		return false;
	}
	text->bytes = bytes;
	text->room = room;
	return true;
}

void
text_add(struct text *text, const void *bytes, size_t len)
{
	if (!text_grow(text, len))
		return;
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	text->bytes[text->len] = '\0';
}

void
text_puts(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void
text_number(struct text *text, uint64_t number)
{
	char figure[FIGURE_TEXT];

	text_puts(text, figure_number(figure, number));
}

void
text_spaces(struct text *text, size_t count)
{
	if (!text_grow(text, count))
		return;
	memset(text->bytes + text->len, ' ', count);
	text->len += count;
	text->bytes[text->len] = '\0';
}

void
text_left(struct text *text, const char *string, size_t bytes)
{
	size_t len = strlen(string);

	text_add(text, string, len);
	text_spaces(text, len < bytes ? bytes - len : 0);
}

void
text_right(struct text *text, const char *string, size_t bytes)
{
	size_t len = strlen(string);

	text_spaces(text, len < bytes ? bytes - len : 0);
	text_add(text, string, len);
}

void
text_printf(struct text *text, const char *format, ...)
{
	va_list arguments, again;
	int len;

	/* Mostly there is room, and once is enough. */
	if (!text_grow(text, PRINTF_BYTES))
		return;
	va_start(arguments, format);
	va_copy(again, arguments);
	len = vsnprintf(
	    text->bytes + text->len, text->room - text->len, format, arguments);
	if (len < 0)
		text->failed = true;
	else if ((size_t)len < text->room - text->len)
		text->len += (size_t)len;
	else if (text_grow(text, (size_t)len)) {
		vsnprintf(
		    text->bytes + text->len, (size_t)len + 1, format, again);
		text->len += (size_t)len;
	}
	text->bytes[text->len] = '\0';
	va_end(again);
	va_end(arguments);
}

int
text_write(const struct text *text, int fd)
{
	size_t done = 0;

	if (text->failed)
		return ENOMEM;
	while (done < text->len) {
		ssize_t n = write(fd, text->bytes + done, text->len - done);

		if (n == -1 && errno != EINTR)
			return errno;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

const char *
text_string(const struct text *text)
{
	return text->bytes != NULL ? text->bytes : "";
}

void
text_free(struct text *text)
{
	free(text->bytes);
	*text = (struct text)TEXT_INIT;
}
