/* SPDX-License-Identifier: BSD-2-Clause */
/* The one walk over the report's fields, for every format that has them. */
#ifndef WALK_H
#define WALK_H

#include <stdbool.h>

#include "lastack.h"
#include "options.h"
#include "writer.h"

/* All of them, as one object. */
void walk_report(struct writer *writer, const struct options *options,
    const struct lastack_result *result);

/* Whether there is a field of that path: "close.peer", "attempts.0.address". */
bool walk_knows(const char *path);

/*
 * It alone, without a name; null where what it is a part of is not there. The
 * path is known.
 */
void walk_field(struct writer *writer, const struct options *options,
    const struct lastack_result *result, const char *path);

#endif
