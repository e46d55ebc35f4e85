/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the response must contain. Each expectation is followed through the
 * stream by the Knuth-Morris-Pratt automaton: no byte is kept for it, and where
 * a read ends does not matter.
 */
#ifndef LASTACK_EXPECT_H
#define LASTACK_EXPECT_H

#include <stdbool.h>
#include <stddef.h>

struct lastack__needle {
	unsigned char *bytes;
	size_t len;	  /* 0: any byte at all */
	size_t *fallback; /* how much still matches after a mismatch */
};

struct lastack__expect {
	struct lastack__needle *needles;
	size_t count;
	bool all;
};

/* 0, or LASTACK_ERROR_*. */
int lastack__expect_add(
    struct lastack__expect *expect, const void *data, size_t len);
void lastack__expect_free(struct lastack__expect *expect);

struct lastack__matcher {
	const struct lastack__expect *expect;
	size_t *matched; /* per needle: bytes that match, or FOUND */
	size_t left;	 /* needles not found yet */
	bool decided;	 /* the response satisfies */
	int which;	 /* the needle that decided an "any", or -1 */
};

int lastack__matcher_begin(
    struct lastack__matcher *matcher, const struct lastack__expect *expect);
/* Returns how many of the bytes the decision took: all, until decided. */
size_t lastack__matcher_feed(
    struct lastack__matcher *matcher, const unsigned char *data, size_t len);
/* The first needle that was not found; -1 if there is none. */
int lastack__matcher_missing(const struct lastack__matcher *matcher);
void lastack__matcher_free(struct lastack__matcher *matcher);

#endif
