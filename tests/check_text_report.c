/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text report, of results filled in by hand so that every figure is fixed:
 * what it looks like is in golden/, one file for each result; that it fits the
 * screen and that the staircase is true is checked at every width.
 *
 * LASTACK_GOLDEN_UPDATE=1 writes the files anew. Then read them.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "hint.h"
#include "report.h"
#include "result.h"
#include "suite.h"

#define WIDTH_LEAST 40
#define WIDTH_MOST 200
#define LINE_MOST 4096
#define NAME_COLUMNS 11 /* where the bars begin */

#define US INT64_C(1000)
#define MS INT64_C(1000000)
#define S INT64_C(1000000000)

struct moment {
	enum lastack_event event; /* START, which is always there: no more */
	int64_t at_ns;
};

/* A result, and of the options what the report looks at. */
struct picture {
	const char *name; /* of its file */
	const char *host;
	uint16_t port;
	const char *send, *expects[2];
	enum lastack_close close;
	enum lastack_end expect_close;
	int verbose;
	bool jail, half_close;

	struct lastack_result public;
	const char *remote, *error_text;
	int64_t phase_ns[LASTACK_PHASE_TOTAL]; /* 0: not reached */
	struct moment moments[12];
	struct lastack_attempt attempts[13]; /* to the first without address */
	const char *response;
	size_t response_bytes; /* 0: as strlen() */
};

#define KERNEL                                                                 \
	.has_kernel = true, .rtt_us = 9612, .rttvar_us = 4806,                 \
	.min_rtt_us = 9488, .mss_bytes = 1448, .segments_out = 4,              \
	.segments_in = 3

#define PEER_FIRST                                                             \
	.close_peer = LASTACK_END_FIN, .close_local = LASTACK_END_FIN,         \
	.close_first = LASTACK_SIDE_PEER, .close_clean = LASTACK_YES,          \
	.close_last_ack = LASTACK_YES, .close_time_wait = LASTACK_NO

#define WE_RESET                                                               \
	.close_peer = LASTACK_END_OPEN, .close_local = LASTACK_END_RST,        \
	.close_first = LASTACK_SIDE_LOCAL, .close_clean = LASTACK_NO,          \
	.close_last_ack = LASTACK_NO, .close_time_wait = LASTACK_NO

#define NO_CLOSE                                                               \
	.close_peer = LASTACK_END_NONE, .close_local = LASTACK_END_NONE,       \
	.close_clean = LASTACK_NO, .close_last_ack = LASTACK_NO,               \
	.close_time_wait = LASTACK_NO

#define NO_FASTOPEN .fastopen_status = LASTACK_FASTOPEN_NOT_ASKED

#define OKAY(text, ns)                                                         \
	{                                                                      \
		.address = (text), .outcome = LASTACK_OUTCOME_OK,              \
		.time_ns = (ns)                                                \
	}
#define FAILED(text, what, error, ns)                                          \
	{                                                                      \
		.address = (text), .outcome = LASTACK_OUTCOME_##what,          \
		.error_errno = (error), .time_ns = (ns)                        \
	}

