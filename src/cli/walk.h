/* SPDX-License-Identifier: BSD-2-Clause */
/* The one walk over the report's fields, for every format that has them. */
#ifndef WALK_H
#define WALK_H

#include "lastack.h"
#include "options.h"
#include "writer.h"

/* All of them, as one object. */
void walk_report(struct writer *writer, const struct options *options,
    const struct lastack_result *result);

#endif
