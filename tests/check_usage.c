/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command line that is wrong, or that cannot be done here: one line on
 * standard error that names the value, and not a segment on the wire.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab.h"
#include "run.h"
#include "suite.h"
#include "tcp.h"

#define ARGUMENTS_MAX 12

/* "%" in an argument stands for the port of the listening socket. */
struct wrong {
	const char *argv[ARGUMENTS_MAX];
	const char *named;
};

static bool have_lab;
static long begun_before;
static int listener;
static char port_text[8];

/*
 * A check of the handshake alone ends in an RST before a server can know of
 * it. In a network namespace of our own the kernel's count of connections that
 * were begun tells all the same.
 */
static long
connections_begun(void)
{
	FILE *file = fopen("/proc/net/snmp", "r");
	char line[1024];
	long begun = -1;

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "Tcp: %*d %*d %*d %*d %ld", &begun) == 1)
			break;
	fclose(file);
	ck_assert_int_ne(begun, -1);
	return begun;
}

static void
set_up(void)
{
	listener = tcp_listen(AF_INET, 8);
	tcp_nonblocking(listener);
	snprintf(port_text, sizeof(port_text), "%u", tcp_port(listener));
	begun_before = connections_begun();
}

static void
tear_down(void)
{
	close(listener);
}

static void
assert_no_connection(void)
{
	ck_assert_int_eq(accept(listener, NULL, NULL), -1);
	ck_assert_int_eq(errno, EAGAIN);
	if (have_lab)
		ck_assert_int_eq(connections_begun(), begun_before);
}

static void
assert_complains(const struct run *run, const char *named, int status)
{
	ck_assert_msg(run->status == status, "status %d, signal %d: %s%s",
	    run->status, run->signo, run->out, run->err);
	ck_assert_str_eq(run->out, "");
	ck_assert_uint_eq(run->err_bytes, strlen(run->err));
	ck_assert_msg(strchr(run->err, '\n') == run->err + run->err_bytes - 1,
	    "not one line: \"%s\"", run->err);
	ck_assert_msg(strncmp(run->err, "lastack: ", 9) == 0, "%s", run->err);
	ck_assert_msg(strstr(run->err, named) != NULL,
	    "\"%s\" does not name %s", run->err, named);
	for (size_t i = 0; i + 1 < run->err_bytes; i++)
		ck_assert_msg(run->err[i] >= ' ' && run->err[i] <= '~',
		    "a raw control character: \"%s\"", run->err);
}

/* Puts the port in; the strings live until the next call. */
static const char *const *
with_port(const char *const *argv)
{
	static char texts[ARGUMENTS_MAX][256];
	static const char *arguments[ARGUMENTS_MAX + 1];
	size_t count = 0;

	for (; argv[count] != NULL; count++) {
		const char *mark = strchr(argv[count], '%');
		int before = mark ? (int)(mark - argv[count]) : 0;

		arguments[count] = argv[count];
		if (mark == NULL)
			continue;
		snprintf(texts[count], sizeof(texts[count]), "%.*s%s%s", before,
		    argv[count], port_text, mark + 1);
		arguments[count] = texts[count];
	}
	arguments[count] = NULL;
	return arguments;
}

static void
assert_wrong(const struct wrong *row, int status)
{
	struct run run;

	run_command(&run, with_port(row->argv));
	assert_complains(&run, row->named, status);
	if (status == 2)
		ck_assert_ptr_nonnull(strstr(run.err, "Try 'lastack --help'"));
	run_free(&run);
	assert_no_connection();
}

