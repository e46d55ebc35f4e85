/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "figure.h"

#define DIGITS_MOST 20 /* of 64 bits */

/*
 * By hand: printf(3) would take longer to load into a fresh process than the
 * rest of a report to write. Returns the end.
 */
static char *
put_number(char *to, uint64_t number, size_t least_digits)
{
	char digits[DIGITS_MOST];
	size_t count = 0;

	for (; number > 0 || count < least_digits; number /= 10)
		digits[count++] = (char)('0' + number % 10);
	while (count > 0)
		*to++ = digits[--count];
	*to = '\0';
	return to;
}

/* No comma: one of some locale has no business here. */
static const char *
put_fraction(char *text, uint64_t whole, uint64_t part, size_t part_digits,
    const char *unit)
{
	char *end = put_number(text, whole, 1);

	*end++ = '.';
	strcpy(put_number(end, part, part_digits), unit);
	return text;
}

const char *
figure_number(char text[FIGURE_TEXT], uint64_t number)
{
	put_number(text, number, 1);
	return text;
}

const char *
figure_time(char text[FIGURE_TEXT], int64_t ns)
{
	uint64_t tenths_us = (uint64_t)(ns > 0 ? ns : 0) / 100;
	uint64_t ms = tenths_us / 10000;

	if (ms == 0)
		return put_fraction(
		    text, tenths_us / 10, tenths_us % 10, 1, " us");
	if (ms < 1000)
		return put_fraction(text, ms, tenths_us / 1000 % 10, 1, " ms");
	if (ms < 100000)
		return put_fraction(text, ms / 1000, ms / 10 % 100, 2, " s");
	strcpy(put_number(text, ms / 1000, 1), " s");
	return text;
}

const char *
figure_bytes(char text[FIGURE_TEXT], uint64_t bytes)
{
	static const char units[][4] = { " kB", " MB", " GB", " TB", " PB",
		" EB" };
	size_t unit = 0;

	if (bytes < 10000) {
		strcpy(put_number(text, bytes, 1), " B");
		return text;
	}
	for (; bytes >= 10000000 && unit < 5; unit++)
		bytes /= 1000;
	return put_fraction(
	    text, bytes / 1000, bytes / 100 % 10, 1, units[unit]);
}
