/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the response must contain, and what it must not. Strings are followed
 * through the stream by the Knuth-Morris-Pratt automaton: no byte is kept for
 * them. For patterns a window of the last bytes is. Where a read ends does not
 * matter for either.
 */
#ifndef LASTACK_EXPECT_H
#define LASTACK_EXPECT_H

#include <stdbool.h>
#include <stddef.h>

#include "pattern.h"

struct lastack__needle {
	unsigned char *bytes;
	size_t len;	  /* 0: any byte at all */
	size_t *fallback; /* how much still matches after a mismatch */
	struct lastack__pattern *pattern; /* instead of bytes */
	bool unwanted;			  /* must not appear */
};

struct lastack__expect {
	struct lastack__needle *needles;
	size_t count;
	size_t wanted; /* of these */
	bool patterns; /* there are some */
	bool all;
	bool at_start; /* the strings, and nowhere else */
};

/* 0, or LASTACK_ERROR_*. */
int lastack__expect_add(
    struct lastack__expect *expect, const void *data, size_t len);
int lastack__expect_add_unwanted(
    struct lastack__expect *expect, const void *data, size_t len);
int lastack__expect_add_pattern(
    struct lastack__expect *expect, const char *pattern);
void lastack__expect_free(struct lastack__expect *expect);

struct lastack__matcher {
	const struct lastack__expect *expect;
	size_t *matched; /* per needle: bytes that match, FOUND or LOST */
	size_t left;	 /* wanted needles not found yet */
	bool met;	 /* the response satisfies, whatever else comes */
	bool failed;	 /* it never will: what must not appear did, or what it
			    must begin with is not there */
	int which;	 /* the needle that decided, or -1 */
	struct lastack__window window;
};

int lastack__matcher_begin(
    struct lastack__matcher *matcher, const struct lastack__expect *expect);

/* Whether the next bytes can still change the verdict. */
bool lastack__matcher_looks(const struct lastack__matcher *matcher);

/*
 * At most LASTACK__WINDOW_BYTES / 2. Sets *taken to how many of the bytes the
 * decision took: all, until decided. 0, or LASTACK_ERROR_MEMORY.
 */
int lastack__matcher_feed(struct lastack__matcher *matcher,
    const unsigned char *data, size_t len, size_t *taken);

/* The response is complete: what can be decided only now. */
void lastack__matcher_finish(struct lastack__matcher *matcher);

/* The first wanted needle that was not found; -1 if there is none. */
int lastack__matcher_missing(const struct lastack__matcher *matcher);

/* Of the pattern that was found: as lastack__pattern_groups(). */
size_t lastack__matcher_groups(const struct lastack__matcher *matcher,
    struct lastack__span spans[LASTACK__GROUPS_MAX]);

void lastack__matcher_free(struct lastack__matcher *matcher);

#endif
