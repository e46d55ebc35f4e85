/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The phases of a run as a staircase: one row for each, with a bar that begins
 * where the last one ended, to scale, and what was proven of segments and bytes
 * beside it.
 */
#ifndef STAIRCASE_H
#define STAIRCASE_H

#include "page.h"

void staircase_add(const struct page *page);

#endif
