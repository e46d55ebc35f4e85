/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "request.h"
#include "suite.h"

static struct lastack_request *request;

static void
set_up(void)
{
	request = lastack_request_new();
	ck_assert_ptr_nonnull(request);
}

static void
tear_down(void)
{
	lastack_request_free(request);
	request = NULL;
}

static void
target(const char *host)
{
	ck_assert_int_eq(lastack_request_set_target(request, host, 80), 0);
}

START_TEST(defaults)
{
	ck_assert_ptr_null(request->host);
	ck_assert_int_eq(request->family, LASTACK_FAMILY_ANY);
	ck_assert_int_eq(request->close, LASTACK_CLOSE_AUTO);
	ck_assert_int_eq(request->expect_close, LASTACK_END_UNKNOWN);
	ck_assert_int_eq(request->total_ns, INT64_C(10000000000));
	ck_assert_int_eq(request->connect_ns, 0);
	ck_assert_int_eq(request->rounds->idle_ns, INT64_C(1000000000));
	ck_assert_int_eq(request->drain_ns, INT64_C(100000000));
	ck_assert_int_eq(request->rounds->delay_ns, 0);
	ck_assert_uint_eq(request->rounds->maxbytes, 0);
	ck_assert_uint_eq(request->keep_bytes, 0);
	ck_assert(!request->numeric && !request->half_close &&
	    !request->connect_only && !request->rounds->expect.all);
	ck_assert(request->sink == NULL);
	lastack_request_free(NULL);
}
END_TEST

START_TEST(target_checked)
{
	char longest[1025 + 2];

	memset(longest, 'a', sizeof(longest));
	longest[1026] = '\0';
	ck_assert_int_eq(lastack_request_set_target(request, NULL, 80),
	    LASTACK_ERROR_ARGUMENT);
	ck_assert_int_eq(lastack_request_set_target(request, "", 80),
	    LASTACK_ERROR_ARGUMENT);
	ck_assert_int_eq(lastack_request_set_target(request, "x", 0),
	    LASTACK_ERROR_ARGUMENT);
	ck_assert_int_eq(lastack_request_set_target(request, longest, 80),
	    LASTACK_ERROR_ARGUMENT);
	ck_assert_ptr_null(request->host);
	longest[1025] = '\0';
	ck_assert_int_eq(lastack_request_set_target(request, longest, 1), 0);
	ck_assert_str_eq(request->host, longest);
	ck_assert_uint_eq(request->port, 1);
	ck_assert_int_eq(lastack_request_set_target(request, "y", 65535), 0);
	ck_assert_str_eq(request->host, "y");
	ck_assert_uint_eq(request->port, 65535);
}
END_TEST

START_TEST(target_is_copied_and_kept)
{
	char host[] = "name";

	target(host);
	host[0] = 'z';
	ck_assert_str_eq(request->host, "name");
	ck_assert_int_eq(
	    lastack_request_set_target(request, "", 1), LASTACK_ERROR_ARGUMENT);
	ck_assert_str_eq(request->host, "name");
	ck_assert_uint_eq(request->port, 80);
}
END_TEST

START_TEST(family)
{
	static const int good[] = { LASTACK_FAMILY_IPV4, LASTACK_FAMILY_IPV6,
		LASTACK_FAMILY_ANY };
	static const int bad[] = { -1, LASTACK_FAMILY_UNIX, 1000 };

	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(lastack_request_set_family(
				     request, (enum lastack_family)good[i]),
		    0);
		ck_assert_int_eq(request->family, good[i]);
		ck_assert_int_eq(lastack_request_set_family(
				     request, (enum lastack_family)bad[i]),
		    LASTACK_ERROR_ARGUMENT);
		ck_assert_int_eq(request->family, good[i]);
	}
}
END_TEST

START_TEST(close_policy)
{
	static const int good[] = { LASTACK_CLOSE_FIN, LASTACK_CLOSE_RST,
		LASTACK_CLOSE_AUTO };
	static const int bad[] = { -1, LASTACK_CLOSE_RST + 1, 1000 };

	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(lastack_request_set_close(
				     request, (enum lastack_close)good[i]),
		    0);
		ck_assert_int_eq(request->close, good[i]);
		ck_assert_int_eq(lastack_request_set_close(
				     request, (enum lastack_close)bad[i]),
		    LASTACK_ERROR_ARGUMENT);
		ck_assert_int_eq(request->close, good[i]);
	}
}
END_TEST

