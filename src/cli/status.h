/* SPDX-License-Identifier: BSD-2-Clause */
/* The exit status: a documented contract, see EXIT STATUS in lastack(1). */
#ifndef STATUS_H
#define STATUS_H

#include "lastack.h"
#include "options.h"

#define STATUS_USAGE 2
#define STATUS_SLOW 12
#define STATUS_SYSTEM 13

/* The library's outcome, and what --warning and --critical make of it. */
int status_of(
    const struct options *options, const struct lastack_result *result);

/* The word for it: "slow", or the library's. */
const char *status_outcome(
    const struct options *options, const struct lastack_result *result);

/* Of what went wrong here, before or after the run. */
int status_local(const struct options *options);

/* Of two, the one to exit with: it never improves once set. */
int status_worse(int status, int other);

#endif
