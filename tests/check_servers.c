/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command against servers of the real world: what each does at the end of
 * a connection, the report held against the capture.
 */
#include <config.h>

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "judge.h"
#include "lab.h"
#include "scene.h"
#include "suite.h"

#define BIG_BYTES ((size_t)100 << 20)
#define MARK_BYTES ((size_t)1 << 20) /* from one to the next */
#define SETTLE_MS 5000

/* clang-format off */
#define ARGS(...) { __VA_ARGS__, NULL }
/* clang-format on */

/* How it has to end; NULL in a row: the judge alone knows. */
struct ending {
	const char *peer, *local, *first;
	bool clean, last_ack, time_wait;
};

static const struct ending closed_by_peer = { "fin", "fin", "peer", true, true,
	false };
static const struct ending closed_by_us = { "fin", "fin", "local", true, true,
	true };
static const struct ending kept_open = { "open", "rst", "local", false, false,
	false };
static const struct ending reset_by_peer = { "rst", "none", "peer", false,
	false, false };

#define GET(path) "GET " path " HTTP/1.1\r\nHost: test\r\n"
#define CLOSE "Connection: close\r\n\r\n"
#define KEEP "\r\n"

/* Where a FIN is to come: however late it does on a loaded machine. */
#define PATIENT "--drain=30", "--idle=30", "-t", "50"
/* Where none is to come. */
#define BRIEF "--drain=20ms", "-t", "50"

#define HELLO "location = /hello { return 200 \"hello\\n\"; }\n"
#define DROP "location = /drop { return 444; }\n"
#define HASTY "client_header_timeout 200ms;\n"
#define RESET "reset_timedout_connection on;\n"

struct row {
	const char *name;
	enum daemon_kind kind;
	const char *site;
	const char *args[12];
	int status;
	const struct ending *ending;
};

