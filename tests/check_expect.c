/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "lastack.h"
#include "suite.h"

#define NEEDLES_MAX 4

struct bytes {
	const char *data;
	size_t len;
};

#define BYTES(literal)                                                         \
	{                                                                      \
		literal, sizeof(literal) - 1                                   \
	}

struct example {
	struct bytes stream;
	struct bytes needles[NEEDLES_MAX];
	size_t count;
	bool all;
};

/* What it comes to, however it was cut. */
struct verdict {
	bool decided;
	size_t consumed;
	int which;
	int missing;
};

/* clang-format off */
static const struct example examples[] = {
	{ BYTES("aaab"), { BYTES("aab") }, 1, false },
	{ BYTES("aaaaaaab"), { BYTES("aaab") }, 1, false },
	{ BYTES("abababac"), { BYTES("ababac") }, 1, false },
	{ BYTES("abcabcabd"), { BYTES("abcabd") }, 1, false },
	{ BYTES("aabaabaaab"), { BYTES("aabaaab") }, 1, false },
	{ BYTES("+PONG\r\n"), { BYTES("+PONG\r\n") }, 1, false },
	{ BYTES("220 mail ESMTP\r\n"), { BYTES("SMTP") }, 1, false },
	{ BYTES("xyz"), { BYTES("xyzz") }, 1, false },
	{ BYTES("xyz"), { BYTES("a") }, 1, false },
	{ BYTES("a\0b\0\0c"), { BYTES("\0\0c") }, 1, false },
	{ BYTES("\0\0\0\1"), { BYTES("\0\0\1") }, 1, false },
	{ BYTES("\xff\xfe\xff\xff"), { BYTES("\xff\xff") }, 1, false },
	{ BYTES("z"), { BYTES("") }, 1, false },
	{ BYTES("zz"), { BYTES("q"), BYTES("") }, 2, false },
	{ BYTES("zq"), { BYTES("zq"), BYTES("") }, 2, false },
	{ BYTES("zqz"), { BYTES("zq"), BYTES("") }, 2, true },
	/* The one that ends first wins, the earlier one of two that tie. */
	{ BYTES("abcdef"), { BYTES("abcd"), BYTES("bc") }, 2, false },
	{ BYTES("abcdef"), { BYTES("bcd"), BYTES("abcd") }, 2, false },
	{ BYTES("abcdef"), { BYTES("abcd"), BYTES("bcd") }, 2, false },
	{ BYTES("abcdef"), { BYTES("ef"), BYTES("ab"), BYTES("a") }, 3, false },
	{ BYTES("abcdef"), { BYTES("x"), BYTES("y"), BYTES("f") }, 3, false },
	{ BYTES("abcdef"), { BYTES("def"), BYTES("abc") }, 2, true },
	{ BYTES("abcdef"), { BYTES("abc"), BYTES("cde") }, 2, true },
	{ BYTES("abcdef"), { BYTES("a"), BYTES("x"), BYTES("f") }, 3, true },
	{ BYTES("aaaa"), { BYTES("aa"), BYTES("aa") }, 2, true },
	{ BYTES("aaaa"), { BYTES("aaa"), BYTES("aa") }, 2, false },
};
/* clang-format on */

static size_t
end_of(const struct bytes *needle, const struct bytes *stream)
{
	const char *found;

	if (needle->len == 0)
		return stream->len > 0 ? 1 : 0;
	found = memmem(stream->data, stream->len, needle->data, needle->len);
	return found == NULL ? 0 : (size_t)(found - stream->data) + needle->len;
}

/* What is to come out, found without any cleverness. */
static struct verdict
reference(const struct example *example)
{
	struct verdict any = {
		.consumed = example->stream.len, .which = -1, .missing = -1
	};
	struct verdict all = any;

	all.decided = true;
	all.consumed = 0;
	for (size_t i = 0; i < example->count; i++) {
		size_t end = end_of(&example->needles[i], &example->stream);

		if (end == 0 && all.missing == -1) {
			all.missing = (int)i;
			all.decided = false;
		}
		if (end > all.consumed)
			all.consumed = end;
		if (end > 0 && (!any.decided || end < any.consumed)) {
			any.decided = true;
			any.consumed = end;
			any.which = (int)i;
		}
	}
	if (!all.decided)
		all.consumed = example->stream.len;
	return example->all ? all : any;
}

