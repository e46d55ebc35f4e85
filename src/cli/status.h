/* SPDX-License-Identifier: BSD-2-Clause */
/* The exit status: a documented contract, see EXIT STATUS in lastack(1). */
#ifndef STATUS_H
#define STATUS_H

#include "lastack.h"

#define STATUS_USAGE 2
#define STATUS_SYSTEM 13

int status_of(const struct lastack_result *result);

/* Of two, the one to exit with: it never improves once set. */
int status_worse(int status, int other);

#endif
