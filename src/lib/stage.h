/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stages of a run, each of which hands over to the next: resolve, connect,
 * exchange, end.
 */
#ifndef LASTACK_STAGE_H
#define LASTACK_STAGE_H

#include "probe.h"

/* What an epoll event is about. */
enum lastack__watched {
	LASTACK__WATCHED_LOOKUP,
	LASTACK__WATCHED_SOCKET,
	LASTACK__WATCHED_STREAM, /* of the payload */
	LASTACK__WATCHED_SINK,
};

/* What can be done before the clock starts. */
void lastack__stage_prepare(struct lastack_probe *probe);

/* The first stage. 0, or LASTACK_ERROR_*. */
int lastack__stage_begin(struct lastack_probe *probe);

/* Once more, for the next address. 0, or LASTACK_ERROR_MEMORY. */
int lastack__stage_again(struct lastack_probe *probe);

/* As far as the present stage goes without waiting. */
void lastack__stage_step(struct lastack_probe *probe);

/*
 * The deadline or a signal ends every stage but the last, in its own way: with
 * that outcome, or with the stage's own for NONE.
 */
void lastack__stage_cut_short(
    struct lastack_probe *probe, enum lastack_outcome late, int error);

#endif