static void
prepare(struct lastack__expect *expect, const struct example *example)
{
	*expect = (struct lastack__expect){ .all = example->all };
	for (size_t i = 0; i < example->count; i++)
		ck_assert_int_eq(
		    lastack__expect_add(expect, example->needles[i].data,
			example->needles[i].len),
		    0);
}

static size_t
taken_of(
    struct lastack__matcher *matcher, const unsigned char *data, size_t len)
{
	size_t taken;

	ensure(lastack__matcher_feed(matcher, data, len, &taken) == 0);
	return taken;
}

/*
 * Feeds the stream in pieces: bit i of cuts is a cut before byte i + 1. Each
 * piece is a block of its own, so that a read behind its end is noticed.
 */
static struct verdict
feed(const struct lastack__expect *expect, const struct bytes *stream,
    uint64_t cuts)
{
	struct lastack__matcher matcher;
	struct verdict verdict = { 0 };
	size_t begin = 0;

	ensure(lastack__matcher_begin(&matcher, expect) == 0);
	for (size_t i = 0; i < stream->len; i++) {
		size_t len = i + 1 - begin;
		unsigned char *piece;

		if (i + 1 < stream->len && (cuts >> i & 1) == 0)
			continue;
		piece = malloc(len);
		ensure(piece != NULL);
		memcpy(piece, stream->data + begin, len);
		ensure(taken_of(&matcher, piece, 0) == 0);
		verdict.consumed += taken_of(&matcher, piece, len);
		free(piece);
		begin = i + 1;
	}
	verdict.decided = matcher.met;
	verdict.which = matcher.which;
	verdict.missing = expect->all ? lastack__matcher_missing(&matcher) : -1;
	lastack__matcher_free(&matcher);
	return verdict;
}

static void
assert_same(const struct verdict *got, const struct verdict *want,
    const char *what, size_t number, uint64_t cuts)
{
	if (got->decided == want->decided && got->consumed == want->consumed &&
	    got->which == want->which && got->missing == want->missing)
		return;
	ck_abort_msg(
	    "%s %zu cut at %llx: decided %d, consumed %zu, which %d, missing "
	    "%d, but it should be %d, %zu, %d, %d",
	    what, number, (unsigned long long)cuts, got->decided, got->consumed,
	    got->which, got->missing, want->decided, want->consumed,
	    want->which, want->missing);
}

static void
try_all_cuts(const struct example *example, const char *what, size_t number)
{
	struct verdict want = reference(example);
	struct lastack__expect expect;
	uint64_t most = UINT64_C(1) << (example->stream.len - 1);

	prepare(&expect, example);
	for (uint64_t cuts = 0; cuts < most; cuts++) {
		struct verdict got = feed(&expect, &example->stream, cuts);

		assert_same(&got, &want, what, number, cuts);
	}
	lastack__expect_free(&expect);
}

START_TEST(every_way_to_cut_a_stream)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		try_all_cuts(&examples[i], "example", i);
}
END_TEST

/* Against mistakes in the reference itself. */
START_TEST(known_verdicts)
{
	struct verdict verdict = reference(&examples[0]);

	ck_assert(verdict.decided);
	ck_assert_uint_eq(verdict.consumed, 4);
	ck_assert_int_eq(verdict.which, 0);
	verdict = reference(&(struct example){
	    BYTES("abcdef"), { BYTES("abcd"), BYTES("bc") }, 2, false });
	ck_assert_uint_eq(verdict.consumed, 3);
	ck_assert_int_eq(verdict.which, 1);
	verdict = reference(&(struct example){
	    BYTES("abcdef"), { BYTES("a"), BYTES("x"), BYTES("f") }, 3, true });
	ck_assert(!verdict.decided);
	ck_assert_int_eq(verdict.missing, 1);
	ck_assert_uint_eq(verdict.consumed, 6);
}
END_TEST

static size_t
random_bytes(unsigned int *seed, char *to, size_t most)
{
	/* Few letters, so that almost everything almost matches. */
	static const char letters[] = { 'a', 'b', '\0' };
	size_t kinds = 1 + (size_t)rand_r(seed) % sizeof(letters);
	size_t len = (size_t)rand_r(seed) % (most + 1);

	for (size_t i = 0; i < len; i++)
		to[i] = letters[(size_t)rand_r(seed) % kinds];
	return len;
}

/* Beginnings of the needle, one after another: each a near miss. */
static size_t
random_misses(
    unsigned int *seed, const struct bytes *needle, char *to, size_t most)
{
	size_t len = 0;

	while (needle->len > 0 && len < most) {
		size_t n = 1 + (size_t)rand_r(seed) % needle->len;

		if (n > most - len)
			n = most - len;
		memcpy(to + len, needle->data, n);
		len += n;
	}
	return len;
}