START_TEST(expected_close)
{
	for (int end = -1; end < 20; end++) {
		bool good = end == LASTACK_END_UNKNOWN ||
		    end == LASTACK_END_FIN || end == LASTACK_END_RST ||
		    end == LASTACK_END_OPEN;
		enum lastack_end before = request->expect_close;

		ck_assert_int_eq(lastack_request_set_expect_close(
				     request, (enum lastack_end)end),
		    good ? 0 : LASTACK_ERROR_ARGUMENT);
		ck_assert_int_eq(request->expect_close,
		    good ? (enum lastack_end)end : before);
	}
}
END_TEST

static int64_t
time_of(enum lastack_time which)
{
	switch (which) {
	case LASTACK_TIME_TOTAL:
		return request->total_ns;
	case LASTACK_TIME_CONNECT:
		return request->connect_ns;
	case LASTACK_TIME_IDLE:
		return request->rounds->idle_ns;
	case LASTACK_TIME_DRAIN:
		return request->drain_ns;
	case LASTACK_TIME_DELAY:
		return request->rounds->delay_ns;
	}
	return -1;
}

START_TEST(times)
{
	static const int64_t bad[] = { -1, INT64_MIN, LASTACK_TIME_MAX_NS + 1,
		INT64_MAX };

	for (int i = LASTACK_TIME_TOTAL; i <= LASTACK_TIME_DELAY; i++) {
		enum lastack_time which = (enum lastack_time)i;
		bool positive = which == LASTACK_TIME_TOTAL ||
		    which == LASTACK_TIME_IDLE;

		ck_assert_int_eq(lastack_request_set_time(
				     request, which, LASTACK_TIME_MAX_NS),
		    0);
		ck_assert_int_eq(time_of(which), LASTACK_TIME_MAX_NS);
		ck_assert_int_eq(
		    lastack_request_set_time(request, which, 1), 0);
		for (size_t j = 0; j < 4; j++)
			ck_assert_int_eq(
			    lastack_request_set_time(request, which, bad[j]),
			    LASTACK_ERROR_ARGUMENT);
		ck_assert_int_eq(time_of(which), 1);
		ck_assert_int_eq(lastack_request_set_time(request, which, 0),
		    positive ? LASTACK_ERROR_ARGUMENT : 0);
		ck_assert_int_eq(time_of(which), positive ? 1 : 0);
	}
	ck_assert_int_eq(
	    lastack_request_set_time(request, (enum lastack_time)5, 1),
	    LASTACK_ERROR_ARGUMENT);
	ck_assert_int_eq(
	    lastack_request_set_time(request, (enum lastack_time) - 1, 1),
	    LASTACK_ERROR_ARGUMENT);
}
END_TEST

START_TEST(payload)
{
	ck_assert_int_eq(lastack_request_add_payload(request, NULL, 1),
	    LASTACK_ERROR_ARGUMENT);
	ck_assert_int_eq(lastack_request_add_payload(request, NULL, 0), 0);
	ck_assert_uint_eq(request->rounds->payload.count, 0);
	ck_assert_int_eq(lastack_request_add_payload(request, "a\0b", 3), 0);
	ck_assert_uint_eq(request->rounds->payload.parts[0].len, 3);
	ck_assert_int_eq(lastack_request_add_payload_fd(request, -1),
	    LASTACK_ERROR_ARGUMENT);
	ck_assert_uint_eq(request->rounds->payload.count, 1);
	ck_assert_int_eq(
	    lastack_request_add_payload_fd(request, STDERR_FILENO), 0);
	ck_assert_uint_eq(request->rounds->payload.count, 2);
}
END_TEST

/* Descriptors are borrowed. */
START_TEST(descriptors_stay_open)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(lastack_request_add_payload_fd(request, ends[0]), 0);
	tear_down();
	ck_assert_int_eq(close(ends[0]), 0);
	ck_assert_int_eq(close(ends[1]), 0);
}
END_TEST

START_TEST(expectations)
{
	ck_assert_int_eq(lastack_request_add_expect(request, NULL, 1),
	    LASTACK_ERROR_ARGUMENT);
	ck_assert_uint_eq(request->rounds->expect.count, 0);
	ck_assert_int_eq(lastack_request_add_expect(request, NULL, 0), 0);
	ck_assert_int_eq(lastack_request_add_expect(request, "a\0b", 3), 0);
	ck_assert_uint_eq(request->rounds->expect.count, 2);
	ck_assert_uint_eq(request->rounds->expect.needles[0].len, 0);
	ck_assert_uint_eq(request->rounds->expect.needles[1].len, 3);
	ck_assert_int_eq(lastack_request_set_expect_all(request, true), 0);
	ck_assert(request->rounds->expect.all);
	ck_assert_int_eq(lastack_request_set_expect_all(request, false), 0);
	ck_assert(!request->rounds->expect.all);
}
END_TEST