static const struct picture pictures[] = {
	{ .name = "ok",
	    .host = "cache.example.org",
	    .port = 6379,
	    .send = "PING\\r\\nQUIT\\r\\n",
	    .public = { .outcome = LASTACK_OUTCOME_OK,
		.sent_bytes = 14,
		.received_bytes = 7,
		KERNEL,
		PEER_FIRST,
		NO_FASTOPEN },
	    .remote = "192.0.2.7",
	    .phase_ns = { 412 * US, 9813 * US, 21 * US, 17204 * US, 305 * US,
		2 * US, 9704 * US },
	    .moments = { { LASTACK_EVENT_PEER_FIN, 27757 * US },
		{ LASTACK_EVENT_LOCAL_FIN, 27758 * US },
		{ LASTACK_EVENT_LAST_ACK, 37461 * US } },
	    .attempts = { OKAY("192.0.2.7", 9813 * US) } },
	{ .name = "connect-only",
	    .host = "192.0.2.7",
	    .port = 22,
	    .public = { .outcome = LASTACK_OUTCOME_OK,
		KERNEL,
		WE_RESET,
		NO_FASTOPEN },
	    .remote = "192.0.2.7",
	    .phase_ns = { [LASTACK_PHASE_CONNECT] = 311 * US,
		[LASTACK_PHASE_CLOSE] = 29 * US },
	    .moments = { { LASTACK_EVENT_LOCAL_RST, 321 * US } },
	    .attempts = { OKAY("192.0.2.7", 311 * US) } },
	{ .name = "mismatch",
	    .host = "mail.example.org",
	    .port = 25,
	    .expects = { "220 ready" },
	    .public = { .outcome = LASTACK_OUTCOME_MISMATCH,
		.error_phase = LASTACK_PHASE_RECEIVE,
		.match = LASTACK_MATCH_NO,
		.match_which = -1,
		.received_bytes = 58,
		.kept_bytes = 58,
		KERNEL,
		PEER_FIRST,
		NO_FASTOPEN },
	    .remote = "2001:db8:25::1",
	    .phase_ns = { 1402 * US, 9813 * US, 0, 17204 * US, 41 * US, 2 * US,
		9704 * US },
	    .moments = { { LASTACK_EVENT_PEER_FIN, 28460 * US },
		{ LASTACK_EVENT_LOCAL_FIN, 28461 * US },
		{ LASTACK_EVENT_LAST_ACK, 38165 * US } },
	    .attempts = { OKAY("2001:db8:25::1", 9813 * US) },
	    .response = "554 no service here for 192.0.2.9, see "
			"mail.example.org\r\n" },
	{ .name = "resolve",
	    .host = "no.such.host.example",
	    .port = 443,
	    .send = "x",
	    .public = { .outcome = LASTACK_OUTCOME_RESOLVE,
		.error_phase = LASTACK_PHASE_RESOLVE,
		NO_CLOSE,
		NO_FASTOPEN },
	    .error_text = "Name or service not known",
	    .phase_ns = { 5012 * MS } },
	{ .name = "refused",
	    .host = "db.example.org",
	    .port = 5432,
	    .send = "x",
	    .public = { .outcome = LASTACK_OUTCOME_REFUSED,
		.error_phase = LASTACK_PHASE_CONNECT,
		.error_errno = ECONNREFUSED,
		NO_CLOSE,
		NO_FASTOPEN },
	    .error_text = "Connection refused",
	    .phase_ns = { 734 * US, 9902 * US },
	    .attempts = { FAILED("2001:db8:1::32", UNREACHABLE, ENETUNREACH,
			      8 * US),
		FAILED("192.0.2.32", REFUSED, ECONNREFUSED, 9894 * US) } },
	{ .name = "unreachable",
	    .host = "192.0.2.99",
	    .port = 80,
	    .public = { .outcome = LASTACK_OUTCOME_UNREACHABLE,
		.error_phase = LASTACK_PHASE_CONNECT,
		.error_errno = EHOSTUNREACH,
		NO_CLOSE,
		NO_FASTOPEN },
	    .error_text = "No route to host",
	    .phase_ns = { [LASTACK_PHASE_CONNECT] = 3071 * MS },
	    .attempts = { FAILED(
		"192.0.2.99", UNREACHABLE, EHOSTUNREACH, 3071 * MS) } },
	{ .name = "connect-timeout",
	    .host = "192.0.2.99",
	    .port = 80,
	    .send = "x",
	    .public = { .outcome = LASTACK_OUTCOME_CONNECT_TIMEOUT,
		.error_phase = LASTACK_PHASE_CONNECT,
		.error_errno = ETIMEDOUT,
		.syn_retransmits = 3,
		NO_CLOSE,
		NO_FASTOPEN },
	    .error_text = "Connection timed out",
	    .phase_ns = { [LASTACK_PHASE_CONNECT] = 10 * S },
	    .attempts = { FAILED(
		"192.0.2.99", CONNECT_TIMEOUT, ETIMEDOUT, 10 * S) } },
	{ .name = "reset",
	    .host = "192.0.2.7",
	    .port = 80,
	    .send = "GET / HTTP/1.0\\r\\n\\r\\n",
	    .public = { .outcome = LASTACK_OUTCOME_RESET,
		.error_phase = LASTACK_PHASE_RECEIVE,
		.error_errno = ECONNRESET,
		.sent_bytes = 18,
		.received_bytes = 65536,
		KERNEL,
		.close_peer = LASTACK_END_RST,
		.close_local = LASTACK_END_NONE,
		.close_first = LASTACK_SIDE_PEER,
		.close_clean = LASTACK_NO,
		.close_last_ack = LASTACK_NO,
		.close_time_wait = LASTACK_NO,
		NO_FASTOPEN },
	    .remote = "192.0.2.7",
	    .error_text = "Connection reset by peer",
	    .phase_ns = { 0, 311 * US, 21 * US, 884 * US, 1204 * US, 1 * US,
		4 * US },
	    .moments = { { LASTACK_EVENT_PEER_RST, 2420 * US } },
	    .attempts = { OKAY("192.0.2.7", 311 * US) } },
	{ .name = "response-timeout",
	    .host = "192.0.2.7",
	    .port = 80,
	    .send = "GET / HTTP/1.0\\r\\n",
	    .expects = { "200" },
	    .public = { .outcome = LASTACK_OUTCOME_RESPONSE_TIMEOUT,
		.error_phase = LASTACK_PHASE_WAIT,
		.error_errno = ETIMEDOUT,
		.match_which = -1,
		.sent_bytes = 16,
		KERNEL,
		WE_RESET,
		NO_FASTOPEN },
	    .remote = "192.0.2.7",
	    .error_text = "Connection timed out",
	    .phase_ns = { 0, 311 * US, 21 * US, 9999668 * US, 0, 3 * US,
		41 * US },
	    .moments = { { LASTACK_EVENT_LOCAL_RST, 10000020 * US } },
	    .attempts = { OKAY("192.0.2.7", 311 * US) } },
	{ .name = "closed-early",
	    .host = "192.0.2.7",
	    .port = 5432,
	    .send = "x",
	    .public = { .outcome = LASTACK_OUTCOME_CLOSED_EARLY,
		.error_phase = LASTACK_PHASE_WAIT,
		.sent_bytes = 1,
		KERNEL,
		PEER_FIRST,
		NO_FASTOPEN },
	    .remote = "192.0.2.7",
	    .phase_ns = { 0, 311 * US, 21 * US, 884 * US, 0, 1 * US, 303 * US },
	    .moments = { { LASTACK_EVENT_PEER_FIN, 1216 * US },
		{ LASTACK_EVENT_LOCAL_FIN, 1217 * US },
		{ LASTACK_EVENT_LAST_ACK, 1520 * US } },
	    .attempts = { OKAY("192.0.2.7", 311 * US) } },
	{ .name = "close-mismatch",
	    .host = "192.0.2.7",
	    .port = 80,
	    .send = "x",
	    .expects = { "200" },
	    .expect_close = LASTACK_END_FIN,
	    .public = { .outcome = LASTACK_OUTCOME_CLOSE_MISMATCH,
		.error_phase = LASTACK_PHASE_CLOSE,
		.match = LASTACK_MATCH_YES,
		.sent_bytes = 1,
		.received_bytes = 149,
		.drained_bytes = 1071,
		KERNEL,
		WE_RESET,
		NO_FASTOPEN },
	    .remote = "192.0.2.7",
	    .phase_ns = { 0, 311 * US, 21 * US, 884 * US, 40 * US, 100012 * US,
		41 * US },
	    .moments = { { LASTACK_EVENT_LOCAL_RST, 101300 * US } },
	    .attempts = { OKAY("192.0.2.7", 311 * US) } },
	{ .name = "fastopen-required",
	    .host = "192.0.2.7",
	    .port = 53,
	    .send = "x",
	    .public = { .outcome = LASTACK_OUTCOME_FASTOPEN,
		.error_phase = LASTACK_PHASE_CONNECT,
		.sent_bytes = 2860,
		.received_bytes = 31,
		KERNEL,
		PEER_FIRST,
		.fastopen = LASTACK_FASTOPEN_REQUIRE,
		.fastopen_status = LASTACK_FASTOPEN_REFUSED,
		.fastopen_cookie = LASTACK_YES,
		.in_syn_bytes = 1420,
		.retransmits = 1 },
	    .remote = "192.0.2.7",
	    .phase_ns = { 0, 311 * US, 4 * US, 884 * US, 12 * US, 1 * US,
		303 * US },
	    .moments = { { LASTACK_EVENT_PEER_FIN, 1216 * US },
		{ LASTACK_EVENT_LOCAL_FIN, 1217 * US },
		{ LASTACK_EVENT_LAST_ACK, 1515 * US } },
	    .attempts = { OKAY("192.0.2.7", 311 * US) } },
	{ .name = "fastopen-accepted",
	    .host = "ns.example.org",
	    .port = 53,
	    .send = "x",
	    .public = { .outcome = LASTACK_OUTCOME_OK,
		.sent_bytes = 29,
		.received_bytes = 31,
		KERNEL,
		PEER_FIRST,
		.fastopen = LASTACK_FASTOPEN_TRY,
		.fastopen_status = LASTACK_FASTOPEN_ACCEPTED,
		.fastopen_cookie = LASTACK_YES,
		.in_syn_bytes = 29 },
	    .remote = "192.0.2.53",
	    .phase_ns = { 97 * US, 9813 * US, 4 * US, 88 * US, 12 * US, 1 * US,
		9704 * US },
	    .moments = { { LASTACK_EVENT_PEER_FIN, 10015 * US },
		{ LASTACK_EVENT_LOCAL_FIN, 10016 * US },
		{ LASTACK_EVENT_LAST_ACK, 19719 * US } },
	    .attempts = { OKAY("192.0.2.53", 9813 * US) } },
	/* Its SYN/ACK was lost: nothing saved. */
	{ .name = "fastopen-accepted-late",
	    .host = "192.0.2.53",
	    .port = 53,
	    .send = "x",
	    .public = { .outcome = LASTACK_OUTCOME_OK,
		.sent_bytes = 29,
		.received_bytes = 31,
		KERNEL,
		PEER_FIRST,
		.fastopen = LASTACK_FASTOPEN_TRY,
		.fastopen_status = LASTACK_FASTOPEN_ACCEPTED,
		.fastopen_cookie = LASTACK_YES,
		.in_syn_bytes = 29,
		.retransmits = 1,
		.syn_retransmits = 1,
		.handshake_ns = 1023 * MS,
		.handshake_method = LASTACK_METHOD_CLOCK },
	    .remote = "192.0.2.53",
	    .phase_ns = { 0, 1023 * MS, 4 * US, 88 * US, 12 * US, 1 * US,
		9704 * US },
	    .moments = { { LASTACK_EVENT_PEER_FIN, 1023100 * US },
		{ LASTACK_EVENT_LOCAL_FIN, 1023102 * US },
		{ LASTACK_EVENT_LAST_ACK, 1032805 * US } },
	    .attempts = { OKAY("192.0.2.53", 1023 * MS) } },
	{ .name = "system",
	    .host = "192.0.2.7",
	    .port = 80,
	    .send = "x",
	    .public = { .outcome = LASTACK_OUTCOME_SYSTEM,
		.error_phase = LASTACK_PHASE_RECEIVE,
		.error_errno = ENOSPC,
		.sent_bytes = 1,
		.received_bytes = 1048576,
		KERNEL,
		WE_RESET,
		NO_FASTOPEN },
	    .remote = "192.0.2.7",
	    .error_text = "No space left on device",
	    .phase_ns = { 0, 311 * US, 21 * US, 884 * US, 1204 * US,
		100001 * US, 41 * US },
	    .moments = { { LASTACK_EVENT_LOCAL_RST, 102440 * US } },
	    .attempts = { OKAY("192.0.2.7", 311 * US) } },
	{ .name = "interrupted",
	    .host = "192.0.2.7",
	    .port = 80,
	    .send = "x",
	    .public = { .outcome = LASTACK_OUTCOME_INTERRUPTED,
		.error_phase = LASTACK_PHASE_WAIT,
		.interrupted_by = 2,
		.sent_bytes = 1,
		KERNEL,
		WE_RESET,
		NO_FASTOPEN },
	    .remote = "192.0.2.7",
	    .phase_ns = { 0, 311 * US, 21 * US, 1840 * MS, 0, 2 * US, 41 * US },
	    .moments = { { LASTACK_EVENT_LOCAL_RST, 1840360 * US } },
	    .attempts = { OKAY("192.0.2.7", 311 * US) } },
	/* The first way there is cut, and a SYN is lost on the second. */
	{ .name = "several-addresses",
	    .host = "www.a-name-that-is-rather-long.example.org",
	    .port = 8443,
	    .send = "x",
	    .verbose = 1,
	    .public = { .outcome = LASTACK_OUTCOME_OK,
		.sent_bytes = 4096,
		.received_bytes = UINT64_C(1234567890123),
		.kept_bytes = 3,
		KERNEL,
		.retransmits = 12,
		.syn_retransmits = 1,
		.handshake_ns = 1043 * MS,
		.close_peer = LASTACK_END_FIN,
		.close_local = LASTACK_END_FIN,
		.close_first = LASTACK_SIDE_LOCAL,
		.close_clean = LASTACK_YES,
		.close_last_ack = LASTACK_YES,
		.close_time_wait = LASTACK_YES,
		NO_FASTOPEN },
	    .half_close = true,
	    .remote = "192.0.2.8",
	    .phase_ns = { 31 * MS, 6043 * MS, 21 * US, 17 * MS, 95012 * MS,
		3 * US, 12 * MS },
	    .moments = { { LASTACK_EVENT_RESOLVED, 31 * MS },
		{ LASTACK_EVENT_CONNECTING, 31 * MS + 40 * US },
		{ LASTACK_EVENT_CONNECTED, 6074 * MS },
		{ LASTACK_EVENT_SENT, 6074 * MS + 21 * US },
		{ LASTACK_EVENT_LOCAL_FIN, 6074 * MS + 28 * US },
		{ LASTACK_EVENT_FIRST_BYTE, 6091 * MS },
		{ LASTACK_EVENT_LAST_ACK, 6092 * MS },
		{ LASTACK_EVENT_LAST_BYTE, 101103 * MS },
		{ LASTACK_EVENT_PEER_FIN, 101103 * MS + 11 * US } },
	    .attempts = { FAILED("2001:db8:1234:5678:9abc:def0:1234:5678",
			      CONNECT_TIMEOUT, ETIMEDOUT, 5 * S),
		FAILED("2001:db8::7", UNREACHABLE, ENETUNREACH, 8 * US),
		OKAY("192.0.2.8", 1043 * MS) },
	    .response = "abc" },
	{ .name = "hostile",
	    .host = "192.0.2.66",
	    .port = 80,
	    .send = "x",
	    .expects = { "wel\x1b[31mcome", "" },
	    .verbose = 1,
	    .public = { .outcome = LASTACK_OUTCOME_MISMATCH,
		.error_phase = LASTACK_PHASE_RECEIVE,
		.match = LASTACK_MATCH_NO,
		.match_which = 0,
		.sent_bytes = 1,
		.received_bytes = 70000,
		.kept_bytes = 1, /* as many as there are */
		.handshake_ns = 287 * US,
		.handshake_method = LASTACK_METHOD_KERNEL_RTT,
		.first_byte_ns = 879400,
		.first_byte_method = LASTACK_METHOD_STAMP,
		KERNEL,
		WE_RESET,
		NO_FASTOPEN },
	    .remote = "192.0.2.66",
	    .phase_ns = { 0, 311 * US, 21 * US, 884 * US, 1204 * US,
		100001 * US, 41 * US },
	    .moments = { { LASTACK_EVENT_CONNECTING, 3 * US },
		{ LASTACK_EVENT_CONNECTED, 311 * US },
		{ LASTACK_EVENT_SENT, 332 * US },
		{ LASTACK_EVENT_FIRST_BYTE, 1216 * US },
		{ LASTACK_EVENT_LAST_BYTE, 2411 * US },
		{ LASTACK_EVENT_LOCAL_RST, 102430 * US } },
	    .attempts = { OKAY("192.0.2.66", 311 * US) },
#define HOSTILE                                                                \
	"\x1b]0;title\x07\x1b[2J\x1b[31mred\r\n"                               \
	"nul \0 bell \a tab \t del \x7f back\\slash\n"                         \
	"C1 \xc2\x9b"                                                          \
	"31m raw \x9b"                                                         \
	"31m\n"                                                                \
	"bad \xff\xfe \xc3( \xed\xa0\x80 \xf4\x90\x80\x80\n"                   \
	"over \xe2\x80\xae"                                                    \
	"gnp.exe line \xe2\x80\xa8 mark \xef\xbb\xbf\n"                        \
	"gr\xc3\xbc\xc3\x9f dich, \xe2\x82\xac 5\n"                            \
	"\n"                                                                   \
	"a line that is a good deal longer than the screen is wide, and "      \
	"that goes on and on, past the eighty columns of a terminal, past "    \
	"a hundred and twenty, until it ends\rmiddle\n"                        \
	"cut \xe2\x82"
	    .response = HOSTILE,
	    .response_bytes = sizeof(HOSTILE) - 1 },
	{ .name = "jail",
	    .host = "192.0.2.66",
	    .port = 80,
	    .send = "x",
	    .expects = { "welcome" },
	    .verbose = 1,
	    .jail = true,
	    .public = { .outcome = LASTACK_OUTCOME_MISMATCH,
		.error_phase = LASTACK_PHASE_RECEIVE,
		.match = LASTACK_MATCH_NO,
		.match_which = -1,
		.sent_bytes = 1,
		.received_bytes = 6,
		.kept_bytes = 6,
		KERNEL,
		PEER_FIRST,
		NO_FASTOPEN },
	    .remote = "192.0.2.66",
	    .phase_ns = { 0, 311 * US, 21 * US, 884 * US, 4 * US, 1 * US,
		303 * US },
	    .moments = { { LASTACK_EVENT_PEER_FIN, 1216 * US },
		{ LASTACK_EVENT_LOCAL_FIN, 1221 * US },
		{ LASTACK_EVENT_LAST_ACK, 1520 * US } },
	    .attempts = { OKAY("192.0.2.66", 311 * US) },
	    .response = "secret" },
};

