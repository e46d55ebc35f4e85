/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --write-out: every field of the JSON report by its path, with the value that
 * JSON has, in one run. The fields are those that a parser, which is not ours,
 * finds in the report.
 */
#include <config.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "near.h"
#include "run.h"
#include "schema.h"
#include "server.h"
#include "suite.h"
#include "tcp.h"
#include "write_out.h"

#define GIVE(literal) .give = literal, .give_bytes = sizeof(literal) - 1
#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define PATHS_MAX 200
#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static struct server server;

/* ---- the paths of a report */

static struct {
	char names[PATHS_MAX][64];
	size_t count;
} paths;

static void
collect(json_t *value, const char *path)
{
	char below[64];
	const char *name;
	json_t *member;
	size_t i;

	if (*path != '\0') {
		ck_assert_uint_lt(paths.count, PATHS_MAX);
		strcpy(paths.names[paths.count++], path);
	}
	json_object_foreach(value, name, member)
	{
		snprintf(below, sizeof(below), "%s%s%s", path,
		    *path != '\0' ? "." : "", name);
		collect(member, below);
	}
	json_array_foreach(value, i, member)
	{
		snprintf(below, sizeof(below), "%s.%zu", path, i);
		collect(member, below);
	}
}

static json_t *
value_at(json_t *report, const char *path)
{
	char name[64];

	while (*path != '\0') {
		size_t len = strcspn(path, ".");

		memcpy(name, path, len);
		name[len] = '\0';
		report = json_is_array(report) ?
		    json_array_get(report, (size_t)atoi(name)) :
		    json_object_get(report, name);
		path += len + (path[len] == '.');
	}
	return report;
}

/* A format with all of the paths, each behind a byte that is in no value. */
static char *
format_of_all(void)
{
	static const char head[] = "%{json}";
	char *format =
	    malloc(sizeof(head) + paths.count * sizeof(paths.names[0]));
	size_t len = strlen(head);

	ck_assert_ptr_nonnull(format);
	strcpy(format, head);
	for (size_t i = 0; i < paths.count; i++)
		len += (size_t)sprintf(
		    format + len, "\\x01%%{%s}", paths.names[i]);
	return format;
}

static void
assert_word(const char *path, const char *got, const char *want)
{
	ck_assert_msg(strcmp(got, want) == 0, "%s: \"%s\", in JSON \"%s\"",
	    path, got, want);
}

/* Structures as JSON, null as nothing, strings for a line. */
static void
assert_value(const char *path, const char *got, json_t *want)
{
	char number[64];
	json_t *parsed;

	/* An element that this run does not have. */
	if (want == NULL) {
		assert_word(path, got, "");
		return;
	}
	switch (json_typeof(want)) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		parsed = json_loads(got, 0, NULL);
		ck_assert_msg(json_equal(parsed, want), "%s: %s", path, got);
		json_decref(parsed);
		return;
	case JSON_STRING:
		for (const char *c = got; *c != '\0'; c++)
			ck_assert_msg(
			    *c >= ' ' && *c <= '~', "%s: %s", path, got);
		/* Where nothing had to be escaped they are the same. */
		if (strchr(got, '\\') == NULL)
			assert_word(path, got, json_string_value(want));
		return;
	case JSON_INTEGER:
		snprintf(number, sizeof(number), "%lld",
		    (long long)json_integer_value(want));
		assert_word(path, got, number);
		return;
	case JSON_REAL:
		snprintf(number, sizeof(number), "%.3f", json_real_value(want));
		assert_word(path, got, number);
		return;
	case JSON_NULL:
		assert_word(path, got, "");
		return;
	default:
		assert_word(path, got, json_is_true(want) ? "true" : "false");
	}
}

/* The paths of one run name the fields of the next, with what it found. */
static void
assert_all_fields(const char *const *argv)
{
	const char *arguments[24] = { "--write-out", "%{json}" };
	struct run run;
	size_t count = 2, place = 0;
	char *format, *value;
	json_t *report;

	while (*argv != NULL)
		arguments[count++] = *argv++;
	run_command(&run, arguments);
	ck_assert_str_eq(run.err, "");
	report = json_loadb(run.out, run.out_bytes, 0, NULL);
	ck_assert_msg(report != NULL, "%s", run.out);
	paths.count = 0;
	collect(report, "");
	ck_assert_uint_gt(paths.count, 40);
	json_decref(report);
	run_free(&run);

	format = format_of_all();
	arguments[1] = format;
	run_command(&run, arguments);
	ck_assert_str_eq(run.err, "");
	report = json_loads(strtok(run.out, "\x01"), 0, NULL);
	ck_assert_msg(report != NULL, "%s", run.out);
	value = run.out + strlen(run.out) + 1;
	for (; place < paths.count; place++) {
		char *end = strchr(value, '\x01');

		if (end != NULL)
			*end = '\0';
		assert_value(paths.names[place], value,
		    value_at(report, paths.names[place]));
		value = end != NULL ? end + 1 : value + strlen(value);
	}
	json_decref(report);
	run_free(&run);
	free(format);
}