static int
sink(void *context, const void *data, size_t len)
{
	(void)context;
	(void)data;
	(void)len;
	return 0;
}

START_TEST(plain_values)
{
	int context;

	ck_assert_int_eq(lastack_request_set_numeric(request, true), 0);
	ck_assert(request->numeric);
	ck_assert_int_eq(lastack_request_set_half_close(request, true), 0);
	ck_assert(request->half_close);
	ck_assert_int_eq(lastack_request_set_connect_only(request, true), 0);
	ck_assert(request->connect_only);
	ck_assert_int_eq(lastack_request_set_lean(request, true), 0);
	ck_assert(request->lean);
	ck_assert_int_eq(lastack_request_set_maxbytes(request, UINT64_MAX), 0);
	ck_assert_uint_eq(request->rounds->maxbytes, UINT64_MAX);
	ck_assert_int_eq(lastack_request_set_keep(request, 17), 0);
	ck_assert_uint_eq(request->keep_bytes, 17);
	ck_assert_int_eq(lastack_request_set_sink(request, sink, &context), 0);
	ck_assert(request->sink == sink);
	ck_assert_ptr_eq(request->sink_context, &context);
	ck_assert_int_eq(lastack_request_set_sink(request, NULL, NULL), 0);
	ck_assert(request->sink == NULL);
}
END_TEST

START_TEST(local_side)
{
	ck_assert_int_eq(
	    lastack_request_set_source(request, "192.0.2.1", 7), 0);
	ck_assert_uint_eq(request->local.source.u.any.sa_family, AF_INET);
	ck_assert_uint_eq(request->local.port, 7);
	ck_assert_int_eq(lastack_request_set_source(request, "a.test", 8),
	    LASTACK_ERROR_ARGUMENT);
	ck_assert_int_eq(lastack_request_set_source(request, "8080", 8),
	    LASTACK_ERROR_ARGUMENT);
	ck_assert_int_eq(
	    lastack_request_set_source(request, "", 8), LASTACK_ERROR_ARGUMENT);
	ck_assert_uint_eq(request->local.port, 7);
	ck_assert_int_eq(lastack_request_set_source(request, NULL, 0), 0);
	ck_assert_uint_eq(request->local.source.len, 0);
	ck_assert_int_eq(lastack_request_set_interface(request, "eth0"), 0);
	ck_assert_int_eq(
	    lastack_request_set_interface(request, ""), LASTACK_ERROR_ARGUMENT);
	ck_assert_int_eq(
	    lastack_request_set_interface(request, "sixteen-letters-"),
	    LASTACK_ERROR_ARGUMENT);
	ck_assert_str_eq(request->local.interface, "eth0");
	ck_assert_int_eq(
	    lastack_request_set_interface(request, "fifteen-letters"), 0);
	ck_assert_int_eq(lastack_request_set_interface(request, "lo"), 0);
	ck_assert_str_eq(request->local.interface, "lo");
	ck_assert_int_eq(lastack_request_set_interface(request, NULL), 0);
	ck_assert_str_eq(request->local.interface, "");
	ck_assert_int_eq(lastack_request_set_mark(request, UINT32_MAX), 0);
	ck_assert_uint_eq(request->local.mark, UINT32_MAX);
	ck_assert_int_eq(lastack_request_set_tos(request, 0xfc), 0);
	for (uint8_t ecn = 1; ecn < 4; ecn++)
		ck_assert_int_eq(lastack_request_set_tos(request, ecn),
		    LASTACK_ERROR_ARGUMENT);
	ck_assert_uint_eq(request->local.tos, 0xfc);
}
END_TEST

/* ---- what goes together */

static void
assert_not_with_a_path(void)
{
	ck_assert_int_eq(lastack_request_set_path(request, "/x"), 0);
	ck_assert_int_eq(
	    lastack_request_check(request), LASTACK_ERROR_ARGUMENT);
	/* It is the path that it does not go with. */
	target("127.0.0.1");
	ck_assert_int_eq(lastack_request_check(request), 0);
	tear_down();
	set_up();
}

