/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "result.h"
#include "suite.h"
#include "tcp.h"

static struct lastack__result result;

static void
set_up(void)
{
	memset(&result, 0x5a, sizeof(result));
	lastack__result_init(&result);
}

START_TEST(layout)
{
	ck_assert_uint_eq(offsetof(struct lastack_result, size), 0);
	ck_assert_uint_eq(offsetof(struct lastack_attempt, size), 0);
	ck_assert_uint_eq(offsetof(struct lastack__result, public), 0);
	ck_assert_uint_eq(offsetof(struct lastack__attempt, record), 0);
	ck_assert_uint_eq(result.public.size, sizeof(struct lastack_result));
}
END_TEST

/* Nothing was reached yet, and nothing is claimed. */
START_TEST(fresh)
{
	const struct lastack_result *public = &result.public;

	ck_assert_int_eq(public->outcome, LASTACK_OUTCOME_NONE);
	ck_assert_int_eq(public->error_errno, 0);
	ck_assert_int_eq(public->interrupted_by, 0);
	ck_assert_int_eq(public->match, LASTACK_MATCH_NONE);
	ck_assert_int_eq(public->match_which, -1);
	ck_assert_int_eq(public->close_peer, LASTACK_END_NONE);
	ck_assert_int_eq(public->close_local, LASTACK_END_NONE);
	ck_assert_int_eq(public->close_first, LASTACK_SIDE_UNKNOWN);
	ck_assert_int_eq(public->close_time_wait, LASTACK_NO);
	ck_assert_uint_eq(public->local_port, 0);
	ck_assert(!public->has_kernel);
	ck_assert_ptr_null(lastack_result_remote(public));
	ck_assert_ptr_null(lastack_result_local(public));
	ck_assert_str_eq(lastack_result_error_text(public), "");
	ck_assert_uint_eq(lastack_result_attempts(public), 0);
	ck_assert_ptr_null(lastack_result_attempt(public, 0));
	ck_assert_str_eq(lastack_result_response(public), "");
	for (int i = 0; i <= LASTACK_PHASE_TOTAL; i++)
		ck_assert_int_eq(
		    lastack_result_phase_ns(public, (enum lastack_phase)i), -1);
	for (int i = 0; i < LASTACK_EVENT_COUNT; i++)
		ck_assert_int_eq(
		    lastack_result_event_ns(public, (enum lastack_event)i), -1);
}
END_TEST

START_TEST(out_of_range)
{
	static const int phases[] = { -1, LASTACK_PHASE_TOTAL + 1, INT_MAX,
		INT_MIN };
	static const int events[] = { -1, LASTACK_EVENT_COUNT, INT_MAX,
		INT_MIN };

	memset(result.phase_ns, 0, sizeof(result.phase_ns));
	memset(result.event_ns, 0, sizeof(result.event_ns));
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(lastack_result_phase_ns(&result.public,
				     (enum lastack_phase)phases[i]),
		    -1);
		ck_assert_int_eq(lastack_result_event_ns(&result.public,
				     (enum lastack_event)events[i]),
		    -1);
	}
}
END_TEST

START_TEST(accessors)
{
	const struct lastack__attempt attempts[2] = {
		{ .record = { .size = 1, .time_ns = 10 } },
		{ .record = { .size = 1, .time_ns = 20 } },
	};

	result.attempts = attempts;
	result.attempt_count = 2;
	result.response = "abc";
	strcpy(result.remote, "192.0.2.1");
	strcpy(result.local, "192.0.2.9");
	result.phase_ns[LASTACK_PHASE_TOTAL] = 7;
	result.event_ns[LASTACK_EVENT_END] = 8;
	ck_assert_str_eq(lastack_result_remote(&result.public), "192.0.2.1");
	ck_assert_str_eq(lastack_result_local(&result.public), "192.0.2.9");
	ck_assert_str_eq(lastack_result_response(&result.public), "abc");
	ck_assert_uint_eq(lastack_result_attempts(&result.public), 2);
	ck_assert_ptr_eq(
	    lastack_result_attempt(&result.public, 1), &attempts[1].record);
	ck_assert_ptr_null(lastack_result_attempt(&result.public, 2));
	ck_assert_ptr_null(lastack_result_attempt(&result.public, SIZE_MAX));
	ck_assert_int_eq(
	    lastack_result_phase_ns(&result.public, LASTACK_PHASE_TOTAL), 7);
	ck_assert_int_eq(
	    lastack_result_event_ns(&result.public, LASTACK_EVENT_END), 8);
}
END_TEST

/* What followed from a failure must not take its place. */
START_TEST(first_cause_stays)
{
	lastack__result_fail(
	    &result, LASTACK_OUTCOME_RESET, LASTACK_PHASE_WAIT, ECONNRESET);
	lastack__result_fail(&result, LASTACK_OUTCOME_MISMATCH,
	    LASTACK_PHASE_RECEIVE, ETIMEDOUT);
	ck_assert_int_eq(result.public.outcome, LASTACK_OUTCOME_RESET);
	ck_assert_int_eq(result.public.error_phase, LASTACK_PHASE_WAIT);
	ck_assert_int_eq(result.public.error_errno, ECONNRESET);
	ck_assert_str_eq(
	    lastack_result_error_text(&result.public), strerror(ECONNRESET));
}
END_TEST

