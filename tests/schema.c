/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "schema.h"

/* Types of members, one letter each; a '?' behind it: or null. */
struct member {
	const char *path;
	const char *type;
};

/* clang-format off */
static const struct member members[] = {
	{ "schema", "i" },
	{ "lastack", "s" },
	{ "host", "s" },
	{ "port", "i?" },
	{ "outcome", "s" },
	{ "exit_status", "i" },
	{ "summary", "s" },
	{ "error", "o?" },
	{ "error.phase", "s" },
	{ "error.errno", "s?" },
	{ "error.message", "s" },
	{ "family", "s?" },
	{ "remote", "s?" },
	{ "local", "s?" },
	{ "local_port", "i?" },
	{ "attempts", "a" },
	{ "phases_us", "o" },
	{ "phases_us.resolve", "n?" },
	{ "phases_us.connect", "n?" },
	{ "phases_us.send", "n?" },
	{ "phases_us.wait", "n?" },
	{ "phases_us.receive", "n?" },
	{ "phases_us.drain", "n?" },
	{ "phases_us.close", "n?" },
	{ "phases_us.total", "n" },
	{ "wire_us", "o" },
	{ "wire_us.handshake", "o?" },
	{ "wire_us.handshake.value", "n" },
	{ "wire_us.handshake.method", "s" },
	{ "wire_us.first_byte", "o?" },
	{ "wire_us.first_byte.value", "n" },
	{ "wire_us.first_byte.method", "s" },
	{ "events", "a" },
	{ "bytes", "o" },
	{ "bytes.sent", "i" },
	{ "bytes.received", "i" },
	{ "bytes.kept", "i" },
	{ "bytes.drained", "i" },
	{ "bytes.in_syn", "i" },
	{ "expect", "o" },
	{ "exchanges", "a?" },
	{ "expect.groups", "a?" },
	{ "expect.result", "s?" },
	{ "expect.which", "s?" },
	{ "fastopen", "o" },
	{ "fastopen.requested", "b" },
	{ "fastopen.status", "s" },
	{ "fastopen.cookie", "b?" },
	{ "fastopen.reason", "s?" },
	{ "close", "o" },
	{ "close.peer", "s?" },
	{ "close.local", "s?" },
	{ "close.first", "s?" },
	{ "close.clean", "b?" },
	{ "close.last_ack", "b?" },
	{ "close.time_wait", "b?" },
	{ "close.reason", "s?" },
	{ "kernel", "o?" },
	{ "kernel.rtt_us", "i" },
	{ "kernel.min_rtt_us", "i?" },
	{ "kernel.rttvar_us", "i" },
	{ "kernel.retransmits", "i" },
	{ "kernel.mss", "i" },
	{ "kernel.segments_out", "i" },
	{ "kernel.segments_in", "i" },
	{ "response", "o?" },
	{ "response.encoding", "s" },
	{ "response.data", "s" },
	{ "response.truncated", "b" },
};

static const struct member attempt_members[] = {
	{ "address", "s" },
	{ "outcome", "s" },
	{ "errno", "s?" },
	{ "time_us", "n?" },
};

static const struct member event_members[] = {
	{ "event", "s" },
	{ "at_us", "n" },
};

/* The outcomes and their exit statuses; an interrupted one: 128 and more. */
static const struct {
	const char *outcome;
	int status;
} outcomes[] = {
	{ "ok", 0 },
	{ "mismatch", 1 },
	{ "resolve", 3 },
	{ "refused", 4 },
	{ "unreachable", 5 },
	{ "connect-timeout", 6 },
	{ "reset", 7 },
	{ "response-timeout", 8 },
	{ "closed-early", 9 },
	{ "close-mismatch", 10 },
	{ "fastopen", 11 },
	{ "slow", 12 },
	{ "system", 13 },
	{ "interrupted", -1 },
};
/* clang-format on */