#define PICTURES (sizeof(pictures) / sizeof(pictures[0]))

/* ---- a picture made into what the report takes */

struct model {
	struct options options;
	struct lastack__result result;
	struct lastack__attempt attempts[13];
	struct turn turn;
	struct piece piece;
	struct expectation expectations[2];
};

static void
model_options(struct model *model, const struct picture *picture)
{
	struct options *o = &model->options;

	*o = (struct options){ .port = picture->port,
		.talk = { &model->turn, 1 },
		.close = picture->close,
		.expect_close = picture->expect_close,
		.verbose = picture->verbose,
		.half_close = picture->half_close,
		.jail = picture->jail };
	snprintf(o->host, sizeof(o->host), "%s", picture->host);
	model->piece = (struct piece){ PIECE_STRING, picture->send };
	model->turn = (struct turn){ .pieces = &model->piece,
		.piece_count = picture->send != NULL,
		.expectations = model->expectations };
	for (size_t i = 0; i < 2 && picture->expects[i] != NULL; i++) {
		model->expectations[i] = (struct expectation){
			EXPECTATION_STRING, picture->expects[i]
		};
		model->turn.expectation_count++;
	}
}

static void
model_times(struct lastack__result *result, const struct picture *picture)
{
	int64_t total_ns = 0;

	for (int i = 0; i < LASTACK_PHASE_TOTAL; i++) {
		if (picture->phase_ns[i] == 0)
			continue;
		result->phase_ns[i] = picture->phase_ns[i];
		total_ns += picture->phase_ns[i];
	}
	result->phase_ns[LASTACK_PHASE_TOTAL] = total_ns;
	result->event_ns[LASTACK_EVENT_START] = 0;
	result->event_ns[LASTACK_EVENT_END] = total_ns;
	for (const struct moment *moment = picture->moments;
	     moment->event != LASTACK_EVENT_START; moment++)
		result->event_ns[moment->event] = moment->at_ns;
}

