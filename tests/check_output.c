/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes in and out of the command: --output, --send-file, and what becomes of
 * them where a descriptor is closed, full, slow or gone.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"
#include "schema.h"
#include "server.h"
#include "suite.h"
#include "tcp.h"

#define GIVE(literal) .give = literal, .give_bytes = sizeof(literal) - 1
#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

#define LARGE_BYTES (UINT64_C(100) << 20)
/* Far less than what goes through; libraries and all are in it. */
#define RSS_KIB_MAX 49152

static struct server server;
static char directory[] = "/tmp/lastack-XXXXXX";
static char path[64];

static void
set_up(void)
{
	strcpy(directory, "/tmp/lastack-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/file", directory);
}

static void
tear_down(void)
{
	unlink(path);
	rmdir(directory);
}

static void
start(const struct server_script *script)
{
	server_start(&server, AF_INET, script);
}

static void
write_file(const char *data)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(data, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* Whole, with a NUL behind it; to be freed. */
static char *
read_file(size_t *len)
{
	FILE *file = fopen(path, "r");
	struct stat status;
	char *data;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fstat(fileno(file), &status), 0);
	*len = (size_t)status.st_size;
	data = calloc(1, *len + 1);
	ck_assert_ptr_nonnull(data);
	ck_assert_uint_eq(fread(data, 1, *len, file), *len);
	fclose(file);
	return data;
}

static void
assert_file(const char *want, size_t want_bytes)
{
	size_t len;
	char *data = read_file(&len);

	ck_assert_uint_eq(len, want_bytes);
	ck_assert(len == 0 || memcmp(data, want, len) == 0);
	free(data);
}

static void
assert_pattern(const char *data, size_t len, size_t want_bytes)
{
	ck_assert_uint_eq(len, want_bytes);
	for (size_t i = 0; i < len; i++)
		ensure((unsigned char)data[i] == server_pattern(i));
}

static void
assert_status(const struct run *run, int status)
{
	ck_assert_msg(run->status == status, "status %d, signal %d: %s%s",
	    run->status, run->signo, run->out, run->err);
}

static void
assert_one_line(const char *text)
{
	ck_assert_msg(strncmp(text, "lastack: ", 9) == 0 &&
		strchr(text, '\n') == text + strlen(text) - 1,
	    "\"%s\"", text);
}

/* ---- --output */

/* Under a sanitizer, whose shadow memory counts as well, nothing is known. */
static void
assert_small(const struct run *run)
{
	if (getenv("LASTACK_NO_MEMORY_LIMITS") == NULL)
		ck_assert_msg(run->max_rss_kib < RSS_KIB_MAX, "%lld KiB",
		    (long long)run->max_rss_kib);
}

START_TEST(to_a_file)
{
	enum { BYTES = 3000001 };
	struct run run;
	size_t len;
	char *data;

	start(&(struct server_script){ .take = 1, .pattern_bytes = BYTES });
	server_run(&server, &run, NULL, ARGV("-s", "x", "-o", path));
	assert_status(&run, 0);
	ck_assert_str_eq(run.err, "");
	ck_assert_int_eq(strncmp(run.out, "OK ", 3), 0);
	data = read_file(&len);
	assert_pattern(data, len, BYTES);
	free(data);
	run_free(&run);
	server_stop(&server);
}
END_TEST

START_TEST(to_standard_output)
{
	enum { BYTES = 3000001 };
	struct run run;

	start(&(struct server_script){ .take = 1, .pattern_bytes = BYTES });
	server_run(&server, &run, NULL, ARGV("-s", "x", "-o", "-"));
	assert_status(&run, 0);
	assert_pattern(run.out, run.out_bytes, BYTES);
	ck_assert_int_eq(strncmp(run.err, "OK ", 3), 0);
	run_free(&run);
	server_stop(&server);
}
END_TEST

