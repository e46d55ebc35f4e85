/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A payload that streams in while the response streams out, through pipes and a
 * terminal, as with nc(1): nothing waits for what need not be waited for, and
 * neither side can stop the other.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "run.h"
#include "schema.h"
#include "server.h"
#include "suite.h"
#include "tcp.h"

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define GIVE(literal) .give = literal, .give_bytes = sizeof(literal) - 1

#define ECHO_BYTES (UINT64_C(64) << 20)
#define ECHO_BYTES_FULL UINT64_C(1000000000)
#define PEAK_KIB_MAX 8192
#define END_OF_FILE "\4" /* what ^D is to a terminal */

static struct server server;

static void
assert_status(const struct run *run, int status)
{
	ck_assert_msg(run->status == status, "status %d, signal %d: %s%s",
	    run->status, run->signo, run->out, run->err);
}

static void
make_pipe(int ends[2])
{
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
}

/* ---- bytes of server_pattern(), in and out */

static bool
put_all(int fd, const void *data, size_t len)
{
	const char *bytes = data;

	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n == -1 && errno != EINTR)
			return false;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return true;
}

struct flow {
	int fd;
	uint64_t bytes; /* to put; got so far */
	bool right;	/* all of it was server_pattern() */
	pthread_t thread;
};

static void *
put_pattern(void *argument)
{
	static _Thread_local unsigned char bytes[65536];
	struct flow *flow = argument;
	uint64_t place = 0;

	flow->right = true;
	while (place < flow->bytes && flow->right) {
		size_t len = 0;

		for (; len < sizeof(bytes) && place < flow->bytes; len++)
			bytes[len] = server_pattern(place++);
		flow->right = put_all(flow->fd, bytes, len);
	}
	return NULL;
}

/* Until so many are here in all, or the end. */
static void
get_pattern(struct flow *flow, uint64_t most)
{
	static _Thread_local unsigned char bytes[65536];

	while (flow->bytes < most) {
		uint64_t left = most - flow->bytes;
		ssize_t n = read(flow->fd, bytes,
		    left < sizeof(bytes) ? (size_t)left : sizeof(bytes));

		ck_assert(n >= 0 || errno == EINTR);
		if (n == 0)
			return;
		for (ssize_t i = 0; i < n; i++)
			if (bytes[i] != server_pattern(flow->bytes++))
				flow->right = false;
	}
}

static void
flow_start(struct flow *flow, int fd, uint64_t bytes)
{
	*flow = (struct flow){ .fd = fd, .bytes = bytes };
	ck_assert_int_eq(
	    pthread_create(&flow->thread, NULL, put_pattern, flow), 0);
}

static void
flow_finish(struct flow *flow)
{
	pthread_join(flow->thread, NULL);
	ck_assert(flow->right);
}

/* ---- a peer that talks and listens at once */

struct peer {
	int listener;
	uint64_t gives;	   /* of server_pattern(), from the start */
	bool echoes;	   /* what it gets; else counts it */
	uint64_t got;	   /* once it is stopped */
	char port_text[8]; /* on 127.0.0.1 */
	pthread_t thread;
};

static void *
peer_main(void *argument)
{
	static unsigned char bytes[65536];
	struct peer *peer = argument;
	int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
	struct flow flow;
	ssize_t n;

	flow_start(&flow, fd, peer->gives);
	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
		peer->got += (uint64_t)n;
		if (peer->echoes && !put_all(fd, bytes, (size_t)n))
			break;
	}
	pthread_join(flow.thread, NULL);
	close(fd);
	return NULL;
}

static void
peer_begin(struct peer *peer, uint64_t gives, bool echoes)
{
	*peer = (struct peer){ .gives = gives, .echoes = echoes };
	peer->listener = tcp_listen(AF_INET, 1);
	snprintf(peer->port_text, sizeof(peer->port_text), "%u",
	    tcp_port(peer->listener));
	ck_assert_int_eq(
	    pthread_create(&peer->thread, NULL, peer_main, peer), 0);
}

static void
peer_end(struct peer *peer)
{
	pthread_join(peer->thread, NULL);
	close(peer->listener);
}

/* The command between two pipes of ours. */
struct filter {
	struct run run;
	int in, out; /* our ends of its standard input and output */
};

