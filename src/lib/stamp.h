/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the first byte of the response reached this machine, by the kernel's
 * receive stamp: nearer to the wire than any clock that is read after a wake-up.
 */
#ifndef LASTACK_STAMP_H
#define LASTACK_STAMP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The two clocks side by side: stamps are of CLOCK_REALTIME, all else is not. */
struct lastack__clocks {
	int64_t offset_ns; /* REALTIME less MONOTONIC */
};

void lastack__stamp_clocks(struct lastack__clocks *clocks);

/*
 * Asks for stamps. The kernel switches them on a moment later (a work item), so
 * the first segments of a fast peer may come without.
 */
void lastack__stamp_ask(int fd);

/*
 * Gives that moment away. To switch them on the kernel patches its own code,
 * unless others have stamps already: where processors are slow to wake each
 * other, as in a virtual machine, it takes a millisecond, and whoever shares the
 * processor with it stands still.
 */
void lastack__stamp_settle(void);

/*
 * As recv(), with the stamp of the last segment that it took from, an instant
 * of CLOCK_MONOTONIC; -1: none. data NULL: discards.
 */
ssize_t lastack__stamp_receive(int fd, void *data, size_t len,
    const struct lastack__clocks *clocks, int64_t *stamp_ns);

#endif
