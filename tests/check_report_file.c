/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --output-report: in every format, replaced as a whole, and with nothing left
 * beside it, however the run ended.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"
#include "schema.h"
#include "server.h"
#include "suite.h"
#include "tcp.h"

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define GIVE(literal) .give = literal, .give_bytes = sizeof(literal) - 1

static struct server server;
static char directory[] = "/tmp/lastack-XXXXXX";
static char path[64], other[64];

static void
set_up(void)
{
	strcpy(directory, "/tmp/lastack-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/report", directory);
	snprintf(other, sizeof(other), "%s/other", directory);
}

static void
tear_down(void)
{
	unlink(path);
	unlink(other);
	ck_assert_int_eq(rmdir(directory), 0);
}

/* With a NUL behind it, in a buffer that the next call takes; NULL: none. */
static const char *
read_file(const char *name)
{
	static char data[65536];
	FILE *file = fopen(name, "r");
	size_t len;

	if (file == NULL)
		return NULL;
	len = fread(data, 1, sizeof(data) - 1, file);
	fclose(file);
	data[len] = '\0';
	return data;
}

static void
write_file(const char *name, const char *data)
{
	FILE *file = fopen(name, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(data, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static int
files_in_directory(void)
{
	DIR *listing = opendir(directory);
	int count = 0;

	ck_assert_ptr_nonnull(listing);
	while (readdir(listing) != NULL)
		count++;
	closedir(listing);
	return count - 2;
}

/* A run to a server that answers, with the report in the file. */
static void
run_to_file(
    struct run *run, const struct run_options *options, const char *format)
{
	server_start(&server, AF_INET,
	    &(struct server_script){ .take = 1, GIVE("hello") });
	server_run(&server, run, options,
	    ARGV("-s", "x", "-f", format, "--output-report", path));
	server_stop(&server);
}

static void
assert_silent(const struct run *run, int status)
{
	ck_assert_msg(
	    run->status == status, "status %d: %s", run->status, run->err);
	ck_assert_str_eq(run->out, "");
	ck_assert_str_eq(run->err, "");
}

static void
assert_failed(const struct run *run, int status)
{
	ck_assert_msg(
	    run->status == status, "status %d: %s", run->status, run->err);
	ck_assert_str_eq(run->out, "");
	ck_assert_msg(strncmp(run->err, "lastack: ", 9) == 0 &&
		strchr(run->err, '\n') == run->err + run->err_bytes - 1,
	    "\"%s\"", run->err);
}

/* ---- what is in it */

static const char *const formats[][2] = {
	{ "text", "OK  127.0.0.1:" },
	{ "json", "{\"schema\":1," },
	{ "prometheus", "# HELP lastack_probe_success " },
};

#define FORMATS ((int)(sizeof(formats) / sizeof(formats[0])))

START_TEST(every_format)
{
	const char *data;
	struct run run;

	run_to_file(&run, NULL, formats[_i][0]);
	assert_silent(&run, 0);
	data = read_file(path);
	ck_assert_ptr_nonnull(data);
	ck_assert_msg(
	    strncmp(data, formats[_i][1], strlen(formats[_i][1])) == 0 &&
		data[strlen(data) - 1] == '\n',
	    "%s", data);
	ck_assert_int_eq(files_in_directory(), 1);
	run_free(&run);
}
END_TEST

START_TEST(write_out)
{
	struct run run;

	run_command(&run,
	    ARGV("--write-out=%{outcome}", "--output-report", path, "127.0.0.1",
		"1"));
	assert_silent(&run, 4);
	ck_assert_str_eq(read_file(path), "refused");
	run_free(&run);
}
END_TEST

/* The response has standard output for itself. */
START_TEST(beside_the_response)
{
	struct run run;
	const char *data;

	server_start(&server, AF_INET,
	    &(struct server_script){ .take = 1, GIVE("hello") });
	server_run(&server, &run, NULL,
	    ARGV("-s", "x", "-o", "-", "-f", "json", "--output-report", path));
	server_stop(&server);
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(run.out, "hello");
	ck_assert_str_eq(run.err, "");
	data = read_file(path);
	json_decref(schema_check(data, strlen(data)));
	run_free(&run);
}
END_TEST

START_TEST(mode)
{
	static const mode_t masks[] = { 022, 077, 0, 027 };
	struct stat status;
	struct run run;
	mode_t before = umask(masks[_i]);

	run_to_file(&run, NULL, "text");
	umask(before);
	assert_silent(&run, 0);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0644 & ~masks[_i]);
	run_free(&run);
}
END_TEST

/* ---- how it is replaced */

/* Who has the old file keeps it: it is not written into. */
START_TEST(old_file_is_not_touched)
{
	struct run run;

	write_file(path, "old");
	ck_assert_int_eq(link(path, other), 0);
	run_to_file(&run, NULL, "json");
	assert_silent(&run, 0);
	ck_assert_str_eq(read_file(other), "old");
	ck_assert_int_eq(strncmp(read_file(path), "{\"schema\"", 9), 0);
	ck_assert_int_eq(files_in_directory(), 2);
	run_free(&run);
}
END_TEST

START_TEST(link_is_followed)
{
	struct stat status;
	struct run run;

	write_file(other, "old");
	ck_assert_int_eq(symlink("other", path), 0);
	run_to_file(&run, NULL, "json");
	assert_silent(&run, 0);
	ck_assert_int_eq(lstat(path, &status), 0);
	ck_assert(S_ISLNK(status.st_mode));
	ck_assert_int_eq(strncmp(read_file(other), "{\"schema\"", 9), 0);
	ck_assert_int_eq(files_in_directory(), 2);
	run_free(&run);
}
END_TEST

START_TEST(name_without_directory)
{
	const struct run_options options = { .directory = directory };
	struct run run;

	run_command_with(&run, &options,
	    ARGV("-f", "json", "--output-report=report", "127.0.0.1", "1"));
	assert_silent(&run, 4);
	ck_assert_int_eq(strncmp(read_file(path), "{\"schema\"", 9), 0);
	ck_assert_int_eq(files_in_directory(), 1);
	run_free(&run);
}
END_TEST

static atomic_bool reading;

/* Returns how often it has read the whole of a report, and nothing else. */
static void *
read_all_the_time(void *argument)
{
	static char data[65536];
	uintptr_t reads = 0;

	(void)argument;
	while (atomic_load(&reading)) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t len;

		if (fd == -1)
			return NULL;
		len = read(fd, data, sizeof(data));
		close(fd);
		if (len < 9 || memcmp(data, "{\"schema\"", 9) != 0 ||
		    data[len - 1] != '\n')
			return NULL;
		reads++;
	}
	return (void *)reads;
}

START_TEST(reader_never_sees_a_part)
{
	pthread_t reader;
	struct run run;
	void *reads;

	for (int i = 0; i < 60; i++) {
		run_command(&run,
		    ARGV("-f", "json", "--output-report", path, "127.0.0.1",
			"1"));
		assert_silent(&run, 4);
		run_free(&run);
		if (i == 0) {
			atomic_store(&reading, true);
			ck_assert_int_eq(pthread_create(&reader, NULL,
					     read_all_the_time, NULL),
			    0);
		}
	}
	atomic_store(&reading, false);
	pthread_join(reader, &reads);
	ck_assert_uint_gt((uintptr_t)reads, 60);
	ck_assert_int_eq(files_in_directory(), 1);
}
END_TEST

/* ---- where it fails */

/* In the middle of the new file. */
START_TEST(disk_is_full)
{
	const struct run_options options = { .file_size_bytes = 100 };
	struct run run;

	write_file(path, "old");
	run_to_file(&run, &options, "json");
	assert_failed(&run, 13);
	ck_assert_ptr_nonnull(strstr(run.err, path));
	ck_assert_str_eq(read_file(path), "old");
	ck_assert_int_eq(files_in_directory(), 1);
	run_free(&run);
}
END_TEST

/* The first failure decides the status. */
START_TEST(refused_and_full)
{
	const struct run_options options = { .file_size_bytes = 100 };
	struct run run;

	run_command_with(&run, &options,
	    ARGV("-f", "json", "--output-report", path, "127.0.0.1", "1"));
	assert_failed(&run, 4);
	ck_assert_int_eq(files_in_directory(), 0);
	run_free(&run);
}
END_TEST

/* A directory that goes away meanwhile. */
START_TEST(directory_is_gone)
{
	struct run run;

	server_start(&server, AF_INET,
	    &(struct server_script){ .take = 1, .wait = true, GIVE("hello") });
	server_run_start(
	    &server, &run, NULL, ARGV("-s", "x", "--output-report", path));
	server_await_taken(&server);
	ck_assert_int_eq(rmdir(directory), 0);
	server_go(&server);
	run_finish(&run);
	assert_failed(&run, 13);
	run_free(&run);
	server_stop(&server);
	ck_assert_int_eq(mkdir(directory, 0700), 0);
}
END_TEST

/* A device is not replaced by a file, nor is a pipe, nor a link into nowhere. */
START_TEST(not_a_file)
{
	struct stat status;
	struct run run;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	run_to_file(&run, NULL, "json");
	assert_failed(&run, 13);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert(S_ISFIFO(status.st_mode));
	run_free(&run);
	ck_assert_int_eq(unlink(path), 0);

	ck_assert_int_eq(symlink("nowhere", path), 0);
	run_to_file(&run, NULL, "json");
	assert_failed(&run, 13);
	ck_assert_int_eq(files_in_directory(), 1);
	run_free(&run);
}
END_TEST

/* ---- signals */

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGKILL };

/* The first two end the run, which is reported; the others leave nothing. */
START_TEST(signal_while_running)
{
	int signo = signals[_i];
	struct run run;

	write_file(path, "old");
	server_start(&server, AF_INET,
	    &(struct server_script){ .take = 1, .end = SERVER_HOLD });
	server_run_start(&server, &run, NULL,
	    ARGV("-s", "x", "-t", "30", "-f", "json", "--output-report", path));
	server_await_taken(&server);
	ck_assert_int_eq(kill(run.pid, signo), 0);
	run_finish(&run);
	ck_assert_str_eq(run.out, "");
	ck_assert_int_eq(files_in_directory(), 1);
	if (_i < 2) {
		assert_silent(&run, 128 + signo);
		ck_assert_ptr_nonnull(
		    strstr(read_file(path), "\"outcome\":\"interrupted\""));
	} else {
		ck_assert_int_eq(run.signo, signo);
		ck_assert_str_eq(read_file(path), "old");
	}
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* At any moment of a run that hardly does more than to write its report. */
START_TEST(signal_at_any_time)
{
	for (int i = 0; i < 100; i++) {
		struct timespec pause = { .tv_nsec = i * 30000 };
		const char *data;
		struct run run;

		run_start(&run, NULL,
		    ARGV("-f", "json", "--output-report", path, "127.0.0.1",
			"1"));
		nanosleep(&pause, NULL);
		kill(run.pid, i % 2 == 0 ? SIGTERM : SIGHUP);
		run_finish(&run);
		data = read_file(path);
		ck_assert_int_eq(files_in_directory(), data != NULL);
		if (data != NULL)
			json_decref(schema_check(data, strlen(data)));
		run_free(&run);
	}
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("report_file");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, every_format, 0, FORMATS);
	tcase_add_test(tests, write_out);
	tcase_add_test(tests, beside_the_response);
	tcase_add_loop_test(tests, mode, 0, 4);
	tcase_add_test(tests, old_file_is_not_touched);
	tcase_add_test(tests, link_is_followed);
	tcase_add_test(tests, name_without_directory);
	tcase_add_test(tests, reader_never_sees_a_part);
	tcase_add_test(tests, disk_is_full);
	tcase_add_test(tests, refused_and_full);
	tcase_add_test(tests, directory_is_gone);
	tcase_add_test(tests, not_a_file);
	tcase_add_loop_test(tests, signal_while_running, 0, 4);
	tcase_add_test(tests, signal_at_any_time);
	return suite_run(tests, "report_file");
}