START_TEST(fields_of_a_good_run)
{
	server_start(&server, AF_INET,
	    &(struct server_script){ .take = 1, GIVE("+OK \\ \"hello\"\r\n") });
	assert_all_fields(ARGV(
	    "-v", "-s", "x", "-e", "hello", server.host, server.port_text));
	server_stop(&server);
}
END_TEST

START_TEST(fields_of_a_binary_response)
{
	server_start(&server, AF_INET,
	    &(struct server_script){ .take = 1, GIVE("\xff\0\x1b[2J") });
	assert_all_fields(
	    ARGV("-vF", "-s", "x", server.host, server.port_text));
	server_stop(&server);
}
END_TEST

START_TEST(fields_of_a_mismatch)
{
	server_start(&server, AF_INET,
	    &(struct server_script){ .take = 1, GIVE("no\n\x1b]0;x\a") });
	assert_all_fields(
	    ARGV("-s", "x", "-e", "y\\n", server.host, server.port_text));
	server_stop(&server);
}
END_TEST

START_TEST(fields_of_exchanges)
{
	server_start(&server, AF_INET,
	    &(struct server_script){ .take = 1, GIVE("+OK hello") });
	assert_all_fields(ARGV("-v", "-s", "x", "--expect-regex", "h(el)(l)",
	    "--then", "-s", "y", server.host, server.port_text));
	server_stop(&server);
}
END_TEST

START_TEST(fields_of_a_refused_connection)
{
	int fd = tcp_bound(AF_INET);
	char port[8];

	snprintf(port, sizeof(port), "%u", tcp_port(fd));
	assert_all_fields(ARGV("127.0.0.1", port));
	close(fd);
}
END_TEST

/* ---- the format */

/* clang-format off */
static const struct {
	const char *format, *out;
	size_t out_bytes;
} rights[] = {
#define OUT(literal) literal, sizeof(literal) - 1
	{ "", OUT("") },
	{ "no newline", OUT("no newline") },
	{ "a\\n\\t\\r\\\\\\0\\x7f\\x25{host}", OUT("a\n\t\r\\\0\x7f%{host}") },
	{ "100%%{host}", OUT("100%{host}") },
	{ "%{host}", OUT("127.0.0.1") },
	{ "[%{outcome}%{exit_status}]", OUT("[refused4]") },
	/* Behind a null, and beyond an array's end: nothing. */
	{ "<%{remote}%{kernel.rtt_us}%{wire_us.handshake.value}>", OUT("<>") },
	{ "<%{response.data}%{kernel}%{close.reason}>", OUT("<>") },
	{ "<%{attempts.1.address}%{attempts.999999}>", OUT("<>") },
	{ "%{attempts.0.address}", OUT("127.0.0.1") },
#undef OUT
};

static const struct {
	const char *format, *named, *reason;
} wrongs[] = {
	{ "%{close.per}", "'close.per'", "near it: close.peer." },
	{ "%{peer}", "'peer'", "close.peer" },
	{ "%{rtt}", "'rtt'", "no such field" },
	{ "%{phase_us.connect}", "'phase_us.connect'", "phases_us.connect" },
	{ "%{Outcome}", "'Outcome'", "outcome" },
	{ "%{attempts.0.adress}", "'attempts.0.adress'", "attempts.N.address" },
	{ "%{attempts.address}", "'attempts.address'", "attempts.N.address" },
	{ "%{attempts.x}", "'attempts.x'", "no such field" },
	{ "%{attempts.-1}", "'attempts.-1'", "no such field" },
	{ "%{attempts.1234567}", "'attempts.1234567'", "no such field" },
	{ "%{host.0}", "'host.0'", "no such field" },
	{ "%{close.}", "'close.'", "no such field" },
	{ "%{.close}", "'.close'", "no such field" },
	{ "%{}", "''", "no such field" },
	{ "%{ host}", "' host'", "near it: host." },
	{ "%{json.close}", "'json.close'", "no such field" },
	{ "ok %{outcome} %{zzzzzzzz}", "'zzzzzzzz'", "JSON" },
	{ "%{\x1b[31m\nx}", "'\\x1b[31m\\nx'", "no such field" },
	{ "%", "'%'", "followed by" },
	{ "50% of", "'% '", "followed by" },
	{ "%%%", "'%'", "followed by" },
	{ "a %{host", "'%{host'", "missing" },
	{ "\\q", "'\\q'", "escape" },
	{ "\\x4", "'\\x4'", "hexadecimal" },
	{ "a\\", "'a\\'", "backslash" },
};
/* clang-format on */

