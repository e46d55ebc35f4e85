/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lastack.h"
#include "parse.h"
#include "suite.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

START_TEST(numbers)
{
	static const struct {
		const char *value;
		uint64_t least, most;
		bool good;
		uint64_t number;
	} rows[] = {
		{ "0", 0, 10, true, 0 }, { "10", 0, 10, true, 10 },
		{ "007", 0, 10, true, 7 }, { "1", 1, 1, true, 1 },
		{ "18446744073709551615", 0, UINT64_MAX, true, UINT64_MAX },
		{ "00000000000000000000000000000001", 0, 1, true, 1 },
		{ "", 0, 10, false, 0 }, { "11", 0, 10, false, 0 },
		{ "0", 1, 10, false, 0 },
		{ "18446744073709551616", 0, UINT64_MAX, false, 0 },
		{ "18446744073709551625", 0, UINT64_MAX, false, 0 },
		{ "99999999999999999999999", 0, UINT64_MAX, false, 0 },
		{ "-1", 0, 10, false, 0 }, { "+1", 0, 10, false, 0 },
		{ " 1", 0, 10, false, 0 }, { "1 ", 0, 10, false, 0 },
		{ "1\n", 0, 10, false, 0 }, { "1.0", 0, 10, false, 0 },
		{ "1e0", 0, 10, false, 0 }, { "0x1", 0, 10, false, 0 },
		{ "1k", 0, 10, false, 0 },
		{ "\xd9\xa1", 0, 10, false, 0 }, /* an Arabic digit one */
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		uint64_t number = 4711;
		const char *reason = parse_number(
		    rows[i].value, rows[i].least, rows[i].most, &number);

		ck_assert_msg((reason == NULL) == rows[i].good, "'%s': %s",
		    rows[i].value, reason ? reason : "taken");
		ck_assert_uint_eq(number, rows[i].good ? rows[i].number : 4711);
	}
}
END_TEST

#define S INT64_C(1000000000)

static const struct {
	const char *value;
	int64_t ns; /* -1: wrong */
} times[] = {
	{ "0", 0 },
	{ "10", 10 * S },
	{ "10s", 10 * S },
	{ "0.5", S / 2 },
	{ "0.5s", S / 2 },
	{ ".5", S / 2 },
	{ "5.", 5 * S },
	{ "5.s", 5 * S },
	{ "500us", 500000 },
	{ "500ms", 500000000 },
	{ "2s", 2 * S },
	{ "1m", 60 * S },
	{ "1.5m", 90 * S },
	{ "0.1m", 6 * S },
	{ "1us", 1000 },
	{ "0.001us", 1 },
	{ "0.0001us", 0 },
	{ "0.000000001", 1 },
	{ "0.0000000019", 1 },
	{ "1.000000001", S + 1 },
	{ "0.999999999", S - 1 },
	{ "0.0000000000000000000000000000000001", 0 },
	{ "0.3", 300000000 },
	{ "1.1ms", 1100000 },
	{ "000010", 10 * S },
	{ "31536000", LASTACK_TIME_MAX_NS },
	{ "31536000s", LASTACK_TIME_MAX_NS },
	{ "525600m", LASTACK_TIME_MAX_NS },
	{ "31536000000ms", LASTACK_TIME_MAX_NS },
	{ "31535999.999999999", LASTACK_TIME_MAX_NS - 1 },
	{ "31536000.000000001", -1 },
	{ "31536001", -1 },
	{ "525601m", -1 },
	{ "31536000000001us", -1 },
	{ "9223372036854775807", -1 },
	{ "9223372036854775808", -1 },
	{ "18446744073709551617", -1 },
	{ "99999999999999999999999999999999999999m", -1 },
	{ "", -1 },
	{ ".", -1 },
	{ "s", -1 },
	{ ".s", -1 },
	{ "ms", -1 },
	{ "-1", -1 },
	{ "+1", -1 },
	{ " 1", -1 },
	{ "1 ", -1 },
	{ "1 s", -1 },
	{ "1S", -1 },
	{ "1M", -1 },
	{ "1h", -1 },
	{ "1d", -1 },
	{ "1ns", -1 },
	{ "1sec", -1 },
	{ "1mm", -1 },
	{ "1..5", -1 },
	{ "1.5.5", -1 },
	{ "1,5", -1 },
	{ "1e3", -1 },
	{ "0x10", -1 },
	{ "inf", -1 },
	{ "nan", -1 },
	{ "1s\n", -1 },
};