START_TEST(json_aside)
{
	static const char bytes[] = "a\0\xff\x1b[2J\n";
	struct run run;
	json_t *report;

	start(&(struct server_script){ GIVE(bytes) });
	server_run(&server, &run, NULL, ARGV("-f", "json", "-o", "-"));
	assert_status(&run, 0);
	ck_assert_uint_eq(run.out_bytes, sizeof(bytes) - 1);
	ck_assert_mem_eq(run.out, bytes, sizeof(bytes) - 1);
	report = schema_check(run.err, run.err_bytes);
	json_decref(report);
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* No more than the response, though more has come. */
START_TEST(no_more_than_maxbytes)
{
	struct run run;

	start(&(struct server_script){ GIVE("abcdefgh"), .end = SERVER_HOLD });
	server_run(&server, &run, NULL, ARGV("-o", path, "-m", "3"));
	assert_status(&run, 0);
	assert_file("abc", 3);
	run_free(&run);
	server_stop(&server);
}
END_TEST

START_TEST(with_jail)
{
	struct run run;

	start(&(struct server_script){ GIVE("secret") });
	server_run(&server, &run, NULL, ARGV("-vj", "-o", path));
	assert_status(&run, 0);
	assert_file("secret", 6);
	ck_assert_ptr_null(strstr(run.out, "secret"));
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* The file is replaced, however long it was, once there is a response. */
START_TEST(file_is_replaced)
{
	struct run run;

	write_file("a very long text that was there before");
	start(&(struct server_script){ GIVE("short") });
	server_run(&server, &run, NULL, ARGV("-o", path));
	assert_status(&run, 0);
	assert_file("short", 5);
	run_free(&run);
	server_stop(&server);
}
END_TEST

START_TEST(file_of_an_empty_response)
{
	struct run run;

	write_file("before");
	start(&(struct server_script){ .end = SERVER_FIN });
	server_run(&server, &run, NULL, ARGV("-o", path));
	assert_status(&run, 9);
	assert_file("", 0);
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* Without a connection there is no response, not even an empty one. */
START_TEST(file_is_kept_when_refused)
{
	int fd = tcp_bound(AF_INET);
	char port[8];
	struct run run;

	write_file("before");
	snprintf(port, sizeof(port), "%u", tcp_port(fd));
	run_command(&run, ARGV("-o", path, "127.0.0.1", port));
	assert_status(&run, 4);
	assert_file("before", 6);
	run_free(&run);
	close(fd);
}
END_TEST

START_TEST(file_is_kept_on_a_usage_error)
{
	struct run run;

	write_file("before");
	run_command(&run, ARGV("-o", path, "127.0.0.1", "0"));
	assert_status(&run, 2);
	assert_file("before", 6);
	run_free(&run);
}
END_TEST

static int
full_disk(void)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(response_to_a_full_disk)
{
	struct run_options options = { .output_fd = full_disk() };
	struct run run;
	json_t *report;

	start(&(struct server_script){ GIVE("abc") });
	server_run(&server, &run, &options, ARGV("-f", "json", "-o", "-"));
	assert_status(&run, 13);
	report = schema_check(run.err, run.err_bytes);
	ck_assert_str_eq(schema_string(report, "outcome"), "system");
	ck_assert_str_eq(schema_string(report, "error.errno"), "ENOSPC");
	json_decref(report);
	run_free(&run);
	server_stop(&server);
	close(options.output_fd);
}
END_TEST

/* The limit's signal must not kill it before it has told what happened. */
START_TEST(response_beyond_the_file_size)
{
	const struct run_options options = { .file_size_bytes = 100000 };
	struct run run;

	start(&(struct server_script){ .pattern_bytes = 300000 });
	server_run(&server, &run, &options, ARGV("-o", path));
	assert_status(&run, 13);
	ck_assert_ptr_nonnull(strstr(run.out, "SYSTEM "));
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* ---- the report */

/* clang-format off */
static const struct {
	const char *argv[6];
	struct server_script script;
	int status; /* where the report can be written */
} endings[] = {
	{ { "-s", "x" }, { .take = 1, GIVE("abc") }, 0 },
	{ { "-e", "x" }, { GIVE("abc") }, 1 },
	{ { "-s", "x" }, { .take = 1, .end = SERVER_RST }, 7 },
	{ { "-s", "x" }, { .take = 1, .end = SERVER_FIN }, 9 },
};
/* clang-format on */

#define ENDINGS ((int)(sizeof(endings) / sizeof(endings[0])))

/* A failure of the probe keeps its own status. */
static void
assert_unreported(const struct run_options *options, int i)
{
	int status = endings[i].status == 0 ? 13 : endings[i].status;
	struct run run;

	start(&endings[i].script);
	server_run(&server, &run, options, endings[i].argv);
	assert_status(&run, status);
	assert_one_line(run.err);
	run_free(&run);
	/* In silence there is nothing that could not be written. */
	server_run(&server, &run, options,
	    ARGV("-Q", endings[i].argv[0], endings[i].argv[1]));
	assert_status(&run, endings[i].status);
	ck_assert_str_eq(run.err, "");
	run_free(&run);
	server_stop(&server);
}

/* By the name of the locale: the bars are of UTF-8, or of ASCII. */
START_TEST(report_in_a_locale)
{
	static const struct {
		const char *all;
		bool utf8;
	} rows[] = { { "C.UTF-8", true }, { "en_US.utf8", true },
		{ "UTF-8", true }, { "de_DE.Utf-8@euro", true }, { "C", false },
		{ "POSIX", false }, { "utf", false },
		{ "de_DE.ISO-8859-1", false }, { "de_DE.utf16", false } };
	char variable[32];
	struct run run;

	start(&(struct server_script){ .end = SERVER_HOLD });
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(variable, sizeof(variable), "LC_ALL=%s", rows[i].all);
		server_run(&server, &run,
		    &(struct run_options){ .environment = ARGV(variable) },
		    ARGV("-z"));
		ck_assert_int_eq(run.status, 0);
		ck_assert_msg(
		    (strstr(run.out, "\xe2\x96") != NULL) == rows[i].utf8,
		    "%s: %s", variable, run.out);
		run_free(&run);
	}
	server_stop(&server);
}
END_TEST

START_TEST(report_to_a_full_disk)
{
	const struct run_options options = { .output_fd = full_disk() };

	assert_unreported(&options, _i);
	close(options.output_fd);
}
END_TEST

START_TEST(report_to_a_closed_descriptor)
{
	const struct run_options options = { .closed = RUN_CLOSED_STDOUT };

	assert_unreported(&options, _i);
}
END_TEST

/* A pipe that nobody reads: SIGPIPE would be the end. */
START_TEST(report_to_a_broken_pipe)
{
	struct run_options options = { 0 };
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	options.output_fd = ends[1];
	assert_unreported(&options, _i);
	close(ends[1]);
}
END_TEST

START_TEST(response_to_a_broken_pipe)
{
	struct run_options options = { 0 };
	struct run run;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	options.output_fd = ends[1];
	start(&(struct server_script){ .pattern_bytes = 1000000 });
	server_run(&server, &run, &options, ARGV("-o", "-"));
	assert_status(&run, 13);
	ck_assert_int_eq(strncmp(run.err, "SYSTEM ", 7), 0);
	run_free(&run);
	server_stop(&server);
	close(ends[1]);
}
END_TEST

/* Standard error that is closed or full changes nothing. */
START_TEST(nowhere_to_complain_to)
{
	struct run_options options = { .closed = RUN_CLOSED_STDERR };
	struct run run;

	start(&(struct server_script){ .take = 1, GIVE("abc") });
	server_run(&server, &run, &options, ARGV("-s", "x"));
	assert_status(&run, 0);
	ck_assert_int_eq(strncmp(run.out, "OK ", 3), 0);
	run_free(&run);
	options = (struct run_options){ .error_fd = full_disk() };
	server_run(&server, &run, &options, ARGV("-s", "x"));
	assert_status(&run, 0);
	run_free(&run);
	close(options.error_fd);
	server_stop(&server);
}
END_TEST

/*
 * A standard descriptor that is free would be the connection's: the report
 * would go to the server, or the payload come from it. In all eight ways to
 * close them the server gets the payload and nothing else.
 */
START_TEST(closed_descriptors)
{
	static const char *const rows[][8] = {
		{ "-s", "PING\\r\\n", NULL },
		{ "-v", "-s", "PING\\r\\n", "-e", "nothing of it", NULL },
		{ "-s", "PING\\r\\n", "-o", "-", NULL },
		{ "-f", "json", "-s", "PING\\r\\n", "-o", "/dev/null", NULL },
	};
	unsigned int closed = (unsigned int)_i;
	const struct run_options options = { .closed = closed };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct run run;

		start(&(struct server_script){ .take = 6, GIVE("+PONG\r\n") });
		server_run(&server, &run, &options, rows[i]);
		ck_assert_int_eq(run.signo, 0);
		if (i == 1)
			assert_status(&run, 1);
		else if (closed & RUN_CLOSED_STDOUT)
			assert_status(&run, 13);
		else if (i == 2 && (closed & RUN_CLOSED_STDERR))
			assert_status(&run, 13);
		else
			assert_status(&run, 0);
		server_await_ended(&server, 1);
		ck_assert_uint_eq(server.got_bytes, 6);
		ck_assert_mem_eq(server.got, "PING\r\n", 6);
		run_free(&run);
		server_stop(&server);
	}
}
END_TEST

/* ---- --send-file */

/* A file, or a memfd, of server_pattern(). */
static int
pattern_file(uint64_t bytes)
{
	int fd = memfd_create("payload", MFD_CLOEXEC);
	unsigned char *data;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)bytes), 0);
	data = mmap(NULL, bytes, PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert(data != MAP_FAILED);
	for (uint64_t i = 0; i < bytes; i++)
		data[i] = server_pattern(i);
	munmap(data, bytes);
	return fd;
}