/* clang-format off */
static const struct wrong usage[] = {
	{ { "--then", "127.0.0.1", "%" }, "--then: the exchange before it" },
	{ { "-s", "x", "--then", "127.0.0.1", "%" }, "no exchange comes after" },
	{ { "-s", "x", "--then", "--then", "-s", "y", "127.0.0.1", "%" },
	    "--then: the exchange before it" },
	{ { "-e", "y", "--then", "-s", "z", "-A", "127.0.0.1", "%" }, "--all" },
	{ { "--expect-regex", "a(", "127.0.0.1", "%" }, "--expect-regex: 'a('" },
	{ { "--expect-regex", "", "127.0.0.1", "%" }, "--expect-regex" },
	{ { "--expect-regex", "a\\x0", "127.0.0.1", "%" },
	    "two hexadecimal digits" },
	{ { "--expect-regex", "a\\x00", "127.0.0.1", "%" }, "a NUL" },
	{ { "--expect-hex", "abc", "127.0.0.1", "%" }, "--expect-hex: 'abc'" },
	{ { "--not-expect", "", "127.0.0.1", "%" }, "--not-expect" },
	{ { "-q", "x\\y", "127.0.0.1", "%" }, "--quit: 'x\\y'" },
	{ { "-N", "-q", "x", "127.0.0.1", "%" }, "--half-close and --quit" },
	{ { "-z", "-q", "x", "127.0.0.1", "%" }, "--connect-only" },
	{ { "--bogus", "127.0.0.1", "%" }, "--bogus" },
	{ { "--bogus=17", "127.0.0.1", "%" }, "--bogus=17" },
	{ { "-X", "127.0.0.1", "%" }, "-X" },
	{ { "--sen=x", "127.0.0.1", "%" }, "--sen=x" },
	{ { "--quiet=yes", "127.0.0.1", "%" }, "--quiet" },
	{ { "127.0.0.1", "%", "-s" }, "-s" },
	{ { "127.0.0.1", "%", "--send" }, "--send" },
	/* Operands. */
	{ { NULL }, "host" },
	{ { "-z" }, "host" },
	{ { "127.0.0.1" }, "'127.0.0.1'" },
	{ { "127.0.0.1", "%", "extra" }, "'extra'" },
	{ { "127.0.0.1:%", "%", "extra" }, "'extra'" },
	{ { "-H", "127.0.0.1", "-p", "%", "extra" }, "'extra'" },
	{ { "", "%" }, "''" },
	{ { ":%" }, "':" },
	{ { "127.0.0.1:" }, "'127.0.0.1:'" },
	{ { "[127.0.0.1:%" }, "'[127.0.0.1:" },
	{ { "[::1]" }, "'[::1]'" },
	{ { "::1" }, "'::1'" },
	/* Numbers. */
	{ { "127.0.0.1", "0" }, "'0'" },
	{ { "127.0.0.1", "70000" }, "'70000'" },
	{ { "127.0.0.1", "65536" }, "'65536'" },
	{ { "127.0.0.1:0" }, "'127.0.0.1:0'" },
	{ { "127.0.0.1:70000" }, "'127.0.0.1:70000'" },
	{ { "127.0.0.1", "-p", "-1" }, "'-1'" },
	{ { "127.0.0.1", "80x" }, "'80x'" },
	{ { "127.0.0.1", "" }, "''" },
	{ { "127.0.0.1", "no-such-service" }, "'no-such-service'" },
	{ { "-m", "0", "127.0.0.1", "%" }, "'0'" },
	{ { "-m", "-5", "127.0.0.1", "%" }, "'-5'" },
	{ { "-m", "1e3", "127.0.0.1", "%" }, "'1e3'" },
	{ { "-m", "99999999999999999999", "127.0.0.1", "%" },
	  "'99999999999999999999'" },
	/* Times. */
	{ { "-t", "0", "127.0.0.1", "%" }, "'0'" },
	{ { "-w", "", "127.0.0.1", "%" }, "''" },
	{ { "-w", "2:1", "127.0.0.1", "%" }, "'2:1'" },
	{ { "-c", "1s", "127.0.0.1", "%" }, "'1s'" },
	{ { "--warning-connect=", "127.0.0.1", "%" }, "''" },
	{ { "--critical-close=@", "127.0.0.1", "%" }, "'@'" },
	{ { "-t", "-1", "127.0.0.1", "%" }, "'-1'" },
	{ { "-t", "soon", "127.0.0.1", "%" }, "'soon'" },
	{ { "-t", "5h", "127.0.0.1", "%" }, "'5h'" },
	{ { "-t", "1 s", "127.0.0.1", "%" }, "'1 s'" },
	{ { "-t", "inf", "127.0.0.1", "%" }, "'inf'" },
	{ { "-t", "", "127.0.0.1", "%" }, "''" },
	{ { "-t", "99999999999999999999", "127.0.0.1", "%" },
	  "'99999999999999999999'" },
	{ { "--connect-timeout=0", "127.0.0.1", "%" }, "'0'" },
	{ { "--idle=0", "127.0.0.1", "%" }, "'0'" },
	{ { "--drain=-1s", "127.0.0.1", "%" }, "'-1s'" },
	{ { "-d", "1..5", "127.0.0.1", "%" }, "'1..5'" },
	/* Words. */
	{ { "--close=maybe", "127.0.0.1", "%" }, "'maybe'" },
	{ { "--expect-close=shut", "127.0.0.1", "%" }, "'shut'" },
	{ { "-f", "xml", "127.0.0.1", "%" }, "'xml'" },
	{ { "--color=blue", "127.0.0.1", "%" }, "'blue'" },
	{ { "-o", "", "127.0.0.1", "%" }, "''" },
	{ { "--output-report=", "127.0.0.1", "%" }, "''" },
	{ { "--output-report=-", "127.0.0.1", "%" }, "'-'" },
	{ { "-Q", "--output-report=x", "127.0.0.1", "%" }, "--quiet" },
	/* The local side. */
	{ { "--source=", "127.0.0.1", "%" }, "''" },
	{ { "--source=nowhere", "127.0.0.1", "%" }, "'nowhere'" },
	{ { "--source=8080", "127.0.0.1", "%" }, "'8080'" },
	{ { "--source=127.0.0.1:0", "127.0.0.1", "%" }, "'127.0.0.1:0'" },
	{ { "--source=[::1", "127.0.0.1", "%" }, "'[::1'" },
	{ { "--source=fe80::1/64", "fe80::1", "%" }, "'fe80::1/64'" },
	{ { "--source=::1", "127.0.0.1", "%" }, "'::1'" },
	{ { "--source=127.0.0.1", "::1", "%" }, "'127.0.0.1'" },
	{ { "--source=::1", "-4", "localhost", "%" }, "'::1'" },
	{ { "--interface=", "127.0.0.1", "%" }, "--interface: ''" },
	{ { "--interface=sixteen-letters-", "127.0.0.1", "%" },
	  "'sixteen-letters-'" },
	{ { "--mark=-1", "127.0.0.1", "%" }, "'-1'" },
	{ { "--mark=0x100000000", "127.0.0.1", "%" }, "'0x100000000'" },
	{ { "--mark=seven", "127.0.0.1", "%" }, "'seven'" },
	{ { "--tos=256", "127.0.0.1", "%" }, "'256'" },
	{ { "--tos=1", "127.0.0.1", "%" }, "'1'" },
	{ { "--tos=AF44", "127.0.0.1", "%" }, "'AF44'" },
	{ { "--tos=", "127.0.0.1", "%" }, "--tos: ''" },
	/* Bytes. */
	{ { "-s", "a\\q", "127.0.0.1", "%" }, "'a\\q'" },
	{ { "-s", "a\\x4", "127.0.0.1", "%" }, "'a\\x4'" },
	{ { "-s", "a\\", "127.0.0.1", "%" }, "'a\\'" },
	{ { "-e", "a\\q", "127.0.0.1", "%" }, "'a\\q'" },
	{ { "--send-hex=4", "127.0.0.1", "%" }, "'4'" },
	{ { "--send-hex=4x", "127.0.0.1", "%" }, "'4x'" },
	{ { "--send-hex=0x41", "127.0.0.1", "%" }, "'0x41'" },
	/* What does not go together. */
	{ { "-4", "::1", "%" }, "'::1'" },
	{ { "-6", "127.0.0.1", "%" }, "'127.0.0.1'" },
	{ { "-6", "127.0.0.1:%" }, "'127.0.0.1'" },
	{ { "-46", "127.0.0.1", "%" }, "--ipv4 and --ipv6" },
	{ { "-n", "localhost", "%" }, "'localhost'" },
	{ { "-n", "localhost:%" }, "'localhost'" },
	{ { "-z", "-s", "x", "127.0.0.1", "%" }, "--connect-only" },
	{ { "-z", "--send-hex=00", "127.0.0.1", "%" }, "--connect-only" },
	{ { "-z", "--send-file=/dev/null", "127.0.0.1", "%" },
	  "--connect-only" },
	{ { "-z", "-e", "x", "127.0.0.1", "%" }, "--connect-only" },
	{ { "-z", "-N", "127.0.0.1", "%" }, "--connect-only" },
	{ { "-z", "-o", "-", "127.0.0.1", "%" }, "--connect-only" },
	{ { "-A", "127.0.0.1", "%" }, "--all" },
	{ { "-F", "unix:/x" }, "--fastopen: the target is a Unix socket" },
	{ { "-4", "unix:/x" }, "--ipv4" },
	{ { "-6", "unix:/x" }, "--ipv6" },
	{ { "-n", "unix:/x" }, "--numeric" },
	{ { "--all-addresses", "unix:/x" }, "--all-addresses" },
	{ { "-p", "%", "unix:/x" }, "--port" },
	{ { "--source=127.0.0.1", "unix:/x" }, "--source" },
	{ { "--interface=lo", "unix:/x" }, "--interface" },
	{ { "--mark=0", "unix:/x" }, "--mark" },
	{ { "--tos=0", "-H", "unix:/x" }, "--tos" },
	{ { "--expect-close=fin", "unix:/x" }, "--expect-close" },
	{ { "--close=rst", "unix:/x" }, "--close" },
	{ { "unix:/x", "%" }, "unexpected operand" },
	{ { "unix:@" }, "'@'" },
	{ { "unix:x" }, "'unix:x'" },
	{ { "unix:" }, "'unix:'" },
	{ { "--proxy-protocol=v3", "127.0.0.1", "%" }, "'v3'" },
	{ { "--proxy-protocol=", "127.0.0.1", "%" }, "''" },
	{ { "--proxy-source=127.0.0.1:1", "127.0.0.1", "%" },
	  "--proxy-source: '127.0.0.1:1': there is no --proxy-protocol" },
	{ { "--proxy-protocol=local", "--proxy-destination=127.0.0.1:1",
	    "127.0.0.1", "%" }, "--proxy-destination: '127.0.0.1:1'" },
	{ { "--proxy-protocol=v1", "--proxy-source=127.0.0.1", "127.0.0.1",
	    "%" }, "'127.0.0.1': no port is given" },
	{ { "--proxy-protocol=v1", "--proxy-source=:80", "127.0.0.1", "%" },
	  "':80': not an IPv4 or IPv6 address" },
	{ { "--proxy-protocol=v2", "--proxy-destination=8080:80", "127.0.0.1",
	    "%" }, "'8080:80'" },
	{ { "--proxy-protocol=v2", "--proxy-source=[::1", "127.0.0.1", "%" },
	  "'[::1'" },
	{ { "--proxy-protocol=v1", "--proxy-source=[::1]:1", "127.0.0.1",
	    "%" }, "different address families" },
	{ { "--proxy-protocol=v1", "--proxy-source=[::1]:1",
	    "--proxy-destination=127.0.0.1:2", "localhost", "%" },
	  "different address families" },
	{ { "--proxy-protocol=v2", "unix:/x" }, "Unix socket" },
	{ { "--proxy-protocol=v1", "--proxy-source=[::1]:1", "unix:/x" },
	  "Unix socket" },
	{ { "-z", "--proxy-protocol=v1", "127.0.0.1", "%" },
	  "--connect-only" },
	/* Strangers' values do not steer the terminal. */
	{ { "-t", "\x1b[31m\nx", "127.0.0.1", "%" }, "\\x1b[31m\\nx" },
	{ { "--\x1b[31m\nx", "127.0.0.1", "%" }, "\\x1b[31m\\nx" },
	{ { "-\x9b", "127.0.0.1", "%" }, "\\x9b" },
	{ { "127.0.0.1", "%", "\x1b]0;x\a" }, "\\x1b]0;x\\x07" },
};