START_TEST(durations)
{
	for (size_t i = 0; i < ROWS(times); i++) {
		int64_t ns = 4711;
		const char *reason = parse_time(times[i].value, &ns);

		ck_assert_msg((reason == NULL) == (times[i].ns != -1),
		    "'%s': %s", times[i].value, reason ? reason : "taken");
		ck_assert_msg(ns == (reason == NULL ? times[i].ns : 4711),
		    "'%s': %" PRId64, times[i].value, ns);
	}
}
END_TEST

START_TEST(ports)
{
	static const struct {
		const char *value;
		int port; /* -1: wrong */
	} rows[] = {
		{ "1", 1 },
		{ "80", 80 },
		{ "0080", 80 },
		{ "65535", 65535 },
		{ "http", 80 },
		{ "0", -1 },
		{ "00", -1 },
		{ "65536", -1 },
		{ "70000", -1 },
		{ "4294967376", -1 }, /* 2^32 + 80 */
		{ "18446744073709551696", -1 },
		{ "-1", -1 },
		{ "+80", -1 },
		{ " 80", -1 },
		{ "80 ", -1 },
		{ "80x", -1 },
		{ "0x50", -1 },
		{ "", -1 },
		{ "no-such-service", -1 },
		{ "HTTP ", -1 },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		uint16_t port = 4711;
		const char *reason = parse_port(rows[i].value, &port);

		ck_assert_msg((reason == NULL) == (rows[i].port != -1),
		    "'%s': %s", rows[i].value, reason ? reason : "taken");
		ck_assert_int_eq(
		    port, rows[i].port != -1 ? rows[i].port : 4711);
	}
}
END_TEST

START_TEST(targets)
{
	static const struct {
		const char *value;
		const char *host; /* NULL: wrong */
		int port;
	} rows[] = {
		{ "a:1", "a", 1 },
		{ "example.org:80", "example.org", 80 },
		{ "127.0.0.1:65535", "127.0.0.1", 65535 },
		{ "a:http", "a", 80 },
		{ "[::1]:80", "::1", 80 },
		{ "[fe80::1%lo]:80", "fe80::1%lo", 80 },
		{ "[a]:80", "a", 80 },
		{ "[::1]:http", "::1", 80 },
		{ "12345678:1", "12345678", 1 },
		{ "", NULL, 0 },
		{ ":", NULL, 0 },
		{ ":80", NULL, 0 },
		{ "a", NULL, 0 },
		{ "a:", NULL, 0 },
		{ "a:0", NULL, 0 },
		{ "a:65536", NULL, 0 },
		{ "a:80:", NULL, 0 },
		{ "a::80", NULL, 0 },
		{ "::1", NULL, 0 },
		{ "::1:80", NULL, 0 },
		{ "2001:db8::1", NULL, 0 },
		{ "[", NULL, 0 },
		{ "[]", NULL, 0 },
		{ "[]:80", NULL, 0 },
		{ "[::1", NULL, 0 },
		{ "[::1]", NULL, 0 },
		{ "[::1]:", NULL, 0 },
		{ "[::1]80", NULL, 0 },
		{ "[::1]x:80", NULL, 0 },
		{ "[::1]:80x", NULL, 0 },
		{ "[::1]::80", NULL, 0 },
		{ "x[::1]:80", NULL, 0 },
		/* Longer than the buffer below, and as long. */
		{ "1234567890123456:1", NULL, 0 },
		{ "123456789012345:1", "123456789012345", 1 },
		{ "[1234567890123456]:1", NULL, 0 },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		char host[16] = "before";
		uint16_t port = 4711;
		const char *reason =
		    parse_target(rows[i].value, host, sizeof(host), &port);

		ck_assert_msg((reason == NULL) == (rows[i].host != NULL),
		    "'%s': %s", rows[i].value, reason ? reason : "taken");
		ck_assert_str_eq(host, rows[i].host ? rows[i].host : "before");
		if (rows[i].host)
			ck_assert_int_eq(port, rows[i].port);
	}
}
END_TEST

