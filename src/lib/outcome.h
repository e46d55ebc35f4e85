/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run that came to its end is worth: the outcome, where none is set. */
#ifndef LASTACK_OUTCOME_H
#define LASTACK_OUTCOME_H

#include "probe.h"

/* The exchange ended by itself. */
void lastack__outcome_of_exchange(struct lastack_probe *probe);

/* The connection is closed: Fast Open, and the peer's end, as demanded. */
void lastack__outcome_of_close(struct lastack_probe *probe);

#endif