START_TEST(path)
{
	char longest[1 + 108 + 1] = "";

	memset(longest, 'a', 108);
	ck_assert_int_eq(
	    lastack_request_set_path(request, NULL), LASTACK_ERROR_ARGUMENT);
	ck_assert_int_eq(
	    lastack_request_set_path(request, ""), LASTACK_ERROR_ARGUMENT);
	ck_assert_int_eq(
	    lastack_request_set_path(request, "@"), LASTACK_ERROR_ARGUMENT);
	ck_assert_int_eq(
	    lastack_request_set_path(request, longest), LASTACK_ERROR_ARGUMENT);
	ck_assert_int_eq(
	    lastack_request_check(request), LASTACK_ERROR_ARGUMENT);
	ck_assert_int_eq(lastack_request_set_path(request, longest + 1), 0);
	ck_assert_int_eq(lastack_request_check(request), 0);
	longest[0] = '@';
	ck_assert_int_eq(lastack_request_set_path(request, longest), 0);
	ck_assert_int_eq(lastack_request_check(request), 0);
	target("::1");
	ck_assert_uint_eq(request->path.len, 0);
	ck_assert_int_eq(lastack_request_set_path(request, "/x"), 0);
	ck_assert_ptr_null(request->host);
	lastack_request_set_connect_only(request, true);
	lastack_request_set_half_close(request, true);
	ck_assert_int_eq(
	    lastack_request_check(request), LASTACK_ERROR_ARGUMENT);
}
END_TEST

START_TEST(what_a_path_has_not)
{
	lastack_request_set_family(request, LASTACK_FAMILY_IPV4);
	assert_not_with_a_path();
	lastack_request_set_numeric(request, true);
	assert_not_with_a_path();
	lastack_request_set_fastopen(request, LASTACK_FASTOPEN_TRY);
	assert_not_with_a_path();
	lastack_request_set_close(request, LASTACK_CLOSE_FIN);
	assert_not_with_a_path();
	lastack_request_set_expect_close(request, LASTACK_END_FIN);
	assert_not_with_a_path();
	lastack_request_set_source(request, "127.0.0.1", 0);
	assert_not_with_a_path();
	lastack_request_set_source(request, NULL, 7);
	assert_not_with_a_path();
	lastack_request_set_interface(request, "lo");
	assert_not_with_a_path();
	lastack_request_set_mark(request, 1);
	assert_not_with_a_path();
	lastack_request_set_tos(request, 4);
	assert_not_with_a_path();
}
END_TEST

static void
assert_check(int want)
{
	struct lastack_probe *probe = NULL;

	ck_assert_int_eq(lastack_request_check(request), want);
	/* The same answer, and nothing to free after a refusal. */
	ck_assert_int_eq(lastack_probe_new(request, &probe), want);
	ck_assert((probe != NULL) == (want == 0));
	lastack_probe_free(probe);
}

START_TEST(needs_a_target)
{
	assert_check(LASTACK_ERROR_ARGUMENT);
	target("127.0.0.1");
	assert_check(0);
}
END_TEST

START_TEST(address_of_the_wrong_family)
{
	static const struct {
		const char *host;
		enum lastack_family family;
		int want;
	} rows[] = {
		{ "127.0.0.1", LASTACK_FAMILY_ANY, 0 },
		{ "127.0.0.1", LASTACK_FAMILY_IPV4, 0 },
		{ "127.0.0.1", LASTACK_FAMILY_IPV6, LASTACK_ERROR_ARGUMENT },
		{ "::1", LASTACK_FAMILY_ANY, 0 },
		{ "::1", LASTACK_FAMILY_IPV6, 0 },
		{ "::1", LASTACK_FAMILY_IPV4, LASTACK_ERROR_ARGUMENT },
		{ "fe80::1%lo", LASTACK_FAMILY_IPV4, LASTACK_ERROR_ARGUMENT },
		{ "::ffff:127.0.0.1", LASTACK_FAMILY_IPV4,
		    LASTACK_ERROR_ARGUMENT },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		target(rows[i].host);
		ck_assert_int_eq(
		    lastack_request_set_family(request, rows[i].family), 0);
		assert_check(rows[i].want);
	}
}
END_TEST

