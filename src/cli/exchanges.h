/* SPDX-License-Identifier: BSD-2-Clause */
/* The exchanges of a conversation, for the text report: a line for each. */
#ifndef EXCHANGES_H
#define EXCHANGES_H

#include "lastack.h"
#include "options.h"
#include "text.h"

/* How many lines: none where there is but one exchange. */
size_t exchanges_lines(
    const struct options *options, const struct lastack_result *result);

/* "14 B sent, 112 B received after 0.40 ms, 'PONG' found" */
void exchanges_tell(struct text *to, const struct options *options,
    const struct lastack_result *result, size_t index);

/* "'220 mail' is a match of '^220 (.*)', group 1 is 'mail'"; or nothing. */
void exchanges_groups(struct text *to, const struct options *options,
    const struct lastack_result *result);

#endif
