/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line of advice, where the facts allow one and only then: first what was
 * seen, then what it may mean.
 */
#ifndef HINT_H
#define HINT_H

#include "lastack.h"
#include "text.h"

/* Adds nothing where there is nothing to say. */
void hint_add(struct text *to, const struct lastack_result *result);

#endif
