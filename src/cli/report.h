/* SPDX-License-Identifier: BSD-2-Clause */
/* The report: one file for each format, one write for the whole. */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>

#include "lastack.h"
#include "options.h"
#include "text.h"

/* Where a text report is to be read. */
struct screen {
	unsigned int width; /* columns, 40 to 200 */
	bool utf8;
	bool color;
};

void report_text(struct text *to, const struct options *options,
    const struct lastack_result *result, const struct screen *screen);

void report_json(struct text *to, const struct options *options,
    const struct lastack_result *result);

void report_prometheus(struct text *to, const struct options *options,
    const struct lastack_result *result);

void report_write_out(struct text *to, const struct options *options,
    const struct lastack_result *result);

void report_nagios(struct text *to, const struct options *options,
    const struct lastack_result *result);

/*
 * To --output-report; or to standard output, or to standard error where the
 * response went to the former. Returns 0, or errno.
 */
int report_print(
    const struct options *options, const struct lastack_result *result);

#endif
