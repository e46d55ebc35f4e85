/* SPDX-License-Identifier: BSD-2-Clause */
/* What a field that does not exist may have been meant for. */
#ifndef NEAR_H
#define NEAR_H

#include "text.h"

/*
 * Adds the paths that are near to this one, the nearest first, at most four,
 * with commas between them; nothing where there are none.
 */
void near_fields(struct text *to, const char *path);

#endif
