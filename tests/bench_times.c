/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How near to the wire each figure of a report is, beside those of curl and
 * nping: on loopback and across a veth pair, on an idle machine and on one
 * whose processors are all kept busy. The capture is right.
 *
 * Each program has its runs in a row, the library too, in one process: what the
 * kernel last did it does again, its code and data at hand. Then our command
 * runs once more after every run of curl, for what that takes out of the caches
 * is added to the way between the kernel's clock and the wire. And a process
 * that does nothing but connect, send, poll and read the clock shows how near
 * to the wire any clock comes on this machine.
 *
 * LASTACK_BENCH_COUNT: runs of each kind. Without it there are a few of our own
 * command alone, and what counts is that they are correct: nothing is null that
 * must be known, nothing is earlier than on the wire, all of it is in order and
 * adds up. How accurate they are is told, never judged.
 */
#include <config.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "judge.h"
#include "lab.h"
#include "lastack.h"
#include "relay.h"
#include "scene.h"
#include "suite.h"
#include "tcp.h"

#define COUNT_QUICK 5
#define COUNT_MOST 10000
#define TRIES 10     /* of a run that the machine has put out of its plan */
#define PAUSE_MS 2   /* before the answer, and between it and the FIN */
#define ONE_WAY_NS 0 /* of the relay: what its thread takes is enough */
#define WAIT_MS 10000
#define ROUND_US 1.0
#define RTT_US 2.0    /* of the kernel's whole microseconds */
#define STAMP_US 25.0 /* of a stamp's way from one clock to the other */
#define DRAIN_NS INT64_C(20000000000)
#define REQUEST "GET / HTTP/1.0\r\n\r\n"
#define REQUEST_TEXT "GET / HTTP/1.0\\r\\n\\r\\n" /* as of --send */
#define ANSWER "HTTP/1.0 200 OK\r\n\r\nanswer"

enum figure {
	HANDSHAKE,
	FIRST_BYTE,
	FIRST_BYTE_CLOCK, /* where there was no stamp */
	PEER_FIN,
	CLOSE,
	OF_A_RUN,
	IN_A_ROW = 0, /* added to those above: which of our runs */
	AFTER_CURL = OF_A_RUN,
	LIBRARY_HANDSHAKE = 2 * OF_A_RUN,
	LIBRARY_FIRST_BYTE,
	LIBRARY_PEER_FIN,
	BARE_CONNECT,
	BARE_FIRST_BYTE,
	BARE_PEER_FIN,
	CURL_CONNECT,
	CURL_FIRST_BYTE,
	NPING_CONNECT,
	NPING_RAW,
	FIGURES
};

static const char *const titles[] = {
	[HANDSHAKE] = "lastack  handshake",
	[FIRST_BYTE] = "lastack  first byte",
	[FIRST_BYTE_CLOCK] = "lastack  without stamp",
	[PEER_FIN] = "lastack  peer FIN",
	[CLOSE] = "lastack  close",
	[AFTER_CURL + HANDSHAKE] = "  after curl: handshake",
	[AFTER_CURL + FIRST_BYTE] = "  after curl: first byte",
	[AFTER_CURL + FIRST_BYTE_CLOCK] = "  after curl: no stamp",
	[AFTER_CURL + PEER_FIN] = "  after curl: peer FIN",
	[AFTER_CURL + CLOSE] = "  after curl: close",
	[LIBRARY_HANDSHAKE] = "library  handshake",
	[LIBRARY_FIRST_BYTE] = "library  first byte",
	[LIBRARY_PEER_FIN] = "library  peer FIN",
	[BARE_CONNECT] = "a clock  connect",
	[BARE_FIRST_BYTE] = "a clock  first byte",
	[BARE_PEER_FIN] = "a clock  peer FIN",
	[CURL_CONNECT] = "curl     connect",
	[CURL_FIRST_BYTE] = "curl     first byte",
	[NPING_CONNECT] = "nping    --tcp-connect",
	[NPING_RAW] = "nping    --tcp",
};

/* What was told less what the capture shows. */
struct errors {
	double us[COUNT_MOST];
	size_t count;
};

/* By which method, in the order of enum lastack_method. */
static const char *const methods[] = { "kernel-rtt", "stamp", "stamp-bound",
	"clock" };

#define METHODS (sizeof(methods) / sizeof(methods[0]))