static void
model_make(struct model *model, const struct picture *picture)
{
	struct lastack__result *result = &model->result;

	*model = (struct model){ 0 };
	model_options(model, picture);
	lastack__result_init(result);
	result->public = picture->public;
	result->public.size = sizeof(result->public);
	if (picture->remote != NULL)
		snprintf(result->remote, sizeof(result->remote), "%s",
		    picture->remote);
	if (picture->error_text != NULL)
		lastack__result_text(result, picture->error_text);
	model_times(result, picture);
	for (size_t i = 0; picture->attempts[i].address != NULL; i++) {
		model->attempts[i].record = picture->attempts[i];
		result->attempt_count++;
	}
	result->attempts = model->attempts;
	result->response = picture->response;
	if (picture->response != NULL)
		result->public.kept_bytes = picture->response_bytes > 0 ?
		    picture->response_bytes :
		    strlen(picture->response);
}

static void
draw(struct text *text, const struct picture *picture,
    const struct screen *screen)
{
	static struct model model;

	model_make(&model, picture);
	report_text(text, &model.options, &model.result.public, screen);
	ck_assert(!text->failed);
}

/* ---- the golden files */

static const struct screen screens[] = { { 60, true, false },
	{ 80, true, false }, { 120, true, false }, { 80, false, false },
	{ 80, true, true }, { 60, false, true } };