static void
random_case(unsigned int *seed, size_t number)
{
	char stream[48], needles[NEEDLES_MAX][12];
	struct example example = { .stream.data = stream };
	struct lastack__expect expect;
	struct verdict want;

	example.stream.len = random_bytes(seed, stream, sizeof(stream));
	example.count = 1 + (size_t)rand_r(seed) % NEEDLES_MAX;
	example.all = rand_r(seed) % 2 == 1;
	for (size_t i = 0; i < example.count; i++) {
		example.needles[i].data = needles[i];
		example.needles[i].len =
		    random_bytes(seed, needles[i], sizeof(needles[i]));
	}
	if (rand_r(seed) % 2 == 1)
		example.stream.len = random_misses(
		    seed, &example.needles[0], stream, sizeof(stream));
	want = reference(&example);
	prepare(&expect, &example);
	for (int i = 0; i < 16; i++) {
		uint64_t cuts = i == 0 ? 0 : UINT64_MAX;
		struct verdict got;

		if (i > 1)
			cuts = (uint64_t)rand_r(seed) << 31 ^
			    (uint64_t)rand_r(seed);
		got = feed(&expect, &example.stream, cuts);
		assert_same(&got, &want, "random case", number, cuts);
	}
	lastack__expect_free(&expect);
}

START_TEST(random_streams)
{
	unsigned int seed = suite_seed();

	size_t cases = getenv("LASTACK_QUICK") != NULL ? 100 : 5000;

	for (size_t i = 0; i < cases; i++)
		random_case(&seed, i);
}
END_TEST

START_TEST(nothing_expected)
{
	struct lastack__expect expect = { 0 };
	struct lastack__matcher matcher;
	const unsigned char data[] = "abc";

	ck_assert_int_eq(lastack__matcher_begin(&matcher, &expect), 0);
	ck_assert_uint_eq(taken_of(&matcher, data, 3), 3);
	ck_assert(!matcher.met);
	ck_assert_int_eq(matcher.which, -1);
	ck_assert_int_eq(lastack__matcher_missing(&matcher), -1);
	lastack__matcher_free(&matcher);
	expect.all = true;
	ck_assert_int_eq(lastack__matcher_begin(&matcher, &expect), 0);
	ck_assert_uint_eq(taken_of(&matcher, data, 3), 3);
	ck_assert(!matcher.met);
	lastack__matcher_free(&matcher);
	lastack__expect_free(&expect);
}
END_TEST

START_TEST(decided_once)
{
	struct lastack__expect expect = { 0 };
	struct lastack__matcher matcher;
	const unsigned char data[] = "xabxab";

	ck_assert_int_eq(lastack__expect_add(&expect, "ab", 2), 0);
	ck_assert_int_eq(lastack__matcher_begin(&matcher, &expect), 0);
	ck_assert_uint_eq(taken_of(&matcher, data, 6), 3);
	ck_assert(matcher.met);
	ck_assert_uint_eq(taken_of(&matcher, data, 6), 0);
	ck_assert_int_eq(matcher.which, 0);
	lastack__matcher_free(&matcher);
	lastack__expect_free(&expect);
}
END_TEST

/* The bytes are copied, and two matchers do not know of each other. */
START_TEST(matchers_are_independent)
{
	struct lastack__expect expect = { 0 };
	struct lastack__matcher one, two;
	char needle[] = "ab";

	ck_assert_int_eq(lastack__expect_add(&expect, needle, 2), 0);
	memset(needle, 'z', 2);
	ck_assert_int_eq(lastack__matcher_begin(&one, &expect), 0);
	ck_assert_int_eq(lastack__matcher_begin(&two, &expect), 0);
	taken_of(&one, (const unsigned char *)"a", 1);
	taken_of(&two, (const unsigned char *)"b", 1);
	taken_of(&one, (const unsigned char *)"b", 1);
	taken_of(&two, (const unsigned char *)"a", 1);
	ck_assert(one.met);
	ck_assert(!two.met);
	lastack__matcher_free(&one);
	lastack__matcher_free(&two);
	lastack__expect_free(&expect);
}
END_TEST

/*
 * A stream that nearly matches all the time. With an effort of length times
 * length this would take hours.
 */
