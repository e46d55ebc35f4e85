/* SPDX-License-Identifier: BSD-2-Clause */
/* A target that is a Unix stream socket: unix:/path, unix:@name. */
#ifndef PATH_H
#define PATH_H

#include "lastack.h"
#include "options.h"
#include "text.h"

/* The path in a target; NULL: that is of a host. */
const char *path_of(const char *target);

/* An option is given that only TCP has. */
enum options_result path_check(
    const struct options *options, struct text *text);

/* The words of the verdict and the hint, where TCP's would not do. */
void path_error_connect(struct text *to, const struct lastack_result *result);
void path_error_reset(struct text *to, const struct lastack_result *result);
void path_close(struct text *to, const struct lastack_result *result);
void path_hint(struct text *to, const struct lastack_result *result);

#endif