START_TEST(long_error_text)
{
	char text[1000];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	lastack__result_text(&result, text);
	ck_assert_uint_eq(strlen(lastack_result_error_text(&result.public)),
	    LASTACK__ERROR_TEXT - 1);
}
END_TEST

/* ---- words */

static const char *
outcome_name(int i)
{
	return lastack_outcome_name((enum lastack_outcome)i);
}

static const char *
phase_name(int i)
{
	return lastack_phase_name((enum lastack_phase)i);
}

static const char *
event_name(int i)
{
	return lastack_event_name((enum lastack_event)i);
}

static const char *
end_name(int i)
{
	return lastack_end_name((enum lastack_end)i);
}

struct words {
	const char *(*name)(int);
	const char *const want[16];
};

/* The reports' contract: a word, once published, stays. */
START_TEST(words)
{
	static const struct words table[] = {
		{ outcome_name,
		    { "none", "ok", "mismatch", "resolve", "refused",
			"unreachable", "connect-timeout", "reset",
			"response-timeout", "closed-early", "close-mismatch",
			"fastopen", "system", "interrupted" } },
		{ phase_name,
		    { "resolve", "connect", "send", "wait", "receive", "drain",
			"close", "total" } },
		{ event_name,
		    { "start", "resolved", "connecting", "connected", "sent",
			"first_byte", "last_byte", "matched", "peer_fin",
			"peer_rst", "local_fin", "local_rst", "last_ack",
			"end" } },
		{ end_name,
		    { "unknown", "none", "fin", "rst", "fin+rst", "open",
			"lost" } },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int j = 0;

		for (; table[i].want[j] != NULL; j++)
			ck_assert_str_eq(table[i].name(j), table[i].want[j]);
		ck_assert_str_eq(table[i].name(j), "unknown");
		ck_assert_str_eq(table[i].name(-1), "unknown");
		ck_assert_str_eq(table[i].name(INT_MAX), "unknown");
	}
}
END_TEST

START_TEST(error_words)
{
	static const int known[] = { 0, LASTACK_ERROR_MEMORY,
		LASTACK_ERROR_ARGUMENT, LASTACK_ERROR_SYSTEM,
		LASTACK_ERROR_INTERRUPTED };
	const char *unknown = lastack_error_text(-1000);

	for (size_t i = 0; i < 5; i++) {
		const char *text = lastack_error_text(known[i]);

		ck_assert_ptr_nonnull(text);
		ck_assert_str_ne(text, unknown);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(text, lastack_error_text(known[j]));
	}
	ck_assert_str_eq(lastack_error_text(1), unknown);
	ck_assert_str_eq(lastack_version(), PACKAGE_VERSION);
}
END_TEST

/* ---- of a real run */

START_TEST(attempts_of_a_run)
{
	int bound = tcp_bound(AF_INET);
	struct lastack_request *request = lastack_request_new();
	struct lastack_probe *probe = NULL;
	const struct lastack_result *public;
	const struct lastack_attempt *attempt;

	ck_assert_int_eq(
	    lastack_request_set_target(request, "127.0.0.1", tcp_port(bound)),
	    0);
	ck_assert_int_eq(lastack_probe_new(request, &probe), 0);
	public = lastack_probe_result(probe);
	ck_assert_int_eq(public->outcome, LASTACK_OUTCOME_NONE);
	ck_assert_int_eq(lastack_probe_run(probe, NULL), 0);
	ck_assert_ptr_eq(lastack_probe_result(probe), public);
	ck_assert_uint_eq(public->size, sizeof(*public));
	ck_assert_int_eq(public->outcome, LASTACK_OUTCOME_REFUSED);
	ck_assert_int_eq(public->error_errno, ECONNREFUSED);
	ck_assert_uint_eq(lastack_result_attempts(public), 1);
	attempt = lastack_result_attempt(public, 0);
	ck_assert_uint_eq(attempt->size, sizeof(*attempt));
	ck_assert_str_eq(attempt->address, "127.0.0.1");
	ck_assert_int_eq(attempt->outcome, LASTACK_OUTCOME_REFUSED);
	ck_assert_int_eq(attempt->error_errno, ECONNREFUSED);
	ck_assert_int_ge(attempt->time_ns, 0);
	ck_assert_int_eq(lastack_probe_run(probe, NULL), 0); /* over is over */
	ck_assert_int_eq(lastack_probe_step(probe), 0);
	lastack_probe_free(probe);
	lastack_probe_free(NULL);
	lastack_request_free(request);
	close(bound);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("result");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, layout);
	tcase_add_test(tests, fresh);
	tcase_add_test(tests, out_of_range);
	tcase_add_test(tests, accessors);
	tcase_add_test(tests, first_cause_stays);
	tcase_add_test(tests, long_error_text);
	tcase_add_test(tests, words);
	tcase_add_test(tests, error_words);
	tcase_add_test(tests, attempts_of_a_run);
	return suite_run(tests, "result");
}