START_TEST(long_and_repetitive)
{
	enum { NEEDLE_BYTES = 1 << 16, STREAM_BYTES = 1 << 24 };
	unsigned char *bytes = malloc(STREAM_BYTES);
	struct lastack__expect expect = { 0 };
	struct lastack__matcher matcher;

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, 'a', STREAM_BYTES);
	bytes[NEEDLE_BYTES - 1] = 'b';
	ck_assert_int_eq(lastack__expect_add(&expect, bytes, NEEDLE_BYTES), 0);
	bytes[NEEDLE_BYTES - 1] = 'a';
	bytes[STREAM_BYTES - 2] = 'b';
	ck_assert_int_eq(lastack__matcher_begin(&matcher, &expect), 0);
	ck_assert_uint_eq(
	    taken_of(&matcher, bytes, STREAM_BYTES), STREAM_BYTES - 1);
	ck_assert(matcher.met);
	lastack__matcher_free(&matcher);
	lastack__expect_free(&expect);
	free(bytes);
}
END_TEST

/* Where it was cut does not matter; "any" and "all"; met, or failed. */
START_TEST(at_the_start)
{
	static const struct {
		const char *stream, *needles[2];
		bool all, met, failed;
		int which;
	} rows[] = {
		{ "220 hi", { "220" }, false, true, false, 0 },
		{ "22", { "220" }, false, false, false, -1 },
		{ "21", { "220" }, false, false, true, -1 },
		{ " 220", { "220" }, false, false, true, -1 },
		{ "2220", { "220" }, false, false, true, -1 },
		{ "201", { "200", "201" }, false, true, false, 1 },
		{ "20", { "200", "201" }, false, false, false, -1 },
		{ "202", { "200", "201" }, false, false, true, -1 },
		{ "abc", { "ab", "abc" }, true, true, false, -1 },
		{ "abd", { "ab", "abc" }, true, false, true, -1 },
		{ "ab", { "ab", "abc" }, true, false, false, -1 },
		{ "x", { "" }, false, true, false, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].stream);

		for (size_t cut = 0; cut <= len; cut++) {
			const unsigned char *stream =
			    (const unsigned char *)rows[i].stream;
			struct lastack__expect expect = { .at_start = true,
				.all = rows[i].all };
			struct lastack__matcher matcher;

			for (int n = 0; n < 2 && rows[i].needles[n]; n++)
				lastack__expect_add(&expect, rows[i].needles[n],
				    strlen(rows[i].needles[n]));
			ck_assert_int_eq(
			    lastack__matcher_begin(&matcher, &expect), 0);
			taken_of(&matcher, stream, cut);
			taken_of(&matcher, stream + cut, len - cut);
			ck_assert_msg(matcher.met == rows[i].met &&
				matcher.failed == rows[i].failed,
			    "%s, %zu", rows[i].stream, cut);
			ck_assert_int_eq(matcher.which, rows[i].which);
			lastack__matcher_free(&matcher);
			lastack__expect_free(&expect);
		}
	}
}
END_TEST

/* ---- patterns, and what must not appear */

struct mixture {
	const char *wanted[3], *patterns[2], *unwanted[2];
	bool all;
	const char *stream;
	size_t len; /* 0: strlen(stream) */
	/* expected, wherever the stream is cut */
	bool met, failed;
	size_t taken; /* when it was decided; 0: not by the stream alone */
	int which;
	const char *match, *group; /* NULL: none */
};