static struct errors errors[FIGURES];
static unsigned int by_method[FIGURES][METHODS];

static void
note(unsigned int figure, double us)
{
	struct errors *list = &errors[figure];

	if (list->count < COUNT_MOST)
		list->us[list->count++] = us;
}

static void
note_method(unsigned int figure, const char *name)
{
	for (size_t i = 0; i < METHODS; i++)
		by_method[figure][i] += strcmp(name, methods[i]) == 0;
}

/* ---- the table */

static int
compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double
part(const struct errors *list, double share)
{
	return list->us[(size_t)(share * (double)(list->count - 1) + 0.5)];
}

static void
print_figure(unsigned int figure)
{
	struct errors *list = &errors[figure];
	double middle;

	if (list->count == 0)
		return;
	qsort(list->us, list->count, sizeof(list->us[0]), compare);
	middle = part(list, 0.5);
	for (size_t i = 0; i < list->count; i++)
		list->us[i] = fabs(list->us[i]);
	qsort(list->us, list->count, sizeof(list->us[0]), compare);
	printf("  %-24s %+9.1f %9.1f %9.1f %9.1f ", titles[figure], middle,
	    part(list, 0.5), part(list, 0.95), part(list, 0.99));
	for (size_t i = 0; i < METHODS; i++)
		if (by_method[figure][i] > 0)
			printf("  %s %u", methods[i], by_method[figure][i]);
	printf("\n");
}

static void
print_table(const char *title, size_t count)
{
	double load[1] = { 0 };

	getloadavg(load, 1);
	printf("%s: %zu runs each, load average %.1f\n", title, count, load[0]);
	printf("  %-24s %9s %9s %9s %9s   us off the capture\n", "", "median",
	    "|median|", "|p95|", "|p99|");
	for (unsigned int figure = 0; figure < FIGURES; figure++)
		print_figure(figure);
	printf("\n");
	fflush(stdout);
}

/* ---- the server: answer and FIN apart, so that a stamp can be exact */

struct server_side {
	int listener, stop_fd;
	pthread_t thread;
};

static void
answer(int fd)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000 };
	char request[1024];

	if (recv(fd, request, sizeof(request), 0) > 0) {
		nanosleep(&pause, NULL); /* a server takes its time */
		send(fd, ANSWER, sizeof(ANSWER) - 1, MSG_NOSIGNAL);
		nanosleep(&pause, NULL);
		shutdown(fd, SHUT_WR);
		while (recv(fd, request, sizeof(request), 0) > 0)
			continue;
	}
	close(fd);
}

static void *
serve(void *argument)
{
	const struct server_side *side = argument;
	struct pollfd fds[] = { { .fd = side->listener, .events = POLLIN },
		{ .fd = side->stop_fd, .events = POLLIN } };

	for (;;) {
		int fd;

		if (poll(fds, 2, -1) == -1)
			continue;
		if (fds[1].revents != 0)
			return NULL;
		fd = accept4(side->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd != -1)
			answer(fd);
	}
}

static void
serve_start(struct server_side *side, int listener)
{
	side->listener = listener;
	side->stop_fd = eventfd(0, EFD_CLOEXEC);
	ck_assert_int_ne(side->stop_fd, -1);
	ck_assert_int_eq(pthread_create(&side->thread, NULL, serve, side), 0);
}

static void
serve_stop(struct server_side *side)
{
	uint64_t one = 1;

	ck_assert_int_eq(write(side->stop_fd, &one, sizeof(one)), sizeof(one));
	pthread_join(side->thread, NULL);
	close(side->stop_fd);
}

/* ---- load: every processor busy, at no better priority than anybody's */

#define BUSY_MOST 64

struct busy {
	pid_t pids[BUSY_MOST];
	size_t count;
};

static void
busy_start(struct busy *busy)
{
	const struct sched_param ordinary = { .sched_priority = 0 };
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	pid_t parent = getpid();

	busy->count = 0;
	for (long i = 0; i < processors && i < BUSY_MOST; i++) {
		pid_t pid = fork();

		ck_assert_int_ne(pid, -1);
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			sched_setscheduler(0, SCHED_OTHER, &ordinary);
			setpriority(PRIO_PROCESS, 0, 0);
			while (getppid() == parent)
				continue;
			_exit(0);
		}
		busy->pids[busy->count++] = pid;
	}
}

