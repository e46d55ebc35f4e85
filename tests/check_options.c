/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lastack.h"
#include "options.h"
#include "request.h"
#include "suite.h"

#define ARGUMENTS_MAX 32
#define S INT64_C(1000000000)

static struct options options;
static struct lastack_request *request;
static struct text text;

static void
clear(void)
{
	options_free(&options);
	lastack_request_free(request);
	text_free(&text);
	options = (struct options){ 0 };
	request = NULL;
}

/* argv without the name, NULL at the end. Its strings must stay. */
static enum options_result
parse(const char *const *argv)
{
	char *arguments[ARGUMENTS_MAX] = { (char *)(uintptr_t) "lastack" };
	int count = 1;

	for (; *argv != NULL; argv++)
		arguments[count++] = (char *)(uintptr_t)*argv;
	clear();
	request = lastack_request_new();
	ck_assert_ptr_nonnull(request);
	optind = 0; /* glibc's and musl's way to begin anew */
	return options_parse(&options, count, arguments, request, &text);
}

#define PARSE(...) parse((const char *[]){ __VA_ARGS__, NULL })

static void
assert_run(enum options_result result)
{
	ck_assert_msg(
	    result == OPTIONS_RUN, "%d: %s", result, text_string(&text));
	ck_assert_str_eq(text_string(&text), "");
	ck_assert_int_eq(lastack_request_check(request), 0);
}

/* One line, which names the value. */
static void
assert_usage(enum options_result result, const char *value)
{
	const char *line = text_string(&text);

	ck_assert_msg(result == OPTIONS_USAGE, "%d: %s", result, line);
	ck_assert_msg(strstr(line, value) != NULL, "%s", line);
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
	ck_assert_ptr_nonnull(strstr(line, "Try 'lastack --help'"));
	ck_assert_int_eq(strncmp(line, "lastack: ", 9), 0);
}

START_TEST(defaults)
{
	assert_run(PARSE("host", "80"));
	ck_assert_str_eq(options.host, "host");
	ck_assert_uint_eq(options.port, 80);
	ck_assert_int_eq(options.timeout_ns, 10 * S);
	ck_assert_int_eq(options.connect_ns, 0);
	ck_assert_int_eq(options.drain_ns, S / 10);
	ck_assert_uint_eq(options.talk.count, 0);
	ck_assert_int_eq(options.close, LASTACK_CLOSE_AUTO);
	ck_assert_int_eq(options.expect_close, LASTACK_END_UNKNOWN);
	ck_assert_int_eq(options.format, FORMAT_TEXT);
	ck_assert_int_eq(options.color, COLOR_AUTO);
	ck_assert_ptr_null(options.output);
	ck_assert(!options.quiet && !options.jail && !options.raw &&
	    !options.numeric && !options.half_close && !options.connect_only &&
	    !options.ipv4 && !options.ipv6);
	ck_assert_int_eq(options.verbose, 0);
	for (size_t i = 0; i < SPAN_COUNT; i++)
		ck_assert(!options.thresholds[i].warning.given &&
		    !options.thresholds[i].critical.given);
}
END_TEST

/* Each into its own place. */
START_TEST(ranges)
{
	assert_run(PARSE("-w", "1", "-c", "2", "--warning-connect=3",
	    "--critical-connect=4", "--warning-first-byte=5",
	    "--critical-first-byte=6", "--warning-close=7",
	    "--critical-close=8", "a", "1"));
	for (int i = 0; i < SPAN_COUNT; i++) {
		ck_assert_int_eq(
		    options.thresholds[i].warning.end, (2 * i + 1) * S);
		ck_assert_int_eq(
		    options.thresholds[i].critical.end, (2 * i + 2) * S);
	}
	assert_run(PARSE("--warning=1", "--critical=@2:3", "a", "1"));
	ck_assert(options.thresholds[SPAN_TIME].critical.inside);
}
END_TEST

