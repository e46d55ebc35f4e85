/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A POSIX extended regular expression against a stream. '^' is the beginning of
 * the response, '$' its end, '.' any byte but NUL, and [^a] any byte but a.
 * Where the C library lacks REG_STARTEND, a match does not go over a NUL.
 */
#ifndef LASTACK_PATTERN_H
#define LASTACK_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#define LASTACK__WINDOW_BYTES 131072
#define LASTACK__GROUPS_MAX 10 /* the match itself and its groups 1 to 9 */

struct lastack__pattern;

/* 0, LASTACK_ERROR_ARGUMENT (not an expression) or LASTACK_ERROR_MEMORY. */
int lastack__pattern_new(const char *text, struct lastack__pattern **pattern);
void lastack__pattern_free(struct lastack__pattern *pattern); /* takes NULL */

/* The last bytes of a response. */
struct lastack__window {
	unsigned char *bytes; /* owned; NULL: not begun */
	size_t len;
	bool moved; /* its first byte is not the response's any more */
	bool over;  /* its last byte is the response's */
};

/* Appends at most LASTACK__WINDOW_BYTES / 2; 0, or LASTACK_ERROR_MEMORY. */
int lastack__window_add(
    struct lastack__window *window, const void *data, size_t len);
void lastack__window_free(struct lastack__window *window);

/*
 * The least length of a beginning of the window that holds a match, from more
 * than `past` up to `limit` bytes; 0: there is none. So it does not matter
 * where reads ended.
 */
size_t lastack__pattern_end(const struct lastack__pattern *pattern,
    const struct lastack__window *window, size_t past, size_t limit);

struct lastack__span {
	size_t from, to; /* from > to: a group that took no part */
};

/*
 * The leftmost and longest match in the window and its groups. Returns how many
 * spans there are, the match itself being the first; 0: no match.
 */
size_t lastack__pattern_groups(const struct lastack__pattern *pattern,
    const struct lastack__window *window,
    struct lastack__span spans[LASTACK__GROUPS_MAX]);

#endif
