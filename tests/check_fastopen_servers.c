/* SPDX-License-Identifier: BSD-2-Clause */
/* Fast Open with servers as they are deployed: nginx and HAProxy. */
#include <config.h>

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"
#include "judge.h"
#include "lab.h"
#include "scene.h"
#include "suite.h"
#include "tcp.h"
#include "tfo.h"

#define ARGS(...)                                                              \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}

#define REQUEST "GET / HTTP/1.0\\r\\n\\r\\n"
#define REQUEST_BYTES 18
#define EXPECT "-e", "HTTP/1"
#define ASK "-F", "-s", REQUEST, EXPECT
#define REQUIRE "--fastopen=require", "-s", REQUEST, EXPECT

/* The second port of each is the one with Fast Open. */
static const struct deployed {
	enum daemon_kind kind;
	const char *before, *after; /* address and port, in the site */
} servers[] = {
	{ DAEMON_NGINX, "listen ", " fastopen=16;" },
	{ DAEMON_HAPROXY, "\tbind ",
	    " tfo\n"
	    "\thttp-request return status 200 "
	    "content-type text/plain string lastack" },
};

#define SERVERS (sizeof(servers) / sizeof(servers[0]))

static void
await_port(int family, uint16_t port)
{
	struct tcp_patience patience = { 0 };
	union tcp_address to;
	bool ready = false;
	int fd = tcp_bound(family);

	tcp_local(fd, &to);
	close(fd);
	if (family == AF_INET)
		to.v4.sin_port = htons(port);
	else
		to.v6.sin6_port = htons(port);
	while (!ready && tcp_patient(&patience)) {
		fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		ready = connect(fd, &to.any, tcp_length(&to)) == 0 &&
		    tcp_port(fd) != port;
		tcp_reset(fd);
	}
	ck_assert(ready);
}

static struct daemon *
deploy(const struct deployed *server, int family, uint16_t *port)
{
	struct daemon_plan plan = { .kind = server->kind, .family = family };
	struct daemon *daemon;
	char site[256];
	int fd = tcp_bound(family);

	*port = tcp_port(fd);
	close(fd);
	snprintf(site, sizeof(site), "%s%s:%u%s", server->before,
	    family == AF_INET ? "127.0.0.1" : "[::1]", *port, server->after);
	plan.site = site;
	daemon = daemon_start(&plan);
	await_port(family, *port);
	return daemon;
}

static void
probe(struct scene *scene, int family, uint16_t port, const char *const *args,
    const struct tfo_verdict *verdict)
{
	scene_play(scene, family == AF_INET ? "127.0.0.1" : "::1", port, args);
	tfo_expect(scene, verdict);
	ck_assert(
	    tfo_sent(scene->flow, "GET / HTTP/1.0\r\n\r\n", REQUEST_BYTES));
	ck_assert(judge_true(scene->report, "close.clean"));
}

static void
serve(const struct deployed *server, int family)
{
	static const struct tfo_verdict verdicts[] = {
		{ 0, "requested", 0, 0, "not granted" },
		{ 0, "requested", 1, 0, "granted; run again" },
		{ 0, "accepted", 1, REQUEST_BYTES, "carried 18 B" },
		{ 0, "refused", 1, REQUEST_BYTES, "none of them" },
	};
	struct scene scene = { .name = daemon_name(server->kind) };
	struct daemon *daemon;
	uint16_t port;

	tfo_enter("3");
	if (!daemon_installed(server->kind) ||
	    (family == AF_INET6 && !lab_has_ipv6()))
		return;
	scene.witness = witness_open("lo");
	ck_assert_ptr_nonnull(scene.witness);
	daemon = deploy(server, family, &port);
	probe(&scene, family, daemon_port(daemon), ARGS(ASK), &verdicts[0]);
	probe(&scene, family, port, ARGS(ASK), &verdicts[1]);
	for (int i = 0; i < 20; i++)
		probe(&scene, family, port, ARGS(REQUIRE), &verdicts[2]);
	/* The cookie is the address's: the port without Fast Open meets it. */
	probe(&scene, family, daemon_port(daemon), ARGS(ASK), &verdicts[3]);
	daemon_stop(daemon);
	scene_clear(&scene);
	witness_close(scene.witness);
}

START_TEST(servers_ipv4)
{
	serve(&servers[_i], AF_INET);
}
END_TEST

START_TEST(servers_ipv6)
{
	serve(&servers[_i], AF_INET6);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("fastopen_servers");
	int status;

	lab_require();
	daemons_begin();
	for (size_t i = 0; i < SERVERS; i++)
		if (!daemon_installed(servers[i].kind))
			fprintf(stderr, "%s: not installed\n",
			    daemon_name(servers[i].kind));
	tcase_add_loop_test(tests, servers_ipv4, 0, SERVERS);
	tcase_add_loop_test(tests, servers_ipv6, 0, SERVERS);
	status = suite_run(tests, "fastopen_servers");
	daemons_end();
	return status;
}
