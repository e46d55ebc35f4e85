/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PROXY header on the wire: in one segment with the payload, in the SYN
 * with Fast Open, and understood by servers of the real world.
 */
#include <config.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"
#include "lab.h"
#include "scene.h"
#include "schema.h"
#include "server.h"
#include "suite.h"
#include "tfo.h"

/* clang-format off */
#define ARGS(...) { __VA_ARGS__, NULL }
/* clang-format on */

#define GIVE(literal) .give = literal, .give_bytes = sizeof(literal) - 1
#define QUESTION "question"

/* As long as ports have five digits, which they do here. */
#define V1_4_BYTES                                                             \
	(sizeof("PROXY TCP4 127.0.0.1 127.0.0.1 40000 40000\r\n") - 1)
#define V1_6_BYTES (sizeof("PROXY TCP6 ::1 ::1 40000 40000\r\n") - 1)
#define V2_4_BYTES 28
#define V2_6_BYTES 52
#define LOCAL_BYTES 16

static struct server server;
static struct scene scene;

static const struct {
	int family;
	const char *option;
	size_t header_bytes;
} versions[] = {
	{ AF_INET, "--proxy-protocol=v1", V1_4_BYTES },
	{ AF_INET6, "--proxy-protocol=v1", V1_6_BYTES },
	{ AF_INET, "--proxy-protocol=v2", V2_4_BYTES },
	{ AF_INET6, "--proxy-protocol=v2", V2_6_BYTES },
	{ AF_INET, "--proxy-protocol=local", LOCAL_BYTES },
	{ AF_INET6, "--proxy-protocol=local", LOCAL_BYTES },
};

#define VERSIONS ((int)(sizeof(versions) / sizeof(versions[0])))

static bool
can_run(int i)
{
	return versions[i].family == AF_INET || lab_has_ipv6();
}