static const struct row rows[] = {
	{ "nginx-close", DAEMON_NGINX, HELLO,
	    ARGS("-s", GET("/hello") CLOSE, "-e", "hello\n", PATIENT), 0,
	    &closed_by_peer },
	{ "nginx-read-to-the-end", DAEMON_NGINX, HELLO,
	    ARGS("-s", GET("/hello") CLOSE, PATIENT), 0, &closed_by_peer },
	{ "nginx-head", DAEMON_NGINX, HELLO,
	    ARGS("-s", "HEAD /hello HTTP/1.1\r\nHost: test\r\n" CLOSE, "-e",
		"Content-Length: 6", PATIENT),
	    0, &closed_by_peer },
	{ "nginx-keep-alive", DAEMON_NGINX, HELLO,
	    ARGS("-s", GET("/hello") KEEP, "-e", "hello\n", BRIEF), 0,
	    &kept_open },
	{ "nginx-keep-alive-close-fin", DAEMON_NGINX, HELLO,
	    ARGS("-s", GET("/hello") KEEP, "-e", "hello\n", "--close=fin",
		PATIENT),
	    0, &closed_by_us },
	{ "nginx-keep-alive-timeout", DAEMON_NGINX,
	    HELLO "keepalive_timeout 200ms;",
	    ARGS("-s", GET("/hello") KEEP, "-e", "hello\n", PATIENT), 0,
	    &closed_by_peer },
	{ "nginx-half-close", DAEMON_NGINX, HELLO,
	    ARGS("-s", GET("/hello") KEEP, "-N", "-e", "hello\n", PATIENT), 0,
	    &closed_by_us },
	{ "nginx-connect", DAEMON_NGINX, NULL, ARGS("-z"), 0, &kept_open },
	{ "nginx-444", DAEMON_NGINX, DROP,
	    ARGS("-s", GET("/drop") KEEP, PATIENT), 9, &closed_by_peer },
	{ "nginx-444-reset", DAEMON_NGINX, DROP RESET,
	    ARGS("-s", GET("/drop") KEEP, PATIENT), 7, &reset_by_peer },
	{ "nginx-timed-out", DAEMON_NGINX, HASTY, ARGS("-s", GET("/"), PATIENT),
	    9, &closed_by_peer },
	{ "nginx-timed-out-reset", DAEMON_NGINX, HASTY RESET,
	    ARGS("-s", GET("/"), PATIENT), 7, &reset_by_peer },
	/* Before a request has begun, nginx has none to reset. */
	{ "nginx-timed-out-reset-without-request", DAEMON_NGINX, HASTY RESET,
	    ARGS("-e", "", PATIENT), 9, &closed_by_peer },

	{ "haproxy-httpclose", DAEMON_HAPROXY, "option httpclose",
	    ARGS("-s", GET("/hello") KEEP, "-e", "hello\n", PATIENT), 0,
	    &closed_by_peer },
	{ "haproxy-http-server-close", DAEMON_HAPROXY,
	    "option http-server-close",
	    ARGS("-s", GET("/hello") KEEP, "-e", "hello\n", BRIEF), 0,
	    &kept_open },
	{ "haproxy-keep-alive", DAEMON_HAPROXY, "option http-keep-alive",
	    ARGS("-s", GET("/hello") KEEP, "-e", "hello\n", BRIEF), 0,
	    &kept_open },
	{ "haproxy-keep-alive-close", DAEMON_HAPROXY, "option http-keep-alive",
	    ARGS("-s", GET("/hello") CLOSE, "-e", "hello\n", PATIENT), 0,
	    &closed_by_peer },
	{ "haproxy-keep-alive-close-fin", DAEMON_HAPROXY, NULL,
	    ARGS("-s", GET("/hello") KEEP, "-e", "hello\n", "--close=fin",
		PATIENT),
	    0, &closed_by_us },
	{ "haproxy-tcp-close", DAEMON_HAPROXY, "mode tcp",
	    ARGS("-s", GET("/hello") CLOSE, "-e", "hello\n", PATIENT), 0,
	    &closed_by_peer },
	{ "haproxy-tcp-keep-alive", DAEMON_HAPROXY, "mode tcp",
	    ARGS("-s", GET("/hello") KEEP, "-e", "hello\n", BRIEF), 0,
	    &kept_open },
	{ "haproxy-tcp-half-close", DAEMON_HAPROXY, "mode tcp",
	    ARGS("-s", GET("/hello") KEEP, "-N", "-e", "hello\n", PATIENT), 0,
	    &closed_by_us },
	{ "haproxy-timed-out", DAEMON_HAPROXY, "timeout http-request 200ms",
	    ARGS("-s", GET("/"), "-e", " 408 ", PATIENT), 0, &closed_by_peer },
	{ "haproxy-deny", DAEMON_HAPROXY, "http-request deny",
	    ARGS("-s", GET("/hello") CLOSE, "-e", " 403 ", PATIENT), 0,
	    &closed_by_peer },
	{ "haproxy-content-reject", DAEMON_HAPROXY,
	    "tcp-request inspect-delay 30s\n"
	    "tcp-request content reject if HTTP",
	    ARGS("-s", GET("/hello") KEEP, PATIENT), 9, &closed_by_peer },
	{ "haproxy-connection-reject", DAEMON_HAPROXY,
	    "tcp-request connection reject",
	    ARGS("-s", GET("/hello") KEEP, PATIENT), 7, &reset_by_peer },
	{ "haproxy-connection-reject-without-request", DAEMON_HAPROXY,
	    "tcp-request connection reject", ARGS("-e", "", PATIENT), 7,
	    &reset_by_peer },
	/* It has forgotten the connection: to us it looks open. */
	{ "haproxy-silent-drop", DAEMON_HAPROXY, "http-request silent-drop",
	    ARGS("-s", GET("/hello") KEEP, "-t", "0.5"), 8, &kept_open },

	{ "redis-ping", DAEMON_REDIS, NULL,
	    ARGS("-s", "PING\r\n", "-e", "+PONG", BRIEF), 0, &kept_open },
	{ "redis-ping-close-fin", DAEMON_REDIS, NULL,
	    ARGS("-s", "PING\r\n", "-e", "+PONG", "--close=fin", PATIENT), 0,
	    &closed_by_us },
	{ "redis-quit", DAEMON_REDIS, NULL,
	    ARGS("-s", "PING\r\nQUIT\r\n", "-e", "+PONG\r\n+OK\r\n", PATIENT),
	    0, &closed_by_peer },
	{ "redis-protocol-error", DAEMON_REDIS, NULL,
	    ARGS("-s", "*1\r\nx\r\n", "-e", "-ERR Protocol error", PATIENT), 0,
	    &closed_by_peer },
	{ "redis-shutdown", DAEMON_REDIS, NULL,
	    ARGS("-s", "SHUTDOWN NOSAVE\r\n", PATIENT), 9, &closed_by_peer },

	{ "sshd-banner", DAEMON_SSHD, NULL, ARGS("-e", "SSH-2.0-", BRIEF), 0,
	    &kept_open },
	{ "sshd-banner-close-fin", DAEMON_SSHD, NULL,
	    ARGS("-e", "SSH-2.0-", "--close=fin", PATIENT), 0, &closed_by_us },
	{ "sshd-bad-line", DAEMON_SSHD, NULL,
	    ARGS("-s", "x\r\n", "-e", "Invalid SSH identification", PATIENT), 0,
	    &closed_by_peer },
	{ "sshd-grace-time", DAEMON_SSHD, "LoginGraceTime 1",
	    ARGS("-e", "SSH-2.0-", PATIENT), 0, &closed_by_peer },
};

