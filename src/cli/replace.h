/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that is replaced as a whole: whoever reads it has the old or the new. */
#ifndef REPLACE_H
#define REPLACE_H

#include "text.h"

/* Whether it can be, as far as that can be told. Returns 0, or errno. */
int replace_check(const char *name);

/*
 * By a new file beside it, which is on the disk before it takes the name. A
 * symbolic link is followed. Where it fails the old file stays, and nothing
 * else is left. Returns 0, or errno.
 */
int replace_file(const char *name, const struct text *text);

#endif
