/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local side: what --source, --interface, --mark and --tos ask for is what
 * the wire shows, and what the kernel refuses is told by its option.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <linux/capability.h>

#include "hosts.h"
#include "judge.h"
#include "lab.h"
#include "run.h"
#include "scene.h"
#include "schema.h"
#include "server.h"
#include "suite.h"
#include "tcp.h"
#include "tfo.h"

/* clang-format off */
#define ARGS(...) { __VA_ARGS__, NULL }
/* clang-format on */

#define GIVE(literal) .give = literal, .give_bytes = sizeof(literal) - 1

#define PORT_WANTED 28711

static struct server server;
static struct scene scene;

static void
begin(int family, const struct server_script *script)
{
	scene = (struct scene){ .name = "check_local",
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

static void
play(const char *const *args)
{
	scene_play(&scene, server.host, server.port, args);
	if (scene.run.status != 0 || scene.flow == NULL)
		scene_fail(&scene, "did not go well");
}

/* ---- the source */

struct source_row {
	int family;
	const char *args[4];
	const char *address;
	uint16_t port; /* 0: any */
};

static const struct source_row sources[] = {
	{ AF_INET, ARGS("--source=127.0.0.9"), "127.0.0.9", 0 },
	{ AF_INET, ARGS("--source=127.0.0.9:28711"), "127.0.0.9", PORT_WANTED },
	{ AF_INET, ARGS("--source=:28711"), "127.0.0.1", PORT_WANTED },
	{ AF_INET, ARGS("--source=[127.0.0.9]:28711"), "127.0.0.9",
	    PORT_WANTED },
	{ AF_INET, ARGS("--source=::1", "--source=127.0.0.9"), "127.0.0.9", 0 },
	{ AF_INET, ARGS("--source=127.0.0.9", "--interface=lo"), "127.0.0.9",
	    0 },
	{ AF_INET6, ARGS("--source=::1"), "::1", 0 },
	{ AF_INET6, ARGS("--source=[::1]"), "::1", 0 },
	{ AF_INET6, ARGS("--source=[::1]:28711"), "::1", PORT_WANTED },
	{ AF_INET6, ARGS("--source=:28711"), "::1", PORT_WANTED },
};

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static void
assert_source(const struct source_row *row)
{
	const struct witness_side *ours = &scene.flow->side[WITNESS_CLIENT];

	ck_assert_str_eq(ours->address, row->address);
	ck_assert_str_eq(schema_string(scene.report, "local"), row->address);
	ck_assert_int_eq(
	    schema_integer(scene.report, "local_port"), ours->port);
	if (row->port != 0)
		ck_assert_uint_eq(ours->port, row->port);
}

/* Twice: that the port is in TIME-WAIT must not keep it from being used. */
START_TEST(comes_from)
{
	const struct source_row *row = &sources[_i];

	if (row->family == AF_INET6 && !lab_has_ipv6())
		return;
	begin(row->family, &(struct server_script){ .take = 1, GIVE("ok") });
	for (int turn = 0; turn < 2; turn++) {
		const char *args[8] = { "-s", "x", "-e", "ok", "--drain=30" };

		memcpy(args + 5, row->args, 2 * sizeof(*args));
		play(args);
		assert_source(row);
		server_await_ended(&server, (unsigned int)turn + 1);
	}
	finish();
}
END_TEST

/* Our FIN is the first: the peer is served although TIME-WAIT is ours. */
START_TEST(source_in_time_wait)
{
	begin(AF_INET, &(struct server_script){ .take = SERVER_ALL });
	play((const char *[])ARGS("-N", "-s", "x", "--source=:28711"));
	ck_assert(judge_tells_truth(scene.report, "close.time_wait", true));
	server_await_ended(&server, 1);
	server_stop(&server);
	server_start(&server, AF_INET, &(struct server_script){ .take = 1 });
	play((const char *[])ARGS(
	    "-s", "x", "--source=:28711", "--expect-close=fin", "-N"));
	ck_assert_uint_eq(scene.flow->side[WITNESS_CLIENT].port, PORT_WANTED);
	finish();
}
END_TEST

#ifdef LASTACK_TCP_INFO

/* The SYN carries the payload, and comes from where it was told to. */
START_TEST(source_with_fast_open)
{
	static const struct tfo_verdict first = { 0, "requested", 1, 0,
		"granted" },
					second = { 0, "accepted", 1, 8,
						"carried 8 B" };
	static const char *const rows[][4] = {
		ARGS("-F", "--source=127.0.0.9"),
		ARGS("-F", "--source=127.0.0.9:28711"),
		ARGS("-F", "--source=:28711", "--tos=AF21"),
	};
	struct tfo_stage stage = { 0 };

	tfo_begin(&stage, 0, TFO_BOTH,
	    &(struct server_script){ .take = 8, GIVE("answer") });
	for (int turn = 0; turn < 2; turn++) {
		const char *args[6] = { "-s", TFO_QUESTION };

		memcpy(args + 2, rows[_i], sizeof(rows[_i]));
		tfo_ask(&stage, args, turn == 0 ? &first : &second);
		ck_assert_str_eq(stage.scene.flow->side[WITNESS_CLIENT].address,
		    _i < 2 ? "127.0.0.9" : "127.0.0.1");
		if (_i > 0)
			ck_assert_uint_eq(
			    stage.scene.flow->side[WITNESS_CLIENT].port,
			    PORT_WANTED);
	}
	tfo_finish(&stage);
}
END_TEST

#endif

/* ---- the type of service */

static const struct {
	const char *value;
	uint8_t tos;
} services[] = {
	{ "--tos=AF21", 0x48 },
	{ "--tos=ef", 0xb8 },
	{ "--tos=LE", 0x04 },
	{ "--tos=CS7", 0xe0 },
	{ "--tos=0xb8", 0xb8 },
	{ "--tos=16", 0x10 },
	{ "--tos=0", 0 },
};

#define ETHERNET_BYTES 14

static uint8_t
tos_of(const struct witness_segment *segment)
{
	const uint8_t *ip = segment->frame + ETHERNET_BYTES;

	if (ip[0] >> 4 == 4)
		return ip[1];
	return (uint8_t)(ip[0] << 4 | ip[1] >> 4);
}

/* In each segment of ours; the RST that ends it is no longer the socket's. */
START_TEST(type_of_service)
{
	int family = _i % 2 == 0 ? AF_INET : AF_INET6;
	uint8_t tos = services[_i / 2].tos;
	const struct witness_segment *segment;

	if (family == AF_INET6 && !lab_has_ipv6())
		return;
	begin(family, &(struct server_script){ .take = 1, GIVE("ok") });
	play((const char *[])ARGS(
	    "-s", "x", "-e", "ok", "--drain=30", services[_i / 2].value));
	for (uint32_t i = 0; (segment = witness_segment(scene.flow, i)) != NULL;
	     i++)
		if (segment->direction == WITNESS_CLIENT)
			ck_assert_uint_eq(tos_of(segment), tos);
	finish();
}
END_TEST

/* ---- the mark, the interface */

/* With this sysctl an accepted socket has the mark of the SYN's packet. */
START_TEST(marked)
{
	static const struct {
		const char *value;
		uint32_t mark;
	} rows[] = {
		{ "--mark=7", 7 },
		{ "--mark=0xffffffff", 0xffffffff },
		{ "--mark=0", 0 },
	};
	int listener = tcp_listen(AF_INET, 8), client;
	uint32_t got = 1;
	socklen_t len = sizeof(got);
	struct run run;
	char port[8];

	ck_assert_int_eq(lab_sysctl("net.ipv4.tcp_fwmark_accept", "1"), 0);
	snprintf(port, sizeof(port), "%u", tcp_port(listener));
	run_command(&run,
	    (const char *[])ARGS(
		rows[_i].value, "--close=fin", "127.0.0.1", port));
	ck_assert_msg(run.status == 0, "%s", run.out);
	run_free(&run);
	client = accept(listener, NULL, NULL);
	ck_assert_int_ge(client, 0);
	ck_assert_int_eq(
	    getsockopt(client, SOL_SOCKET, SO_MARK, &got, &len), 0);
	ck_assert_uint_eq(got, rows[_i].mark);
	close(client);
	close(listener);
}
END_TEST

/* A connection of one interface has its TIME-WAIT looked up as one of it. */
START_TEST(one_interface)
{
	begin(AF_INET, &(struct server_script){ .take = SERVER_ALL });
	play((const char *[])ARGS("-N", "-s", "x", "--interface=lo"));
	ck_assert_str_eq(schema_string(scene.report, "close.peer"), "fin");
#ifdef LASTACK_TCP_INFO
	ck_assert_str_eq(schema_string(scene.report, "close.first"), "local");
	ck_assert(json_is_true(schema_at(scene.report, "close.time_wait")));
#endif
	finish();
}
END_TEST

/* There is a server, but no way to it by that interface. */
START_TEST(other_interface)
{
	struct run run;

	lab_require_veth();
	begin(AF_INET, &(struct server_script){ .end = SERVER_HOLD });
	run_command(&run,
	    (const char *[])ARGS("--interface=" LAB_VETH, "-Q", "-t", "200ms",
		"127.0.0.1", server.port_text));
	ck_assert_msg(run.status == 5 || run.status == 6, "%d", run.status);
	witness_collect(scene.witness);
	ck_assert_uint_eq(witness_flows(scene.witness), 0);
	run_free(&run);
	finish();
}
END_TEST

/* ---- what the kernel refuses */

struct refused_row {
	const char *args[4];
	const char *error, *message;
	unsigned int capability; /* to do without; 0: none */
};

static const struct refused_row refusals[] = {
	{ ARGS("--source=192.0.2.77"), "EADDRNOTAVAIL",
	    ": not an address of this machine", /* errno's words vary */
	    0 },
	{ ARGS("--interface=nope"), "ENODEV",
	    "--interface: 'nope': No such device", 0 },
	{ ARGS("--interface=no\npe"), "ENODEV", "--interface: 'no\\npe': ", 0 },
	{ ARGS("--source=:27"), "EACCES", "CAP_NET_BIND_SERVICE",
	    CAP_NET_BIND_SERVICE },
	{ ARGS("--mark=7"), "EPERM",
	    "--mark: '7': Operation not permitted: it takes the capability "
	    "CAP_NET_ADMIN",
	    CAP_NET_ADMIN },
};

static void
drop(unsigned int capability)
{
	if (capability == 0)
		return;
	ck_assert_int_eq(prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), 0);
	/* Either will do for a mark. */
	ck_assert_int_eq(prctl(PR_CAPBSET_DROP, CAP_NET_RAW, 0, 0, 0), 0);
}

START_TEST(refused)
{
	const struct refused_row *row = &refusals[_i];
	json_t *report;
	struct run run;

	begin(AF_INET, &(struct server_script){ .end = SERVER_HOLD });
	drop(row->capability);
	run_command(&run,
	    (const char *[])ARGS(
		"-f", "json", row->args[0], "127.0.0.1", server.port_text));
	ck_assert_int_eq(run.status, 13);
	ck_assert_str_eq(run.err, "");
	report = schema_check(run.out, run.out_bytes);
	ck_assert_str_eq(schema_string(report, "outcome"), "system");
	ck_assert_str_eq(schema_string(report, "error.phase"), "connect");
	ck_assert_str_eq(schema_string(report, "error.errno"), row->error);
	ck_assert_msg(strstr(schema_string(report, "error.message"),
			  row->message) != NULL,
	    "%s", schema_string(report, "error.message"));
	witness_collect(scene.witness);
	ck_assert_uint_eq(witness_flows(scene.witness), 0);
	json_decref(report);
	run_free(&run);
	finish();
}
END_TEST

/* Another socket has the port. */
START_TEST(port_in_use)
{
	int holder = tcp_listen(AF_INET, 1);
	char source[32];
	struct run run;

	begin(AF_INET, &(struct server_script){ .end = SERVER_HOLD });
	snprintf(source, sizeof(source), "--source=:%u", tcp_port(holder));
	run_command(
	    &run, (const char *[])ARGS(source, "127.0.0.1", server.port_text));
	ck_assert_int_eq(run.status, 13);
	ck_assert_ptr_nonnull(strstr(run.out, "--source: ':"));
	ck_assert_ptr_nonnull(strstr(run.out, "in use"));
	run_free(&run);
	close(holder);
	finish();
}
END_TEST

/* bind() takes it, connect() does not. */
START_TEST(no_way_from_loopback)
{
	struct run run;

	lab_require_veth();
	run_command(&run,
	    (const char *[])ARGS(
		"--source=127.0.0.9", "-v", LAB_PEER_ADDR4, "80"));
	ck_assert_int_eq(run.status, 13);
	ck_assert_ptr_nonnull(strstr(run.out, "--source: '127.0.0.9': "));
	ck_assert_ptr_nonnull(strstr(run.out, "(EINVAL)"));
	run_free(&run);
}
END_TEST

/* ---- a name with addresses of both families */

static void
play_name(const char *source)
{
	char port[8];
	struct run run;

	snprintf(port, sizeof(port), "%u", server.port);
	run_command(&run,
	    (const char *[])ARGS(
		"-f", "json", source, "-s", "x", "-e", "ok", "two.test", port));
	scene.run = run;
	scene.report = schema_check(run.out, run.out_bytes);
}

/* The family that does not fit is an attempt that failed, and no more. */
START_TEST(source_of_one_family)
{
	bool six = _i % 2 == 1;
	json_t *attempts;
	size_t count;

	if (!lab_has_ipv6() ||
	    !hosts_enter("::1 two.test\n127.0.0.1 two.test\n"))
		return;
	begin(six ? AF_INET6 : AF_INET,
	    &(struct server_script){ .take = 1, GIVE("ok") });
	if (_i >= 2)
		server_stop(&server);
	play_name(six ? "--source=::1" : "--source=127.0.0.9");
	attempts = schema_at(scene.report, "attempts");
	count = json_array_size(attempts);
	ck_assert_str_eq(
	    schema_string(scene.report, "outcome"), _i < 2 ? "ok" : "refused");
	if (_i >= 2)
		ck_assert_uint_eq(count, 2);
	for (size_t i = 0; i < count; i++) {
		json_t *attempt = json_array_get(attempts, i);
		bool fits = (strchr(schema_string(attempt, "address"), ':') !=
				NULL) == six;

		if (!fits)
			ck_assert_str_eq(
			    schema_string(attempt, "errno"), "EAFNOSUPPORT");
		ck_assert_str_eq(schema_string(attempt, "outcome"),
		    !fits      ? "system" :
			_i < 2 ? "ok" :
				 "refused");
	}
	scene_clear(&scene);
	witness_close(scene.witness);
	if (_i < 2)
		server_stop(&server);
}
END_TEST

/* No address of the name fits. */
START_TEST(source_of_no_family)
{
	if (!hosts_enter("127.0.0.1 two.test\n"))
		return;
	begin(AF_INET, &(struct server_script){ .end = SERVER_HOLD });
	play_name("--source=::1");
	ck_assert_int_eq(scene.run.status, 13);
	ck_assert_ptr_nonnull(strstr(
	    schema_string(scene.report, "error.message"), "--source: '::1': "));
	finish();
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("local");

	lab_require();
	tcase_add_loop_test(tests, comes_from, 0, ROWS(sources));
	tcase_add_test(tests, source_in_time_wait);
#ifdef LASTACK_TCP_INFO
	tcase_add_loop_test(tests, source_with_fast_open, 0, 3);
#endif
	tcase_add_loop_test(tests, type_of_service, 0, 2 * ROWS(services));
	tcase_add_loop_test(tests, marked, 0, 3);
	tcase_add_test(tests, one_interface);
	tcase_add_test(tests, other_interface);
	tcase_add_loop_test(tests, refused, 0, ROWS(refusals));
	tcase_add_test(tests, port_in_use);
	tcase_add_test(tests, no_way_from_loopback);
	tcase_add_loop_test(tests, source_of_one_family, 0, 4);
	tcase_add_test(tests, source_of_no_family);
	return suite_run(tests, "local");
}
