/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EVENTS_H
#define EVENTS_H

#include <stddef.h>

#include "lastack.h"

/* The events that happened, in time order. Returns how many. */
size_t events_in_order(const struct lastack_result *result,
    enum lastack_event events[LASTACK_EVENT_COUNT]);

#endif