static const char *const phases[] = { "phases_us.resolve", "phases_us.connect",
	"phases_us.send", "phases_us.wait", "phases_us.receive",
	"phases_us.drain", "phases_us.close" };

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* NULL: no such member, or nothing is behind a null. */
static json_t *
find(json_t *object, const char *path)
{
	char name[64];

	while (object != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");

		ck_assert_uint_lt(len, sizeof(name));
		memcpy(name, path, len);
		name[len] = '\0';
		object = json_object_get(object, name);
		path += len + (path[len] == '.');
	}
	return object;
}

json_t *
schema_at(json_t *report, const char *path)
{
	json_t *value = find(report, path);

	ck_assert_msg(value != NULL, "the report has no %s", path);
	return value;
}

const char *
schema_string(json_t *report, const char *path)
{
	json_t *value = schema_at(report, path);

	ck_assert_msg(json_is_string(value), "%s is not a string", path);
	return json_string_value(value);
}

int64_t
schema_integer(json_t *report, const char *path)
{
	json_t *value = schema_at(report, path);

	ck_assert_msg(json_is_integer(value), "%s is not an integer", path);
	return json_integer_value(value);
}

int64_t
schema_ns(json_t *report, const char *path)
{
	json_t *value = schema_at(report, path);

	if (json_is_null(value))
		return -1;
	ck_assert_msg(json_is_number(value), "%s is not a number", path);
	return llround(json_number_value(value) * 1000);
}

static bool
has_type(const json_t *value, const char *type)
{
	if (json_is_null(value))
		return type[1] == '?';
	switch (type[0]) {
	case 'i':
		return json_is_integer(value) && json_integer_value(value) >= 0;
	case 'n':
		return json_is_number(value) && json_number_value(value) >= 0;
	case 's':
		return json_is_string(value);
	case 'b':
		return json_is_boolean(value);
	case 'a':
		return json_is_array(value);
	case 'o':
		return json_is_object(value);
	default:
		return false;
	}
}

/* Behind a member that is null there are no further ones. */
static bool
is_behind_null(json_t *object, const char *path)
{
	const char *dot = strchr(path, '.');
	char parent[64];

	while (dot != NULL) {
		size_t len = (size_t)(dot - path);

		memcpy(parent, path, len);
		parent[len] = '\0';
		if (json_is_null(find(object, parent)))
			return true;
		dot = strchr(dot + 1, '.');
	}
	return false;
}

static void
check_members(json_t *object, const struct member *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_t *value;

		if (is_behind_null(object, table[i].path))
			continue;
		value = find(object, table[i].path);
		ck_assert_msg(value != NULL, "there is no %s", table[i].path);
		ck_assert_msg(has_type(value, table[i].type),
		    "%s is not of type %s", table[i].path, table[i].type);
	}
}

static void
check_outcome(json_t *report)
{
	const char *outcome = schema_string(report, "outcome");
	int64_t status = schema_integer(report, "exit_status");
	bool ok = strcmp(outcome, "ok") == 0;
	size_t i = 0;

	while (i < ROWS(outcomes) && strcmp(outcomes[i].outcome, outcome) != 0)
		i++;
	if (i == ROWS(outcomes)) {
		ck_abort_msg("unknown outcome %s", outcome);
		return;
	}
	if (outcomes[i].status != -1)
		ck_assert_int_eq(status, outcomes[i].status);
	else
		ck_assert_int_gt(status, 128);
	ck_assert_int_eq(json_is_null(schema_at(report, "error")), ok);
	ck_assert_str_ne(schema_string(report, "summary"), "");
	ck_assert_int_eq(schema_integer(report, "schema"), 1);
	ck_assert_str_eq(schema_string(report, "lastack"), PACKAGE_VERSION);
}