static const struct screen extremes[] = { { 40, true, false },
	{ 200, true, false }, { 40, false, false } };

/* A file for a person: what steers a terminal is made visible. */
static void
add_drawing(struct text *page, const struct picture *picture,
    const struct screen *screen)
{
	struct text text = TEXT_INIT;

	text_printf(page, "==== %u columns, %s%s\n", screen->width,
	    screen->utf8 ? "UTF-8" : "ASCII", screen->color ? ", color" : "");
	draw(&text, picture, screen);
	for (size_t i = 0; i < text.len; i++)
		if (text.bytes[i] == '\033')
			text_puts(page, "^[");
		else
			text_add(page, &text.bytes[i], 1);
	text_free(&text);
}

static void
golden_path(char *path, size_t room, const struct picture *picture)
{
	const char *source = getenv("SRCDIR");

	snprintf(path, room, "%s/tests/golden/%s.txt",
	    source != NULL ? source : ".", picture->name);
}

static void
golden_write(const char *path, const struct text *page)
{
	FILE *file = fopen(path, "w");

	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	ck_assert_uint_eq(fwrite(page->bytes, 1, page->len, file), page->len);
	ck_assert_int_eq(fclose(file), 0);
}

static void
golden_read(const char *path, struct text *page)
{
	FILE *file = fopen(path, "r");
	char bytes[4096];
	size_t n;

	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		text_add(page, bytes, n);
	fclose(file);
}

START_TEST(as_ever)
{
	const struct picture *picture = &pictures[_i];
	const char *update = getenv("LASTACK_GOLDEN_UPDATE");
	struct text page = TEXT_INIT, golden = TEXT_INIT;
	char path[1024];

	for (size_t i = 0; i < sizeof(screens) / sizeof(screens[0]); i++)
		add_drawing(&page, picture, &screens[i]);
	for (size_t i = 0;
	     i < sizeof(extremes) / sizeof(extremes[0]) && _i == 0; i++)
		add_drawing(&page, picture, &extremes[i]);
	golden_path(path, sizeof(path), picture);
	if (update != NULL && *update != '\0')
		golden_write(path, &page);
	golden_read(path, &golden);
	if (strcmp(text_string(&page), text_string(&golden)) != 0) {
		/* Longer than a message of check may be. */
		fputs(text_string(&page), stderr);
		ck_abort_msg("%s is not what is drawn now", path);
	}
	text_free(&page);
	text_free(&golden);
}
END_TEST

/* ---- what holds at every width */

/* One line of a drawing, its colors taken out, a code point a column. */
struct line {
	unsigned int columns[LINE_MOST];
	size_t count;
};

static size_t
color_len(const char *bytes, size_t len)
{
	size_t i = 2;

	if (len < 3 || bytes[0] != '\033' || bytes[1] != '[')
		return 0;
	while (i < len &&
	    (bytes[i] == ';' || (bytes[i] >= '0' && bytes[i] <= '9')))
		i++;
	return i < len && bytes[i] == 'm' ? i + 1 : 0;
}

/*
 * Takes a line; what no report may hold fails the test. No ck_assert() for each
 * character: it tells the suite of every one that holds.
 */
static size_t
take_line(struct line *line, const char *bytes, size_t len,
    const struct screen *screen)
{
	size_t at = 0;

	line->count = 0;
	while (at < len && bytes[at] != '\n') {
		size_t n = color_len(bytes + at, len - at);
		unsigned int code = 0;

		if (n > 0 && screen->color) {
			at += n;
			continue;
		}
		n = escape_sequence(
		    (const unsigned char *)bytes + at, len - at, &code);
		if (n == 0)
			ck_abort_msg("not UTF-8: %s", bytes + at);
		if (code < 0x20 || (code >= 0x7f && code <= 0x9f))
			ck_abort_msg("a control: U+%04X", code);
		if (!screen->utf8 && code >= 0x80)
			ck_abort_msg("not ASCII: U+%04X", code);
		if (line->count == LINE_MOST)
			ck_abort_msg("a line without an end");
		line->columns[line->count++] = code;
		at += n;
	}
	if (at == len)
		ck_abort_msg("the last line has no end");
	return at + 1;
}

