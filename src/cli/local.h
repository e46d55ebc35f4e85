/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of the local side: their values, and why the kernel refused. */
#ifndef LOCAL_H
#define LOCAL_H

#include <stdint.h>

#include "lastack.h"
#include "options.h"
#include "text.h"

/* NULL, or why the value is wrong: a number, or a name of a DSCP. */
const char *local_parse_tos(const char *value, uint8_t *tos);

/* The option that the kernel refused, and what it takes. */
void local_error(struct text *to, const struct options *options,
    const struct lastack_result *result);

#endif
