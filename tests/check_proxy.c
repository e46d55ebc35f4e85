/* SPDX-License-Identifier: BSD-2-Clause */
/* The PROXY header byte by byte, and its place in front of a payload. */
#include <config.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy.h"
#include "suite.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

struct row {
	enum lastack_proxy version;
	const char *source;
	uint16_t source_port;
	const char *destination;
	uint16_t destination_port;
	const char *bytes;
	size_t len;
};

#define BYTES(literal) literal, sizeof(literal) - 1

/* clang-format off */
static const struct row rows[] = {
	{ LASTACK_PROXY_V1, "192.0.2.1", 56324, "198.51.100.7", 443,
	  BYTES("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n") },
	{ LASTACK_PROXY_V1, "255.255.255.255", 65535, "255.255.255.255", 65535,
	  BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n") },
	{ LASTACK_PROXY_V1, "2001:db8::1", 1, "::1", 2,
	  BYTES("PROXY TCP6 2001:db8::1 ::1 1 2\r\n") },
	{ LASTACK_PROXY_V1, "fe80::1", 7, "fe80::2", 80,
	  BYTES("PROXY TCP6 fe80::1 fe80::2 7 80\r\n") },
	{ LASTACK_PROXY_V1,
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535,
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 65535,
	  BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe 65535 65535\r\n") },
	{ LASTACK_PROXY_V1, "192.0.2.1", 3, "2001:db8::1", 4,
	  BYTES("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 3 4\r\n") },
	{ LASTACK_PROXY_V2, "192.0.2.1", 0x1234, "198.51.100.7", 443,
	  BYTES(SIGNATURE "\x21\x11\x00\x0c" "\xc0\x00\x02\x01"
		"\xc6\x33\x64\x07" "\x12\x34" "\x01\xbb") },
	{ LASTACK_PROXY_V2, "2001:db8::1", 0xfedc, "::1", 80,
	  BYTES(SIGNATURE "\x21\x21\x00\x24"
		"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01" "\xfe\xdc" "\x00\x50") },
	{ LASTACK_PROXY_V2, "::1", 1, "192.0.2.1", 2,
	  BYTES(SIGNATURE "\x21\x21\x00\x24"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
		"\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01"
		"\x00\x01" "\x00\x02") },
	{ LASTACK_PROXY_LOCAL, "192.0.2.1", 1, "192.0.2.2", 2,
	  BYTES(SIGNATURE "\x20\x00\x00\x00") },
};
/* clang-format on */

#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

static struct lastack__address
address_of(const char *text, uint16_t port)
{
	struct lastack__address address = { .len = 0 };

	ck_assert(lastack__resolve_strict(text, port, &address));
	return address;
}

START_TEST(header)
{
	const struct row *row = &rows[_i];
	const struct lastack__proxy proxy = { .version = row->version };
	unsigned char bytes[LASTACK__LEAD_MAX];
	struct lastack__address from, to;
	size_t len;

	from = address_of(row->source, row->source_port);
	to = address_of(row->destination, row->destination_port);
	memset(bytes, 'x', sizeof(bytes));
	len = lastack__proxy_header(&proxy, &from.u.any, &to.u.any, bytes);
	ck_assert_uint_eq(len, row->len);
	ck_assert_mem_eq(bytes, row->bytes, len);
}
END_TEST

START_TEST(mixed)
{
	struct lastack__proxy proxy = { .version = LASTACK_PROXY_V1 };

	ck_assert(!lastack__proxy_is_mixed(&proxy, AF_INET));
	proxy.source = address_of("192.0.2.1", 1);
	ck_assert(!lastack__proxy_is_mixed(&proxy, AF_INET));
	ck_assert(!lastack__proxy_is_mixed(&proxy, AF_UNSPEC));
	ck_assert(lastack__proxy_is_mixed(&proxy, AF_INET6));
	proxy.destination = address_of("::1", 1);
	ck_assert(lastack__proxy_is_mixed(&proxy, AF_INET));
	ck_assert(lastack__proxy_is_mixed(&proxy, AF_UNSPEC));
	proxy.source = address_of("::2", 1);
	ck_assert(!lastack__proxy_is_mixed(&proxy, AF_INET));
}
END_TEST

/* ---- in front of a payload */

static struct lastack__payload payload;
static struct lastack__cursor cursor;

static void
tear_down(void)
{
	lastack__cursor_free(&cursor);
	lastack__payload_free(&payload);
}

static void
lead(const char *text)
{
	lastack__cursor_begin(&cursor, &payload);
	ck_assert_int_eq(lastack__cursor_gather(&cursor), 0);
	lastack__cursor_lead(&cursor, text, strlen(text));
}

static void
assert_peek(const char *text, bool expect_more)
{
	const unsigned char *data;
	size_t len;
	bool more;

	ck_assert_int_eq(lastack__cursor_peek(&cursor, &data, &len, &more),
	    LASTACK__PEEK_DATA);
	ck_assert_uint_eq(len, strlen(text));
	ck_assert_mem_eq(data, text, len);
	ck_assert_int_eq(more, expect_more);
}

static void
assert_end(void)
{
	const unsigned char *data;
	size_t len;
	bool more;

	ck_assert_int_eq(lastack__cursor_peek(&cursor, &data, &len, &more),
	    LASTACK__PEEK_END);
}

static int
file_of(const char *text)
{
	char path[] = "/tmp/lastack-proxy-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	unlink(path);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

START_TEST(in_front_of_bytes)
{
	ck_assert_int_eq(lastack__payload_add(&payload, "question", 8), 0);
	lead("HEADER ");
	assert_peek("HEADER question", false);
	ck_assert(lastack__cursor_closes(&cursor));
	/* Another attempt has another one. */
	lastack__cursor_lead(&cursor, "LONGER HEADER ", 14);
	assert_peek("LONGER HEADER question", false);
	lastack__cursor_take(&cursor, 20);
	assert_peek("on", false);
	lastack__cursor_take(&cursor, 2);
	assert_end();
}
END_TEST

START_TEST(in_front_of_nothing)
{
	lead("HEADER");
	ck_assert(lastack__cursor_closes(&cursor));
	assert_peek("HEADER", false);
	lastack__cursor_take(&cursor, 6);
	assert_end();
}
END_TEST

START_TEST(in_front_of_a_file)
{
	int fd = file_of("of a file");

	ck_assert_int_eq(lastack__payload_add_fd(&payload, fd), 0);
	ck_assert_int_eq(lastack__payload_add(&payload, " and more", 9), 0);
	lead("HEADER ");
	ck_assert(!lastack__cursor_closes(&cursor));
	assert_peek("HEADER of a file", true);
	lastack__cursor_take(&cursor, 3);
	assert_peek("DER of a file", true);
	lastack__cursor_take(&cursor, 13);
	assert_peek(" and more", false);
	lastack__cursor_take(&cursor, 9);
	assert_end();
	close(fd);
}
END_TEST

/* What is not there yet is not waited for, what is there goes along. */
START_TEST(in_front_of_a_pipe)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(lastack__payload_add_fd(&payload, ends[0]), 0);
	if (_i == 1)
		ck_assert_int_eq(write(ends[1], "ready", 5), 5);
	lead("HEADER ");
	assert_peek(_i == 1 ? "HEADER ready" : "HEADER ", false);
	lastack__cursor_take(&cursor, _i == 1 ? 12 : 7);
	ck_assert_int_eq(write(ends[1], "later", 5), 5);
	cursor.stream_ready = true;
	assert_peek("later", false);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* More than goes along: the rest follows, and nothing twice. */
START_TEST(in_front_of_a_lot)
{
	size_t bytes = 1000003, done = 0, len;
	unsigned char *all = malloc(bytes);
	const unsigned char *data;
	bool more;

	ck_assert_ptr_nonnull(all);
	for (size_t i = 0; i < bytes; i++)
		all[i] = (unsigned char)(i * 31 >> 3);
	ck_assert_int_eq(lastack__payload_add(&payload, all, bytes), 0);
	lead("HEADER");
	ck_assert_int_eq(lastack__cursor_peek(&cursor, &data, &len, &more),
	    LASTACK__PEEK_DATA);
	ck_assert_mem_eq(data, "HEADER", 6);
	ck_assert_uint_gt(len, 60000);
	ck_assert(more);
	lastack__cursor_take(&cursor, 6);
	while (lastack__cursor_peek(&cursor, &data, &len, &more) ==
	    LASTACK__PEEK_DATA) {
		ck_assert_uint_le(done + len, bytes);
		ck_assert_mem_eq(data, all + done, len);
		done += len;
		ck_assert_int_eq(more, done < bytes);
		lastack__cursor_take(&cursor, len);
	}
	ck_assert_uint_eq(done, bytes);
	free(all);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("proxy");

	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_add_loop_test(tests, header, 0, ROWS);
	tcase_add_test(tests, mixed);
	tcase_add_test(tests, in_front_of_bytes);
	tcase_add_test(tests, in_front_of_nothing);
	tcase_add_test(tests, in_front_of_a_file);
	tcase_add_loop_test(tests, in_front_of_a_pipe, 0, 2);
	tcase_add_test(tests, in_front_of_a_lot);
	return suite_run(tests, "proxy");
}