static void
busy_stop(struct busy *busy)
{
	for (size_t i = 0; i < busy->count; i++) {
		kill(busy->pids[i], SIGKILL);
		waitpid(busy->pids[i], NULL, 0);
	}
}

/* ---- one run of the command: correct, and how accurate */

static double
wire_us(int64_t from_ns, int64_t to_ns)
{
	ck_assert(from_ns != 0 && to_ns != 0);
	return (double)(to_ns - from_ns) / 1000;
}

static void
check_sum(struct scene *scene)
{
	const json_t *phases = judge_at(scene->report, "phases_us");
	double total = judge_number(scene->report, "phases_us.total");
	const char *name;
	const json_t *value;
	double sum = 0;

	json_object_foreach((json_t *)(uintptr_t)phases, name, value)
	{
		if (strcmp(name, "resolve") == 0) {
			if (!json_is_null(value))
				scene_fail(scene, "an address was resolved");
			continue;
		}
		if (!json_is_number(value) || json_number_value(value) < 0)
			scene_fail(scene, "a phase is null or negative");
		if (strcmp(name, "total") != 0)
			sum += json_number_value(value);
	}
	if (fabs(sum - total) > ROUND_US)
		scene_fail(scene, "the phases are not the total");
}

static void
check_order(struct scene *scene)
{
	static const char *const order[] = { "start", "connecting", "connected",
		"sent", "first_byte", "last_byte", "peer_fin", "local_fin",
#ifdef LASTACK_TCP_INFO
		"last_ack",
#endif
		"end" };
	double last = 0;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		double at = judge_event(scene->report, order[i]);

		if (at < last)
			scene_fail(scene, order[i]);
		last = at;
	}
}

/* An estimate less the wire's; it is there, and never less than the truth. */
static void
note_estimate(struct scene *scene, unsigned int runs, enum figure figure,
    const char *path, double wire, double tolerance_us)
{
	const json_t *estimate = judge_at(scene->report, path);
	double value;

	if (!json_is_object(estimate))
		scene_fail(scene, path);
	value = judge_number(estimate, "value");
	if (value + tolerance_us < wire) {
		fprintf(stderr, "%s %.3f us, on the wire %.3f us\n", path,
		    value, wire);
		scene_fail(scene, "less than on the wire");
	}
	if (figure == FIRST_BYTE &&
	    strcmp(judge_string(estimate, "method"), "clock") == 0)
		figure = FIRST_BYTE_CLOCK;
	note(runs + figure, value - wire);
	note_method(runs + figure, judge_string(estimate, "method"));
}

static void
check_methods(struct scene *scene)
{
#ifdef LASTACK_TCP_INFO
	if (strcmp(judge_string(scene->report, "wire_us.handshake.method"),
		"kernel-rtt") != 0)
		scene_fail(scene, "not the kernel's round trip");
#endif
#ifndef LASTACK_STAMPS
	if (strcmp(judge_string(scene->report, "wire_us.first_byte.method"),
		"clock") != 0)
		scene_fail(scene, "a stamp where there is none");
#endif
}

/* From its SYN on, an event less the wire's instant. */
static void
note_event(struct scene *scene, unsigned int figure, const char *from,
    int64_t from_ns, const char *to, int64_t to_ns)
{
	double told =
	    judge_event(scene->report, to) - judge_event(scene->report, from);
	double wire = wire_us(from_ns, to_ns);

	if (told + ROUND_US < wire) {
		fprintf(stderr, "%s to %s: %.3f us, on the wire %.3f us\n",
		    from, to, told, wire);
		scene_fail(scene, "earlier than on the wire");
	}
	note(figure, told - wire);
}

/* The whole of it on the wire, and nothing sent again. */
static bool
as_planned(const struct witness_flow *flow)
{
	const struct witness_side *us = &flow->side[WITNESS_CLIENT];
	const struct witness_side *peer = &flow->side[WITNESS_SERVER];

	return us->syns == 1 && us->data_segments == 1 && peer->syns == 1 &&
	    peer->data_segments == 1 && peer->fins == 1 && us->fins == 1 &&
	    us->fin_acked_ns != 0 && peer->first_fin_ns < us->first_fin_ns;
}

static bool
run_once(
    struct scene *scene, unsigned int runs, const char *host, uint16_t port)
{
	static const char *const args[] = { "-s", REQUEST_TEXT, "-t", "50",
		"--drain=20", NULL };
	const struct witness_side *us, *peer;