START_TEST(right_formats)
{
	int fd = tcp_bound(AF_INET);
	char port[8];
	struct run run;

	snprintf(port, sizeof(port), "%u", tcp_port(fd));
	run_command(
	    &run, ARGV("--write-out", rights[_i].format, "127.0.0.1", port));
	ck_assert_int_eq(run.status, 4);
	ck_assert_str_eq(run.err, "");
	ck_assert_msg(run.out_bytes == rights[_i].out_bytes &&
		memcmp(run.out, rights[_i].out, run.out_bytes) == 0,
	    "%s: \"%s\"", rights[_i].format, run.out);
	run_free(&run);
	close(fd);
}
END_TEST

/* Each of them begins anew, and nothing is put between them. */
START_TEST(objects_side_by_side)
{
	struct run run;
	size_t half;

	run_command(&run,
	    ARGV("--write-out", "%{fastopen}%{fastopen}", "127.0.0.1", "1"));
	half = run.out_bytes / 2;
	ck_assert_uint_eq(run.out_bytes % 2, 0);
	ck_assert_mem_eq(run.out, run.out + half, half);
	ck_assert_mem_eq(run.out, "{\"requested\":false,", 19);
	run_free(&run);
}
END_TEST

/* Known to be wrong before a segment is sent. */
START_TEST(wrong_formats)
{
	struct run run;

	server_start(&server, AF_INET, &(struct server_script){ 0 });
	server_run(&server, &run, NULL,
	    ARGV("-s", "x", "--write-out", wrongs[_i].format));
	ck_assert_int_eq(run.status, 2);
	ck_assert_str_eq(run.out, "");
	ck_assert_ptr_eq(strchr(run.err, '\n'), run.err + run.err_bytes - 1);
	ck_assert_msg(strstr(run.err, wrongs[_i].named) != NULL, "%s", run.err);
	ck_assert_msg(
	    strstr(run.err, wrongs[_i].reason) != NULL, "%s", run.err);
	ck_assert_ptr_nonnull(strstr(run.err, "Try 'lastack --help'"));
	ck_assert_uint_eq(server_clients(&server), 0);
	run_free(&run);
	server_stop(&server);
}
END_TEST

START_TEST(too_many_fields)
{
	char format[257 * 7 + 1] = "";
	struct run run;

	for (size_t i = 0; i < 257; i++)
		strcpy(format + 7 * i, "%{host}");
	run_command(&run, ARGV("--write-out", format, "127.0.0.1", "1"));
	ck_assert_int_eq(run.status, 2);
	ck_assert_ptr_nonnull(strstr(run.err, "more than 256 fields"));
	run_free(&run);
	format[256 * 7] = '\0';
	run_command(&run, ARGV("--write-out", format, "127.0.0.1", "1"));
	ck_assert_int_eq(run.status, 4);
	ck_assert_uint_eq(run.out_bytes, 256 * 9);
	run_free(&run);
}
END_TEST