static void
assert_got_pattern(uint64_t bytes)
{
	server_await_ended(&server, 1);
	ck_assert_uint_eq(server.got_bytes, bytes);
	ck_assert(server.got_pattern);
}

START_TEST(large_file)
{
	int fd = pattern_file(LARGE_BYTES);
	char name[64];
	struct run run;

	snprintf(name, sizeof(name), "/proc/%ld/fd/%d", (long)getpid(), fd);
	start(&(struct server_script){ .take = SERVER_ALL, GIVE("done") });
	server_run(&server, &run, NULL,
	    ARGV("-t", "50", "-N", "--send-file", name, "-e", "done"));
	assert_status(&run, 0);
	assert_got_pattern(LARGE_BYTES);
	assert_small(&run);
	run_free(&run);
	server_stop(&server);
	close(fd);
}
END_TEST

/* A file as standard input. */
START_TEST(large_standard_input)
{
	const struct run_options options = { .input_fd =
						 pattern_file(LARGE_BYTES) };
	struct run run;

	start(&(struct server_script){ .take = LARGE_BYTES, GIVE("done") });
	server_run(&server, &run, &options,
	    ARGV("-t", "50", "--send-file=-", "-e", "done"));
	assert_status(&run, 0);
	assert_got_pattern(LARGE_BYTES);
	assert_small(&run);
	run_free(&run);
	server_stop(&server);
	close(options.input_fd);
}
END_TEST

