/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"
#include "text.h"

START_TEST(empty)
{
	struct text text = TEXT_INIT;

	ck_assert_str_eq(text_string(&text), "");
	text_puts(&text, "");
	ck_assert_str_eq(text_string(&text), "");
	ck_assert_uint_eq(text.len, 0);
	text_free(&text);
	ck_assert_ptr_null(text.bytes);
	text_free(&text);
}
END_TEST

START_TEST(appends)
{
	struct text text = TEXT_INIT;

	text_puts(&text, "ab");
	text_printf(&text, "%s-%d%%", "c", 4);
	text_add(&text, "\0x", 2);
	ck_assert_uint_eq(text.len, 8);
	ck_assert_mem_eq(text.bytes, "abc-4%\0x", 8);
	ck_assert(!text.failed);
	text_free(&text);
}
END_TEST

START_TEST(pads)
{
	struct text text = TEXT_INIT;

	text_left(&text, "ab", 4);
	text_puts(&text, "|");
	text_right(&text, "cd", 4);
	text_puts(&text, "|");
	text_left(&text, "long", 2);
	text_right(&text, "long", 0);
	text_spaces(&text, 0);
	text_spaces(&text, 2);
	text_number(&text, UINT64_MAX);
	ck_assert_str_eq(
	    text_string(&text), "ab  |  cd|longlong  18446744073709551615");
	ck_assert_uint_eq(text.len, strlen(text.bytes));
	text_spaces(&text, SIZE_MAX - 1);
	ck_assert(text.failed);
	text_free(&text);
}
END_TEST

/* At the end of each size of the buffer, one byte less and one more. */
START_TEST(grows_at_every_length)
{
	for (size_t len = 0; len < 5000; len++) {
		struct text added = TEXT_INIT, printed = TEXT_INIT;
		char *bytes = malloc(len + 1);

		ck_assert_ptr_nonnull(bytes);
		memset(bytes, 'a', len);
		bytes[len] = '\0';
		text_add(&added, bytes, len);
		text_printf(&printed, "%s", bytes);
		text_puts(&added, "z");
		text_printf(&printed, "%c", 'z');
		ck_assert_uint_eq(added.len, len + 1);
		ck_assert_str_eq(text_string(&added), text_string(&printed));
		ck_assert_uint_eq(strlen(added.bytes), added.len);
		ck_assert_mem_eq(added.bytes, bytes, len);
		text_free(&added);
		text_free(&printed);
		free(bytes);
	}
}
END_TEST

START_TEST(byte_by_byte)
{
	struct text text = TEXT_INIT;

	for (size_t i = 0; i < 100000; i++)
		text_add(&text, &"0123456789"[i % 10], 1);
	ck_assert_uint_eq(text.len, 100000);
	for (size_t i = 0; i < text.len; i++)
		ck_assert_int_eq(text.bytes[i], '0' + (int)(i % 10));
	text_free(&text);
}
END_TEST

/* More than there can be: told at the end, and what was there stays. */
START_TEST(failure_is_remembered)
{
	struct text text = TEXT_INIT;

	text_puts(&text, "before");
	text_add(&text, "", SIZE_MAX - 1);
	ck_assert(text.failed);
	ck_assert_str_eq(text_string(&text), "before");
	text_puts(&text, "after");
	text_printf(&text, "%d", 1);
	ck_assert(text.failed);
	ck_assert_str_eq(text_string(&text), "before");
	text_free(&text);
	ck_assert(!text.failed);
	text_puts(&text, "again");
	ck_assert_str_eq(text_string(&text), "again");
	text_free(&text);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("text");

	tcase_add_test(tests, empty);
	tcase_add_test(tests, appends);
	tcase_add_test(tests, pads);
	tcase_add_test(tests, grows_at_every_length);
	tcase_add_test(tests, byte_by_byte);
	tcase_add_test(tests, failure_is_remembered);
	return suite_run(tests, "text");
}
