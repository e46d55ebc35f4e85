/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <time.h>

#include "clock.h"
#include "suite.h"

static int64_t
reference_ns(void)
{
	struct timespec now;

	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

START_TEST(now_is_monotonic_time)
{
	for (int i = 0; i < 1000; i++) {
		int64_t before = reference_ns();
		int64_t now = lastack__clock_now_ns();
		int64_t after = reference_ns();

		ck_assert_int_le(before, now);
		ck_assert_int_le(now, after);
	}
}
END_TEST

START_TEST(addition_stops_at_never)
{
	static const struct {
		int64_t instant, span, sum;
	} rows[] = {
		{ 0, 0, 0 },
		{ 5, 7, 12 },
		{ LASTACK__NEVER - 1, 0, LASTACK__NEVER - 1 },
		{ LASTACK__NEVER - 1, 1, LASTACK__NEVER },
		{ LASTACK__NEVER - 1, 2, LASTACK__NEVER },
		{ LASTACK__NEVER, 0, LASTACK__NEVER },
		{ LASTACK__NEVER, 1, LASTACK__NEVER },
		{ LASTACK__NEVER, LASTACK__NEVER, LASTACK__NEVER },
		{ 0, LASTACK__NEVER, LASTACK__NEVER },
		{ 1, LASTACK__NEVER, LASTACK__NEVER },
		{ 100, LASTACK__NEVER - 101, LASTACK__NEVER - 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_int_eq(
		    lastack__clock_add(rows[i].instant, rows[i].span),
		    rows[i].sum);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("clock");

	tcase_add_test(tests, now_is_monotonic_time);
	tcase_add_test(tests, addition_stops_at_never);
	return suite_run(tests, "clock");
}