#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

/* What one test needs. */
struct stage {
	struct daemon *daemon, *backend;
	struct scene scene;
	char name[80];
};

static bool
can_run(enum daemon_kind kind)
{
	return daemon_installed(kind) &&
	    (kind != DAEMON_HAPROXY || daemon_installed(DAEMON_NGINX));
}

/* Every other run of a test is one over IPv6. */
static int
family_of(int i)
{
	return i % 2 == 0 ? AF_INET : AF_INET6;
}

static bool
can_play(enum daemon_kind kind, int family)
{
	return can_run(kind) && (family == AF_INET || lab_has_ipv6());
}

static void
stage_begin(
    struct stage *stage, const char *name, const struct daemon_plan *plan)
{
	struct daemon_plan behind = *plan;

	*stage = (struct stage){ 0 };
	if (plan->kind == DAEMON_HAPROXY) {
		behind.kind = DAEMON_NGINX;
		behind.site = HELLO;
		stage->backend = daemon_start(&behind);
		behind = *plan;
		behind.backend = daemon_port(stage->backend);
	}
	stage->daemon = daemon_start(&behind);
	snprintf(stage->name, sizeof(stage->name), "check_servers-%s-%d", name,
	    plan->family == AF_INET ? 4 : 6);
	stage->scene.name = stage->name;
	stage->scene.witness = witness_open("lo");
	ck_assert_ptr_nonnull(stage->scene.witness);
}

static void
stage_play(struct stage *stage, int family, const char *const *args)
{
	scene_play(&stage->scene, family == AF_INET ? "127.0.0.1" : "::1",
	    daemon_port(stage->daemon), args);
	ck_assert_ptr_nonnull(stage->scene.flow);
}

static void
stage_end(struct stage *stage)
{
#ifdef LASTACK_TCP_INFO
	ck_assert_uint_eq(stage->scene.untold, 0);
#endif
	scene_clear(&stage->scene);
	witness_close(stage->scene.witness);
	daemon_stop(stage->daemon);
	daemon_stop(stage->backend);
}

static void
compare_word(struct scene *scene, const char *path, const char *word)
{
	char why[128];

	snprintf(why, sizeof(why), "%s is not %s", path, word);
	if (!judge_tells(scene->report, path, word))
		scene_fail(scene, why);
}

static void
compare_truth(struct scene *scene, const char *path, bool truth)
{
	char why[128];

	snprintf(
	    why, sizeof(why), "%s is not %s", path, truth ? "true" : "false");
	if (!judge_tells_truth(scene->report, path, truth))
		scene_fail(scene, why);
}