/* Right as a command line, but not to be had. */
static const struct wrong local[] = {
	{ { "--send-file=/nonexistent/file", "127.0.0.1", "%" },
	  "'/nonexistent/file'" },
	{ { "--send-file", "/", "127.0.0.1", "%" }, "'/'" },
	{ { "--send-file", "", "127.0.0.1", "%" }, "''" },
	{ { "-s", "x", "--send-file=/nonexistent/file", "127.0.0.1", "%" },
	  "'/nonexistent/file'" },
	{ { "--send-file=/\x1b[31m\nx", "127.0.0.1", "%" },
	  "/\\x1b[31m\\nx" },
	{ { "-o", "/nonexistent/file", "127.0.0.1", "%" },
	  "/nonexistent/file" },
	{ { "-o", "/", "127.0.0.1", "%" }, "/" },
	{ { "--output-report=/nonexistent/file", "127.0.0.1", "%" },
	  "/nonexistent/file" },
	{ { "--output-report=/", "127.0.0.1", "%" }, "/" },
	{ { "--output-report=/nonexistent/", "127.0.0.1", "%" },
	  "/nonexistent/" },
	{ { "--output-report=/dev/null", "127.0.0.1", "%" }, "/dev/null" },
	{ { "--output-report=/etc/passwd/x", "127.0.0.1", "%" },
	  "/etc/passwd/x" },
	{ { "-o", "/nonexistent/\x1b[31m\nx", "127.0.0.1", "%" },
	  "/nonexistent/\\x1b[31m\\nx" },
};
/* clang-format on */

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

