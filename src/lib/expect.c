/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "lastack.h"

#define FOUND SIZE_MAX
#define LOST (SIZE_MAX - 1) /* the response begins with something else */

static void
needle_prepare(struct lastack__needle *needle)
{
	const unsigned char *bytes = needle->bytes;
	size_t matched = 0;

	needle->fallback[0] = 0;
	for (size_t i = 1; i < needle->len; i++) {
		while (matched > 0 && bytes[i] != bytes[matched])
			matched = needle->fallback[matched - 1];
		if (bytes[i] == bytes[matched])
			matched++;
		needle->fallback[i] = matched;
	}
}

/* A new one at the end, not counted yet; NULL: no memory. */
static struct lastack__needle *
expect_grow(struct lastack__expect *expect)
{
	struct lastack__needle *needles;

	needles =
	    reallocarray(expect->needles, expect->count + 1, sizeof(*needles));
	if (needles == NULL)
		return NULL;
	expect->needles = needles;
	needles[expect->count] = (struct lastack__needle){ 0 };
	return &needles[expect->count];
}

static int
expect_add(
    struct lastack__expect *expect, const void *data, size_t len, bool unwanted)
{
	struct lastack__needle *needle = expect_grow(expect);

	if (needle == NULL)
		return LASTACK_ERROR_MEMORY;
	needle->unwanted = unwanted;
	needle->len = len;
	if (len > 0) {
		needle->bytes = malloc(len);
		needle->fallback = calloc(len, sizeof(*needle->fallback));
		if (needle->bytes == NULL || needle->fallback == NULL) {
			free(needle->bytes);
			free(needle->fallback);
			return LASTACK_ERROR_MEMORY;
		}
		memcpy(needle->bytes, data, len);
		needle_prepare(needle);
	}
	expect->count++;
	expect->wanted += !unwanted;
	return 0;
}

int
lastack__expect_add(
    struct lastack__expect *expect, const void *data, size_t len)
{
	return expect_add(expect, data, len, false);
}

int
lastack__expect_add_unwanted(
    struct lastack__expect *expect, const void *data, size_t len)
{
	return expect_add(expect, data, len, true);
}

int
lastack__expect_add_pattern(struct lastack__expect *expect, const char *pattern)
{
	struct lastack__needle *needle = expect_grow(expect);
	int error;

	if (needle == NULL)
		return LASTACK_ERROR_MEMORY;
	error = lastack__pattern_new(pattern, &needle->pattern);
	if (error != 0)
		return error;
	expect->count++;
	expect->wanted++;
	expect->patterns = true;
	return 0;
}

void
lastack__expect_free(struct lastack__expect *expect)
{
	for (size_t i = 0; i < expect->count; i++) {
		free(expect->needles[i].bytes);
		free(expect->needles[i].fallback);
		lastack__pattern_free(expect->needles[i].pattern);
	}
	free(expect->needles);
	*expect = (struct lastack__expect){ 0 };
}

int
lastack__matcher_begin(
    struct lastack__matcher *matcher, const struct lastack__expect *expect)
{
	*matcher = (struct lastack__matcher){
		.expect = expect, .left = expect->wanted, .which = -1
	};
	if (expect->count == 0)
		return 0;
	matcher->matched = calloc(expect->count, sizeof(*matcher->matched));
	return matcher->matched == NULL ? LASTACK_ERROR_MEMORY : 0;
}

bool
lastack__matcher_looks(const struct lastack__matcher *matcher)
{
	return matcher->expect->count > 0 && !matcher->met && !matcher->failed;
}

/*
 * Follows one needle through the data. Returns where its last byte ended, or 0
 * where it did not; *matched goes on from call to call.
 */
static size_t
needle_follow(const struct lastack__needle *needle, size_t *matched,
    const unsigned char *data, size_t len)
{
	size_t m = *matched;

	for (size_t i = 0; i < len; i++) {
		if (m == 0 && data[i] != needle->bytes[0]) {
			const unsigned char *next =
			    memchr(data + i, needle->bytes[0], len - i);

			if (next == NULL)
				break;
			i = (size_t)(next - data);
		}
		while (m > 0 && data[i] != needle->bytes[m])
			m = needle->fallback[m - 1];
		if (data[i] == needle->bytes[m])
			m++;
		if (m == needle->len) {
			*matched = FOUND;
			return i + 1;
		}
	}
	*matched = m;
	return 0;
}

/* The same for a pattern; the data are the last bytes of the window. */
static size_t
pattern_follow(const struct lastack__matcher *matcher,
    const struct lastack__pattern *pattern, size_t len, size_t limit)
{
	size_t past = matcher->window.len - len;
	size_t end =
	    lastack__pattern_end(pattern, &matcher->window, past, past + limit);

	return end == 0 ? 0 : end - past;
}

/* Likewise for one that may stand at the very beginning only. */
static size_t
needle_begin(const struct lastack__needle *needle, size_t *matched,
    const unsigned char *data, size_t len)
{
	size_t left = needle->len - *matched;
	size_t n = left < len ? left : len;

	if (memcmp(data, needle->bytes + *matched, n) != 0) {
		*matched = LOST;
		return 0;
	}
	*matched += n;
	return n == left ? n : 0;
}