static void
compare(struct scene *scene, int status, const struct ending *ending)
{
	if (scene->run.status != status)
		scene_fail(scene, "wrong exit status");
	if (ending == NULL)
		return;
	compare_word(scene, "close.peer", ending->peer);
	compare_word(scene, "close.local", ending->local);
	compare_word(scene, "close.first", ending->first);
	compare_truth(scene, "close.clean", ending->clean);
	compare_truth(scene, "close.last_ack", ending->last_ack);
	compare_truth(scene, "close.time_wait", ending->time_wait);
}

START_TEST(ends)
{
	const struct row *row = &rows[_i / 2];
	struct daemon_plan plan = {
		.kind = row->kind, .family = family_of(_i), .site = row->site
	};
	struct stage stage;

	if (!can_play(plan.kind, plan.family))
		return;
	stage_begin(&stage, row->name, &plan);
	stage_play(&stage, plan.family, row->args);
	compare(&stage.scene, row->status, row->ending);
	stage_end(&stage);
}
END_TEST

/*
 * HAProxy has forgotten the connection: its kernel meets our FIN with an RST,
 * which may come too late for the report.
 */
START_TEST(fin_after_silent_drop)
{
	const struct daemon_plan plan = { DAEMON_HAPROXY, family_of(_i),
		"http-request silent-drop", 0 };
	const struct witness_flow *flow;
	struct stage stage;

	if (!can_play(plan.kind, plan.family))
		return;
	stage_begin(&stage, "haproxy-silent-drop-fin", &plan);
	stage_play(&stage, plan.family,
	    (const char *[])ARGS(
		"-s", GET("/hello") KEEP, "--close=fin", "-t", "0.5"));
	compare(&stage.scene, 8, NULL);
	flow = witness_settle(
	    stage.scene.witness, 0, daemon_port(stage.daemon), SETTLE_MS);
	ck_assert_ptr_nonnull(flow);
	ck_assert_uint_eq(flow->side[WITNESS_CLIENT].fins, 1);
	ck_assert_uint_eq(flow->side[WITNESS_CLIENT].rsts, 0);
	ck_assert_uint_eq(flow->side[WITNESS_SERVER].rsts, 1);
	stage_end(&stage);
}
END_TEST

/* ---- large files */

static void
path_in(char path[PATH_MAX], const struct daemon *daemon, const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s", daemon_directory(daemon), name);
}

/* Sparse, but no part of it is like another. */
static void
make_big(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)BIG_BYTES), 0);
	for (size_t at = 0; at < BIG_BYTES; at += MARK_BYTES) {
		/* Not at the same place of each page. */
		off_t place = (off_t)(at + (at / MARK_BYTES) * 37);

		ck_assert_int_eq(
		    pwrite(fd, &place, sizeof(place), place), sizeof(place));
	}
	ck_assert_int_eq(pwrite(fd, "end", 3, (off_t)BIG_BYTES - 3), 3);
	close(fd);
}

struct view {
	const unsigned char *bytes;
	size_t len;
};

static struct view
view_open(const char *path)
{
	struct view view = { 0 };
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &status), 0);
	view.len = (size_t)status.st_size;
	view.bytes = mmap(NULL, view.len, PROT_READ, MAP_PRIVATE, fd, 0);
	ck_assert(view.bytes != MAP_FAILED);
	close(fd);
	return view;
}

static void
view_close(struct view *view)
{
	munmap((void *)(uintptr_t)view->bytes, view->len);
}

/* The response in that file: a header, and then the other file. */
static void
compare_files(const char *response_path, const char *body_path)
{
	struct view response = view_open(response_path);
	struct view body = view_open(body_path);
	size_t header;

	ck_assert_uint_gt(response.len, body.len);
	header = response.len - body.len;
	ck_assert_uint_lt(header, 1000);
	ck_assert_int_eq(memcmp(response.bytes, "HTTP/1.1 200 ", 13), 0);
	ck_assert_int_eq(memcmp(response.bytes + header - 4, "\r\n\r\n", 4), 0);
	ck_assert_int_eq(
	    memcmp(response.bytes + header, body.bytes, body.len), 0);
	view_close(&body);
	view_close(&response);
}