	scene_play(scene, host, port, args);
	if (scene->run.status != 0)
		scene_fail(scene, "wrong exit status");
	ck_assert_ptr_nonnull(scene->flow);
	check_sum(scene);
	check_order(scene);
	if (!as_planned(scene->flow))
		return false;
	check_methods(scene);
	us = &scene->flow->side[WITNESS_CLIENT];
	peer = &scene->flow->side[WITNESS_SERVER];
	note_estimate(scene, runs, HANDSHAKE, "wire_us.handshake",
	    wire_us(us->first_syn_ns, peer->first_syn_ns), RTT_US);
	note_estimate(scene, runs, FIRST_BYTE, "wire_us.first_byte",
	    wire_us(us->first_payload_ns, peer->first_payload_ns), STAMP_US);
	note_event(scene, runs + PEER_FIN, "connecting", us->first_syn_ns,
	    "peer_fin", peer->first_fin_ns);
#ifdef LASTACK_TCP_INFO
	note_event(scene, runs + CLOSE, "local_fin", us->first_fin_ns,
	    "last_ack", us->fin_acked_ns);
#endif
	return true;
}

static void
run_ours(
    struct scene *scene, unsigned int runs, const char *host, uint16_t port)
{
	int tries = 0;

	while (!run_once(scene, runs, host, port))
		if (++tries == TRIES)
			scene_fail(scene, "never as planned");
	scene_clear(scene);
}

/* ---- the library, in this process */

static bool
is_over(const struct witness_flow *flow, void *arg)
{
	(void)arg;
	return flow->end == WITNESS_END_FIN;
}

static void
run_library(struct witness *witness, const char *host, uint16_t port)
{
	struct lastack_request *request = lastack_request_new();
	const struct lastack_result *result;
	const struct witness_flow *flow;
	const struct witness_side *us, *peer;
	struct lastack_probe *probe;

	ck_assert_ptr_nonnull(request);
	ck_assert_int_eq(lastack_request_set_target(request, host, port), 0);
	ck_assert_int_eq(
	    lastack_request_add_payload(request, REQUEST, sizeof(REQUEST) - 1),
	    0);
	ck_assert_int_eq(
	    lastack_request_set_time(request, LASTACK_TIME_DRAIN, DRAIN_NS), 0);
	ck_assert_int_eq(lastack_probe_new(request, &probe), 0);
	ck_assert_int_eq(lastack_probe_run(probe, NULL), 0);
	result = lastack_probe_result(probe);
	ck_assert_int_eq(result->outcome, LASTACK_OUTCOME_OK);
	flow = witness_await(
	    witness, result->local_port, port, WAIT_MS, is_over, NULL);
	ck_assert_ptr_nonnull(flow);
	us = &flow->side[WITNESS_CLIENT];
	peer = &flow->side[WITNESS_SERVER];
	if (as_planned(flow)) {
		note_method(LIBRARY_HANDSHAKE,
		    lastack_method_name(result->handshake_method));
		note_method(LIBRARY_FIRST_BYTE,
		    lastack_method_name(result->first_byte_method));
		note(LIBRARY_HANDSHAKE,
		    (double)result->handshake_ns / 1000 -
			wire_us(us->first_syn_ns, peer->first_syn_ns));
		note(LIBRARY_FIRST_BYTE,
		    (double)result->first_byte_ns / 1000 -
			wire_us(us->first_payload_ns, peer->first_payload_ns));
		note(LIBRARY_PEER_FIN,
		    (double)(lastack_result_event_ns(
				 result, LASTACK_EVENT_PEER_FIN) -
			lastack_result_event_ns(
			    result, LASTACK_EVENT_CONNECTING)) /
			    1000 -
			wire_us(us->first_syn_ns, peer->first_fin_ns));
	}
	lastack_probe_free(probe);
	lastack_request_free(request);
	witness_forget(witness);
}

/* ---- a bare process, which reads the clock after every wait */

struct bare {
	uint16_t port;
	int64_t connecting_ns, connected_ns, sending_ns, first_byte_ns,
	    peer_fin_ns;
};

/* 0: it did not come. */
static int64_t
await(int fd, short events)
{
	struct pollfd wait = { .fd = fd, .events = events };
	int n = poll(&wait, 1, WAIT_MS);
	int64_t now_ns = tcp_now_ns();

	return n == 1 && (wait.revents & events) != 0 ? now_ns : 0;
}

