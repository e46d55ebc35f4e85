/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include "events.h"

size_t
events_in_order(const struct lastack_result *result,
    enum lastack_event events[LASTACK_EVENT_COUNT])
{
	size_t count = 0;

	for (unsigned int event = 0; event < LASTACK_EVENT_COUNT; event++) {
		int64_t at = lastack_result_event_ns(result, event);
		size_t i = count;

		if (at == -1)
			continue;
		for (; i > 0 &&
		     lastack_result_event_ns(result, events[i - 1]) > at;
		     i--)
			events[i] = events[i - 1];
		events[i] = event;
		count++;
	}
	return count;
}