/* Straight from nginx by sendfile(2), and through HAProxy either way. */
static const struct row large[] = {
	{ "nginx-large", DAEMON_NGINX, NULL, ARGS(PATIENT), 0,
	    &closed_by_peer },
	{ "haproxy-large", DAEMON_HAPROXY, NULL, ARGS(PATIENT), 0,
	    &closed_by_peer },
	{ "haproxy-tcp-large", DAEMON_HAPROXY, "mode tcp", ARGS(PATIENT), 0,
	    &closed_by_peer },
};

#define LARGE ((int)(sizeof(large) / sizeof(large[0])))

START_TEST(large_file_is_written)
{
	const struct row *row = &large[_i / 2];
	struct daemon_plan plan = {
		.kind = row->kind, .family = family_of(_i), .site = row->site
	};
	char big[PATH_MAX], output[PATH_MAX];
	struct stage stage;

	if (!can_play(plan.kind, plan.family))
		return;
	stage_begin(&stage, row->name, &plan);
	path_in(
	    big, stage.backend != NULL ? stage.backend : stage.daemon, "big");
	path_in(output, stage.daemon, "output");
	make_big(big);
	stage_play(&stage, plan.family,
	    (const char *[])ARGS(
		"-s", GET("/big") CLOSE, "-o", output, "-j", PATIENT));
	compare(&stage.scene, row->status, row->ending);
	ck_assert_uint_gt(
	    (size_t)judge_number(stage.scene.report, "bytes.received"),
	    BIG_BYTES);
	compare_files(output, big);
	stage_end(&stage);
}
END_TEST

static void
cut(int family, const char *how, const struct ending *ending)
{
	const struct daemon_plan plan = { DAEMON_NGINX, family, NULL, 0 };
	char path[PATH_MAX];
	struct stage stage;
	struct stat status;

	if (!can_play(plan.kind, family))
		return;
	stage_begin(&stage, how + 2, &plan);
	path_in(path, stage.daemon, "big");
	make_big(path);
	path_in(path, stage.daemon, "output");
	stage_play(&stage, family,
	    (const char *[])ARGS("-s", GET("/big") CLOSE, "-j", "-o", path,
		"-m", "1000", how, PATIENT));
	compare(&stage.scene, 0, ending);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(status.st_size, 1000);
	ck_assert_uint_eq(
	    (size_t)judge_number(stage.scene.report, "bytes.received"), 1000);
	stage_end(&stage);
}

/* What nobody asked for is drained, up to the FIN behind it. */
START_TEST(large_file_is_cut)
{
	cut(family_of(_i), "--close=auto", &closed_by_peer);
}
END_TEST

START_TEST(large_file_is_cut_by_rst)
{
	cut(family_of(_i), "--close=rst", &kept_open);
}
END_TEST

/* ---- answers to what is still being sent */

static bool
answered_while_sending(const struct witness_flow *flow)
{
	return flow->side[WITNESS_SERVER].first_payload_ns <
	    flow->side[WITNESS_CLIENT].last_payload_ns;
}

/*
 * More than all buffers on the way hold: nginx has read what it refuses before
 * we can have sent the last of it. It reads on to the end, then closes.
 */
START_TEST(upload_is_too_large)
{
	const struct daemon_plan plan = { DAEMON_NGINX, family_of(_i),
		"client_max_body_size 1k;", 0 };
	char path[PATH_MAX], request[256];
	struct stage stage;

	if (!can_play(plan.kind, plan.family))
		return;
	stage_begin(&stage, "nginx-413", &plan);
	path_in(path, stage.daemon, "big");
	make_big(path);
	snprintf(request, sizeof(request),
	    "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %zu\r\n\r\n",
	    BIG_BYTES);
	stage_play(&stage, plan.family,
	    (const char *[])ARGS(
		"-s", request, "--send-file", path, "-e", " 413 ", PATIENT));
	compare(&stage.scene, 0, &closed_by_peer);
	if (!answered_while_sending(stage.scene.flow))
		scene_fail(&stage.scene, "the answer came after the upload");
	ck_assert_uint_eq(
	    (size_t)judge_number(stage.scene.report, "bytes.sent"),
	    BIG_BYTES + strlen(request));
	stage_end(&stage);
}
END_TEST

