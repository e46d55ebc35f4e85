/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run comes to: the rooms' instants and counts made into a result. */
#ifndef LASTACK_ACCOUNT_H
#define LASTACK_ACCOUNT_H

#include "probe.h"

/* The phase that the run is in. */
enum lastack_phase lastack__account_phase(const struct lastack_probe *probe);

/* The run is over: fills the result. */
void lastack__account(struct lastack_probe *probe);

#endif
