/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "page.h"

void
page_color(const struct page *page, const char *code)
{
	if (!page->screen->color)
		return;
	text_puts(page->to, "\033[");
	text_puts(page->to, code);
	text_puts(page->to, "m");
}

size_t
page_columns(const char *bytes, size_t len)
{
	size_t columns = 0;

	for (size_t i = 0; i < len; i++)
		columns += ((unsigned char)bytes[i] & 0xc0) != 0x80;
	return columns;
}

void
page_wrap(
    const struct page *page, const char *string, size_t column, size_t indent)
{
	while (*string != '\0') {
		const char *end = strchr(string, ' ');
		size_t len = end != NULL ? (size_t)(end - string) :
					   strlen(string);
		size_t columns = page_columns(string, len);

		if (column > indent && column + columns > page->screen->width) {
			while (page->to->len > 0 &&
			    page->to->bytes[page->to->len - 1] == ' ')
				page->to->len--;
			text_puts(page->to, "\n");
			text_spaces(page->to, indent);
			column = indent;
		}
		text_add(page->to, string, len);
		column += columns;
		string += len;
		while (*string == ' ') {
			text_puts(page->to, " ");
			column++;
			string++;
		}
	}
	text_puts(page->to, "\n");
}