static void
filter_start(struct filter *filter, int flags, const char *const *argv)
{
	int in[2], out[2];
	struct run_options options = { 0 };

	make_pipe(in);
	make_pipe(out);
	ck_assert_int_eq(fcntl(in[0], F_SETFL, flags), 0);
	ck_assert_int_eq(fcntl(out[1], F_SETFL, flags), 0);
	options.input_fd = in[0];
	options.output_fd = out[1];
	run_start(&filter->run, &options, argv);
	close(in[0]);
	close(out[1]);
	filter->in = in[1];
	filter->out = out[0];
}

static void
filter_finish(struct filter *filter)
{
	run_finish(&filter->run);
	close(filter->out);
}

/* The most memory that it has had, libraries and all. */
static long
peak_kib(pid_t pid)
{
	char path[64], line[256];
	long kib = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "VmHWM: %ld kB", &kib) == 1)
			break;
	fclose(file);
	return kib;
}

static void
assert_small(pid_t pid)
{
	long kib = peak_kib(pid);

	if (getenv("LASTACK_NO_MEMORY_LIMITS") == NULL)
		ck_assert_msg(kib > 0 && kib < PEAK_KIB_MAX, "%ld KiB", kib);
	if (getenv("LASTACK_FULL") != NULL)
		printf("peak memory: %ld KiB\n", kib);
}

/* Another program on the same terminal or pipe may have set O_NONBLOCK. */
static const int pipe_flags[] = { 0, O_NONBLOCK };

START_TEST(echo)
{
	uint64_t bytes = getenv("LASTACK_FULL") != NULL ? ECHO_BYTES_FULL :
							  ECHO_BYTES;
	struct flow to, from = { .right = true };
	struct filter filter;
	struct peer peer;

	peer_begin(&peer, 0, true);
	filter_start(&filter, pipe_flags[_i],
	    ARGV("-t", "50", "-o", "-", "--send-file=-", "-N", "127.0.0.1",
		peer.port_text));
	flow_start(&to, filter.in, bytes);
	from.fd = filter.out;
	get_pattern(&from, bytes);
	ck_assert_uint_eq(from.bytes, bytes);
	flow_finish(&to);
	/* It waits for more: now is the time to look at it. */
	assert_small(filter.run.pid);
	close(filter.in);
	get_pattern(&from, UINT64_MAX);
	filter_finish(&filter);
	assert_status(&filter.run, 0);
	ck_assert_uint_eq(from.bytes, bytes);
	ck_assert(from.right);
	ck_assert_int_eq(strncmp(filter.run.err, "OK ", 3), 0);
	run_free(&filter.run);
	peer_end(&peer);
}
END_TEST

/*
 * Nobody reads the response before all of the payload is written, and the peer
 * gives more than the pipe and the sockets hold: whoever waited to be rid of
 * the response would wait for ever.
 */
START_TEST(response_is_read_last)
{
	enum { GIVES = 40000000, TAKES = 20000000 };
	struct flow to, from = { .right = true };
	struct filter filter;
	struct peer peer;

	peer_begin(&peer, GIVES, false);
	filter_start(&filter, pipe_flags[_i],
	    ARGV("-t", "50", "-o", "-", "--send-file=-", "-N", "--idle=50",
		"127.0.0.1", peer.port_text));
	flow_start(&to, filter.in, TAKES);
	flow_finish(&to);
	close(filter.in);
	from.fd = filter.out;
	get_pattern(&from, UINT64_MAX);
	filter_finish(&filter);
	assert_status(&filter.run, 0);
	ck_assert_uint_eq(from.bytes, GIVES);
	ck_assert(from.right);
	peer_end(&peer);
	ck_assert_uint_eq(peer.got, TAKES);
	run_free(&filter.run);
}
END_TEST