/* What a server says is never a line, an escape or a format. */
START_TEST(hostile_response)
{
	static const char want[] =
	    "%{host}\\\\n\\x1b[31m\\n|\\t\\xc2\\x9b\\xc3\\xa9z\n";
	struct run run;

	server_start(&server, AF_INET,
	    &(struct server_script){
		.take = 1, GIVE("%{host}\\n\x1b[31m\n|\t\xc2\x9b\xc3\xa9z") });
	server_run(&server, &run, NULL,
	    ARGV("-v", "-s", "x", "-e", "q", "--write-out",
		"%{response.data}\\n%{summary}\\n"));
	ck_assert_int_eq(run.status, 1);
	ck_assert_msg(strncmp(run.out, want, strlen(want)) == 0, "%s", run.out);
	for (size_t i = 0; i < run.out_bytes; i++)
		ck_assert(run.out[i] == '\n' ||
		    (run.out[i] >= ' ' && run.out[i] <= '~'));
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* Nor is an argument. */
START_TEST(hostile_argument)
{
	struct run run;

	server_start(&server, AF_INET,
	    &(struct server_script){ .take = 1, GIVE("a\x1b\nb\xc3\xa9") });
	server_run(&server, &run, NULL,
	    ARGV("-R", "-s", "x", "-e", "\x1b\nb\xc3\xa9", "--write-out",
		"%{expect.which}"));
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(run.out, "\\x1b\\nb\\xc3\\xa9");
	run_free(&run);
	server_stop(&server);
}
END_TEST

START_TEST(with_other_options)
{
	struct run run;

	server_start(
	    &server, AF_INET, &(struct server_script){ .take = 1, GIVE("r") });
	server_run(&server, &run, NULL,
	    ARGV("-Q", "-s", "x", "--write-out", "%{outcome}"));
	ck_assert_str_eq(run.out, "");
	run_free(&run);
	server_run(&server, &run, NULL,
	    ARGV("-o", "-", "-s", "x", "--write-out", "%{outcome}"));
	ck_assert_str_eq(run.out, "r");
	ck_assert_str_eq(run.err, "ok");
	run_free(&run);
	/* The last one counts. */
	server_run(&server, &run, NULL,
	    ARGV("-s", "x", "--write-out", "%{outcome}", "-f", "json"));
	json_decref(schema_check(run.out, run.out_bytes));
	run_free(&run);
	server_run(&server, &run, NULL,
	    ARGV("-s", "x", "-f", "json", "--write-out", "%{outcome}"));
	ck_assert_str_eq(run.out, "ok");
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* ---- any format at all */

static unsigned int
next_random(unsigned int *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 16;
}

/* It is right or has a fault that can be told; neither reads beyond it. */
START_TEST(random_formats)
{
	static const char letters[] = "%{}\\.0x1nclosepraecthj9 \xff";
	unsigned int state = 1, right = 0;

	for (int i = 0; i < 20000; i++) {
		struct write_out_fault fault = WRITE_OUT_FAULT_INIT;
		size_t len = next_random(&state) % 40;
		char *format = calloc(1, len + 1);

		ck_assert_ptr_nonnull(format);
		for (size_t j = 0; j < len; j++)
			format[j] = letters[next_random(&state) %
			    (sizeof(letters) - 1)];
		if (write_out_check(format, &fault))
			right++;
		else
			ck_assert_uint_gt(fault.why.len, 0);
		write_out_fault_free(&fault);
		free(format);
	}
	ck_assert_uint_gt(right, 100);
	ck_assert_uint_lt(right, 19000);
}
END_TEST

/* As long as may be, and with as many as may be. */
START_TEST(near_names)
{
	struct text near = TEXT_INIT;
	char path[200];

	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	for (size_t len = sizeof(path) - 1; len > 0; len--) {
		path[len] = '\0';
		near_fields(&near, path);
	}
	text_free(&near);
	near_fields(&near, "attempts.0.errn");
	ck_assert_str_eq(text_string(&near), "attempts.N.errno, error.errno");
	text_free(&near);
	near_fields(&near, "x.reason");
	ck_assert_str_eq(text_string(&near), "fastopen.reason, close.reason");
	text_free(&near);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("write_out");

	tcase_add_test(tests, fields_of_a_good_run);
	tcase_add_test(tests, fields_of_a_binary_response);
	tcase_add_test(tests, fields_of_a_mismatch);
	tcase_add_test(tests, fields_of_exchanges);
	tcase_add_test(tests, fields_of_a_refused_connection);
	tcase_add_loop_test(tests, right_formats, 0, ROWS(rights));
	tcase_add_test(tests, objects_side_by_side);
	tcase_add_loop_test(tests, wrong_formats, 0, ROWS(wrongs));
	tcase_add_test(tests, too_many_fields);
	tcase_add_test(tests, hostile_response);
	tcase_add_test(tests, hostile_argument);
	tcase_add_test(tests, with_other_options);
	tcase_add_test(tests, random_formats);
	tcase_add_test(tests, near_names);
	return suite_run(tests, "write_out");
}