static struct bare
go_bare(const char *host, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	union tcp_address local;
	struct bare bare;
	char bytes[256];

	inet_pton(AF_INET, host, &to.sin_addr);
	bare.connecting_ns = tcp_now_ns();
	connect(fd, (const struct sockaddr *)&to, sizeof(to));
	bare.connected_ns = await(fd, POLLOUT);
	bare.sending_ns = tcp_now_ns();
	send(fd, REQUEST, sizeof(REQUEST) - 1, MSG_NOSIGNAL);
	bare.first_byte_ns = await(fd, POLLIN);
	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		continue;
	bare.peer_fin_ns = await(fd, POLLRDHUP);
	tcp_local(fd, &local);
	bare.port = ntohs(local.v4.sin_port);
	close(fd);
	return bare;
}

static struct bare
fork_bare(const char *host, uint16_t port)
{
	struct bare bare;
	int ends[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		bare = go_bare(host, port);
		_exit(write(ends[1], &bare, sizeof(bare)) != sizeof(bare));
	}
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &bare, sizeof(bare)), sizeof(bare));
	close(ends[0]);
	waitpid(pid, NULL, 0);
	return bare;
}

static void
run_bare(struct witness *witness, const char *host, uint16_t port)
{
	const struct bare bare = fork_bare(host, port);
	const struct witness_flow *flow =
	    witness_await(witness, bare.port, port, WAIT_MS, is_over, NULL);
	const struct witness_side *us, *peer;

	ck_assert_ptr_nonnull(flow);
	us = &flow->side[WITNESS_CLIENT];
	peer = &flow->side[WITNESS_SERVER];
	note(BARE_CONNECT,
	    wire_us(bare.connecting_ns, bare.connected_ns) -
		wire_us(us->first_syn_ns, peer->first_syn_ns));
	note(BARE_FIRST_BYTE,
	    wire_us(bare.sending_ns, bare.first_byte_ns) -
		wire_us(us->first_payload_ns, peer->first_payload_ns));
	note(BARE_PEER_FIN,
	    wire_us(bare.connecting_ns, bare.peer_fin_ns) -
		wire_us(us->first_syn_ns, peer->first_fin_ns));
	witness_forget(witness);
}

/* ---- the others */

static bool
has_program(const char *name)
{
	char command[64];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", name);
	return system(command) == 0;
}

static bool
ask(const char *command, char *line, int room)
{
	FILE *pipe = popen(command, "r");
	bool read;

	ck_assert_ptr_nonnull(pipe);
	read = fgets(line, room, pipe) != NULL;
	return pclose(pipe) == 0 && read;
}

static bool
is_answered(const struct witness_flow *flow, void *arg)
{
	(void)arg;
	return flow->side[WITNESS_SERVER].first_syn_ns != 0;
}

static bool
is_served(const struct witness_flow *flow, void *arg)
{
	(void)arg;
	return flow->side[WITNESS_SERVER].first_payload_ns != 0;
}

/* Its figures are seconds since its start. */
static void
run_curl(struct witness *witness, const char *host, uint16_t port)
{
	const struct witness_flow *flow;
	double resolved, connected, ready, started;
	char command[256], line[256];
	unsigned int ours;

	snprintf(command, sizeof(command),
	    "curl -q -s -o /dev/null --noproxy '*' -w '%%{time_namelookup} "
	    "%%{time_connect} %%{time_pretransfer} %%{time_starttransfer} "
	    "%%{local_port}\n' http://%s:%u/",
	    host, port);
	if (!ask(command, line, sizeof(line)) ||
	    sscanf(line, "%lf %lf %lf %lf %u", &resolved, &connected, &ready,
		&started, &ours) != 5)
		return;
	flow = witness_await(
	    witness, (uint16_t)ours, port, WAIT_MS, is_served, NULL);
	ck_assert_ptr_nonnull(flow);
	note(CURL_CONNECT,
	    (connected - resolved) * 1e6 -
		wire_us(flow->side[WITNESS_CLIENT].first_syn_ns,
		    flow->side[WITNESS_SERVER].first_syn_ns));
	note(CURL_FIRST_BYTE,
	    (started - ready) * 1e6 -
		wire_us(flow->side[WITNESS_CLIENT].first_payload_ns,
		    flow->side[WITNESS_SERVER].first_payload_ns));
	witness_forget(witness);
}

