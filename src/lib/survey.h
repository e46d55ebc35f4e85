/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every address of a name, each with the whole request, one after another: a
 * row for each, and the result of the worst.
 */
#ifndef LASTACK_SURVEY_H
#define LASTACK_SURVEY_H

#include "probe.h"

/* The state of one connection, as it is before the first. */
void lastack__survey_begin(struct lastack_probe *probe);

/*
 * The connection is over and accounted for. Where another address is to be
 * probed the stage is that of its handshake, or over again; else the result is
 * the final one.
 */
void lastack__survey_next(struct lastack_probe *probe);

#endif
