/* SPDX-License-Identifier: BSD-2-Clause */
/* The page that a text report is written on: its width, its colours. */
#ifndef PAGE_H
#define PAGE_H

#include <stddef.h>

#include "lastack.h"
#include "options.h"
#include "report.h"
#include "text.h"

/* What the columns at the left of every row take. */
#define PAGE_NAME_COLUMNS 11 /* "  receive  " */
#define PAGE_TIME_COLUMNS 9  /* "311.2 us" */

struct page {
	struct text *to;
	const struct options *options;
	const struct lastack_result *result;
	const struct screen *screen;
};

/* code: of SGR (ECMA-48), "0" to end it; nothing where there is no colour. */
void page_color(const struct page *page, const char *code);

/* Columns that a text takes; all of it is of single width here. */
size_t page_columns(const char *bytes, size_t len);

/*
 * Word by word to the end of the line. column: where the string begins;
 * indent: of further lines.
 */
void page_wrap(
    const struct page *page, const char *string, size_t column, size_t indent);

#endif
