/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The figures behind the "|" of a plugin's line: label=value[unit];warning;
 * critical;min;max. The labels are part of the interface.
 */
#ifndef PERFDATA_H
#define PERFDATA_H

#include "lastack.h"
#include "options.h"
#include "text.h"

/* Of what was measured, the rest is left out; "time" comes first, always. */
void perfdata_add(struct text *to, const struct options *options,
    const struct lastack_result *result);

/* "time" alone: the run ended before it began. */
void perfdata_add_none(struct text *to, const struct options *options);

/* Seconds with six decimals, rounded; in no locale but C's. */
void perfdata_seconds(struct text *to, int64_t ns);

#endif