START_TEST(numeric_only)
{
	ck_assert_int_eq(lastack_request_set_numeric(request, true), 0);
	target("127.0.0.1");
	assert_check(0);
	target("::1");
	assert_check(0);
	target("localhost");
	assert_check(LASTACK_ERROR_ARGUMENT);
	ck_assert_int_eq(lastack_request_set_numeric(request, false), 0);
	ck_assert_int_eq(lastack_request_check(request), 0);
}
END_TEST

static void
with_payload(void)
{
	ck_assert_int_eq(lastack_request_add_payload(request, "x", 1), 0);
}

static void
with_descriptor(void)
{
	ck_assert_int_eq(
	    lastack_request_add_payload_fd(request, STDIN_FILENO), 0);
}

static void
with_expectation(void)
{
	ck_assert_int_eq(lastack_request_add_expect(request, "x", 1), 0);
}

static void
with_half_close(void)
{
	ck_assert_int_eq(lastack_request_set_half_close(request, true), 0);
}

static void
with_sink(void)
{
	ck_assert_int_eq(lastack_request_set_sink(request, sink, NULL), 0);
}

START_TEST(connect_only_excludes)
{
	static void (*const with[])(void) = { with_payload, with_descriptor,
		with_expectation, with_half_close, with_sink };

	target("127.0.0.1");
	ck_assert_int_eq(lastack_request_set_connect_only(request, true), 0);
	assert_check(0);
	ck_assert(lastack__request_connects_only(request));
	with[_i]();
	assert_check(LASTACK_ERROR_ARGUMENT);
	ck_assert_int_eq(lastack_request_set_connect_only(request, false), 0);
	assert_check(0);
	ck_assert(!lastack__request_connects_only(request));
}
END_TEST

/* No payload, no expectation, no sink: it is one without being told. */
START_TEST(connect_only_by_itself)
{
	target("127.0.0.1");
	ck_assert(lastack__request_connects_only(request));
	ck_assert_int_eq(
	    lastack_request_set_expect_close(request, LASTACK_END_OPEN), 0);
	ck_assert_int_eq(lastack_request_set_keep(request, 10), 0);
	ck_assert(lastack__request_connects_only(request));
}
END_TEST

/* An empty payload is none. */
START_TEST(empty_payload)
{
	target("127.0.0.1");
	ck_assert_int_eq(lastack_request_add_payload(request, "", 0), 0);
	ck_assert(lastack__request_connects_only(request));
}
END_TEST

static int
drop(void *context, const void *data, size_t len)
{
	(void)context, (void)data, (void)len;
	return 0;
}

/* Somebody who awaits something, and a request that awaits nothing. */
START_TEST(send_only)
{
	target("127.0.0.1");
	ck_assert_int_eq(lastack_request_set_send_only(request, true), 0);
	ck_assert_int_eq(lastack_request_check(request), 0);
	ck_assert(!lastack__request_connects_only(request));
	lastack_request_set_sink(request, drop, NULL);
	ck_assert_int_eq(
	    lastack_request_check(request), LASTACK_ERROR_ARGUMENT);
	lastack_request_set_sink(request, NULL, NULL);
	ck_assert_int_eq(lastack_request_add_expect(request, "x", 1), 0);
	ck_assert_int_eq(
	    lastack_request_check(request), LASTACK_ERROR_ARGUMENT);
	lastack_request_set_send_only(request, false);
	ck_assert_int_eq(lastack_request_check(request), 0);
	ck_assert_int_eq(lastack_request_set_expect_start(request, true), 0);
	ck_assert_int_eq(lastack_request_check(request), 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("request");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, defaults);
	tcase_add_test(tests, target_checked);
	tcase_add_test(tests, target_is_copied_and_kept);
	tcase_add_test(tests, family);
	tcase_add_test(tests, close_policy);
	tcase_add_test(tests, expected_close);
	tcase_add_test(tests, times);
	tcase_add_test(tests, payload);
	tcase_add_test(tests, descriptors_stay_open);
	tcase_add_test(tests, expectations);
	tcase_add_test(tests, plain_values);
	tcase_add_test(tests, needs_a_target);
	tcase_add_test(tests, address_of_the_wrong_family);
	tcase_add_test(tests, numeric_only);
	tcase_add_loop_test(tests, connect_only_excludes, 0, 5);
	tcase_add_test(tests, connect_only_by_itself);
	tcase_add_test(tests, empty_payload);
	tcase_add_test(tests, send_only);
	tcase_add_test(tests, local_side);
	tcase_add_test(tests, path);
	tcase_add_test(tests, what_a_path_has_not);
	return suite_run(tests, "request");
}