START_TEST(usage_errors)
{
	assert_wrong(&usage[_i], 2);
}
END_TEST

START_TEST(local_errors)
{
	assert_wrong(&local[_i], 13);
}
END_TEST

/* The table's rows are wrong for the reason named, and not for their form. */
START_TEST(right_command_line)
{
	struct run run;

	run_command(
	    &run, with_port((const char *[]){ "127.0.0.1", "%", NULL }));
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(run.err, "");
	ck_assert_str_ne(run.out, "");
	run_free(&run);
	if (have_lab)
		ck_assert_int_eq(connections_begun(), begun_before + 1);
}
END_TEST

/* A file without permission, for whoever is not root. */
START_TEST(unreadable_file)
{
	char path[] = "/tmp/lastack-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fchmod(fd, 0), 0);
	close(fd);
	if (access(path, R_OK) == -1) {
		assert_wrong(
		    &(struct wrong){
			{ "--send-file", path, "127.0.0.1", "%" }, path },
		    13);
		assert_wrong(
		    &(struct wrong){ { "-o", path, "127.0.0.1", "%" }, path },
		    13);
	}
	unlink(path);
}
END_TEST

/* Too long to be shown whole would be a help; that it is told is a must. */
START_TEST(very_long_value)
{
	char *value = malloc(100001);
	struct run run;

	ck_assert_ptr_nonnull(value);
	memset(value, 'a', 100000);
	value[100000] = '\0';
	run_command(&run, (const char *[]){ value, port_text, NULL });
	assert_complains(&run, "aaaa", 2);
	run_free(&run);
	free(value);
	assert_no_connection();
}
END_TEST

