/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges as the guidelines of the Monitoring Plugins have them: [@]START:END.
 * "10" is 0:10; "10:" has no end; "~:10" has no start; a value outside alerts,
 * and with "@" one inside. The bounds belong to both.
 *
 * Values and bounds are whole billionths, so that 0.3 is exactly that: of a
 * second, nanoseconds.
 */
#ifndef RANGE_H
#define RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

#define RANGE_NO_START INT64_MIN
#define RANGE_NO_END INT64_MAX

/* Zero is no range at all, which never alerts. */
struct range {
	bool given;
	bool inside; /* "@" */
	int64_t start, end;
};

/* NULL, or the reason why it is none; the range is then left alone. */
const char *range_parse(const char *value, struct range *range);

bool range_alerts(const struct range *range, int64_t value);

/* As it may be parsed again, with so many decimals at least. None: nothing. */
void range_print(struct text *to, const struct range *range, int decimals);

#endif