static void
check_attempts(json_t *report)
{
	json_t *attempts = schema_at(report, "attempts"), *attempt;
	bool connected = json_is_string(schema_at(report, "remote"));
	size_t i, good = 0;

	json_array_foreach(attempts, i, attempt)
	{
		bool ok;

		check_members(attempt, attempt_members, ROWS(attempt_members));
		ok = strcmp(schema_string(attempt, "outcome"), "ok") == 0;
		ck_assert_int_eq(json_is_null(schema_at(attempt, "errno")), ok);
		/* The first that connects is the last. */
		if (ok)
			ck_assert_uint_eq(i + 1, json_array_size(attempts));
		good += ok;
	}
	ck_assert_uint_eq(good, connected ? 1 : 0);
}

/* Each phase begins where the one before it ended: they add up. */
static void
check_phases(json_t *report)
{
	bool connected = json_is_string(schema_at(report, "remote"));
	int64_t sum_ns = 0;

	for (size_t i = 0; i < ROWS(phases); i++) {
		int64_t ns = schema_ns(report, phases[i]);

		if (ns != -1)
			sum_ns += ns;
		if (!connected && i > 1)
			ck_assert_msg(
			    ns == -1, "%s without a connection", phases[i]);
	}
	ck_assert_int_eq(sum_ns, schema_ns(report, "phases_us.total"));
	if (connected) {
		ck_assert_int_ge(schema_ns(report, "phases_us.connect"), 0);
		ck_assert_int_ge(schema_ns(report, "phases_us.close"), 0);
	}
}

static void
check_events(json_t *report)
{
	json_t *events = schema_at(report, "events"), *event;
	int64_t total_ns = schema_ns(report, "phases_us.total"), last_ns = 0;
	size_t count = json_array_size(events), i;

	ck_assert_uint_ge(count, 2);
	json_array_foreach(events, i, event)
	{
		const char *name;
		int64_t at_ns;

		check_members(event, event_members, ROWS(event_members));
		name = schema_string(event, "event");
		at_ns = schema_ns(event, "at_us");
		ck_assert_int_ge(at_ns, last_ns);
		ck_assert_int_le(at_ns, total_ns);
		last_ns = at_ns;
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(name,
			    schema_string(json_array_get(events, j), "event"));
	}
	event = json_array_get(events, 0);
	ck_assert_str_eq(schema_string(event, "event"), "start");
	ck_assert_int_eq(schema_ns(event, "at_us"), 0);
	event = json_array_get(events, count - 1);
	ck_assert_str_eq(schema_string(event, "event"), "end");
	ck_assert_int_eq(schema_ns(event, "at_us"), total_ns);
}

static bool
happened(json_t *report, const char *name)
{
	json_t *event;
	size_t i;

	json_array_foreach(schema_at(report, "events"), i,
	    event) if (strcmp(schema_string(event, "event"), name) ==
	    0) return true;
	return false;
}

static bool
is_one_of(json_t *report, const char *path, const char *words)
{
	json_t *value = schema_at(report, path);
	char word[32];

	if (json_is_null(value))
		return true;
	snprintf(word, sizeof(word), " %.29s ", json_string_value(value));
	return strstr(words, word) != NULL;
}

/* A Unix socket has no segments that could have ended it. */
static void
check_unix_close(json_t *report)
{
	static const char *const paths[] = { "close.peer", "close.local",
		"close.first", "close.clean", "close.last_ack",
		"close.time_wait", "kernel", "local", "local_port",
		"wire_us.handshake", "wire_us.first_byte" };
	static const char *const events[] = { "peer_fin", "peer_rst",
		"local_fin", "local_rst", "last_ack" };

	for (size_t i = 0; i < ROWS(paths); i++)
		ck_assert_msg(
		    json_is_null(schema_at(report, paths[i])), "%s", paths[i]);
	for (size_t i = 0; i < ROWS(events); i++)
		ck_assert_msg(!happened(report, events[i]), "%s", events[i]);
	ck_assert(json_is_string(schema_at(report, "close.reason")));
}

static bool
is_unix(json_t *report)
{
	const char *family = json_string_value(schema_at(report, "family"));

	return family != NULL && strcmp(family, "unix") == 0;
}