static bool
line_begins(const struct line *line, const char *with)
{
	for (size_t i = 0; with[i] != '\0'; i++)
		if (i >= line->count ||
		    line->columns[i] != (unsigned char)with[i])
			return false;
	return true;
}

/* What was sent to us is shown line by line, as it was. */
static bool
is_quoted(const struct line *line)
{
	return line_begins(line, "  | ");
}

/* A word that no line can hold stands out, and none is torn apart. */
static bool
has_long_word(const struct line *line, size_t room)
{
	size_t len = 0;

	for (size_t i = 0; i < line->count && len <= room; i++)
		len = line->columns[i] == ' ' ? 0 : len + 1;
	return len > room;
}

static void
check_fit(
    const char *name, const struct text *text, const struct screen *screen)
{
	static struct line line;

	for (size_t at = 0; at < text->len;) {
		const char *start = text->bytes + at;
		size_t len = take_line(&line, start, text->len - at, screen);

		at += len;
		if (is_quoted(&line))
			continue;
		if (line.count > screen->width &&
		    !has_long_word(&line, screen->width - NAME_COLUMNS))
			ck_abort_msg("%s: %zu columns of %u: %.*s", name,
			    line.count, screen->width, (int)len, start);
		if (line.count > 0 && line.columns[line.count - 1] == ' ')
			ck_abort_msg("%s: a space at the end: %.*s", name,
			    (int)len, start);
	}
}

static void
for_each_screen(const struct picture *picture,
    void (*check)(
	const char *name, const struct text *text, const struct screen *screen))
{
	for (unsigned int width = WIDTH_LEAST; width <= WIDTH_MOST; width++) {
		for (int i = 0; i < 4; i++) {
			struct screen screen = { width, i & 1, i & 2 };
			struct text text = TEXT_INIT;

			draw(&text, picture, &screen);
			check(picture->name, &text, &screen);
			text_free(&text);
		}
	}
}

START_TEST(fits_the_screen)
{
	for_each_screen(&pictures[_i], check_fit);
}
END_TEST

/* ---- the staircase */

/* A bar's columns within its row: [begin, end), and where its time ends. */
struct stair {
	size_t begin, end, time_end;
	unsigned int last; /* its last column's character */
};

static bool
is_bar(unsigned int code)
{
	return code == '#' || code == '|' || (code >= 0x2588 && code <= 0x2595);
}

static void
read_stair(const struct line *line, struct stair *stair)
{
	size_t i = NAME_COLUMNS;

	while (i < line->count && line->columns[i] == ' ')
		i++;
	stair->begin = i;
	while (i < line->count && is_bar(line->columns[i]))
		i++;
	stair->end = i;
	stair->last = line->columns[i - 1];
	while (i < line->count && line->columns[i] == ' ')
		i++;
	while (i < line->count && line->columns[i] != ' ') /* the number */
		i++;
	i++;
	while (i < line->count && line->columns[i] != ' ') /* the unit */
		i++;
	stair->time_end = i;
}

/* The rows of a drawing, in their order; returns how many. */
static size_t
read_stairs(const struct text *text, const struct screen *screen,
    struct stair stairs[LASTACK_PHASE_TOTAL], struct stair *total)
{
	static struct line line;
	size_t count = 0;

	for (size_t at = 0; at < text->len;) {
		at +=
		    take_line(&line, text->bytes + at, text->len - at, screen);
		if (line_begins(&line, "  total    ")) {
			read_stair(&line, total);
			return count;
		}
		for (unsigned int i = 0; i < LASTACK_PHASE_TOTAL; i++) {
			char name[16];

			snprintf(name, sizeof(name), "  %-9s",
			    lastack_phase_name(i));
			if (!line_begins(&line, name) ||
			    line_begins(&line, "  never"))
				continue;
			if (line.count > NAME_COLUMNS &&
			    line.columns[NAME_COLUMNS] == 'n')
				continue; /* never reached */
			ck_assert_uint_lt(count, LASTACK_PHASE_TOTAL);
			read_stair(&line, &stairs[count++]);
		}
	}
	ck_abort_msg("no total");
}

static void
check_stairs(
    const char *name, const struct text *text, const struct screen *screen)
{
	struct stair stairs[LASTACK_PHASE_TOTAL] = { 0 }, total = { 0 };
	size_t count = read_stairs(text, screen, stairs, &total);
	size_t edge = NAME_COLUMNS;

	ck_assert_uint_gt(count, 0);
	for (size_t i = 0; i < count; i++) {
		const struct stair *stair = &stairs[i];

		if (stair->begin >= stair->end)
			ck_abort_msg("%s: no bar:\n%s", name, text->bytes);
		/* In the column that the last one ended in, or the next. */
		if (stair->begin != edge && stair->begin + 1 != edge)
			ck_abort_msg("%s: a step that hangs in the air, in "
				     "column %zu:\n%s",
			    name, stair->begin, text->bytes);
		if (stair->time_end != total.time_end)
			ck_abort_msg(
			    "%s: times not in line:\n%s", name, text->bytes);
		edge = stair->end;
	}
	/* " 311.2 us" */
	if (edge != total.time_end - 10)
		ck_abort_msg("%s: the last bar does not end at the edge:\n%s",
		    name, text->bytes);
}

START_TEST(staircase_has_no_gap)
{
	for_each_screen(&pictures[_i], check_stairs);
}
END_TEST

/* In eighths of a column, as far as the character tells. */
static size_t
eighths(unsigned int last)
{
	return last >= 0x2588 && last <= 0x258f ? 0x2590 - last : 8;
}

