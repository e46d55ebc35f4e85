/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "parse.h"
#include "suite.h"

/*
 * A sample of the code points, a smaller one under valgrind; LASTACK_FULL asks
 * for all of them, which takes a minute.
 */
static unsigned int
stride(void)
{
	if (getenv("LASTACK_FULL") != NULL)
		return 1;
	return getenv("LASTACK_QUICK") != NULL ? 997 : 13;
}

static int
rounds(void)
{
	return getenv("LASTACK_QUICK") != NULL ? 500 : 20000;
}

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

struct bytes {
	const char *data;
	size_t len;
};

#define BYTES(literal)                                                         \
	{                                                                      \
		literal, sizeof(literal) - 1                                   \
	}

/* ---- UTF-8 */

struct sequence {
	struct bytes bytes;
	size_t len; /* 0: none */
	unsigned int code;
};

/* clang-format off */
static const struct sequence sequences[] = {
	{ BYTES(""), 0, 0 },
	{ BYTES("a"), 1, 'a' },
	{ BYTES("\0"), 1, 0 },
	{ BYTES("\x7f"), 1, 0x7f },
	{ BYTES("\xc2\x80"), 2, 0x80 },
	{ BYTES("\xc3\xa4x"), 2, 0xe4 },
	{ BYTES("\xdf\xbf"), 2, 0x7ff },
	{ BYTES("\xe0\xa0\x80"), 3, 0x800 },
	{ BYTES("\xed\x9f\xbf"), 3, 0xd7ff },
	{ BYTES("\xee\x80\x80"), 3, 0xe000 },
	{ BYTES("\xef\xbf\xbf"), 3, 0xffff },
	{ BYTES("\xf0\x90\x80\x80"), 4, 0x10000 },
	{ BYTES("\xf4\x8f\xbf\xbf"), 4, 0x10ffff },
	/* Alone, cut off, or followed by the wrong byte. */
	{ BYTES("\x80"), 0, 0 },
	{ BYTES("\xbf"), 0, 0 },
	{ BYTES("\xc3"), 0, 0 },
	{ BYTES("\xe2\x82"), 0, 0 },
	{ BYTES("\xf0\x9f\x98"), 0, 0 },
	{ BYTES("\xc3\x28"), 0, 0 },
	{ BYTES("\xe2\x28\xa1"), 0, 0 },
	{ BYTES("\xe2\x82\x28"), 0, 0 },
	{ BYTES("\xf0\x28\x8c\xbc"), 0, 0 },
	{ BYTES("\xf0\x90\x28\xbc"), 0, 0 },
	{ BYTES("\xf0\x90\x8c\x28"), 0, 0 },
	{ BYTES("\xc3\xc3"), 0, 0 },
	/* Overlong forms. */
	{ BYTES("\xc0\x80"), 0, 0 },
	{ BYTES("\xc0\xaf"), 0, 0 },
	{ BYTES("\xc1\xbf"), 0, 0 },
	{ BYTES("\xe0\x80\xaf"), 0, 0 },
	{ BYTES("\xe0\x9f\xbf"), 0, 0 },
	{ BYTES("\xf0\x80\x80\xaf"), 0, 0 },
	{ BYTES("\xf0\x8f\xbf\xbf"), 0, 0 },
	/* Surrogates, and what is beyond Unicode. */
	{ BYTES("\xed\xa0\x80"), 0, 0 },
	{ BYTES("\xed\xaf\xbf"), 0, 0 },
	{ BYTES("\xed\xb0\x80"), 0, 0 },
	{ BYTES("\xed\xbf\xbf"), 0, 0 },
	{ BYTES("\xf4\x90\x80\x80"), 0, 0 },
	{ BYTES("\xf5\x80\x80\x80"), 0, 0 },
	{ BYTES("\xf8\x88\x80\x80\x80"), 0, 0 },
	{ BYTES("\xfc\x84\x80\x80\x80\x80"), 0, 0 },
	{ BYTES("\xfe"), 0, 0 },
	{ BYTES("\xff"), 0, 0 },
};
/* clang-format on */

START_TEST(utf8_sequences)
{
	for (size_t i = 0; i < ROWS(sequences); i++) {
		const struct sequence *row = &sequences[i];
		/* No byte behind the end to look at. */
		unsigned char *copy =
		    malloc(row->bytes.len > 0 ? row->bytes.len : 1);
		unsigned int code = 4711;

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, row->bytes.data, row->bytes.len);
		ck_assert_msg(
		    escape_sequence(copy, row->bytes.len, &code) == row->len,
		    "row %zu", i);
		ck_assert_uint_eq(code, row->len > 0 ? row->code : 4711);
		ck_assert_int_eq(escape_is_utf8(copy, row->bytes.len),
		    row->len == row->bytes.len ||
			(row->len > 0 &&
			    escape_is_utf8(
				copy + row->len, row->bytes.len - row->len)));
		free(copy);
	}
}
END_TEST