static uint16_t
u16_at(const unsigned char *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* The real addresses and ports, as the capture has them. */
static void
assert_tells(
    const unsigned char *header, int version, const struct witness_flow *flow)
{
	const struct witness_side *ours = &flow->side[WITNESS_CLIENT];
	const struct witness_side *theirs = &flow->side[WITNESS_SERVER];
	bool six = versions[version].family == AF_INET6;
	size_t len = six ? 16 : 4;
	char line[128];

	if (version < 2) {
		snprintf(line, sizeof(line), "PROXY TCP%d %s %s %u %u\r\n",
		    six ? 6 : 4, ours->address, theirs->address, ours->port,
		    theirs->port);
		ck_assert_mem_eq(header, line, strlen(line));
		return;
	}
	ck_assert_mem_eq(header, "\r\n\r\n\0\r\nQUIT\n", 12);
	if (version >= 4) {
		ck_assert_mem_eq(header + 12, "\x20\0\0\0", 4);
		return;
	}
	ck_assert_uint_eq(header[12], 0x21);
	ck_assert_uint_eq(header[13], six ? 0x21 : 0x11);
	ck_assert_uint_eq(u16_at(header + 14), 2 * len + 4);
	inet_ntop(versions[version].family, header + 16, line, sizeof(line));
	ck_assert_str_eq(line, ours->address);
	ck_assert_uint_eq(u16_at(header + 16 + 2 * len), ours->port);
	ck_assert_uint_eq(u16_at(header + 18 + 2 * len), theirs->port);
}

static void
begin(int family, const struct server_script *script)
{
	scene = (struct scene){ .name = "check_proxy_wire",
		.witness = witness_open("lo") };
	ck_assert_ptr_nonnull(scene.witness);
	server_start(&server, family, script);
}

static void
finish(void)
{
	scene_clear(&scene);
	witness_close(scene.witness);
	server_stop(&server);
}

/* The only segment of ours with payload. */
static const struct witness_segment *
only_segment(const struct witness_flow *flow)
{
	const struct witness_segment *segment;

	ck_assert_uint_eq(flow->side[WITNESS_CLIENT].data_segments, 1);
	for (uint32_t i = 0; (segment = witness_segment(flow, i)) != NULL; i++)
		if (segment->direction == WITNESS_CLIENT &&
		    segment->payload_bytes > 0)
			return segment;
	ck_abort_msg("there is none");
	return NULL;
}

START_TEST(one_segment)
{
	size_t bytes = versions[_i].header_bytes + strlen(QUESTION);
	const struct witness_segment *segment;

	if (!can_run(_i))
		return;
	begin(versions[_i].family,
	    &(struct server_script){ .take = bytes, GIVE("answer") });
	scene_play(&scene, server.host, server.port,
	    (const char *[])ARGS(versions[_i].option, "-s", QUESTION, "-e",
		"answer", "--drain=30"));
	ck_assert_int_eq(scene.run.status, 0);
	server_await_ended(&server, 1);
	segment = only_segment(scene.flow);
	ck_assert_uint_eq(segment->payload_bytes, bytes);
	ck_assert_uint_eq(server.got_bytes, bytes);
	assert_tells(server.got, _i, scene.flow);
	ck_assert_mem_eq(
	    server.got + versions[_i].header_bytes, QUESTION, strlen(QUESTION));
	ck_assert_int_eq(
	    schema_integer(scene.report, "bytes.sent"), (int64_t)bytes);
	/* The handshake's ACK rode on it, as it does on any payload. */
	ck_assert(!(witness_segment(scene.flow, 2)->payload_bytes == 0));
	finish();
}
END_TEST

/* It goes out also where there is no payload, and a banner is waited for. */
START_TEST(alone)
{
	if (!can_run(_i))
		return;
	begin(versions[_i].family,
	    &(struct server_script){
		.take = versions[_i].header_bytes, GIVE("220 ready") });
	scene_play(&scene, server.host, server.port,
	    (const char *[])ARGS(versions[_i].option, "--drain=30"));
	ck_assert_int_eq(scene.run.status, 0);
	server_await_ended(&server, 1);
	ck_assert_uint_eq(server.got_bytes, versions[_i].header_bytes);
	assert_tells(server.got, _i, scene.flow);
	ck_assert_int_eq(schema_integer(scene.report, "bytes.received"), 9);
	finish();
}
END_TEST

/* With nothing to follow it, our FIN rides on the header. */
START_TEST(with_fin)
{
	static const char *const rows[][6] = {
		ARGS("--proxy-protocol=v2", "-N"),
		ARGS("--proxy-protocol=v2", "-N", "-s", QUESTION),
	};

	begin(AF_INET,
	    &(struct server_script){ .take = SERVER_ALL, GIVE("bye") });
	scene_play(&scene, server.host, server.port, rows[_i]);
	ck_assert_int_eq(scene.run.status, 0);
	ck_assert(only_segment(scene.flow)->flags & WITNESS_FIN);
	finish();
}
END_TEST

/* The header does not wait for a pipe: the peer may for the header. */
START_TEST(before_a_pipe)
{
	static const char *const argv[] =
	    ARGS("--proxy-protocol=v2", "--send-file=-", "-e", "answer");
	struct run_options options = { 0 };
	struct run run;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	options.input_fd = ends[0];
	server_start(&server, AF_INET,
	    &(struct server_script){
		.each = true, .take = V2_4_BYTES + 5, GIVE("answer") });
	server_run_start(&server, &run, &options, argv);
	server_await_taken(&server);
	ck_assert_int_eq(write(ends[1], "later", 5), 5);
	close(ends[1]);
	run_finish(&run);
	ck_assert_int_eq(run.status, 0);
	run_free(&run);
	server_await_ended(&server, 1);
	ck_assert_uint_eq(server.got_bytes, V2_4_BYTES + 5);
	ck_assert_mem_eq(server.got + V2_4_BYTES, "later", 5);
	close(ends[0]);
	server_stop(&server);
}
END_TEST

#ifdef LASTACK_TCP_INFO

/* The SYN has it too, and it tells the port from which that SYN comes. */
START_TEST(in_the_syn)
{
	size_t bytes = versions[_i].header_bytes + strlen(QUESTION);
	const struct tfo_verdict first = { 0, "requested", 1, 0, "granted" };
	const struct tfo_verdict second = { 0, "accepted", 1, (int)bytes,
		"carried" };
	struct tfo_stage stage = { 0 };

	if (!tfo_begin(&stage, versions[_i].family == AF_INET ? 0 : 1, TFO_BOTH,
		&(struct server_script){ .take = bytes, GIVE("answer") }))
		return;
	for (int turn = 0; turn < 2; turn++) {
		tfo_probe(&stage,
		    (const char *[])ARGS(
			"-F", versions[_i].option, "-s", QUESTION),
		    turn == 0 ? &first : &second);
		ck_assert_uint_eq(stage.server.got_bytes, bytes);
		assert_tells(stage.server.got, _i, stage.scene.flow);
		ck_assert_mem_eq(stage.server.got + versions[_i].header_bytes,
		    QUESTION, strlen(QUESTION));
		ck_assert_uint_eq(
		    stage.scene.flow->side[WITNESS_CLIENT].syn_data_bytes,
		    turn == 0 ? 0 : bytes);
		ck_assert_uint_eq(
		    stage.scene.flow->side[WITNESS_CLIENT].data_segments, 1);
	}
	tfo_finish(&stage);
}
END_TEST

/* Without a payload there is still something that the SYN can carry. */
START_TEST(alone_in_the_syn)
{
	const struct tfo_verdict first = { 0, "requested", 1, 0, "granted" };
	const struct tfo_verdict second = { 0, "accepted", 1, V2_4_BYTES,
		"carried 28 B" };
	struct tfo_stage stage = { 0 };

	tfo_begin(&stage, 0, TFO_BOTH,
	    &(struct server_script){ .take = V2_4_BYTES, GIVE("220 ready") });
	for (int turn = 0; turn < 2; turn++)
		tfo_probe(&stage,
		    (const char *[])ARGS("-F", "--proxy-protocol=v2"),
		    turn == 0 ? &first : &second);
	assert_tells(stage.server.got, 2, stage.scene.flow);
	tfo_finish(&stage);
}
END_TEST

#endif

/* ---- servers of the real world */

#define PORT 28712 /* of a network namespace of our own */

#define NGINX(address)                                                         \
	"listen " address ":28712 proxy_protocol;\n"                           \
	"location / { return 200 \"from $proxy_protocol_addr "                 \
	"$proxy_protocol_port to $proxy_protocol_server_addr "                 \
	"$proxy_protocol_server_port.\"; }\n"
#define HAPROXY(address)                                                       \
	"bind " address ":28712 accept-proxy\n"                                \
	"http-request return status 200 content-type text/plain lf-string "    \
	"\"from %[src] %[src_port] to %[dst] %[dst_port].\"\n"

#define REQUEST "GET / HTTP/1.0\\r\\n\\r\\n"

struct told {
	int family;
	const char *args[5];
	const char *from, *to; /* NULL: the real ones */
	const char *nginx;     /* where it tells something else */
};

static const struct told told[] = {
	{ AF_INET, ARGS("--proxy-protocol=v1"), NULL, NULL, NULL },
	{ AF_INET6, ARGS("--proxy-protocol=v1"), NULL, NULL, NULL },
	{ AF_INET, ARGS("--proxy-protocol=v2"), NULL, NULL, NULL },
	{ AF_INET6, ARGS("--proxy-protocol=v2"), NULL, NULL, NULL },
	{ AF_INET,
	    ARGS("--proxy-protocol=v1", "--proxy-source=192.0.2.7:1234",
		"--proxy-destination=198.51.100.9:443"),
	    "192.0.2.7 1234", "198.51.100.9 443", NULL },
	{ AF_INET,
	    ARGS("--proxy-protocol=v2", "--proxy-source=192.0.2.7:1234",
		"--proxy-destination=198.51.100.9:443"),
	    "192.0.2.7 1234", "198.51.100.9 443", NULL },
	{ AF_INET,
	    ARGS("--proxy-protocol=v1", "--proxy-source=[2001:db8::7]:1234",
		"--proxy-destination=[2001:db8::9]:443"),
	    "2001:db8::7 1234", "2001:db8::9 443", NULL },
	{ AF_INET,
	    ARGS("--proxy-protocol=v2", "--proxy-source=[2001:db8::7]:1234",
		"--proxy-destination=[2001:db8::9]:443"),
	    "2001:db8::7 1234", "2001:db8::9 443", NULL },
	{ AF_INET, ARGS("--proxy-protocol=v2", "--proxy-source=192.0.2.7:1234"),
	    "192.0.2.7 1234", NULL, NULL },
	/* nginx then knows of no proxy, HAProxy of the connection alone. */
	{ AF_INET, ARGS("--proxy-protocol=local"), NULL, NULL, "from  " },
};

#define TOLD ((int)(sizeof(told) / sizeof(told[0])))

static void
assert_told(const struct told *row, bool nginx)
{
	const char *response = schema_string(scene.report, "response.data");
	const struct witness_side *side = scene.flow->side;
	char want[256], from[64], to[64];

	if (nginx && row->nginx != NULL) {
		ck_assert_msg(
		    strstr(response, row->nginx) != NULL, "%s", response);
		return;
	}
	snprintf(from, sizeof(from), "%s %u", side[WITNESS_CLIENT].address,
	    side[WITNESS_CLIENT].port);
	snprintf(to, sizeof(to), "%s %d", side[WITNESS_SERVER].address, PORT);
	snprintf(want, sizeof(want), "from %s to %s.",
	    row->from != NULL ? row->from : from,
	    row->to != NULL ? row->to : to);
	ck_assert_msg(
	    strstr(response, want) != NULL, "not \"%s\": %s", want, response);
}

static void
ask(enum daemon_kind kind, const struct told *row)
{
	bool six = row->family == AF_INET6, nginx = kind == DAEMON_NGINX;
	const struct daemon_plan plan = { .kind = kind,
		.family = row->family,
		.site = nginx ? (six ? NGINX("[::1]") : NGINX("127.0.0.1")) :
				(six ? HAPROXY("::1") : HAPROXY("127.0.0.1")),
		.backend = PORT };
	const char *args[12] = { "-v", "-s", REQUEST, "-e", "to ", "--drain=30",
		"--idle=30" };
	struct daemon *daemon;

	if (!daemon_installed(kind) || (six && !lab_has_ipv6()))
		return;
	daemon = daemon_start(&plan);
	scene = (struct scene){ .name = "check_proxy_wire",
		.witness = witness_open("lo") };
	ck_assert_ptr_nonnull(scene.witness);
	for (size_t i = 0; row->args[i] != NULL; i++)
		args[7 + i] = row->args[i];
	scene_play(&scene, six ? "::1" : "127.0.0.1", PORT, args);
	ck_assert_msg(scene.run.status == 0, "%s", scene.run.out);
	assert_told(row, nginx);
	scene_clear(&scene);
	witness_close(scene.witness);
	daemon_stop(daemon);
}

START_TEST(nginx)
{
	ask(DAEMON_NGINX, &told[_i]);
}
END_TEST

START_TEST(haproxy)
{
	ask(DAEMON_HAPROXY, &told[_i]);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("proxy_wire");
	int status;

	lab_require();
	daemons_begin();
	tcase_add_loop_test(tests, one_segment, 0, VERSIONS);
	tcase_add_loop_test(tests, alone, 0, VERSIONS);
	tcase_add_loop_test(tests, with_fin, 0, 2);
	tcase_add_test(tests, before_a_pipe);
#ifdef LASTACK_TCP_INFO
	tcase_add_loop_test(tests, in_the_syn, 0, VERSIONS);
	tcase_add_test(tests, alone_in_the_syn);
#endif
	tcase_add_loop_test(tests, nginx, 0, TOLD);
	tcase_add_loop_test(tests, haproxy, 0, TOLD);
	status = suite_run(tests, "proxy_wire");
	daemons_end();
	return status;
}
