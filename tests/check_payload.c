/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lastack.h"
#include "payload.h"
#include "suite.h"

#define LARGE_BYTES ((off_t)100 << 20)
#define RSS_GROWTH_KIB 16384

static int
file_with(const void *data, size_t len)
{
	FILE *file = tmpfile();
	int fd;

	ck_assert_ptr_nonnull(file);
	fd = fcntl(fileno(file), F_DUPFD_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	fclose(file);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void
add(struct lastack__payload *payload, const char *string)
{
	ck_assert_int_eq(
	    lastack__payload_add(payload, string, strlen(string)), 0);
}

static void
add_fd(struct lastack__payload *payload, int fd)
{
	ck_assert_int_eq(lastack__payload_add_fd(payload, fd), 0);
}

struct taken {
	unsigned char *bytes;
	size_t len;
	bool more; /* as the last bite said */
};

/*
 * Takes what comes, at most bite bytes at a time, as a socket that is short of
 * room would. Returns why it came to a stop.
 */
static enum lastack__peek
take(struct lastack__cursor *cursor, size_t bite, struct taken *taken)
{
	const unsigned char *data;
	enum lastack__peek peek;
	size_t len;
	bool more;

	while ((peek = lastack__cursor_peek(cursor, &data, &len, &more)) ==
	    LASTACK__PEEK_DATA) {
		ck_assert_uint_gt(len, 0);
		/* A bite out of known data: the rest of it follows. */
		taken->more = more;
		if (len > bite)
			len = bite;
		taken->bytes = realloc(taken->bytes, taken->len + len);
		ck_assert_ptr_nonnull(taken->bytes);
		memcpy(taken->bytes + taken->len, data, len);
		taken->len += len;
		lastack__cursor_take(cursor, len);
	}
	return peek;
}

static void
assert_taken(struct taken *taken, const char *want)
{
	ck_assert_uint_eq(taken->len, strlen(want));
	if (taken->len > 0) /* not with NULL */
		ck_assert_mem_eq(taken->bytes, want, taken->len);
	free(taken->bytes);
	*taken = (struct taken){ 0 };
}

static void
assert_gives(const struct lastack__payload *payload, const char *want)
{
	for (size_t bite = 1; bite <= strlen(want) + 1; bite++) {
		struct lastack__cursor cursor;
		struct taken taken = { 0 };

		lastack__cursor_begin(&cursor, payload);
		ck_assert_int_eq(
		    take(&cursor, bite, &taken), LASTACK__PEEK_END);
		/* The end stays the end. */
		ck_assert_int_eq(
		    take(&cursor, bite, &taken), LASTACK__PEEK_END);
		assert_taken(&taken, want);
		lastack__cursor_free(&cursor);
	}
}

START_TEST(nothing)
{
	struct lastack__payload payload = { 0 };

	assert_gives(&payload, "");
	ck_assert(!lastack__payload_ready(&payload));
	ck_assert_int_eq(lastack__payload_add(&payload, NULL, 0), 0);
	ck_assert_uint_eq(payload.count, 0);
	lastack__payload_free(&payload);
	ck_assert_uint_eq(payload.count, 0);
}
END_TEST

START_TEST(memory)
{
	struct lastack__payload payload = { 0 };
	char text[] = "GET ";

	add(&payload, text);
	memset(text, 'z', 4); /* it was copied */
	add(&payload, "/\r\n");
	add(&payload, "");
	ck_assert_uint_eq(payload.count, 1);
	ck_assert(lastack__payload_ready(&payload));
	assert_gives(&payload, "GET /\r\n");
	lastack__payload_free(&payload);
}
END_TEST

START_TEST(memory_of_any_bytes)
{
	struct lastack__payload payload = { 0 };
	struct lastack__cursor cursor;
	struct taken taken = { 0 };
	unsigned char all[256];

	for (unsigned int i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)i;
	ck_assert_int_eq(lastack__payload_add(&payload, all, sizeof(all)), 0);
	lastack__cursor_begin(&cursor, &payload);
	ck_assert_int_eq(take(&cursor, 7, &taken), LASTACK__PEEK_END);
	ck_assert_uint_eq(taken.len, sizeof(all));
	ck_assert_mem_eq(taken.bytes, all, sizeof(all));
	free(taken.bytes);
	lastack__cursor_free(&cursor);
	lastack__payload_free(&payload);
}
END_TEST

/* From where it was when it was added; nobody moves its offset. */
START_TEST(file_from_its_offset)
{
	struct lastack__payload payload = { 0 };
	int fd = file_with("0123456789", 10);

	ck_assert_int_eq(lseek(fd, 4, SEEK_SET), 4);
	add_fd(&payload, fd);
	ck_assert(lastack__payload_ready(&payload));
	assert_gives(&payload, "456789");
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 4);
	ck_assert_int_eq(lseek(fd, 9, SEEK_SET), 9);
	assert_gives(&payload, "456789");
	lastack__payload_free(&payload);
	close(fd);
}
END_TEST

START_TEST(parts_in_order)
{
	struct lastack__payload payload = { 0 };
	int one = file_with("<one>", 5), none = file_with("", 0);

	add_fd(&payload, none);
	add(&payload, "a");
	add_fd(&payload, one);
	add_fd(&payload, one);
	add(&payload, "b");
	add_fd(&payload, none);
	add(&payload, "c");
	assert_gives(&payload, "a<one><one>bc");
	lastack__payload_free(&payload);
	close(one);
	close(none);
}
END_TEST

START_TEST(two_cursors)
{
	struct lastack__payload payload = { 0 };
	struct lastack__cursor one, two;
	struct taken first = { 0 }, second = { 0 };
	const unsigned char *data;
	int fd = file_with("abcdef", 6);
	size_t len;
	bool more;

	add(&payload, "12");
	add_fd(&payload, fd);
	lastack__cursor_begin(&one, &payload);
	lastack__cursor_begin(&two, &payload);
	ck_assert_int_eq(
	    lastack__cursor_peek(&one, &data, &len, &more), LASTACK__PEEK_DATA);
	lastack__cursor_take(&one, 2);
	ck_assert_int_eq(
	    lastack__cursor_peek(&one, &data, &len, &more), LASTACK__PEEK_DATA);
	lastack__cursor_take(&one, 3);
	ck_assert_int_eq(take(&two, 4, &second), LASTACK__PEEK_END);
	ck_assert_int_eq(take(&one, 4, &first), LASTACK__PEEK_END);
	assert_taken(&first, "def");
	assert_taken(&second, "12abcdef");
	lastack__cursor_free(&one);
	lastack__cursor_free(&two);
	lastack__payload_free(&payload);
	close(fd);
}
END_TEST

/* One read for one readiness: a second one could block. */
START_TEST(stream)
{
	struct lastack__payload payload = { 0 };
	struct lastack__cursor cursor;
	struct taken taken = { 0 };
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	add_fd(&payload, ends[0]);
	ck_assert(!lastack__payload_ready(&payload));
	lastack__cursor_begin(&cursor, &payload);
	ck_assert_int_eq(lastack__cursor_stream(&cursor), ends[0]);
	ck_assert_int_eq(take(&cursor, 2, &taken), LASTACK__PEEK_WAIT);
	ck_assert_int_eq(write(ends[1], "abcde", 5), 5);
	ck_assert_int_eq(take(&cursor, 2, &taken), LASTACK__PEEK_WAIT);
	cursor.stream_ready = true;
	ck_assert_int_eq(take(&cursor, 2, &taken), LASTACK__PEEK_WAIT);
	assert_taken(&taken, "abcde");
	ck_assert(!cursor.stream_ready);
	ck_assert_int_eq(write(ends[1], "f", 1), 1);
	close(ends[1]);
	cursor.stream_ready = true;
	ck_assert_int_eq(take(&cursor, 2, &taken), LASTACK__PEEK_WAIT);
	assert_taken(&taken, "f");
	cursor.stream_ready = true;
	ck_assert_int_eq(take(&cursor, 2, &taken), LASTACK__PEEK_END);
	ck_assert_int_eq(lastack__cursor_stream(&cursor), -1);
	assert_taken(&taken, "");
	lastack__cursor_free(&cursor);
	lastack__payload_free(&payload);
	close(ends[0]);
}
END_TEST

START_TEST(stream_between_memory)
{
	struct lastack__payload payload = { 0 };
	struct lastack__cursor cursor;
	struct taken taken = { 0 };
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	add(&payload, "a");
	add_fd(&payload, ends[0]);
	add(&payload, "c");
	ck_assert(lastack__payload_ready(&payload));
	lastack__cursor_begin(&cursor, &payload);
	ck_assert_int_eq(lastack__cursor_stream(&cursor), -1);
	ck_assert_int_eq(take(&cursor, 9, &taken), LASTACK__PEEK_WAIT);
	assert_taken(&taken, "a");
	ck_assert_int_eq(lastack__cursor_stream(&cursor), ends[0]);
	ck_assert_int_eq(write(ends[1], "b", 1), 1);
	close(ends[1]);
	cursor.stream_ready = true;
	ck_assert_int_eq(take(&cursor, 9, &taken), LASTACK__PEEK_WAIT);
	cursor.stream_ready = true;
	ck_assert_int_eq(take(&cursor, 9, &taken), LASTACK__PEEK_END);
	assert_taken(&taken, "bc");
	lastack__cursor_free(&cursor);
	lastack__payload_free(&payload);
	close(ends[0]);
}
END_TEST

/* It gives what it holds when it is read, however that changes meanwhile. */
START_TEST(file_that_grows)
{
	struct lastack__payload payload = { 0 };
	struct lastack__cursor cursor;
	struct taken taken = { 0 };
	const unsigned char *data;
	int fd = file_with("abc", 3);
	size_t len;
	bool more;

	add_fd(&payload, fd);
	lastack__cursor_begin(&cursor, &payload);
	ck_assert_int_eq(lastack__cursor_peek(&cursor, &data, &len, &more),
	    LASTACK__PEEK_DATA);
	ck_assert_uint_eq(len, 3);
	ck_assert(!more);
	ck_assert_int_eq(pwrite(fd, "def", 3, 3), 3);
	ck_assert_int_eq(lastack__cursor_peek(&cursor, &data, &len, &more),
	    LASTACK__PEEK_DATA);
	ck_assert_uint_eq(len, 3);
	ck_assert(more);
	ck_assert_int_eq(take(&cursor, 9, &taken), LASTACK__PEEK_END);
	assert_taken(&taken, "abcdef");
	lastack__cursor_free(&cursor);
	lastack__payload_free(&payload);
	close(fd);
}
END_TEST

START_TEST(file_that_shrinks)
{
	struct lastack__payload payload = { 0 };
	struct lastack__cursor cursor;
	struct taken taken = { 0 };
	const unsigned char *data;
	unsigned char *large = calloc(1, 200000);
	int fd;
	size_t len;
	bool more;

	ck_assert_ptr_nonnull(large);
	fd = file_with(large, 200000);
	free(large);
	add_fd(&payload, fd);
	add(&payload, "x");
	lastack__cursor_begin(&cursor, &payload);
	ck_assert_int_eq(lastack__cursor_peek(&cursor, &data, &len, &more),
	    LASTACK__PEEK_DATA);
	ck_assert_uint_lt(len, 200000);
	ck_assert(more);
	ck_assert_int_eq(ftruncate(fd, 10), 0);
	ck_assert_int_eq(take(&cursor, SIZE_MAX, &taken), LASTACK__PEEK_END);
	/* What had been read, and then the next part. */
	ck_assert_uint_eq(taken.len, len + 1);
	ck_assert_int_eq(taken.bytes[len], 'x');
	free(taken.bytes);
	lastack__cursor_free(&cursor);
	lastack__payload_free(&payload);
	close(fd);
}
END_TEST

struct more_case {
	const char *parts[3]; /* "m..." memory, "f..." file, "p" pipe */
	bool more;	      /* beside the first bite of the first part */
};

static void
try_more(const struct more_case *c)
{
	struct lastack__payload payload = { 0 };
	struct lastack__cursor cursor;
	const unsigned char *data;
	int fds[6], opened = 0;
	size_t len;
	bool more;

	for (int i = 0; i < 3 && c->parts[i] != NULL; i++) {
		const char *content = c->parts[i] + 1;

		switch (c->parts[i][0]) {
		case 'm':
			add(&payload, content);
			break;
		case 'f':
			fds[opened] = file_with(content, strlen(content));
			add_fd(&payload, fds[opened++]);
			break;
		default:
			ck_assert_int_eq(pipe(fds + opened), 0);
			add_fd(&payload, fds[opened]);
			opened += 2;
		}
	}
	lastack__cursor_begin(&cursor, &payload);
	ck_assert_int_eq(lastack__cursor_peek(&cursor, &data, &len, &more),
	    LASTACK__PEEK_DATA);
	ck_assert_msg(more == c->more, "%s, %s: more is %d", c->parts[0],
	    c->parts[1] ? c->parts[1] : "-", more);
	lastack__cursor_free(&cursor);
	lastack__payload_free(&payload);
	while (opened > 0)
		close(fds[--opened]);
}

/*
 * "more" holds a segment back until more comes. Where none does, it stays
 * back for 200 ms, so it must be true only if bytes are sure to follow.
 */
START_TEST(more_only_if_bytes_follow)
{
	static const struct more_case cases[] = {
		{ { "mabc" }, false },
		{ { "mabc", "fdef" }, true },
		{ { "mabc", "p" }, false },
		{ { "fabc" }, false },
		{ { "fabc", "mdef" }, true },
		{ { "fabc", "fdef" }, true },
		{ { "fabc", "p" }, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		try_more(&cases[i]);
}
END_TEST

START_TEST(more_not_for_an_empty_file)
{
	static const struct more_case cases[] = {
		{ { "mabc", "f" }, false },
		{ { "fabc", "f" }, false },
		{ { "mabc", "f", "p" }, false },
		{ { "mabc", "f", "md" }, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		try_more(&cases[i]);
}
END_TEST

/* Inside of one large file every bite but the last one has more behind it. */
START_TEST(more_inside_a_file)
{
	struct lastack__payload payload = { 0 };
	struct lastack__cursor cursor;
	const unsigned char *data;
	size_t len, done = 0;
	bool more = true;
	int fd = file_with("", 0);

	ck_assert_int_eq(ftruncate(fd, 200000), 0);
	add_fd(&payload, fd);
	lastack__cursor_begin(&cursor, &payload);
	while (lastack__cursor_peek(&cursor, &data, &len, &more) ==
	    LASTACK__PEEK_DATA) {
		ck_assert_int_eq(more, done + len < 200000);
		lastack__cursor_take(&cursor, len);
		done += len;
	}
	ck_assert_uint_eq(done, 200000);
	lastack__cursor_free(&cursor);
	lastack__payload_free(&payload);
	close(fd);
}
END_TEST

static long
rss_kib(void)
{
	struct rusage usage;

	ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

START_TEST(large_file_is_not_kept_in_memory)
{
	struct lastack__payload payload = { 0 };
	struct lastack__cursor cursor;
	const unsigned char *data;
	off_t done = 0;
	size_t len;
	bool more;
	int fd = file_with("", 0);
	long before;

	ck_assert_int_eq(ftruncate(fd, LARGE_BYTES), 0);
	before = rss_kib();
	add_fd(&payload, fd);
	lastack__cursor_begin(&cursor, &payload);
	while (lastack__cursor_peek(&cursor, &data, &len, &more) ==
	    LASTACK__PEEK_DATA) {
		ck_assert_int_eq(data[0], 0);
		ck_assert_int_eq(data[len - 1], 0);
		lastack__cursor_take(&cursor, len);
		done += (off_t)len;
	}
	ck_assert_int_eq(done, LARGE_BYTES);
	ck_assert_int_lt(rss_kib() - before, RSS_GROWTH_KIB);
	lastack__cursor_free(&cursor);
	lastack__payload_free(&payload);
	close(fd);
}
END_TEST

static void
assert_fails(int fd, int error)
{
	struct lastack__payload payload = { 0 };
	struct lastack__cursor cursor;
	struct taken taken = { 0 };

	add_fd(&payload, fd);
	lastack__cursor_begin(&cursor, &payload);
	cursor.stream_ready = true;
	errno = 0;
	ck_assert_int_eq(take(&cursor, 9, &taken), LASTACK__PEEK_FAILED);
	ck_assert_int_eq(errno, error);
	ck_assert_uint_eq(taken.len, 0);
	lastack__cursor_free(&cursor);
	lastack__payload_free(&payload);
}

START_TEST(unreadable)
{
	struct lastack__payload payload = { 0 };
	int directory = open("/", O_RDONLY | O_DIRECTORY);
	int write_only = open("/dev/null", O_WRONLY);
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	assert_fails(directory, EISDIR);
	assert_fails(write_only, EBADF);
	assert_fails(ends[1], EBADF);
	close(ends[0]);
	close(ends[1]);
	close(directory);
	close(write_only);
	assert_fails(write_only, EBADF);
	ck_assert_int_eq(
	    lastack__payload_add_fd(&payload, -1), LASTACK_ERROR_ARGUMENT);
	ck_assert_uint_eq(payload.count, 0);
	lastack__payload_free(&payload);
}
END_TEST

/* Bytes before a failing part still go out. */
START_TEST(failure_comes_in_its_turn)
{
	struct lastack__payload payload = { 0 };
	struct lastack__cursor cursor;
	struct taken taken = { 0 };
	int directory = open("/", O_RDONLY | O_DIRECTORY);

	add(&payload, "abc");
	add_fd(&payload, directory);
	lastack__cursor_begin(&cursor, &payload);
	ck_assert_int_eq(take(&cursor, 2, &taken), LASTACK__PEEK_FAILED);
	assert_taken(&taken, "abc");
	lastack__cursor_free(&cursor);
	lastack__payload_free(&payload);
	close(directory);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("payload");

	tcase_add_test(tests, nothing);
	tcase_add_test(tests, memory);
	tcase_add_test(tests, memory_of_any_bytes);
	tcase_add_test(tests, file_from_its_offset);
	tcase_add_test(tests, parts_in_order);
	tcase_add_test(tests, two_cursors);
	tcase_add_test(tests, stream);
	tcase_add_test(tests, stream_between_memory);
	tcase_add_test(tests, file_that_grows);
	tcase_add_test(tests, file_that_shrinks);
	tcase_add_test(tests, more_only_if_bytes_follow);
	tcase_add_test(tests, more_not_for_an_empty_file);
	tcase_add_test(tests, more_inside_a_file);
	tcase_add_test(tests, large_file_is_not_kept_in_memory);
	tcase_add_test(tests, unreadable);
	tcase_add_test(tests, failure_comes_in_its_turn);
	return suite_run(tests, "payload");
}
