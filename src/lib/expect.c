/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "lastack.h"

#define FOUND SIZE_MAX

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

int
lastack__expect_add(
    struct lastack__expect *expect, const void *data, size_t len)
{
	struct lastack__needle *needles, *needle;

	needles =
	    reallocarray(expect->needles, expect->count + 1, sizeof(*needles));
	if (needles == NULL)
		return LASTACK_ERROR_MEMORY;
	expect->needles = needles;
	needle = &needles[expect->count];
	*needle = (struct lastack__needle){ .len = len };
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
	return 0;
}

void
lastack__expect_free(struct lastack__expect *expect)
{
	for (size_t i = 0; i < expect->count; i++) {
		free(expect->needles[i].bytes);
		free(expect->needles[i].fallback);
	}
	free(expect->needles);
	*expect = (struct lastack__expect){ 0 };
}

int
lastack__matcher_begin(
    struct lastack__matcher *matcher, const struct lastack__expect *expect)
{
	*matcher = (struct lastack__matcher){
		.expect = expect, .left = expect->count, .which = -1
	};
	if (expect->count == 0)
		return 0;
	matcher->matched = calloc(expect->count, sizeof(*matcher->matched));
	return matcher->matched == NULL ? LASTACK_ERROR_MEMORY : 0;
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

/*
 * With "any", the needle that ends first in the stream decides, wherever the
 * reads happened to end: each needle is followed only as far as it could win.
 */
size_t
lastack__matcher_feed(
    struct lastack__matcher *matcher, const unsigned char *data, size_t len)
{
	const struct lastack__expect *expect = matcher->expect;
	size_t limit = len, last = 0;

	if (len == 0 || matcher->decided)
		return 0;
	for (size_t i = 0; i < expect->count; i++) {
		const struct lastack__needle *needle = &expect->needles[i];
		size_t *matched = &matcher->matched[i];
		size_t end = 1;

		if (*matched == FOUND || limit == 0)
			continue;
		if (needle->len == 0)
			*matched = FOUND;
		else
			end = needle_follow(needle, matched, data, limit);
		if (end == 0)
			continue;
		matcher->left--;
		if (end > last || !expect->all)
			last = end;
		if (!expect->all) {
			matcher->which = (int)i;
			limit = end - 1;
		}
	}
	if (expect->count > 0)
		matcher->decided = expect->all ? matcher->left == 0 :
						 matcher->which != -1;
	return matcher->decided ? last : len;
}

int
lastack__matcher_missing(const struct lastack__matcher *matcher)
{
	for (size_t i = 0; i < matcher->expect->count; i++)
		if (matcher->matched[i] != FOUND)
			return (int)i;
	return -1;
}

void
lastack__matcher_free(struct lastack__matcher *matcher)
{
	free(matcher->matched);
	matcher->matched = NULL;
}
