/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much has to come before we are woken, while nobody looks at it: the
 * low-water mark of socket(7), SO_RCVLOWAT. Discarding costs next to nothing,
 * being woken for each segment does.
 *
 * What stays below the mark is not announced, so it is looked for after a
 * millisecond, and at every wake-up: no time that is told is later than the
 * truth by more than that. The peer's FIN or RST wakes us at once, as ever.
 */
#ifndef LASTACK_PACE_H
#define LASTACK_PACE_H

#include <stddef.h>
#include <stdint.h>

struct lastack__socket;

struct lastack__pace {
	size_t mark_bytes; /* 0: the kernel's own, a single byte */
	int64_t look_ns;   /* the instant to look, where there is a mark */
};

/*
 * Nobody looks at the next most bytes, and what came since the last time was
 * that many: sets the mark for what comes.
 */
void lastack__pace_go(struct lastack__socket *socket, uint64_t came_bytes,
    uint64_t most_bytes, int64_t now_ns);

/* Somebody looks. */
void lastack__pace_stop(struct lastack__socket *socket);

/* After a wait, for whatever reason it ended. */
void lastack__pace_wake(struct lastack__socket *socket);

/* The earlier of the two: what else is waited for, and the look. */
int64_t lastack__pace_timer(
    const struct lastack__socket *socket, int64_t timer_ns);

#endif
