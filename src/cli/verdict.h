/* SPDX-License-Identifier: BSD-2-Clause */
/* The sentences: what happened, in plain words. */
#ifndef VERDICT_H
#define VERDICT_H

#include "lastack.h"
#include "options.h"
#include "text.h"

/* How the connection ended, and why we ended it so; empty if there was none. */
void verdict_close(struct text *to, const struct options *options,
    const struct lastack_result *result);

/* What went wrong; empty if nothing did. */
void verdict_error(struct text *to, const struct options *options,
    const struct lastack_result *result);

/* What became of Fast Open, why, and what to do; empty if not asked for. */
void verdict_fastopen(struct text *to, const struct options *options,
    const struct lastack_result *result);

/* The error and the close in one sentence. */
void verdict_summary(struct text *to, const struct options *options,
    const struct lastack_result *result);

#endif
