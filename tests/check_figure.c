/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "figure.h"
#include "suite.h"

/* Digits beyond those that are shown are cut off, never rounded up. */
static const struct {
	int64_t ns;
	const char *text;
} times[] = {
	{ 0, "0.0 us" },
	{ 99, "0.0 us" },
	{ 100, "0.1 us" },
	{ 1234, "1.2 us" },
	{ 311299, "311.2 us" },
	{ 999999, "999.9 us" },
	{ 1000000, "1.0 ms" },
	{ 17299999, "17.2 ms" },
	{ 999999999, "999.9 ms" },
	{ 1000000000, "1.00 s" },
	{ 1009999999, "1.00 s" },
	{ 1010000000, "1.01 s" },
	{ 99999999999, "99.99 s" },
	{ 100000000000, "100 s" },
	{ INT64_MAX, "9223372036 s" },
	{ -1, "0.0 us" },
};

START_TEST(time_of)
{
	char text[FIGURE_TEXT];

	ck_assert_ptr_eq(figure_time(text, times[_i].ns), text);
	ck_assert_str_eq(text, times[_i].text);
}
END_TEST

static const struct {
	uint64_t bytes;
	const char *text;
} amounts[] = {
	{ 0, "0 B" },
	{ 9999, "9999 B" },
	{ 10000, "10.0 kB" },
	{ 65536, "65.5 kB" },
	{ 9999999, "9999.9 kB" },
	{ 10000000, "10.0 MB" },
	{ 1073741824, "1073.7 MB" },
	{ UINT64_C(9999999999999999), "9999.9 TB" },
	{ UINT64_MAX, "18.4 EB" },
};

START_TEST(bytes_of)
{
	char text[FIGURE_TEXT];

	ck_assert_ptr_eq(figure_bytes(text, amounts[_i].bytes), text);
	ck_assert_str_eq(text, amounts[_i].text);
}
END_TEST

/* As printf(3) has them. */
START_TEST(numbers)
{
	char text[FIGURE_TEXT], want[FIGURE_TEXT];

	for (uint64_t number = 1; number < UINT64_MAX / 10; number *= 10)
		for (uint64_t i = 0; i < 3; i++) {
			snprintf(
			    want, sizeof(want), "%" PRIu64, number + i - 1);
			ck_assert_str_eq(
			    figure_number(text, number + i - 1), want);
		}
	ck_assert_str_eq(
	    figure_number(text, UINT64_MAX), "18446744073709551615");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("figure");

	tcase_add_loop_test(
	    tests, time_of, 0, (int)(sizeof(times) / sizeof(times[0])));
	tcase_add_loop_test(
	    tests, bytes_of, 0, (int)(sizeof(amounts) / sizeof(amounts[0])));
	tcase_add_test(tests, numbers);
	return suite_run(tests, "figure");
}