/* Each bar's end, on the scale of all, is where the sum of the times is. */
static void
check_scale(const struct picture *picture, const struct screen *screen)
{
	struct stair stairs[LASTACK_PHASE_TOTAL], total;
	struct text text = TEXT_INIT;
	int64_t total_ns = 0, sum_ns = 0;
	size_t row = 0, columns;

	draw(&text, picture, screen);
	read_stairs(&text, screen, stairs, &total);
	columns = total.time_end - 10 - NAME_COLUMNS;
	for (int i = 0; i < LASTACK_PHASE_TOTAL; i++)
		total_ns += picture->phase_ns[i];
	for (int i = 0; i < LASTACK_PHASE_TOTAL; i++) {
		size_t want, got, slack;

		if (picture->phase_ns[i] == 0)
			continue;
		sum_ns += picture->phase_ns[i];
		want = (size_t)((double)sum_ns * 8 * (double)columns /
		    (double)total_ns);
		got = (stairs[row].end - NAME_COLUMNS - 1) * 8 +
		    eighths(stairs[row].last);
		/* Within one column a bar has but an edge to show. */
		slack = screen->utf8 &&
			stairs[row].end > stairs[row].begin + 1 ?
		    2 :
		    8;
		if (got + slack < want || got > want + 8)
			ck_abort_msg("%s: row %zu ends at %zu, not at %zu "
				     "eighths:\n%s",
			    picture->name, row, got, want, text.bytes);
		row++;
	}
	text_free(&text);
}

START_TEST(staircase_is_to_scale)
{
	for (unsigned int width = WIDTH_LEAST; width <= WIDTH_MOST; width++) {
		check_scale(
		    &pictures[_i], &(struct screen){ width, true, false });
		check_scale(
		    &pictures[_i], &(struct screen){ width, false, false });
	}
}
END_TEST

