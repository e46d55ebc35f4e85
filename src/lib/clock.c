/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <time.h>

#include "clock.h"

int64_t
lastack__clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t
lastack__clock_add(int64_t instant_ns, int64_t span_ns)
{
	if (span_ns > LASTACK__NEVER - instant_ns)
		return LASTACK__NEVER;
	return instant_ns + span_ns;
}