/* The server takes nothing before it has said a lot: both at once. */
START_TEST(both_directions_at_once)
{
	const struct run_options options = { .input_fd =
						 pattern_file(20000000) };
	struct run run;

	start(&(struct server_script){ .pattern_bytes = 20000000 });
	server_run(&server, &run, &options,
	    ARGV("-t", "50", "-N", "--send-file=-", "-o", "/dev/null"));
	assert_status(&run, 0);
	assert_got_pattern(20000000);
	run_free(&run);
	server_stop(&server);
	close(options.input_fd);
}
END_TEST

static void *
feed_pipe(void *argument)
{
	static unsigned char bytes[65536];
	int fd = *(int *)argument;
	uint64_t place = 0;

	while (place < 5000000) {
		size_t len = 0, done = 0;

		for (; len < sizeof(bytes) && place < 5000000; len++)
			bytes[len] = server_pattern(place++);
		while (done < len) {
			ssize_t n = write(fd, bytes + done, len - done);

			if (n <= 0)
				return NULL;
			done += (size_t)n;
		}
	}
	close(fd);
	return NULL;
}

START_TEST(pipe_as_standard_input)
{
	struct run_options options = { 0 };
	pthread_t thread;
	struct run run;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, feed_pipe, &ends[1]), 0);
	options.input_fd = ends[0];
	start(&(struct server_script){ .take = SERVER_ALL, GIVE("done") });
	server_run(&server, &run, &options,
	    ARGV("-t", "50", "-N", "--send-file=-", "-e", "done"));
	assert_status(&run, 0);
	assert_got_pattern(5000000);
	pthread_join(thread, NULL);
	run_free(&run);
	server_stop(&server);
	close(ends[0]);
}
END_TEST