/* Needles are numbered in this order: wanted, patterns, unwanted. */
static const struct mixture mixtures[] = {
	{ .patterns = { "b+c" },
	    .stream = "aabbcbc",
	    .met = true,
	    .taken = 5,
	    .which = 0,
	    .match = "bbc" },
	{ .patterns = { "^220[ -]" },
	    .stream = "220 hi\r\n",
	    .met = true,
	    .taken = 4,
	    .which = 0,
	    .match = "220 " },
	{ .patterns = { "^20" }, .stream = "220 hi", .which = -1 },
	/* The end of what came so far is not the end of the response. */
	{ .patterns = { "ab$" },
	    .stream = "abxab",
	    .met = true,
	    .which = 0,
	    .match = "ab" },
	{ .patterns = { "ab$" }, .stream = "abx", .which = -1 },
	{ .patterns = { "v([0-9]+)" },
	    .stream = "-v12",
	    .met = true,
	    .taken = 3,
	    .which = 0,
	    .match = "v1",
	    .group = "1" },
	{ .patterns = { "a.c" },
	    .stream = "xa\nc",
	    .met = true,
	    .taken = 4,
	    .which = 0,
	    .match = "a\nc" },
	{ .patterns = { "x*" },
	    .stream = "abc",
	    .met = true,
	    .taken = 1,
	    .which = 0,
	    .match = "" },
	{ .patterns = { "b", "d" },
	    .all = true,
	    .stream = "abcde",
	    .met = true,
	    .taken = 4,
	    .which = -1,
	    .match = "b" },
	{ .wanted = { "cd" },
	    .patterns = { "b." },
	    .stream = "abcd",
	    .met = true,
	    .taken = 3,
	    .which = 1,
	    .match = "bc" },
	{ .wanted = { "bc" },
	    .patterns = { "cd" },
	    .stream = "abcd",
	    .met = true,
	    .taken = 3,
	    .which = 0 },
	{ .unwanted = { "bc" },
	    .stream = "abcd",
	    .failed = true,
	    .taken = 3,
	    .which = 0 },
	{ .unwanted = { "cd", "bc" },
	    .stream = "abcd",
	    .failed = true,
	    .taken = 3,
	    .which = 1 },
	{ .unwanted = { "x" }, .stream = "abcd", .met = true, .which = -1 },
	/* Whichever ends first in the stream decides. */
	{ .wanted = { "cd" },
	    .unwanted = { "bc" },
	    .stream = "abcd",
	    .failed = true,
	    .taken = 3,
	    .which = 1 },
	{ .wanted = { "bc" },
	    .unwanted = { "cd" },
	    .stream = "abcd",
	    .met = true,
	    .taken = 3,
	    .which = 0 },
	{ .wanted = { "abc" },
	    .unwanted = { "bc" },
	    .stream = "abcd",
	    .failed = true,
	    .taken = 3,
	    .which = 1 },
	{ .patterns = { "b." },
	    .unwanted = { "d" },
	    .stream = "abcd",
	    .met = true,
	    .taken = 3,
	    .which = 0,
	    .match = "bc" },
	{ .wanted = { "a", "d" },
	    .all = true,
	    .unwanted = { "c" },
	    .stream = "abcd",
	    .failed = true,
	    .taken = 3,
	    .which = 2 },
	{ .wanted = { "zz" },
	    .unwanted = { "yy" },
	    .stream = "abcd",
	    .which = -1 },
#ifdef REG_STARTEND
	{ .patterns = { "b[^x]c" },
	    .stream = "ab\0c",
	    .len = 4,
	    .met = true,
	    .taken = 4,
	    .which = 0 },
#endif
	{ .patterns = { "cd" },
	    .stream = "ab\0cd",
	    .len = 5,
	    .met = true,
	    .taken = 5,
	    .which = 0,
	    .match = "cd" },
};

static void
prepare_mixture(struct lastack__expect *expect, const struct mixture *m)
{
	*expect = (struct lastack__expect){ .all = m->all };
	for (size_t i = 0; i < 3 && m->wanted[i] != NULL; i++)
		ck_assert_int_eq(lastack__expect_add(expect, m->wanted[i],
				     strlen(m->wanted[i])),
		    0);
	for (size_t i = 0; i < 2 && m->patterns[i] != NULL; i++)
		ck_assert_int_eq(
		    lastack__expect_add_pattern(expect, m->patterns[i]), 0);
	for (size_t i = 0; i < 2 && m->unwanted[i] != NULL; i++)
		ck_assert_int_eq(lastack__expect_add_unwanted(expect,
				     m->unwanted[i], strlen(m->unwanted[i])),
		    0);
}

static void
assert_span(const struct lastack__matcher *matcher,
    const struct lastack__span *span, const char *want)
{
	ck_assert_uint_eq(span->to - span->from, strlen(want));
	ck_assert_mem_eq(
	    matcher->window.bytes + span->from, want, strlen(want));
}

static void
assert_groups(const struct lastack__matcher *matcher, const struct mixture *m)
{
	struct lastack__span spans[LASTACK__GROUPS_MAX];
	size_t count = lastack__matcher_groups(matcher, spans);

	if (m->match == NULL)
		return;
	ck_assert_uint_eq(count, m->group != NULL ? 2 : 1);
	/* What was fed behind the decision may make the match longer. */
	ck_assert_uint_ge(spans[0].to - spans[0].from, strlen(m->match));
	if (matcher->window.len > m->taken && m->taken > 0)
		return;
	assert_span(matcher, &spans[0], m->match);
	if (m->group != NULL)
		assert_span(matcher, &spans[1], m->group);
}