static void
check_close(json_t *report)
{
	bool connected = json_is_string(schema_at(report, "remote"));

	ck_assert_int_eq(json_is_null(schema_at(report, "port")),
	    strncmp(schema_string(report, "host"), "unix:", 5) == 0);
	if (connected && is_unix(report)) {
		check_unix_close(report);
		return;
	}

	ck_assert(is_one_of(
	    report, "close.peer", " fin rst fin+rst open lost none "));
	ck_assert(is_one_of(report, "close.local", " fin rst none "));
	ck_assert(is_one_of(report, "close.first", " peer local "));
	ck_assert(is_one_of(report, "expect.result", " none match mismatch "));
	ck_assert(is_one_of(report, "fastopen.status",
	    " off accepted partial requested refused blackholed paused "
	    "disabled unsupported unused "));
	ck_assert(is_one_of(report, "family", " ipv4 ipv6 unix "));
	ck_assert_int_eq(happened(report, "connected"), connected);
	ck_assert_int_eq(
	    happened(report, "local_fin") || happened(report, "local_rst"),
	    strcmp(schema_string(report, "close.local"), "none") != 0);
	if (connected) {
		ck_assert_str_ne(schema_string(report, "close.peer"), "none");
		ck_assert_int_gt(schema_integer(report, "local_port"), 0);
		ck_assert(json_is_string(schema_at(report, "family")));
		ck_assert(json_is_string(schema_at(report, "local")));
		ck_assert(json_is_string(schema_at(report, "close.reason")));
		return;
	}
	ck_assert_str_eq(schema_string(report, "close.peer"), "none");
	ck_assert_str_eq(schema_string(report, "close.local"), "none");
	ck_assert(json_is_null(schema_at(report, "close.first")));
	ck_assert(json_is_null(schema_at(report, "local")));
	ck_assert(json_is_null(schema_at(report, "local_port")));
	ck_assert(is_unix(report) || json_is_null(schema_at(report, "family")));
	ck_assert(json_is_null(schema_at(report, "kernel")));
	ck_assert(json_is_null(schema_at(report, "response")));
}

static void
check_bytes(json_t *report)
{
	json_t *response = schema_at(report, "response");
	int64_t received = schema_integer(report, "bytes.received");
	int64_t kept = schema_integer(report, "bytes.kept");

	ck_assert_int_le(kept, received);
	ck_assert_int_eq(happened(report, "first_byte"), received > 0);
	ck_assert_int_eq(happened(report, "last_byte"), received > 0);
	ck_assert_int_eq(
	    schema_ns(report, "phases_us.receive") != -1, received > 0);
	if (json_is_null(response))
		return;
	ck_assert_int_eq(
	    json_is_true(schema_at(response, "truncated")), kept < received);
	if (strcmp(schema_string(response, "encoding"), "utf-8") == 0)
		ck_assert_int_eq(
		    (int64_t)json_string_length(schema_at(response, "data")),
		    kept);
	else
		ck_assert_str_eq(schema_string(response, "encoding"), "base64");
}

json_t *
schema_check(const char *line, size_t len)
{
	json_error_t error;
	json_t *report;

	ck_assert_uint_gt(len, 0);
	ck_assert_msg(
	    line[len - 1] == '\n' && memchr(line, '\n', len) == line + len - 1,
	    "not one line: \"%s\"", line);
	for (size_t i = 0; i + 1 < len; i++)
		ck_assert_msg((unsigned char)line[i] >= ' ' && line[i] != 0x7f,
		    "a raw control character: \"%s\"", line);
	report = json_loadb(
	    line, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	ck_assert_msg(report != NULL, "%s: \"%s\"", error.text, line);
	check_members(report, members, ROWS(members));
	check_outcome(report);
	check_attempts(report);
	check_phases(report);
	check_events(report);
	check_close(report);
	check_bytes(report);
	return report;
}
