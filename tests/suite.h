/* SPDX-License-Identifier: BSD-2-Clause */
/* What every test program has in common. */
#ifndef SUITE_H
#define SUITE_H

#include <check.h>
#include <stdbool.h>

/* Every process starts slowly, and with system calls that are not ours. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

/*
 * For what is looked at thousands of times: ck_assert() makes system calls each
 * time that it holds.
 */
#define ensure(condition)                                                      \
	do {                                                                   \
		if (!(condition))                                              \
			ck_abort_msg("not so: %s", #condition);                \
	} while (0)

/* Runs the tests, under that name. Returns what main() has to. */
int suite_run(TCase *tests, const char *name);

/* For rand_r(): what SEED says, or another each time. It is printed. */
unsigned int suite_seed(void);

#endif
