/* SPDX-License-Identifier: BSD-2-Clause */
/* What every test program has in common. */
#ifndef SUITE_H
#define SUITE_H

#include <check.h>

/* Runs the tests, under that name. Returns what main() has to. */
int suite_run(TCase *tests, const char *name);

#endif