static size_t
encode(unsigned int code, char *to)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (char)(0xc0 | code >> 6);
		to[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		to[0] = (char)(0xe0 | code >> 12);
		to[1] = (char)(0x80 | (code >> 6 & 0x3f));
		to[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | code >> 18);
	to[1] = (char)(0x80 | (code >> 12 & 0x3f));
	to[2] = (char)(0x80 | (code >> 6 & 0x3f));
	to[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

START_TEST(every_code_point)
{
	for (unsigned int code = 0; code < 0x110000; code += stride()) {
		bool surrogate = code >= 0xd800 && code < 0xe000;
		unsigned int found = 0;
		char bytes[4];
		size_t len = encode(code, bytes);

		ck_assert_uint_eq(
		    escape_sequence((unsigned char *)bytes, len, &found),
		    surrogate ? 0 : len);
		ck_assert_uint_eq(found, surrogate ? 0 : code);
	}
}
END_TEST

START_TEST(whole_strings)
{
	ck_assert(escape_is_utf8("", 0));
	ck_assert(escape_is_utf8(NULL, 0));
	ck_assert(escape_is_utf8("a\0b", 3));
	ck_assert(escape_is_utf8("gr\xc3\xbc\xc3\x9f", 6));
	ck_assert(!escape_is_utf8("gr\xc3\xbc\xc3", 5));
	ck_assert(!escape_is_utf8("\xffgr", 3));
}
END_TEST

/* ---- lines of text */

static void
assert_line(const struct bytes *bytes, bool utf8, const char *want)
{
	struct text text = TEXT_INIT;

	escape_line(&text, bytes->data, bytes->len, utf8);
	ck_assert_str_eq(text_string(&text), want);
	text_free(&text);
}

/* clang-format off */
static const struct {
	struct bytes bytes;
	const char *utf8;
	const char *ascii;
} lines[] = {
	{ BYTES(""), "", "" },
	{ BYTES("plain text | 100%"), "plain text | 100%", "plain text | 100%" },
	{ BYTES("a\nb\rc\td"), "a\\nb\\rc\\td", "a\\nb\\rc\\td" },
	{ BYTES("C:\\n"), "C:\\\\n", "C:\\\\n" },
	{ BYTES("a\0b"), "a\\x00b", "a\\x00b" },
	{ BYTES("\x1b[31mred\x1b]0;title\a"),
	  "\\x1b[31mred\\x1b]0;title\\x07", "\\x1b[31mred\\x1b]0;title\\x07" },
	{ BYTES("\x7f\b\v\f"), "\\x7f\\x08\\x0b\\x0c", "\\x7f\\x08\\x0b\\x0c" },
	{ BYTES("gr\xc3\xbcn"), "gr\xc3\xbcn", "gr\\xc3\\xbcn" },
	{ BYTES("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80",
	  "\\xf0\\x9f\\x98\\x80" },
	/* C1, as characters and as the bytes of an 8-bit terminal. */
	{ BYTES("\xc2\x9b" "31m"), "\\xc2\\x9b31m", "\\xc2\\x9b31m" },
	{ BYTES("\x9b" "31m"), "\\x9b31m", "\\x9b31m" },
	{ BYTES("\xc2\x80\xc2\x9f\xc2\xa0"), "\\xc2\\x80\\xc2\\x9f\xc2\xa0",
	  "\\xc2\\x80\\xc2\\x9f\\xc2\\xa0" },
	{ BYTES("\xff\xfe"), "\\xff\\xfe", "\\xff\\xfe" },
	{ BYTES("\xc0\xaf"), "\\xc0\\xaf", "\\xc0\\xaf" },
	{ BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80", "\\xed\\xa0\\x80" },
	{ BYTES("\xe2\x82"), "\\xe2\\x82", "\\xe2\\x82" },
	/* Right to left and back, isolates, marks, separators. */
	{ BYTES("\xe2\x80\xae"), "\\xe2\\x80\\xae", "\\xe2\\x80\\xae" },
	{ BYTES("\xe2\x81\xa6"), "\\xe2\\x81\\xa6", "\\xe2\\x81\\xa6" },
	{ BYTES("\xe2\x80\x8f"), "\\xe2\\x80\\x8f", "\\xe2\\x80\\x8f" },
	{ BYTES("\xd8\x9c"), "\\xd8\\x9c", "\\xd8\\x9c" },
	{ BYTES("\xe2\x80\xa8"), "\\xe2\\x80\\xa8", "\\xe2\\x80\\xa8" },
	{ BYTES("\xe2\x80\x8b"), "\\xe2\\x80\\x8b", "\\xe2\\x80\\x8b" },
	{ BYTES("\xef\xbb\xbf"), "\\xef\\xbb\\xbf", "\\xef\\xbb\\xbf" },
};
/* clang-format on */

START_TEST(text_lines)
{
	for (size_t i = 0; i < ROWS(lines); i++) {
		assert_line(&lines[i].bytes, true, lines[i].utf8);
		assert_line(&lines[i].bytes, false, lines[i].ascii);
	}
}
END_TEST

/* What can move a cursor, hide a character or turn a line around. */
static bool
steers(unsigned int code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c ||
	    (code >= 0x200b && code <= 0x200f) ||
	    (code >= 0x2028 && code <= 0x202e) ||
	    (code >= 0x2066 && code <= 0x2069) || code == 0xfeff ||
	    (code >= 0xe0000 && code <= 0xe007f);
}

START_TEST(no_code_point_steers)
{
	for (unsigned int code = 0; code < 0x110000; code += stride()) {
		struct text text = TEXT_INIT, ascii = TEXT_INIT;
		char bytes[4];
		size_t len = encode(code, bytes);

		if (code >= 0xd800 && code < 0xe000)
			continue;
		escape_line(&text, bytes, len, true);
		escape_line(&ascii, bytes, len, false);
		if (steers(code))
			ck_assert_str_eq(text.bytes, ascii.bytes);
		for (size_t i = 0; i < ascii.len; i++)
			ensure(ascii.bytes[i] >= ' ' && ascii.bytes[i] <= '~');
		ensure(escape_is_utf8(text.bytes, text.len));
		text_free(&text);
		text_free(&ascii);
	}
}
END_TEST

/* Many a byte out of the ranges where the forms begin and end. */
static size_t
random_bytes(unsigned int *seed, unsigned char bytes[64])
{
	static const unsigned char edges[] = { 0, '"', '\\', '/', '\n', 0x1b,
		0x7f, 0x80, 0x9b, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xe2, 0xed,
		0xef, 0xf0, 0xf4, 0xff };
	size_t len = (size_t)rand_r(seed) % 64;

	for (size_t i = 0; i < len; i++) {
		unsigned int dice = (unsigned int)rand_r(seed);

		bytes[i] = dice % 2 ? edges[dice / 2 % sizeof(edges)] :
				      (unsigned char)(dice >> 8);
	}
	return len;
}

/* A line reads as an argument of -s would be written. */
START_TEST(lines_read_back)
{
	unsigned int seed = suite_seed();

	for (int i = 0; i < rounds(); i++) {
		struct text line = TEXT_INIT, back = TEXT_INIT;
		unsigned char bytes[64];
		size_t len = random_bytes(&seed, bytes);

		escape_line(&line, bytes, len, i % 2 == 0);
		ck_assert(escape_is_utf8(line.bytes, line.len));
		ck_assert_ptr_null(parse_escaped(text_string(&line), &back));
		ck_assert_uint_eq(back.len, len);
		ck_assert(len == 0 || memcmp(back.bytes, bytes, len) == 0);
		text_free(&line);
		text_free(&back);
	}
}
END_TEST

/* ---- JSON */

static json_t *
through_json(const void *bytes, size_t len)
{
	struct text text = TEXT_INIT;
	json_error_t error;
	json_t *value;

	text_puts(&text, "\"");
	escape_json(&text, bytes, len);
	text_puts(&text, "\"");
	value = json_loadb(
	    text.bytes, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	if (value == NULL)
		ck_abort_msg("%s: %s", text.bytes, error.text);
	for (size_t i = 0; i < text.len; i++)
		ensure((unsigned char)text.bytes[i] >= 0x20);
	text_free(&text);
	return value;
}

static void
assert_json(const struct bytes *bytes, const struct bytes *want)
{
	json_t *value = through_json(bytes->data, bytes->len);

	ensure(json_string_length(value) == want->len);
	ensure(memcmp(json_string_value(value), want->data, want->len) == 0);
	json_decref(value);
}

#define REPLACEMENT "\xef\xbf\xbd"

START_TEST(json_strings)
{
	/* clang-format off */
	static const struct {
		struct bytes bytes, want;
	} rows[] = {
		{ BYTES(""), BYTES("") },
		{ BYTES("a\"b\\c/d"), BYTES("a\"b\\c/d") },
		{ BYTES("\r\n\t\b\f"), BYTES("\r\n\t\b\f") },
		{ BYTES("a\0b"), BYTES("a\0b") },
		{ BYTES("\x1b[0m\x7f"), BYTES("\x1b[0m\x7f") },
		{ BYTES("\xc2\x9b\xe2\x80\xae\xf3\xa0\x80\x81"),
		  BYTES("\xc2\x9b\xe2\x80\xae\xf3\xa0\x80\x81") },
		{ BYTES("\xf0\x9f\x98\x80"), BYTES("\xf0\x9f\x98\x80") },
		{ BYTES("x\xffy"), BYTES("x" REPLACEMENT "y") },
		{ BYTES("\xed\xa0\x80"),
		  BYTES(REPLACEMENT REPLACEMENT REPLACEMENT) },
		{ BYTES("\xc0\xaf"), BYTES(REPLACEMENT REPLACEMENT) },
		{ BYTES("\xe2\x82"), BYTES(REPLACEMENT REPLACEMENT) },
	};
	/* clang-format on */

	for (size_t i = 0; i < ROWS(rows); i++)
		assert_json(&rows[i].bytes, &rows[i].want);
}
END_TEST

START_TEST(json_of_every_code_point)
{
	for (unsigned int code = 0; code < 0x110000; code += stride()) {
		struct text text = TEXT_INIT;
		struct bytes bytes;
		char data[4];

		if (code >= 0xd800 && code < 0xe000)
			continue;
		bytes.len = encode(code, data);
		bytes.data = data;
		assert_json(&bytes, &bytes);
		escape_json(&text, data, bytes.len);
		/* Printed to a terminal, JSON must not steer it either. */
		if (steers(code))
			ensure(text.bytes[0] == '\\');
		text_free(&text);
	}
}
END_TEST

START_TEST(json_of_random_bytes)
{
	unsigned int seed = suite_seed();

	for (int i = 0; i < rounds(); i++) {
		unsigned char bytes[64];
		size_t len = random_bytes(&seed, bytes);
		json_t *value = through_json(bytes, len);

		if (escape_is_utf8(bytes, len)) {
			ensure(json_string_length(value) == len);
			ensure(
			    memcmp(json_string_value(value), bytes, len) == 0);
		}
		json_decref(value);
	}
}
END_TEST

/* ---- base64 */

START_TEST(base64_vectors)
{
	/* RFC 4648, section 10; and each digit. */
	static const struct {
		struct bytes bytes;
		const char *want;
	} rows[] = {
		{ BYTES(""), "" },
		{ BYTES("f"), "Zg==" },
		{ BYTES("fo"), "Zm8=" },
		{ BYTES("foo"), "Zm9v" },
		{ BYTES("foob"), "Zm9vYg==" },
		{ BYTES("fooba"), "Zm9vYmE=" },
		{ BYTES("foobar"), "Zm9vYmFy" },
		{ BYTES("\0"), "AA==" },
		{ BYTES("\xff"), "/w==" },
		{ BYTES("\xff\xff\xff"), "////" },
		{ BYTES("\xfb\xef\xbe"), "++++" },
		{ BYTES("\x00\x10\x83\x10\x51\x87\x20\x92\x8b\x30\xd3\x8f"
			"\x41\x14\x93\x51\x55\x97\x61\x96\x9b\x71\xd7\x9f"
			"\x82\x18\xa3\x92\x59\xa7\xa2\x9a\xab\xb2\xdb\xaf"
			"\xc3\x1c\xb3\xd3\x5d\xb7\xe3\x9e\xbb\xf3\xdf\xbf"),
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		    "0123456789+/" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct text text = TEXT_INIT;

		escape_base64(&text, rows[i].bytes.data, rows[i].bytes.len);
		ck_assert_str_eq(text_string(&text), rows[i].want);
		text_free(&text);
	}
}
END_TEST

/* No byte of the input is looked for behind its end. */
START_TEST(base64_of_every_length)
{
	for (size_t len = 0; len < 70; len++) {
		unsigned char *bytes = malloc(len > 0 ? len : 1);
		struct text text = TEXT_INIT;

		ck_assert_ptr_nonnull(bytes);
		memset(bytes, 0xff, len);
		escape_base64(&text, bytes, len);
		ck_assert_uint_eq(text.len, (len + 2) / 3 * 4);
		ck_assert_uint_eq(
		    strcspn(text_string(&text), "="), (len * 4 + 2) / 3);
		text_free(&text);
		free(bytes);
	}
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("escape");

	tcase_add_test(tests, utf8_sequences);
	tcase_add_test(tests, every_code_point);
	tcase_add_test(tests, whole_strings);
	tcase_add_test(tests, text_lines);
	tcase_add_test(tests, no_code_point_steers);
	tcase_add_test(tests, lines_read_back);
	tcase_add_test(tests, json_strings);
	tcase_add_test(tests, json_of_every_code_point);
	tcase_add_test(tests, json_of_random_bytes);
	tcase_add_test(tests, base64_vectors);
	tcase_add_test(tests, base64_of_every_length);
	return suite_run(tests, "escape");
}
