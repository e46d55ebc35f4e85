/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <inttypes.h>

#include "range.h"
#include "suite.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define U INT64_C(1000000000)

static const struct {
	const char *value;
	int64_t start, end;
	bool inside;
	const char *short_form, *long_form; /* with no decimals, with six */
} good[] = {
	{ "10", 0, 10 * U, false, "10", "10.000000" },
	{ "0", 0, 0, false, "0", "0.000000" },
	{ "0:10", 0, 10 * U, false, "10", "10.000000" },
	{ ":10", 0, 10 * U, false, "10", "10.000000" },
	{ "10:", 10 * U, RANGE_NO_END, false, "10:", "10.000000:" },
	{ "0:", 0, RANGE_NO_END, false, "0:", "0.000000:" },
	{ "~:10", RANGE_NO_START, 10 * U, false, "~:10", "~:10.000000" },
	{ "~:", RANGE_NO_START, RANGE_NO_END, false, "~:", "~:" },
	{ "10:20", 10 * U, 20 * U, false, "10:20", "10.000000:20.000000" },
	{ "@10:20", 10 * U, 20 * U, true, "@10:20", "@10.000000:20.000000" },
	{ "@10", 0, 10 * U, true, "@10", "@10.000000" },
	{ "@~:0", RANGE_NO_START, 0, true, "@~:0", "@~:0.000000" },
	{ "5:5", 5 * U, 5 * U, false, "5:5", "5.000000:5.000000" },
	{ "-5:5", -5 * U, 5 * U, false, "-5:5", "-5.000000:5.000000" },
	{ "-0.5:-0.25", -U / 2, -U / 4, false, "-0.5:-0.25",
	    "-0.500000:-0.250000" },
	{ "+1:+2", U, 2 * U, false, "1:2", "1.000000:2.000000" },
	{ "0.5", 0, U / 2, false, "0.5", "0.500000" },
	{ ".5", 0, U / 2, false, "0.5", "0.500000" },
	{ "5.", 0, 5 * U, false, "5", "5.000000" },
	{ "0.3", 0, 300000000, false, "0.3", "0.300000" },
	{ "0.0000015", 0, 1500, false, "0.0000015", "0.0000015" },
	{ "0.000000001", 0, 1, false, "0.000000001", "0.000000001" },
	{ "0.0000000019", 0, 1, false, "0.000000001", "0.000000001" },
	{ "1000000000", 0, U *U, false, "1000000000", "1000000000.000000" },
	{ "007", 0, 7 * U, false, "7", "7.000000" },
};

START_TEST(parsed)
{
	for (size_t i = 0; i < ROWS(good); i++) {
		struct range range = { 0 };
		const char *reason = range_parse(good[i].value, &range);

		ck_assert_msg(reason == NULL, "%s: %s", good[i].value, reason);
		ck_assert(range.given);
		ck_assert_msg(range.start == good[i].start &&
			range.end == good[i].end &&
			range.inside == good[i].inside,
		    "%s: %" PRId64 " to %" PRId64, good[i].value, range.start,
		    range.end);
	}
}
END_TEST

/* What is printed says the same when it is parsed again. */
START_TEST(printed)
{
	for (size_t i = 0; i < ROWS(good); i++) {
		struct text few = TEXT_INIT, many = TEXT_INIT;
		struct range range = { 0 }, again = { 0 };

		ck_assert_ptr_null(range_parse(good[i].value, &range));
		range_print(&few, &range, 0);
		range_print(&many, &range, 6);
		ck_assert_str_eq(text_string(&few), good[i].short_form);
		ck_assert_str_eq(text_string(&many), good[i].long_form);
		ck_assert_ptr_null(range_parse(text_string(&many), &again));
		ck_assert_int_eq(again.start, range.start);
		ck_assert_int_eq(again.end, range.end);
		ck_assert_int_eq(again.inside, range.inside);
		text_free(&few);
		text_free(&many);
	}
}
END_TEST

START_TEST(refused)
{
	static const char *const bad[] = { "", ":", "@", "@:", "~", "@~", "-",
		"+", ".", "-.", "1:2:3", "2:1", "1:~", "~:~", "a", "1a", "1s",
		"1ms", "1,5", "1e3", "0x1", " 1", "1 ", "1: 2", "--1", "@@1",
		"1:@2", "inf", "nan", "1\n", "1000000001", "-1",
		"9223372036854775807", "99999999999999999999999", "1..2",
		"1.2.3", "~1:2", "1~:2", "10:5", "-1:-2" };

	for (size_t i = 0; i < ROWS(bad); i++) {
		struct range range = { .given = true, .start = 1, .end = 2 };
		const char *reason = range_parse(bad[i], &range);

		ck_assert_msg(reason != NULL, "'%s' was taken", bad[i]);
		ck_assert(range.given && range.start == 1 && range.end == 2);
	}
}
END_TEST

START_TEST(alerts)
{
	static const struct {
		const char *range;
		int64_t value;
		bool alerts;
	} rows[] = {
		{ "10", -1, true },
		{ "10", 0, false },
		{ "10", 10 * U, false },
		{ "10", 10 * U + 1, true },
		{ "10:", 10 * U - 1, true },
		{ "10:", 10 * U, false },
		{ "10:", INT64_MAX, false },
		{ "~:10", INT64_MIN, false },
		{ "~:10", 10 * U, false },
		{ "~:10", 10 * U + 1, true },
		{ "10:20", 10 * U - 1, true },
		{ "10:20", 10 * U, false },
		{ "10:20", 20 * U, false },
		{ "10:20", 20 * U + 1, true },
		{ "@10:20", 10 * U - 1, false },
		{ "@10:20", 10 * U, true },
		{ "@10:20", 20 * U, true },
		{ "@10:20", 20 * U + 1, false },
		{ "~:", 0, false },
		{ "@~:", 0, true },
		{ "0", 0, false },
		{ "0", 1, true },
	};
	struct range none = { 0 };

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct range range = { 0 };

		ck_assert_ptr_null(range_parse(rows[i].range, &range));
		ck_assert_msg(
		    range_alerts(&range, rows[i].value) == rows[i].alerts,
		    "%s: %" PRId64, rows[i].range, rows[i].value);
	}
	ck_assert(!range_alerts(&none, 0));
	ck_assert(!range_alerts(&none, 1));
}
END_TEST

START_TEST(none_is_printed_as_nothing)
{
	struct text text = TEXT_INIT;
	struct range none = { 0 };

	range_print(&text, &none, 6);
	ck_assert_str_eq(text_string(&text), "");
	text_free(&text);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("range");

	tcase_add_test(tests, parsed);
	tcase_add_test(tests, printed);
	tcase_add_test(tests, refused);
	tcase_add_test(tests, alerts);
	tcase_add_test(tests, none_is_printed_as_nothing);
	return suite_run(tests, "range");
}
