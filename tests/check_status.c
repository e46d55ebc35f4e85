/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <signal.h>

#include "result.h"
#include "status.h"
#include "suite.h"

static const struct options plain;

/* The documented contract. */
START_TEST(table)
{
	static const struct {
		enum lastack_outcome outcome;
		int status;
	} rows[] = {
		{ LASTACK_OUTCOME_NONE, 13 },
		{ LASTACK_OUTCOME_OK, 0 },
		{ LASTACK_OUTCOME_MISMATCH, 1 },
		{ LASTACK_OUTCOME_RESOLVE, 3 },
		{ LASTACK_OUTCOME_REFUSED, 4 },
		{ LASTACK_OUTCOME_UNREACHABLE, 5 },
		{ LASTACK_OUTCOME_CONNECT_TIMEOUT, 6 },
		{ LASTACK_OUTCOME_RESET, 7 },
		{ LASTACK_OUTCOME_RESPONSE_TIMEOUT, 8 },
		{ LASTACK_OUTCOME_CLOSED_EARLY, 9 },
		{ LASTACK_OUTCOME_CLOSE_MISMATCH, 10 },
		{ LASTACK_OUTCOME_FASTOPEN, 11 },
		{ LASTACK_OUTCOME_SYSTEM, 13 },
	};

	ck_assert_int_eq(STATUS_USAGE, 2);
	ck_assert_int_eq(STATUS_SYSTEM, 13);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lastack__result result = { .public.outcome =
						      rows[i].outcome };

		ck_assert_int_eq(
		    status_of(&plain, &result.public), rows[i].status);
	}
}
END_TEST

START_TEST(signals)
{
	struct lastack__result result = {
		.public.outcome = LASTACK_OUTCOME_INTERRUPTED,
		.public.interrupted_by = SIGINT,
	};

	ck_assert_int_eq(status_of(&plain, &result.public), 130);
	result.public.interrupted_by = SIGTERM;
	ck_assert_int_eq(status_of(&plain, &result.public), 143);
}
END_TEST

/* Only where all was well otherwise: the most specific cause wins. */
START_TEST(slow)
{
	struct options strict = { 0 };
	struct lastack__result run;

	lastack__result_init(&run);
	run.public.outcome = LASTACK_OUTCOME_OK;
	ck_assert_int_eq(status_of(&plain, &run.public), 0);
	ck_assert_str_eq(status_outcome(&plain, &run.public), "ok");
	ck_assert_ptr_null(
	    range_parse("@0:1", &strict.thresholds[SPAN_TIME].warning));
	ck_assert_int_eq(status_of(&strict, &run.public), 12);
	ck_assert_str_eq(status_outcome(&strict, &run.public), "slow");
	run.public.outcome = LASTACK_OUTCOME_MISMATCH;
	ck_assert_int_eq(status_of(&strict, &run.public), 1);
	ck_assert_str_eq(status_outcome(&strict, &run.public), "mismatch");
}
END_TEST

/* 124 to 127 mean something to timeout(1) and to the shell. */
START_TEST(reserved)
{
	for (int outcome = LASTACK_OUTCOME_NONE;
	     outcome <= LASTACK_OUTCOME_INTERRUPTED; outcome++) {
		struct lastack__result result = {
			.public.outcome = (enum lastack_outcome)outcome,
			.public.interrupted_by = SIGINT,
		};
		int status = status_of(&plain, &result.public);

		ck_assert(status < 124 || status > 127);
		ck_assert_int_le(status, 255);
	}
}
END_TEST

START_TEST(never_improves)
{
	ck_assert_int_eq(status_worse(0, 0), 0);
	ck_assert_int_eq(status_worse(0, STATUS_SYSTEM), STATUS_SYSTEM);
	ck_assert_int_eq(status_worse(4, 0), 4);
	/* A failure of the probe keeps its own status. */
	ck_assert_int_eq(status_worse(4, STATUS_SYSTEM), 4);
	ck_assert_int_eq(status_worse(1, STATUS_SYSTEM), 1);
	ck_assert_int_eq(status_worse(143, STATUS_SYSTEM), 143);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("status");

	tcase_add_test(tests, table);
	tcase_add_test(tests, signals);
	tcase_add_test(tests, slow);
	tcase_add_test(tests, reserved);
	tcase_add_test(tests, never_improves);
	return suite_run(tests, "status");
}