static void
try_mixture(const struct mixture *m, size_t number, uint64_t cuts)
{
	size_t len = m->len > 0 ? m->len : strlen(m->stream), taken = 0;
	size_t begin = 0;
	struct lastack__expect expect;
	struct lastack__matcher matcher;

	prepare_mixture(&expect, m);
	ck_assert_int_eq(lastack__matcher_begin(&matcher, &expect), 0);
	for (size_t i = 0; i < len; i++) {
		if (i + 1 < len && (cuts >> i & 1) == 0)
			continue;
		taken += taken_of(&matcher,
		    (const unsigned char *)m->stream + begin, i + 1 - begin);
		begin = i + 1;
	}
	ck_assert_int_eq(matcher.failed, m->failed);
	ck_assert_int_eq(matcher.met, m->met && m->taken > 0);
	ck_assert_msg(taken == (m->taken > 0 ? m->taken : len),
	    "mixture %zu cut at %llx: taken %zu", number,
	    (unsigned long long)cuts, taken);
	lastack__matcher_finish(&matcher);
	ck_assert_msg(matcher.met == m->met && matcher.which == m->which,
	    "mixture %zu cut at %llx: met %d, which %d", number,
	    (unsigned long long)cuts, matcher.met, matcher.which);
	if (m->met)
		assert_groups(&matcher, m);
	lastack__matcher_free(&matcher);
	lastack__expect_free(&expect);
}

START_TEST(every_way_to_cut_a_mixture)
{
	const struct mixture *m = &mixtures[_i];
	size_t len = m->len > 0 ? m->len : strlen(m->stream);

	for (uint64_t cuts = 0; cuts < UINT64_C(1) << (len - 1); cuts++)
		try_mixture(m, (size_t)_i, cuts);
}
END_TEST

/* Far more than the window, in pieces: memory is bounded, '^' is not forgotten. */
START_TEST(pattern_in_a_long_stream)
{
	enum { PIECE_BYTES = 50000, PIECES = 100 };
	struct lastack__expect expect = { 0 };
	struct lastack__matcher matcher;
	unsigned char *piece = malloc(PIECE_BYTES);

	ck_assert_ptr_nonnull(piece);
	memset(piece, 'a', PIECE_BYTES);
	ck_assert_int_eq(lastack__expect_add_pattern(&expect, "a[bc]d"), 0);
	ck_assert_int_eq(lastack__expect_add_pattern(&expect, "^aa[bc]d"), 0);
	expect.all = true;
	ck_assert_int_eq(lastack__matcher_begin(&matcher, &expect), 0);
	for (int i = 0; i < PIECES; i++)
		taken_of(&matcher, piece, PIECE_BYTES);
	taken_of(&matcher, (const unsigned char *)"b", 1);
	ck_assert_uint_eq(matcher.left, 2);
	taken_of(&matcher, (const unsigned char *)"d", 1);
	ck_assert_uint_eq(matcher.left, 1);
	ck_assert(!matcher.met);
	ck_assert_uint_le(matcher.window.len, LASTACK__WINDOW_BYTES);
	lastack__matcher_free(&matcher);
	lastack__expect_free(&expect);
	free(piece);
}
END_TEST

START_TEST(not_a_pattern)
{
	struct lastack__expect expect = { 0 };

	ck_assert_int_eq(lastack__expect_add_pattern(&expect, "a(b"),
	    LASTACK_ERROR_ARGUMENT);
	ck_assert_int_eq(lastack__expect_add_pattern(&expect, "a[b"),
	    LASTACK_ERROR_ARGUMENT);
	ck_assert_uint_eq(expect.count, 0);
	lastack__expect_free(&expect);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("expect");

	tcase_add_test(tests, every_way_to_cut_a_stream);
	tcase_add_test(tests, known_verdicts);
	tcase_add_test(tests, random_streams);
	tcase_add_test(tests, at_the_start);
	tcase_add_test(tests, nothing_expected);
	tcase_add_test(tests, decided_once);
	tcase_add_test(tests, matchers_are_independent);
	tcase_add_test(tests, long_and_repetitive);
	tcase_add_loop_test(tests, every_way_to_cut_a_mixture, 0,
	    (int)(sizeof(mixtures) / sizeof(mixtures[0])));
	tcase_add_test(tests, pattern_in_a_long_stream);
	tcase_add_test(tests, not_a_pattern);
	return suite_run(tests, "expect");
}
