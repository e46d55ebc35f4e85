/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>

#include "figure.h"

/* In whole numbers: a decimal comma of some locale has no business here. */
const char *
figure_time(char text[FIGURE_TEXT], int64_t ns)
{
	int64_t us = ns / 1000;

	if (ns < 1000000)
		snprintf(text, FIGURE_TEXT, "%" PRId64 ".%" PRId64 " us", us,
		    ns / 100 % 10);
	else if (us < 1000000)
		snprintf(text, FIGURE_TEXT, "%" PRId64 ".%" PRId64 " ms",
		    us / 1000, us / 100 % 10);
	else if (us < INT64_C(100000000))
		snprintf(text, FIGURE_TEXT, "%" PRId64 ".%02" PRId64 " s",
		    us / 1000000, us / 10000 % 100);
	else
		snprintf(text, FIGURE_TEXT, "%" PRId64 " s", us / 1000000);
	return text;
}

const char *
figure_bytes(char text[FIGURE_TEXT], uint64_t bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB",
		"EB" };
	size_t unit = 0;

	if (bytes < 10000) {
		snprintf(text, FIGURE_TEXT, "%" PRIu64 " B", bytes);
		return text;
	}
	for (; bytes >= 10000000 && unit < 5; unit++)
		bytes /= 1000;
	snprintf(text, FIGURE_TEXT, "%" PRIu64 ".%" PRIu64 " %s", bytes / 1000,
	    bytes / 100 % 10, units[unit]);
	return text;
}