START_TEST(targets)
{
	static const struct {
		const char *argv[6];
		const char *host;
		int port;
	} rows[] = {
		{ { "a", "1" }, "a", 1 },
		{ { "a:1" }, "a", 1 },
		{ { "127.0.0.1:80" }, "127.0.0.1", 80 },
		{ { "[::1]:80" }, "::1", 80 },
		{ { "::1", "80" }, "::1", 80 },
		{ { "[::1]", "80" }, "::1", 80 },
		{ { "fe80::1%lo", "80" }, "fe80::1%lo", 80 },
		{ { "a", "http" }, "a", 80 },
		{ { "a:http" }, "a", 80 },
		{ { "-H", "a", "-p", "1" }, "a", 1 },
		{ { "-H", "a", "1" }, "a", 1 },
		{ { "-p", "1", "a" }, "a", 1 },
		{ { "-H", "a:1" }, "a", 1 },
		{ { "-H", "[::1]:http" }, "::1", 80 },
		{ { "--hostname=a", "--port=65535" }, "a", 65535 },
		{ { "a", "-z", "1" }, "a", 1 },
		{ { "-z", "--", "a", "1" }, "a", 1 },
		{ { "--", "-a", "1" }, "-a", 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_run(parse(rows[i].argv));
		ck_assert_str_eq(options.host, rows[i].host);
		ck_assert_int_eq(options.port, rows[i].port);
	}
}
END_TEST

START_TEST(values)
{
	assert_run(PARSE("-t", "3", "--connect-timeout=500ms", "--idle=1m",
	    "--drain=0", "-d", "1us", "-m", "17", "--close=rst",
	    "--expect-close", "open", "-f", "json", "--color=never", "-o", "-",
	    "a", "1"));
	ck_assert_int_eq(options.timeout_ns, 3 * S);
	ck_assert_int_eq(options.connect_ns, S / 2);
	ck_assert_int_eq(options.talk.turns[0].idle_ns, 60 * S);
	ck_assert_int_eq(options.drain_ns, 0);
	ck_assert_int_eq(options.talk.turns[0].delay_ns, 1000);
	ck_assert_uint_eq(options.talk.turns[0].maxbytes, 17);
	ck_assert_int_eq(options.close, LASTACK_CLOSE_RST);
	ck_assert_int_eq(options.expect_close, LASTACK_END_OPEN);
	ck_assert_int_eq(options.format, FORMAT_JSON);
	ck_assert_int_eq(options.color, COLOR_NEVER);
	ck_assert_str_eq(options.output, "-");
}
END_TEST

START_TEST(flags)
{
	assert_run(PARSE("-n4NRQjAvv", "-e", "x", "-s", "y", "127.0.0.1", "1"));
	ck_assert(options.numeric && options.ipv4 && options.half_close &&
	    options.raw && options.quiet && options.jail &&
	    options.talk.turns[0].all);
	ck_assert_int_eq(options.verbose, 2);
	ck_assert_uint_eq(talk_expectations(&options.talk), 1);
	ck_assert_uint_eq(talk_pieces(&options.talk), 1);
	assert_run(PARSE("-6z", "--verbose", "::1", "1"));
	ck_assert(options.ipv6 && options.connect_only);
	ck_assert_int_eq(options.verbose, 1);
}
END_TEST

/* The last one of two counts. */
START_TEST(repeated)
{
	assert_run(PARSE(
	    "-t", "3", "-t", "4", "--close=fin", "--close=auto", "a", "1"));
	ck_assert_int_eq(options.timeout_ns, 4 * S);
	ck_assert_int_eq(options.close, LASTACK_CLOSE_AUTO);
}
END_TEST

START_TEST(wrong_values)
{
	static const struct {
		const char *argv[8];
		const char *named;
	} rows[] = {
		{ { "--bogus", "a", "1" }, "--bogus" },
		{ { "--bogus=5", "a", "1" }, "--bogus=5" },
		{ { "-X", "a", "1" }, "-X" },
		{ { "-zX", "a", "1" }, "-X" },
		{ { "--sen=x", "a", "1" },
		    "--sen=x" }, /* send-hex, send-file */
		{ { "--ipv4=1", "a", "1" }, "--ipv4" },
		{ { "a", "1", "-s" }, "-s" },
		{ { "a", "1", "--send" }, "--send" },
		{ { "a", "1", "-t" }, "-t" },
		{ { "-t", "0", "a", "1" }, "'0'" },
		{ { "-t", "x5", "a", "1" }, "'x5'" },
		{ { "-t", "-1", "a", "1" }, "'-1'" },
		{ { "-t", "", "a", "1" }, "''" },
		{ { "-t", "31536001", "a", "1" }, "'31536001'" },
		{ { "--connect-timeout=0", "a", "1" }, "'0'" },
		{ { "--idle=0s", "a", "1" }, "'0s'" },
		{ { "--idle=5h", "a", "1" }, "'5h'" },
		{ { "--drain=x", "a", "1" }, "'x'" },
		{ { "-d", "1y", "a", "1" }, "'1y'" },
		{ { "-m", "0", "a", "1" }, "'0'" },
		{ { "-m", "1k", "a", "1" }, "'1k'" },
		{ { "-m", "9223372036854775808", "a", "1" },
		    "'9223372036854775808'" },
		{ { "--close=maybe", "a", "1" }, "'maybe'" },
		{ { "--close=FIN", "a", "1" }, "'FIN'" },
		{ { "--expect-close=shut", "a", "1" }, "'shut'" },
		{ { "-f", "xml", "a", "1" }, "'xml'" },
		{ { "--color=blue", "a", "1" }, "'blue'" },
		{ { "-o", "", "a", "1" }, "''" },
		{ { "-s", "a\\q", "a", "1" }, "'a\\q'" },
		{ { "-s", "a\\x4", "a", "1" }, "'a\\x4'" },
		{ { "-e", "a\\", "a", "1" }, "'a\\'" },
		{ { "--send-hex=4", "a", "1" }, "'4'" },
		{ { "--send-hex=zz", "a", "1" }, "'zz'" },
		{ { "a", "0" }, "'0'" },
		{ { "a", "65536" }, "'65536'" },
		{ { "a", "70000" }, "'70000'" },
		{ { "a", "" }, "''" },
		{ { "a", "no-such-service" }, "'no-such-service'" },
		{ { "-p", "-1", "a" }, "'-1'" },
		{ { "a:0" }, "'a:0'" },
		{ { "a:70000" }, "'a:70000'" },
		{ { "a" }, "'a'" },
		{ { "-z" }, "host" },
		{ { "::1" }, "'::1'" },
		{ { "[::1]" }, "'[::1]'" },
		{ { "", "1" }, "''" },
		{ { "[]", "1" }, "'[]'" },
		{ { "a", "1", "b" }, "'b'" },
		{ { "-H", "a", "-p", "1", "b" }, "'b'" },
		{ { "-4", "-6", "a", "1" }, "--ipv4 and --ipv6" },
		{ { "-4", "::1", "1" }, "'::1'" },
		{ { "-6", "127.0.0.1", "1" }, "'127.0.0.1'" },
		{ { "-n", "localhost", "1" }, "'localhost'" },
		{ { "-n4", "::1", "1" }, "'::1'" },
		{ { "-n6", "127.0.0.1", "1" }, "'127.0.0.1'" },
		{ { "-z", "-s", "x", "a", "1" }, "--connect-only" },
		{ { "-z", "-e", "x", "a", "1" }, "--connect-only" },
		{ { "-z", "-N", "a", "1" }, "--connect-only" },
		{ { "-z", "-o", "-", "a", "1" }, "--connect-only" },
		{ { "-z", "--send-file=-", "a", "1" }, "--connect-only" },
		{ { "-A", "a", "1" }, "--all" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_usage(parse(rows[i].argv), rows[i].named);
}
END_TEST

/* What argv holds must not steer a terminal either. */
START_TEST(hostile_values)
{
	static const char *const rows[][4] = {
		{ "-t", "\x1b[31m\n\x9b", "a", NULL },
		{ "--\x1b[31m\nbogus", "a", "1", NULL },
		{ "--close=\x1b[31m\n", "a", "1", NULL },
		{ "a", "1", "b\x1b[31m\n", NULL },
		{ "\x1b[31m\n", "1", "-4n", NULL },
		{ "-\x1b", "a", "1", NULL },
		{ "-\xff", "a", "1", NULL },
		{ "a", "\x1b]0;x\a", NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_usage(parse(rows[i]), "lastack: ");
		for (size_t j = 0; j + 1 < text.len; j++)
			ck_assert(text.bytes[j] >= ' ' && text.bytes[j] <= '~');
	}
}
END_TEST

START_TEST(very_long_values)
{
	char *host = malloc(100000);

	ck_assert_ptr_nonnull(host);
	memset(host, 'a', 99999);
	host[99999] = '\0';
	assert_usage(PARSE(host, "1"), "too long");
	host[1026] = '\0';
	assert_usage(PARSE(host, "1"), "too long");
	host[1025] = '\0';
	assert_run(PARSE(host, "1"));
	clear();
	free(host);
}
END_TEST

START_TEST(files)
{
	static const struct {
		const char *name, *why;
	} rows[] = {
		{ "/nonexistent/file", "No such file or directory" },
		{ "/", "Is a directory" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(PARSE("--send-file", rows[i].name, "a", "1"),
		    OPTIONS_LOCAL);
		ck_assert_ptr_nonnull(strstr(text_string(&text), rows[i].name));
		ck_assert_ptr_nonnull(strstr(text_string(&text), rows[i].why));
	}
	assert_run(
	    PARSE("--send-file=/dev/null", "--send-file=/dev/null", "a", "1"));
	ck_assert_uint_eq(options.file_count, 2);
}
END_TEST

/* A wrong command line is told before a file is looked for. */
START_TEST(usage_before_files)
{
	assert_usage(
	    PARSE("--send-file=/nonexistent/file", "-4", "::1", "1"), "::1");
}
END_TEST

/* Nothing is kept of the response unless somebody is to see it. */
START_TEST(jail_with_everything)
{
	assert_run(PARSE("-j", "-v", "-e", "x", "-o", "-", "a", "1"));
	ck_assert(options.jail);
	ck_assert_uint_eq(request->keep_bytes, 0);
	assert_run(PARSE("-v", "-e", "x", "-o", "-", "a", "1"));
	ck_assert_uint_gt(request->keep_bytes, 0);
}
END_TEST

/* What costs something is asked for where the report tells it. */
START_TEST(lean_unless_told)
{
	static const struct {
		const char *argv[4];
		bool lean;
	} rows[] = {
		{ { NULL }, true },
		{ { "-v" }, false },
		{ { "-Q" }, true },
		{ { "-Q", "-f", "json" }, true },
		{ { "-f", "json" }, false },
		{ { "-f", "prometheus" }, false },
		{ { "-f", "nagios" }, true },
		{ { "--write-out=%{outcome} %{phases_us.wait}" }, true },
		{ { "--write-out=%{wire_us.first_byte.value}" }, false },
		{ { "--write-out=%{kernel.congestion}" }, false },
		{ { "--write-out=%{outcome} %{json}" }, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *argv[8] = { NULL };
		size_t count = 0;

		for (; rows[i].argv[count] != NULL; count++)
			argv[count] = rows[i].argv[count];
		argv[count++] = "a";
		argv[count++] = "1";
		assert_run(parse(argv));
		ck_assert_msg(request->lean == rows[i].lean, "row %zu", i);
	}
}
END_TEST

/* ---- help */

static const char *
help(void)
{
	ck_assert_int_eq(PARSE("--help"), OPTIONS_DONE);
	return text_string(&text);
}

/* The line of --help for a long option, without its name's dashes. */
static bool
in_help(const char *lines, const char *name)
{
	char wanted[64];

	for (const char *ends = "[= \n"; *ends != '\0'; ends++) {
		snprintf(wanted, sizeof(wanted), " --%s%c", name, *ends);
		if (strstr(lines, wanted) != NULL)
			return true;
	}
	return false;
}

START_TEST(help_lists_every_option)
{
	/* The contract; a name, once published, stays. */
	static const char *const names[] = { "hostname", "port", "ipv4", "ipv6",
		"numeric", "send", "raw", "send-hex", "send-file", "half-close",
		"expect", "all", "expect-close", "maxbytes", "idle", "drain",
		"close", "fastopen", "connect-only", "timeout",
		"connect-timeout", "delay", "warning", "critical",
		"warning-connect", "critical-connect", "warning-first-byte",
		"critical-first-byte", "close-state", "warning-close",
		"critical-close", "format", "output", "quiet", "jail",
		"verbose", "color", "help", "version" };
	char *lines = strdup(help());

	ck_assert_ptr_nonnull(lines);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(in_help(lines, names[i]), "%s", names[i]);
	free(lines);
}
END_TEST

static bool
is_unknown(const char *option)
{
	PARSE(option, "127.0.0.1", "1");
	return strncmp(text_string(&text), "lastack: unknown", 16) == 0;
}

/* What the command takes, the help tells, and the other way round. */
START_TEST(help_lists_every_letter)
{
	char *lines = strdup(help());

	ck_assert_ptr_nonnull(lines);
	for (int c = '!'; c <= '~'; c++) {
		char option[] = { '-', (char)c, '\0' };
		char listed[] = { ' ', ' ', '-', (char)c, ',', ' ', '-', '-',
			'\0' };

		if (c == '-' || c == ':')
			continue;
		ck_assert_msg(
		    is_unknown(option) == (strstr(lines, listed) == NULL), "%s",
		    option);
	}
	free(lines);
}
END_TEST

START_TEST(help_lists_only_what_there_is)
{
	char *lines = strdup(help()), *next = lines;
	size_t count = 0;

	ck_assert_ptr_nonnull(lines);
	while ((next = strstr(next, " --")) != NULL) {
		char option[64] = "";
		size_t len = 1 + strcspn(next + 1, "[= \n");

		ck_assert_uint_lt(len, sizeof(option));
		memcpy(option, next + 1, len - 1);
		next += len;
		if (strlen(option) == 2)
			continue;
		ck_assert_msg(!is_unknown(option), "%s", option);
		count++;
	}
	ck_assert_uint_ge(count, 30);
	free(lines);
}
END_TEST

START_TEST(help_fits_a_screen)
{
	const char *line = help();

	while (*line != '\0') {
		size_t len = strcspn(line, "\n");

		ck_assert_msg(len <= 80, "%.*s", (int)len, line);
		ck_assert(len == 0 || line[len - 1] != ' ');
		ck_assert_int_eq(line[len], '\n');
		line += len + 1;
	}
}
END_TEST

START_TEST(version)
{
	ck_assert_int_eq(PARSE("-V"), OPTIONS_DONE);
	ck_assert_str_eq(text_string(&text), "lastack " PACKAGE_VERSION "\n");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("options");

	tcase_add_checked_fixture(tests, NULL, clear);
	tcase_add_test(tests, defaults);
	tcase_add_test(tests, ranges);
	tcase_add_test(tests, targets);
	tcase_add_test(tests, values);
	tcase_add_test(tests, flags);
	tcase_add_test(tests, repeated);
	tcase_add_test(tests, wrong_values);
	tcase_add_test(tests, hostile_values);
	tcase_add_test(tests, very_long_values);
	tcase_add_test(tests, files);
	tcase_add_test(tests, usage_before_files);
	tcase_add_test(tests, jail_with_everything);
	tcase_add_test(tests, lean_unless_told);
	tcase_add_test(tests, help_lists_every_option);
	tcase_add_test(tests, help_lists_every_letter);
	tcase_add_test(tests, help_lists_only_what_there_is);
	tcase_add_test(tests, help_fits_a_screen);
	tcase_add_test(tests, version);
	return suite_run(tests, "options");
}