/* Strings at the start: "any" needs one that is not lost, "all" each. */
static bool
matcher_lost(const struct lastack__matcher *matcher)
{
	const struct lastack__expect *expect = matcher->expect;
	size_t lost = 0;

	for (size_t i = 0; i < expect->count; i++)
		lost += matcher->matched[i] == LOST;
	return lost > 0 && (expect->all || lost == expect->wanted);
}

/* Where the first unwanted needle ended, 0 where none did. */
static size_t
feed_unwanted(
    struct lastack__matcher *matcher, const unsigned char *data, size_t len)
{
	const struct lastack__expect *expect = matcher->expect;
	size_t limit = len, end = 0;

	for (size_t i = 0; i < expect->count && limit > 0; i++) {
		const struct lastack__needle *needle = &expect->needles[i];
		size_t at = 1;

		if (!needle->unwanted)
			continue;
		if (needle->len > 0)
			at = needle_follow(
			    needle, &matcher->matched[i], data, limit);
		if (at == 0)
			continue;
		matcher->which = (int)i;
		end = at;
		limit = at - 1;
	}
	return end;
}

/*
 * With "any", the needle that ends first in the stream decides, wherever the
 * reads happened to end: each needle is followed only as far as it could win.
 * Where the decision fell, 0 where it did not.
 */
static size_t
feed_wanted(struct lastack__matcher *matcher, const unsigned char *data,
    size_t len, size_t limit)
{
	const struct lastack__expect *expect = matcher->expect;
	int which = -1;
	size_t last = 0;

	for (size_t i = 0; i < expect->count && limit > 0; i++) {
		const struct lastack__needle *needle = &expect->needles[i];
		size_t *matched = &matcher->matched[i];
		size_t end = 1;

		if (*matched == FOUND || *matched == LOST || needle->unwanted)
			continue;
		if (needle->pattern != NULL)
			end = pattern_follow(
			    matcher, needle->pattern, len, limit);
		else if (needle->len > 0 && expect->at_start)
			end = needle_begin(needle, matched, data, limit);
		else if (needle->len > 0)
			end = needle_follow(needle, matched, data, limit);
		if (end == 0)
			continue;
		*matched = FOUND;
		matcher->left--;
		if (end > last || !expect->all)
			last = end;
		if (!expect->all) {
			which = (int)i;
			limit = end - 1;
		}
	}
	if (expect->wanted == 0 ||
	    (expect->all ? matcher->left > 0 : which < 0))
		return 0;
	matcher->which = which;
	matcher->met = true;
	return last;
}

int
lastack__matcher_feed(struct lastack__matcher *matcher,
    const unsigned char *data, size_t len, size_t *taken)
{
	size_t failed_at, met_at;

	*taken = matcher->met || matcher->failed ? 0 : len;
	if (len == 0 || !lastack__matcher_looks(matcher))
		return 0;
	if (matcher->expect->patterns &&
	    lastack__window_add(&matcher->window, data, len) != 0)
		return LASTACK_ERROR_MEMORY;
	failed_at = feed_unwanted(matcher, data, len);
	/* What is wanted and comes before it has decided before it. */
	met_at = feed_wanted(
	    matcher, data, len, failed_at > 0 ? failed_at - 1 : len);
	if (matcher->met) {
		*taken = met_at;
	} else if (failed_at > 0) {
		matcher->failed = true;
		*taken = failed_at;
	} else {
		matcher->failed = matcher_lost(matcher);
	}
	return 0;
}

/* '$' is known only now, and so is that what must not appear did not. */
void
lastack__matcher_finish(struct lastack__matcher *matcher)
{
	const struct lastack__expect *expect = matcher->expect;

	if (!lastack__matcher_looks(matcher))
		return;
	matcher->window.over = true;
	for (size_t i = 0; i < expect->count; i++) {
		const struct lastack__needle *needle = &expect->needles[i];

		if (needle->pattern == NULL || matcher->matched[i] == FOUND ||
		    lastack__pattern_end(needle->pattern, &matcher->window, 0,
			matcher->window.len) == 0)
			continue;
		matcher->matched[i] = FOUND;
		matcher->left--;
		if (!expect->all && matcher->which == -1)
			matcher->which = (int)i;
	}
	matcher->met = expect->wanted == 0 || matcher->left == 0 ||
	    (!expect->all && matcher->which != -1);
}

int
lastack__matcher_missing(const struct lastack__matcher *matcher)
{
	for (size_t i = 0; i < matcher->expect->count; i++)
		if (!matcher->expect->needles[i].unwanted &&
		    matcher->matched[i] != FOUND)
			return (int)i;
	return -1;
}

size_t
lastack__matcher_groups(const struct lastack__matcher *matcher,
    struct lastack__span spans[LASTACK__GROUPS_MAX])
{
	const struct lastack__expect *expect = matcher->expect;

	for (size_t i = 0; expect != NULL && i < expect->count; i++)
		if (expect->needles[i].pattern != NULL &&
		    matcher->matched[i] == FOUND)
			return lastack__pattern_groups(
			    expect->needles[i].pattern, &matcher->window,
			    spans);
	return 0;
}

void
lastack__matcher_free(struct lastack__matcher *matcher)
{
	lastack__window_free(&matcher->window);
	free(matcher->matched);
	matcher->matched = NULL;
}