/* Each piece is sent when it is there, and not when the next one is. */
START_TEST(slow_pipe)
{
	struct run_options options = { 0 };
	struct run run;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	options.input_fd = ends[0];
	start(&(struct server_script){ .take = 3, .wait = true, GIVE("ok") });
	server_run_start(
	    &server, &run, &options, ARGV("-t", "50", "--send-file=-"));
	ck_assert_int_eq(write(ends[1], "abc", 3), 3);
	server_await_taken(&server);
	ck_assert_int_eq(write(ends[1], "def", 3), 3);
	close(ends[1]);
	server_go(&server);
	run_finish(&run);
	assert_status(&run, 0);
	server_await_ended(&server, 1);
	ck_assert_uint_eq(server.got_bytes, 6);
	ck_assert_mem_eq(server.got, "abcdef", 6);
	run_free(&run);
	server_stop(&server);
	close(ends[0]);
}
END_TEST

/* How long it takes until the server has each of so many pieces. */
static int64_t
feed_slowly(const char *const *argv)
{
	enum { PIECES = 25 };
	struct run_options options = { 0 };
	int64_t begin_ns;
	struct run run;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	options.input_fd = ends[0];
	start(&(struct server_script){ .each = true, .take = PIECES });
	begin_ns = tcp_now_ns();
	server_run_start(&server, &run, &options, argv);
	for (int i = 0; i < PIECES; i++) {
		ck_assert_int_eq(write(ends[1], "x", 1), 1);
		server_await_taken(&server);
	}
	begin_ns = tcp_now_ns() - begin_ns;
	close(ends[1]);
	run_finish(&run);
	ck_assert_int_eq(run.signo, 0);
	run_free(&run);
	server_stop(&server);
	close(ends[0]);
	return begin_ns;
}

/*
 * A piece must not be held back for our FIN to ride on it: the kernel would do
 * so for 200 ms, 5 s in all here. Against a run without, for a slow machine.
 */
START_TEST(slow_pipe_with_half_close)
{
	int64_t without_ns = feed_slowly(ARGV("-t", "50", "--send-file=-"));
	int64_t with_ns = feed_slowly(ARGV("-t", "50", "-N", "--send-file=-"));

	ck_assert_msg(with_ns - without_ns < INT64_C(4000000000),
	    "%lld ns, and %lld ns without -N", (long long)with_ns,
	    (long long)without_ns);
}
END_TEST