/* A silence in which nobody takes what is here is not the server's. */
START_TEST(slow_reader_is_no_silence)
{
	enum { GIVES = 10000000 };
	const struct timespec pause = { .tv_sec = 3 };
	struct flow from = { .right = true };
	struct filter filter;
	struct peer peer;

	peer_begin(&peer, GIVES, false);
	filter_start(&filter, 0,
	    ARGV("-t", "50", "-o", "-", "-N", "--idle=2", "127.0.0.1",
		peer.port_text));
	from.fd = filter.out;
	get_pattern(&from, 1);
	nanosleep(&pause, NULL);
	get_pattern(&from, UINT64_MAX);
	filter_finish(&filter);
	assert_status(&filter.run, 0);
	ck_assert_uint_eq(from.bytes, GIVES);
	close(filter.in);
	peer_end(&peer);
	run_free(&filter.run);
}
END_TEST

/* ---- the end of a stream */

START_TEST(ends_at_once)
{
	struct run_options options = { 0 };
	struct run run;
	int ends[2];

	make_pipe(ends);
	close(ends[1]);
	options.input_fd = ends[0];
	server_start(&server, AF_INET,
	    &(struct server_script){ .take = SERVER_ALL, GIVE("bye") });
	server_run(
	    &server, &run, &options, ARGV("-o", "-", "--send-file=-", "-N"));
	assert_status(&run, 0);
	ck_assert_str_eq(run.out, "bye");
	ck_assert_uint_eq(server.got_bytes, 0);
	run_free(&run);
	server_stop(&server);
	close(ends[0]);
}
END_TEST