struct bytes_row {
	const char *value;
	const char *bytes; /* NULL: wrong */
	size_t len;
};

static void
assert_bytes(const struct bytes_row *row,
    const char *(*parse)(const char *, struct text *))
{
	struct text bytes = TEXT_INIT;
	const char *reason;

	text_puts(&bytes, "<"); /* it appends */
	reason = parse(row->value, &bytes);
	ck_assert_msg((reason == NULL) == (row->bytes != NULL), "'%s': %s",
	    row->value, reason ? reason : "taken");
	if (row->bytes != NULL) {
		ck_assert_uint_eq(bytes.len, row->len + 1);
		ck_assert_mem_eq(bytes.bytes, "<", 1);
		ck_assert_mem_eq(bytes.bytes + 1, row->bytes, row->len);
	}
	text_free(&bytes);
}

#define BYTES(literal) literal, sizeof(literal) - 1

START_TEST(escapes)
{
	static const struct bytes_row rows[] = {
		{ "", BYTES("") },
		{ "abc", BYTES("abc") },
		{ "PING\\r\\n", BYTES("PING\r\n") },
		{ "\\t\\\\\\0", BYTES("\t\\\0") },
		{ "\\x00\\xff\\xAb\\xaB", BYTES("\0\xff\xab\xab") },
		{ "\\x414", BYTES("A4") },
		{ "\\\\x41", BYTES("\\x41") },
		{ "\\012", BYTES("\00012") },
		{ "a\nb\tc", BYTES("a\nb\tc") },
		{ "\xff\xc3\xa4", BYTES("\xff\xc3\xa4") },
		{ "%s%n", BYTES("%s%n") },
		{ "\\", NULL, 0 },
		{ "abc\\", NULL, 0 },
		{ "\\\\\\", NULL, 0 },
		{ "\\x", NULL, 0 },
		{ "\\x4", NULL, 0 },
		{ "\\x4g", NULL, 0 },
		{ "\\xg4", NULL, 0 },
		{ "\\x 4", NULL, 0 },
		{ "\\X41", NULL, 0 },
		{ "\\a", NULL, 0 },
		{ "\\N", NULL, 0 },
		{ "\\\"", NULL, 0 },
		{ "\\u0041", NULL, 0 },
		{ "\\\n", NULL, 0 },
	};

	for (size_t i = 0; i < ROWS(rows); i++)
		assert_bytes(&rows[i], parse_escaped);
}
END_TEST

START_TEST(every_hexadecimal_escape)
{
	for (unsigned int byte = 0; byte < 256; byte++) {
		char value[8], upper[8];
		const char bytes[1] = { (char)byte };

		snprintf(value, sizeof(value), "\\x%02x", byte);
		snprintf(upper, sizeof(upper), "\\x%02X", byte);
		assert_bytes(
		    &(struct bytes_row){ value, bytes, 1 }, parse_escaped);
		assert_bytes(
		    &(struct bytes_row){ upper, bytes, 1 }, parse_escaped);
		assert_bytes(
		    &(struct bytes_row){ value + 2, bytes, 1 }, parse_hex);
		assert_bytes(
		    &(struct bytes_row){ upper + 2, bytes, 1 }, parse_hex);
	}
}
END_TEST

START_TEST(hexadecimal)
{
	static const struct bytes_row rows[] = {
		{ "", BYTES("") },
		{ " ", BYTES("") },
		{ "00", BYTES("\0") },
		{ "de ad  BE EF ", BYTES("\xde\xad\xbe\xef") },
		{ "deadbeef", BYTES("\xde\xad\xbe\xef") },
		{ " 41", BYTES("A") },
		{ "4", NULL, 0 },
		{ "414", NULL, 0 },
		{ "4 1", NULL, 0 },
		{ "4g", NULL, 0 },
		{ "g4", NULL, 0 },
		{ "0x41", NULL, 0 },
		{ "41,42", NULL, 0 },
		{ "41:42", NULL, 0 },
		{ "41\t42", NULL, 0 },
		{ "41\n", NULL, 0 },
		{ "\\x41", NULL, 0 },
		{ "\xc3\xa4", NULL, 0 },
	};

	for (size_t i = 0; i < ROWS(rows); i++)
		assert_bytes(&rows[i], parse_hex);
}
END_TEST