/* A pipe that never ends is no reason to miss the deadline. */
START_TEST(endless_pipe)
{
	struct run_options options = { 0 };
	struct run run;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	options.input_fd = ends[0];
	start(&(struct server_script){ .end = SERVER_HOLD });
	server_run(
	    &server, &run, &options, ARGV("-t", "300ms", "--send-file=-"));
	assert_status(&run, 8);
	ck_assert_int_ge(run.elapsed_ns, INT64_C(300000000));
	run_free(&run);
	server_stop(&server);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(parts_in_order)
{
	const struct run_options options = { .input = "<in>",
		.input_bytes = 4 };
	struct run run;

	write_file("<file>");
	start(&(struct server_script){ .take = SERVER_ALL, GIVE("ok") });
	server_run(&server, &run, &options,
	    ARGV("-N", "-s", "a\\0", "--send-file", path, "--send-hex=ff 00",
		"--send-file=-", "--send-file", path, "-s", "z"));
	assert_status(&run, 0);
	server_await_ended(&server, 1);
	ck_assert_uint_eq(server.got_bytes, 21);
	ck_assert_mem_eq(server.got, "a\0<file>\xff\0<in><file>z", 21);
	run_free(&run);
	server_stop(&server);
}
END_TEST

START_TEST(raw_payload)
{
	struct run run;

	start(&(struct server_script){ .take = 6, GIVE("\\x41") });
	server_run(
	    &server, &run, NULL, ARGV("-R", "-s", "a\\r\\n%", "-e", "\\x41"));
	assert_status(&run, 0);
	server_await_ended(&server, 1);
	ck_assert_mem_eq(server.got, "a\\r\\n%", 6);
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* A closed standard input is not an empty one. */
START_TEST(closed_standard_input)
{
	const struct run_options options = { .closed = RUN_CLOSED_STDIN };
	struct run run;

	start(&(struct server_script){ .end = SERVER_HOLD });
	server_run(&server, &run, &options, ARGV("--send-file=-"));
	assert_status(&run, 13);
	run_free(&run);
	server_stop(&server);
	ck_assert_uint_eq(server.got_bytes, 0);
}
END_TEST

/* The server goes away in the middle: SIGPIPE would be the end. */
START_TEST(server_resets_while_sending)
{
	const struct run_options options = { .input_fd =
						 pattern_file(20000000) };
	struct run run;

	start(&(struct server_script){ .take = 1000, .end = SERVER_RST });
	server_run(&server, &run, &options, ARGV("-t", "50", "--send-file=-"));
	assert_status(&run, 7);
	ck_assert_int_eq(strncmp(run.out, "RESET ", 6), 0);
	run_free(&run);
	server_stop(&server);
	close(options.input_fd);
}
END_TEST

/* ---- large responses, in bounded memory */

START_TEST(large_response)
{
	static const char *const rows[][6] = {
		{ "-t", "50", "-s", "x", NULL },
		{ "-t", "50", "-v", "-s", "x", NULL },
		{ "-t", "50", "-e", "nothing of it", NULL },
		{ "-t", "50", "-o", "/dev/null", NULL },
	};
	struct run run;

	start(&(struct server_script){ .pattern_bytes = LARGE_BYTES });
	server_run(&server, &run, NULL, rows[_i]);
	assert_status(&run, _i == 2 ? 1 : 0);
	assert_small(&run);
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* One to wait with and one to connect; without, it is told as such. */
START_TEST(no_descriptors)
{
	struct run_options options = { .descriptors = 4 };
	struct run run;

	start(&(struct server_script){ .end = SERVER_HOLD });
	server_run(&server, &run, &options, ARGV("-n"));
	assert_status(&run, 13);
	run_free(&run);
	options.descriptors = 5;
	server_run(&server, &run, &options, ARGV("-n"));
	assert_status(&run, 0);
	run_free(&run);
	server_stop(&server);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("output");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, to_a_file);
	tcase_add_test(tests, to_standard_output);
	tcase_add_test(tests, json_aside);
	tcase_add_test(tests, no_more_than_maxbytes);
	tcase_add_test(tests, with_jail);
	tcase_add_test(tests, file_is_replaced);
	tcase_add_test(tests, file_of_an_empty_response);
	tcase_add_test(tests, file_is_kept_when_refused);
	tcase_add_test(tests, file_is_kept_on_a_usage_error);
	tcase_add_test(tests, response_to_a_full_disk);
	tcase_add_test(tests, response_beyond_the_file_size);
	tcase_add_test(tests, report_in_a_locale);
	tcase_add_loop_test(tests, report_to_a_full_disk, 0, ENDINGS);
	tcase_add_loop_test(tests, report_to_a_closed_descriptor, 0, ENDINGS);
	tcase_add_loop_test(tests, report_to_a_broken_pipe, 0, ENDINGS);
	tcase_add_test(tests, response_to_a_broken_pipe);
	tcase_add_test(tests, nowhere_to_complain_to);
	tcase_add_loop_test(tests, closed_descriptors, 0, 8);
	tcase_add_test(tests, large_file);
	tcase_add_test(tests, large_standard_input);
	tcase_add_test(tests, both_directions_at_once);
	tcase_add_test(tests, pipe_as_standard_input);
	tcase_add_test(tests, slow_pipe);
	tcase_add_test(tests, slow_pipe_with_half_close);
	tcase_add_test(tests, endless_pipe);
	tcase_add_test(tests, parts_in_order);
	tcase_add_test(tests, raw_payload);
	tcase_add_test(tests, closed_standard_input);
	tcase_add_test(tests, server_resets_while_sending);
	tcase_add_loop_test(tests, large_response, 0, 4);
	tcase_add_test(tests, no_descriptors);
	return suite_run(tests, "output");
}