/* splitmix64, by Sebastiano Vigna, in the public domain. */
static uint64_t
next(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Whatever the proportions, from nanoseconds to days. */
START_TEST(any_staircase)
{
	struct picture picture = pictures[0];
	uint64_t state = 1;

	for (int run = 0; run < 3000; run++) {
		struct screen screen = { WIDTH_LEAST +
			    (unsigned int)(next(&state) %
				(WIDTH_MOST - WIDTH_LEAST + 1)),
			next(&state) & 1, false };
		struct text text = TEXT_INIT;

		for (int i = 0; i < LASTACK_PHASE_TOTAL; i++)
			picture.phase_ns[i] = (int64_t)(1 +
			    (next(&state) >> (15 + next(&state) % 49)));
		draw(&text, &picture, &screen);
		check_fit(picture.name, &text, &screen);
		check_stairs(picture.name, &text, &screen);
		text_free(&text);
		check_scale(&picture, &screen);
	}
}
END_TEST

/* A run that was over within the clock's own grain. */
START_TEST(no_time_at_all)
{
	struct picture picture = pictures[0];
	struct screen screen = { 80, true, false };
	struct text text = TEXT_INIT;
	struct model model;

	model_make(&model, &picture);
	for (int i = 0; i <= LASTACK_PHASE_TOTAL; i++)
		model.result.phase_ns[i] = 0;
	report_text(&text, &model.options, &model.result.public, &screen);
	check_fit("nothing", &text, &screen);
	text_free(&text);
}
END_TEST

/* ---- arrows */

static unsigned int
occurrences(const char *string, const char *of)
{
	unsigned int count = 0;

	for (; (string = strstr(string, of)) != NULL; string += strlen(of))
		count++;
	return count;
}

/* An arrow stands for a segment that was proven: as many as there were. */
START_TEST(arrows_are_proven)
{
	const struct picture *picture = &pictures[_i];
	struct screen screen = { 120, true, false };
	struct text text = TEXT_INIT;
	unsigned int ours = 0, theirs = 0;

	draw(&text, picture, &screen);
	ours += picture->remote != NULL;
	theirs += picture->remote != NULL;
	ours += picture->public.outcome == LASTACK_OUTCOME_REFUSED;
	theirs += picture->public.outcome == LASTACK_OUTCOME_REFUSED;
	for (const struct moment *moment = picture->moments;
	     moment->event != LASTACK_EVENT_START; moment++) {
		ours += moment->event == LASTACK_EVENT_LOCAL_FIN ||
		    moment->event == LASTACK_EVENT_LOCAL_RST;
		theirs += moment->event == LASTACK_EVENT_PEER_FIN ||
		    moment->event == LASTACK_EVENT_PEER_RST ||
		    moment->event == LASTACK_EVENT_LAST_ACK;
	}
	ck_assert_uint_eq(occurrences(text.bytes, "→"), ours);
	ck_assert_uint_eq(occurrences(text.bytes, "←"), theirs);
	text_free(&text);
}
END_TEST

/* ---- hints */

struct advice {
	const char *holds; /* "": none */
	struct lastack_result public;
	int64_t resolve_ns, connect_ns, total_ns, last_byte_ns;
	bool connected;
};

#define OUTCOME(what) .outcome = LASTACK_OUTCOME_##what
#define IN(what) .error_phase = LASTACK_PHASE_##what

static const struct advice advices[] = {
	{ "", { OUTCOME(OK) }, 1 * MS, 2 * MS, 9 * MS, 5 * MS, true },
	/* So does the silence that ended a response, of a peer still there. */
	{ "nothing came for 1.00 s after the last byte, and the peer never "
	  "closed",
	    { OUTCOME(OK), .close_peer = LASTACK_END_OPEN }, 0, 2 * MS,
	    1200 * MS, 200 * MS, true },
	{ "", { OUTCOME(OK), .close_peer = LASTACK_END_FIN }, 0, 2 * MS,
	    1200 * MS, 200 * MS, true },
	{ "", { OUTCOME(OK), .close_peer = LASTACK_END_OPEN }, 0, 2 * MS,
	    200 * MS, 1 * MS, true },
	{ "", { OUTCOME(OK), .close_peer = LASTACK_END_OPEN }, 0, 2 * MS,
	    2200 * MS, 1200 * MS, true },
	/* A name's time counts when it is long and most of it all. */
	{ "", { OUTCOME(OK) }, 199 * MS, 2 * MS, 202 * MS, 0, true },
	{ "", { OUTCOME(OK) }, 400 * MS, 2 * MS, 900 * MS, 0, true },
	{ "look at the name servers", { OUTCOME(OK) }, 400 * MS, 2 * MS,
	    700 * MS, 0, true },
	{ "look at the name servers", { OUTCOME(RESOLVE) }, 5 * S, 0, 5 * S, 0,
	    false },
	{ "", { OUTCOME(RESOLVE) }, 30 * MS, 0, 30 * MS, 0, false },
	{ "that is why the handshake took 1.01 s",
	    { OUTCOME(OK), .syn_retransmits = 1, .handshake_ns = 1010 * MS },
	    1 * MS, 1010 * MS, 2 * S, 0, true },
	{ "that is why the handshake took 1.01 s",
	    { OUTCOME(MISMATCH), .syn_retransmits = 1,
		.handshake_ns = 1010 * MS },
	    1 * MS, 1010 * MS, 2 * S, 0, true },
	/* Behind an address that failed, the phase is longer than that. */
	{ "that is why the handshake took 1.01 s",
	    { OUTCOME(OK), .syn_retransmits = 1, .handshake_ns = 1010 * MS },
	    1 * MS, 6010 * MS, 7 * S, 0, true },
	/* Retransmissions of other segments are no lost SYN. */
	{ "", { OUTCOME(OK), .retransmits = 3 }, 1 * MS, 2 * MS, 2 * S, 0,
	    true },
	{ "", { OUTCOME(MISMATCH) }, 1 * MS, 2 * MS, 9 * MS, 5 * MS, true },
	{ "nothing listens on that port", { OUTCOME(REFUSED), IN(CONNECT) }, 0,
	    2 * MS, 2 * MS, 0, false },
	{ "1 SYN without an answer", { OUTCOME(CONNECT_TIMEOUT), IN(CONNECT) },
	    0, 200 * MS, 200 * MS, 0, false },
	{ "4 SYNs without an answer",
	    { OUTCOME(CONNECT_TIMEOUT), IN(CONNECT), .syn_retransmits = 3 }, 0,
	    10 * S, 10 * S, 0, false },
	{ "", { OUTCOME(UNREACHABLE), IN(CONNECT) }, 0, 2 * MS, 2 * MS, 0,
	    false },
	/* As where no one answers ARP: there was no handshake to be slow. */
	{ "", { OUTCOME(UNREACHABLE), IN(CONNECT), .syn_retransmits = 1 }, 0,
	    3 * S, 3 * S, 0, false },
	{ "", { OUTCOME(INTERRUPTED), IN(CONNECT), .syn_retransmits = 1 }, 0,
	    3 * S, 3 * S, 0, false },
	{ "", { OUTCOME(INTERRUPTED), IN(WAIT) }, 0, 2 * MS, 3 * S, 0, true },
	{ "", { OUTCOME(SYSTEM), IN(RECEIVE) }, 0, 2 * MS, 3 * S, 0, true },
	{ "its window is closed", { OUTCOME(RESPONSE_TIMEOUT), IN(SEND) }, 0,
	    2 * MS, 10 * S, 0, true },
	{ "connected, then silence", { OUTCOME(RESPONSE_TIMEOUT), IN(WAIT) }, 0,
	    2 * MS, 10 * S, 0, true },
	{ "nothing came in the last 7.50 s",
	    { OUTCOME(RESPONSE_TIMEOUT), IN(RECEIVE) }, 0, 2 * MS, 10 * S,
	    2500 * MS, true },
	{ "the response broke off",
	    { OUTCOME(RESET), IN(RECEIVE), .received_bytes = 1 }, 0, 2 * MS,
	    3 * MS, 0, true },
	{ "accepted, then reset", { OUTCOME(RESET), IN(WAIT) }, 0, 2 * MS,
	    3 * MS, 0, true },
	{ "closed without a word", { OUTCOME(CLOSED_EARLY), IN(WAIT) }, 0,
	    2 * MS, 3 * MS, 0, true },
	{ "longer --drain",
	    { OUTCOME(CLOSE_MISMATCH), IN(CLOSE),
		.close_peer = LASTACK_END_OPEN },
	    0, 2 * MS, 3 * MS, 0, true },
	{ "",
	    { OUTCOME(CLOSE_MISMATCH), IN(CLOSE),
		.close_peer = LASTACK_END_RST },
	    0, 2 * MS, 3 * MS, 0, true },
	{ "", { OUTCOME(FASTOPEN), IN(CONNECT) }, 0, 2 * MS, 3 * MS, 0, true },
};

#define ADVICES (sizeof(advices) / sizeof(advices[0]))

START_TEST(advice)
{
	const struct advice *row = &advices[_i];
	struct lastack__result result;
	struct text text = TEXT_INIT;

	lastack__result_init(&result);
	result.public = row->public;
	result.phase_ns[LASTACK_PHASE_RESOLVE] =
	    row->resolve_ns ? row->resolve_ns : -1;
	result.phase_ns[LASTACK_PHASE_CONNECT] =
	    row->connect_ns ? row->connect_ns : -1;
	result.phase_ns[LASTACK_PHASE_TOTAL] = row->total_ns;
	result.event_ns[LASTACK_EVENT_LAST_BYTE] =
	    row->last_byte_ns ? row->last_byte_ns : -1;
	result.event_ns[LASTACK_EVENT_END] = row->total_ns;
	if (row->connected)
		snprintf(result.remote, sizeof(result.remote), "192.0.2.1");
	hint_add(&text, &result.public);
	if (*row->holds == '\0')
		ck_assert_str_eq(text_string(&text), "");
	else
		ck_assert_msg(strstr(text_string(&text), row->holds) != NULL,
		    "row %d: no \"%s\" in \"%s\"", _i, row->holds,
		    text_string(&text));
	text_free(&text);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("text report");

	tcase_add_loop_test(tests, as_ever, 0, PICTURES);
	tcase_add_loop_test(tests, fits_the_screen, 0, PICTURES);
	tcase_add_loop_test(tests, staircase_has_no_gap, 0, PICTURES);
	tcase_add_loop_test(tests, staircase_is_to_scale, 0, PICTURES);
	tcase_add_test(tests, any_staircase);
	tcase_add_test(tests, no_time_at_all);
	tcase_add_loop_test(tests, arrows_are_proven, 0, PICTURES);
	tcase_add_loop_test(tests, advice, 0, ADVICES);
	return suite_run(tests, "text report");
}