/* There is no answer to come, and nobody who ends the payload. */
START_TEST(peer_closes_first)
{
	struct run_options options = { 0 };
	struct run run;
	json_t *report;
	int ends[2];

	make_pipe(ends);
	options.input_fd = ends[0];
	server_start(&server, AF_INET,
	    &(struct server_script){ .take = 5, GIVE("+OK\r\n") });
	server_run_start(&server, &run, &options,
	    ARGV("-t", "50", "--idle=100ms", "-f", "json", "--send-file=-",
		"-o", "-"));
	ck_assert_int_eq(write(ends[1], "QUIT\n", 5), 5);
	run_finish(&run);
	assert_status(&run, 0);
	ck_assert_str_eq(run.out, "+OK\r\n");
	report = schema_check(run.err, run.err_bytes);
	ck_assert_str_eq(schema_string(report, "close.peer"), "fin");
	ck_assert_str_eq(schema_string(report, "close.local"), "fin");
	json_decref(report);
	run_free(&run);
	server_stop(&server);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/*
 * A peer that has only closed its own side goes on getting what there is, as
 * long as no pause is longer than the idle time.
 */
START_TEST(peer_reads_on)
{
	enum { PIECES = 13 };
	const struct timespec pace = { .tv_nsec = 200000000 };
	struct run_options options = { 0 };
	struct run run;
	int ends[2];

	make_pipe(ends);
	options.input_fd = ends[0];
	server_start(&server, AF_INET,
	    &(struct server_script){ .each = true, .take = 1, GIVE("ok") });
	server_run_start(&server, &run, &options,
	    ARGV("-t", "50", "--idle=2", "--send-file=-", "-o", "-"));
	for (int i = 0; i < PIECES; i++) {
		ck_assert_int_eq(write(ends[1], "x", 1), 1);
		server_await_taken(&server);
		nanosleep(&pace, NULL);
	}
	close(ends[1]);
	run_finish(&run);
	assert_status(&run, 0);
	ck_assert_str_eq(run.out, "ok");
	server_await_ended(&server, 1);
	ck_assert_uint_eq(server.got_bytes, PIECES);
	run_free(&run);
	server_stop(&server);
	close(ends[0]);
}
END_TEST

/* ---- what is no stream */

static void
assert_refused(const struct run_options *options)
{
	struct run run;

	server_start(
	    &server, AF_INET, &(struct server_script){ .end = SERVER_HOLD });
	server_run(&server, &run, options, ARGV("--send-file=-", "-o", "-"));
	assert_status(&run, 13);
	ck_assert_msg(strncmp(run.err, "lastack: --send-file: '-': ", 27) == 0,
	    "%s", run.err);
	ck_assert_ptr_eq(strchr(run.err, '\n'), run.err + run.err_bytes - 1);
	run_free(&run);
	ck_assert_uint_eq(server_clients(&server), 0);
	server_stop(&server);
}

START_TEST(closed)
{
	const struct run_options options = { .closed = RUN_CLOSED_STDIN };

	assert_refused(&options);
}
END_TEST

START_TEST(directory)
{
	const struct run_options options = { .input_fd = open(
						 "/", O_RDONLY | O_CLOEXEC) };

	ck_assert_int_ge(options.input_fd, 0);
	assert_refused(&options);
	close(options.input_fd);
}
END_TEST

START_TEST(null_device)
{
	struct run run;

	server_start(&server, AF_INET,
	    &(struct server_script){ .take = SERVER_ALL, GIVE("bye") });
	server_run(&server, &run, NULL, ARGV("-o", "-", "--send-file=-", "-N"));
	assert_status(&run, 0);
	ck_assert_str_eq(run.out, "bye");
	run_free(&run);
	server_stop(&server);
}
END_TEST

/* ---- a terminal */

static int
open_terminal(int *ours)
{
	struct termios settings;
	int theirs;

	*ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(*ours, 0);
	ck_assert_int_eq(grantpt(*ours), 0);
	ck_assert_int_eq(unlockpt(*ours), 0);
	theirs = open(ptsname(*ours), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(theirs, 0);
	ck_assert_int_eq(tcgetattr(theirs, &settings), 0);
	/* What is typed is not to be seen between what is answered. */
	settings.c_lflag &= ~(tcflag_t)ECHO;
	settings.c_oflag &= ~(tcflag_t)OPOST;
	ck_assert_int_eq(tcsetattr(theirs, TCSANOW, &settings), 0);
	return theirs;
}

static void
assert_answer(int fd, const char *want)
{
	char got[64];
	size_t len = 0;

	while (len < strlen(want)) {
		ssize_t n = read(fd, got + len, strlen(want) - len);

		ck_assert_int_gt(n, 0);
		len += (size_t)n;
	}
	ck_assert_mem_eq(got, want, len);
}

/* A line is sent when it is typed, and its answer is seen; ^D is the end. */
START_TEST(terminal)
{
	struct run_options options = { 0 };
	struct peer peer;
	struct run run;
	int ours;

	options.input_fd = options.output_fd = open_terminal(&ours);
	peer_begin(&peer, 0, true);
	run_start(&run, &options,
	    ARGV("-t", "50", "-o", "-", "--send-file=-", "-N", "127.0.0.1",
		peer.port_text));
	for (int i = 0; i < 3; i++) {
		ck_assert(put_all(ours, "a line\n", 7));
		assert_answer(ours, "a line\n");
	}
	ck_assert(put_all(ours, END_OF_FILE, 1));
	run_finish(&run);
	assert_status(&run, 0);
	ck_assert_int_eq(strncmp(run.err, "OK ", 3), 0);
	peer_end(&peer);
	ck_assert_uint_eq(peer.got, 21);
	run_free(&run);
	close(options.input_fd);
	close(ours);
}
END_TEST

/* The server hangs up: there is nothing to wait for at the terminal. */
START_TEST(terminal_of_a_peer_that_closes)
{
	struct run_options options = { 0 };
	struct run run;
	int ours;

	options.input_fd = options.output_fd = open_terminal(&ours);
	server_start(&server, AF_INET,
	    &(struct server_script){ .take = 5, GIVE("bye\n") });
	server_run_start(&server, &run, &options,
	    ARGV("-t", "50", "--idle=100ms", "-o", "-", "--send-file=-"));
	ck_assert(put_all(ours, "quit\n", 5));
	assert_answer(ours, "bye\n");
	run_finish(&run);
	assert_status(&run, 0);
	run_free(&run);
	server_stop(&server);
	close(options.input_fd);
	close(ours);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("stream");

	tcase_add_loop_test(tests, echo, 0, 2);
	tcase_add_loop_test(tests, response_is_read_last, 0, 2);
	tcase_add_test(tests, slow_reader_is_no_silence);
	tcase_add_test(tests, ends_at_once);
	tcase_add_test(tests, peer_closes_first);
	tcase_add_test(tests, peer_reads_on);
	tcase_add_test(tests, closed);
	tcase_add_test(tests, directory);
	tcase_add_test(tests, null_device);
	tcase_add_test(tests, terminal);
	tcase_add_test(tests, terminal_of_a_peer_that_closes);
	return suite_run(tests, "stream");
}