/* Nothing is printed but the help, and nothing is connected to. */
START_TEST(help)
{
	static const char *const rows[][3] = { { "--help", NULL },
		{ "-h", NULL }, { "-hV", "127.0.0.1", NULL },
		{ "--help", "operand", NULL } };
	struct run run;

	run_command(&run, rows[_i]);
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(run.err, "");
	ck_assert_int_eq(strncmp(run.out, "Usage: lastack ", 15), 0);
	run_free(&run);
	assert_no_connection();
}
END_TEST

START_TEST(version)
{
	struct run run;

	run_command(&run, (const char *[]){ "--version", NULL });
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(run.out, "lastack " PACKAGE_VERSION "\n");
	ck_assert_str_eq(run.err, "");
	run_free(&run);
}
END_TEST

START_TEST(help_to_a_full_disk)
{
	static const char *const rows[] = { "--help", "--version" };
	struct run_options options = { .output_fd = open(
					   "/dev/full", O_WRONLY | O_CLOEXEC) };
	struct run run;

	ck_assert_int_ge(options.output_fd, 0);
	run_command_with(&run, &options, (const char *[]){ rows[_i], NULL });
	assert_complains(&run, "standard output", 13);
	run_free(&run);
	close(options.output_fd);
	options = (struct run_options){ .closed = RUN_CLOSED_STDOUT };
	run_command_with(&run, &options, (const char *[]){ rows[_i], NULL });
	assert_complains(&run, "standard output", 13);
	run_free(&run);
}
END_TEST

/* With nowhere to complain to, the status still speaks. */
START_TEST(closed_standard_error)
{
	const struct run_options options = { .closed = RUN_CLOSED_STDERR };
	struct run run;

	run_command_with(&run, &options,
	    with_port((const char *[]){ "--bogus", "127.0.0.1", "%", NULL }));
	ck_assert_int_eq(run.status, 2);
	ck_assert_str_eq(run.out, "");
	run_free(&run);
	assert_no_connection();
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("usage");

	have_lab = lab_enter() == 0;
	if (!have_lab)
		fprintf(stderr, "no network namespace: less is looked at\n");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, usage_errors, 0, ROWS(usage));
	tcase_add_loop_test(tests, local_errors, 0, ROWS(local));
	tcase_add_test(tests, right_command_line);
	tcase_add_test(tests, unreadable_file);
	tcase_add_test(tests, very_long_value);
	tcase_add_loop_test(tests, help, 0, 4);
	tcase_add_test(tests, version);
	tcase_add_loop_test(tests, help_to_a_full_disk, 0, 2);
	tcase_add_test(tests, closed_standard_error);
	return suite_run(tests, "usage");
}