static const struct {
	const char *value;
	const char *address; /* NULL: wrong */
	uint16_t port;
} endpoints[] = {
	{ "127.0.0.1", "127.0.0.1", 0 },
	{ "127.0.0.1:80", "127.0.0.1", 80 },
	{ "[127.0.0.1]:80", "127.0.0.1", 80 },
	{ ":80", "", 80 },
	{ "::1", "::1", 0 },
	{ "[::1]", "::1", 0 },
	{ "[::1]:65535", "::1", 65535 },
	{ "fe80::1%eth0", "fe80::1%eth0", 0 },
	{ "[fe80::1%eth0]:1", "fe80::1%eth0", 1 },
	{ "what:http", "what", 80 },
	{ "", NULL, 0 },
	{ "[", NULL, 0 },
	{ "[]", NULL, 0 },
	{ "[]:80", NULL, 0 },
	{ "[::1", NULL, 0 },
	{ "[::1]80", NULL, 0 },
	{ "127.0.0.1:", NULL, 0 },
	{ "127.0.0.1:0", NULL, 0 },
	{ "127.0.0.1:65536", NULL, 0 },
	{ ":", NULL, 0 },
	{ "[::1]:", NULL, 0 },
	{ "a23456789b23456789c23456789d2345", NULL, 0 },
};

START_TEST(an_endpoint)
{
	char address[32] = "as before";
	uint16_t port = 7;
	const char *reason = parse_endpoint(
	    endpoints[_i].value, address, sizeof(address), &port);

	if (endpoints[_i].address == NULL) {
		ck_assert_ptr_nonnull(reason);
		ck_assert_str_eq(address, "as before");
		ck_assert_uint_eq(port, 7);
		return;
	}
	ck_assert_msg(reason == NULL, "%s", reason);
	ck_assert_str_eq(address, endpoints[_i].address);
	ck_assert_uint_eq(port, endpoints[_i].port);
}
END_TEST

static const struct {
	const char *value;
	uint64_t most, number;
	bool wrong;
} hexes[] = {
	{ "0", 1, 0, false },
	{ "0x0", 1, 0, false },
	{ "255", 255, 255, false },
	{ "0xff", 255, 255, false },
	{ "0XFF", 255, 255, false },
	{ "0xffffffffffffffff", UINT64_MAX, UINT64_MAX, false },
	{ "0x10000000000000000", UINT64_MAX, 0, true },
	{ "0x100", 255, 0, true },
	{ "256", 255, 0, true },
	{ "0x", 255, 0, true },
	{ "0xg", 255, 0, true },
	{ "x1", 255, 0, true },
	{ "1f", 255, 0, true },
	{ "-1", 255, 0, true },
	{ " 1", 255, 0, true },
	{ "", 255, 0, true },
};

START_TEST(a_hex_number)
{
	uint64_t number = 7;
	const char *reason =
	    parse_hex_number(hexes[_i].value, hexes[_i].most, &number);

	ck_assert_int_eq(reason != NULL, hexes[_i].wrong);
	ck_assert_uint_eq(number, hexes[_i].wrong ? 7 : hexes[_i].number);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("parse");

	tcase_add_test(tests, numbers);
	tcase_add_test(tests, durations);
	tcase_add_test(tests, ports);
	tcase_add_test(tests, targets);
	tcase_add_test(tests, escapes);
	tcase_add_test(tests, every_hexadecimal_escape);
	tcase_add_test(tests, hexadecimal);
	tcase_add_loop_test(tests, an_endpoint, 0, (int)ROWS(endpoints));
	tcase_add_loop_test(tests, a_hex_number, 0, (int)ROWS(hexes));
	return suite_run(tests, "parse");
}
