/* SPDX-License-Identifier: BSD-2-Clause */
/* Time, as every deadline of the library means it. */
#ifndef LASTACK_CLOCK_H
#define LASTACK_CLOCK_H

#include <stdint.h>

#define LASTACK__NEVER INT64_MAX

/* An instant of CLOCK_MONOTONIC in nanoseconds. */
int64_t lastack__clock_now_ns(void);

/* instant + span, no further than LASTACK__NEVER. */
int64_t lastack__clock_add(int64_t instant_ns, int64_t span_ns);

#endif