/*
 * What is no request nginx answers and closes at once, with all the rest
 * unread: an RST, before or after we have taken the answer.
 */
START_TEST(upload_is_no_request)
{
	const struct daemon_plan plan = { DAEMON_NGINX, family_of(_i),
		"lingering_close off;", 0 };
	char path[PATH_MAX];
	struct stage stage;

	if (!can_play(plan.kind, plan.family))
		return;
	stage_begin(&stage, "nginx-400", &plan);
	path_in(path, stage.daemon, "big");
	make_big(path);
	stage_play(&stage, plan.family,
	    (const char *[])ARGS("--send-file", path, PATIENT));
	if (strstr(judge_string(stage.scene.report, "close.peer"), "rst") ==
	    NULL)
		scene_fail(&stage.scene, "no RST");
	if (stage.scene.run.status != 7)
		scene_fail(&stage.scene, "wrong exit status");
	stage_end(&stage);
}
END_TEST

/* For the rest of an upload nginx waits, after its FIN, for so long. */
START_TEST(cut_short_upload_is_waited_for)
{
	const struct daemon_plan plan = { DAEMON_NGINX, family_of(_i),
		"client_max_body_size 1k;\nlingering_timeout 300ms;", 0 };
	struct stage stage;

	if (!can_play(plan.kind, plan.family))
		return;
	stage_begin(&stage, "nginx-413-cut-short", &plan);
	stage_play(&stage, plan.family,
	    (const char *[])ARGS("-s",
		"POST / HTTP/1.1\r\nHost: test\r\n"
		"Content-Length: 1000000\r\n\r\nx",
		"-e", " 413 ", PATIENT));
	compare(&stage.scene, 0, &closed_by_peer);
	stage_end(&stage);
}
END_TEST

static TCase *
tests(void)
{
	TCase *tests = tcase_create("servers");

	tcase_add_loop_test(tests, ends, 0, 2 * ROWS);
	tcase_add_loop_test(tests, fin_after_silent_drop, 0, 2);
	tcase_add_loop_test(tests, large_file_is_written, 0, 2 * LARGE);
	tcase_add_loop_test(tests, large_file_is_cut, 0, 2);
	tcase_add_loop_test(tests, large_file_is_cut_by_rst, 0, 2);
	tcase_add_loop_test(tests, upload_is_too_large, 0, 2);
	tcase_add_loop_test(tests, upload_is_no_request, 0, 2);
	tcase_add_loop_test(tests, cut_short_upload_is_waited_for, 0, 2);
	return tests;
}

/* Why there can be no test of it; NULL: there can. */
static const char *
obstacle(enum daemon_kind kind)
{
	if (!daemon_installed(kind))
		return "not installed";
	return can_run(kind) ? NULL : "no nginx to be in front of";
}

/*
 * What is not there is passed over, and told; nothing at all there, or in CI
 * anything missing, ends the program.
 */
static void
require_servers(void)
{
	const char *ci = getenv("CI");
	bool strict = ci != NULL && *ci != '\0';
	int missing = 0;

	for (int i = 0; i < DAEMON_KINDS; i++) {
		enum daemon_kind kind = (enum daemon_kind)i;

		if (obstacle(kind) == NULL)
			continue;
		missing++;
		fprintf(stderr, "check_servers: %s: %s%s\n", daemon_name(kind),
		    obstacle(kind),
		    strict ? ", and CI must not skip" : "; skipped");
	}
	if (missing > 0 && strict)
		exit(EXIT_FAILURE);
	if (missing == DAEMON_KINDS)
		exit(77);
}

int
main(void)
{
	int status;

	lab_require();
	require_servers();
	daemons_begin();
	status = suite_run(tests(), "servers");
	daemons_end();
	return status;
}