/* Its figure is in milliseconds, to the microsecond. */
static void
run_nping(struct witness *witness, enum figure figure, const char *mode,
    const char *host, uint16_t port)
{
	const struct witness_flow *flow;
	char command[256], line[256];
	double ms;

	snprintf(command, sizeof(command),
	    "nping -c 1 --delay 1ms %s -p %u %s 2>/dev/null | "
	    "sed -n 's/.*Avg rtt: \\([0-9.]*\\)ms.*/\\1/p'",
	    mode, port, host);
	if (!ask(command, line, sizeof(line)) || sscanf(line, "%lf", &ms) != 1)
		return;
	flow = witness_await(witness, 0, port, WAIT_MS, is_answered, NULL);
	ck_assert_ptr_nonnull(flow);
	note(figure,
	    ms * 1000 -
		wire_us(flow->side[WITNESS_CLIENT].first_syn_ns,
		    flow->side[WITNESS_SERVER].first_syn_ns));
	witness_forget(witness);
}

/* ---- the kinds */

static const struct kind {
	const char *title;
	bool veth, loaded;
} kinds[] = {
	{ "bench_times-loopback-idle", false, false },
	{ "bench_times-veth-idle", true, false },
	{ "bench_times-loopback-loaded", false, true },
	{ "bench_times-veth-loaded", true, true },
};

/* 0: the quick form. */
static size_t
count_wanted(void)
{
	const char *value = getenv("LASTACK_BENCH_COUNT");
	size_t count = value != NULL ? strtoul(value, NULL, 10) : 0;

	return count <= COUNT_MOST ? count : COUNT_MOST;
}

static void
run_all(struct scene *scene, const char *host, uint16_t port)
{
	size_t count = count_wanted();
	size_t runs = count > 0 ? count : COUNT_QUICK;
	size_t curls = has_program("curl") ? count : 0;
	size_t npings = has_program("nping") ? count : 0;

	for (size_t i = 0; i < runs; i++)
		run_ours(scene, IN_A_ROW, host, port);
	for (size_t i = 0; i < runs; i++)
		run_library(scene->witness, host, port);
	for (size_t i = 0; i < count; i++)
		run_bare(scene->witness, host, port);
	for (size_t i = 0; i < curls; i++)
		run_curl(scene->witness, host, port);
	for (size_t i = 0; i < npings; i++)
		run_nping(
		    scene->witness, NPING_CONNECT, "--tcp-connect", host, port);
	for (size_t i = 0; i < npings; i++)
		run_nping(
		    scene->witness, NPING_RAW, "--tcp --flags syn", host, port);
	for (size_t i = 0; i < curls; i++) {
		run_ours(scene, AFTER_CURL, host, port);
		run_curl(scene->witness, host, port);
	}
	if (count > 0)
		print_table(strchr(scene->name, '-') + 1, runs);
}

START_TEST(accuracy)
{
	const struct kind *kind = &kinds[_i];
	const struct relay_plan plan = { .delay_ns = ONE_WAY_NS };
	struct scene scene = { .name = kind->title };
	struct relay *relay = NULL;
	struct busy busy = { .count = 0 };
	struct server_side side;
	int listener;

	ck_assert_int_eq(lab_enter(), 0);
	if (kind->veth) {
		relay = relay_start(&plan);
		listener = relay_listener(relay, AF_INET);
	} else {
		listener = tcp_listen(AF_INET, 16);
	}
	scene.witness = witness_open(kind->veth ? LAB_VETH : "lo");
	ck_assert_ptr_nonnull(scene.witness);
	serve_start(&side, listener);
	if (kind->loaded)
		busy_start(&busy);
	run_all(&scene, kind->veth ? LAB_PEER_ADDR4 : "127.0.0.1",
	    kind->veth ? relay_port(relay) : tcp_port(listener));
	busy_stop(&busy);
	serve_stop(&side);
	witness_close(scene.witness);
	if (kind->veth)
		relay_stop(relay);
	else
		close(listener);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("times on the wire");

	lab_require();
	tcase_add_loop_test(
	    tests, accuracy, 0, sizeof(kinds) / sizeof(kinds[0]));
	return suite_run(tests, "bench_times");
}
