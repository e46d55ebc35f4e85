/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As a monitoring plugin says it: the line of check_tcp, "|", the figures; and
 * below it what that line has no word for.
 */
#include <config.h>

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "errname.h"
#include "escape.h"
#include "events.h"
#include "figure.h"
#include "perfdata.h"
#include "report.h"
#include "state.h"
#include "threshold.h"
#include "verdict.h"

#define RESPONSE_MAX 1024 /* bytes of a response in the line */

/*
 * Nothing but the one in front of the figures may be a "|", and nothing but the
 * end of a line a line feed, wherever the words came from.
 */
static void
put_clean(struct text *to, const struct text *words)
{
	const char *bytes = text_string(words);

	for (size_t i = 0; i < words->len; i++) {
		if (bytes[i] == '|')
			text_puts(to, "\\x7c");
		else if (bytes[i] == '\n')
			text_puts(to, " ");
		else
			text_add(to, &bytes[i], 1);
	}
}

/* As it came, a backslash too, but for what could steer or break the line. */
static void
put_bytes(struct text *to, const char *bytes, size_t len)
{
	while (len > 0) {
		const char *backslash = memchr(bytes, '\\', len);
		size_t plain = backslash ? (size_t)(backslash - bytes) : len;

		escape_line(to, bytes, plain, true);
		if (backslash == NULL)
			return;
		text_puts(to, "\\");
		bytes += plain + 1;
		len -= plain + 1;
	}
}

/* Without the white space at its end, and no more than fits a line. */
static size_t
shown_bytes(const struct lastack_result *result)
{
	const unsigned char *bytes = lastack_result_response(result);
	size_t len = (size_t)result->kept_bytes;

	if (len > RESPONSE_MAX)
		len = RESPONSE_MAX;
	while (len > 0 && bytes[len - 1] < 0x80 && isspace(bytes[len - 1]))
		len--;
	return len;
}

static bool
shows_response(const struct options *o, const struct lastack_result *result)
{
	/* One of a single byte is not shown by check_tcp either. */
	return !o->jail && talk_expectations(&o->talk) > 0 &&
	    shown_bytes(result) > 1;
}

/* ---- the first line */

static void
put_place(struct text *to, const struct options *o)
{
	if (o->path != NULL) {
		text_puts(to, "socket ");
		escape_word(to, o->path);
		return;
	}
	if (!o->host_hidden) {
		escape_word(to, o->host);
		text_puts(to, " ");
	}
	text_printf(to, "port %u", o->port);
}

static void
put_answered(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	int64_t ns = threshold_ns(o, result, SPAN_TIME);
	int64_t ms = (ns + 500000) / 1000000;

	text_printf(to, "%" PRId64 ".%03" PRId64 " second response time on ",
	    ms / 1000, ms % 1000);
	put_place(to, o);
	if (!shows_response(o, result))
		return;
	text_puts(to, " [");
	put_bytes(to, lastack_result_response(result), shown_bytes(result));
	text_puts(to, "]");
}

static void
put_unexpected(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	text_puts(to, "Unexpected response from host/socket");
	if (shows_response(o, result)) {
		text_puts(to, ": ");
		put_bytes(
		    to, lastack_result_response(result), shown_bytes(result));
	} else {
		text_puts(to, " on ");
		put_place(to, o);
	}
}

static void
put_no_connect(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	if (o->path != NULL) {
		text_puts(to, "connect to file socket ");
		escape_word(to, o->path);
	} else {
		text_puts(to, "connect to address ");
		escape_word(to, o->host);
		text_printf(to, " and port %u", o->port);
	}
	text_printf(to, ": %s", lastack_result_error_text(result));
}

static void
put_timeout(struct text *to, const struct options *o)
{
	int64_t ms = o->timeout_ns / 1000000;

	text_printf(to, "%s - Socket timeout after %" PRId64,
	    state_name(o->states.timeout), ms / 1000);
	if (ms % 1000 != 0)
		text_printf(to, ".%03" PRId64, ms % 1000);
	text_puts(to, " seconds");
}

static void
put_line(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	enum situation situation = situation_of(o, result);

	/* These four are without a service or a state at the beginning. */
	if (situation == SITUATION_NO_CONNECT) {
		put_no_connect(to, o, result);
		return;
	}
	if (situation == SITUATION_TIMEOUT) {
		put_timeout(to, o);
		return;
	}
	if (situation == SITUATION_NO_DATA) {
		text_puts(to, "No data received from host");
		return;
	}
	text_printf(to, "%s %s - ", options_service(o),
	    state_name(state_of(o, result)));
	switch (situation) {
	case SITUATION_ANSWERED:
		put_answered(to, o, result);
		break;
	case SITUATION_UNEXPECTED:
		put_unexpected(to, o, result);
		break;
	case SITUATION_NO_NAME:
		text_puts(to, "Invalid hostname, address or socket: ");
		escape_word(to, o->host);
		break;
	case SITUATION_CLOSE:
		text_puts(to, "Unexpected close on ");
		put_place(to, o);
		text_puts(to, ": ");
		verdict_error(to, o, result);
		break;
	default:
		verdict_error(to, o, result);
	}
}

/* ---- what it has no word for */

/* Where it went wrong, and after how long. */
static void
put_failure(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	int64_t ns = lastack_result_phase_ns(result, result->error_phase);
	char figure[FIGURE_TEXT];

	if (result->outcome == LASTACK_OUTCOME_OK) {
		verdict_error(to, o, result);
		return;
	}
	text_printf(
	    to, "failed in %s", lastack_phase_name(result->error_phase));
	if (ns != -1)
		text_printf(to, " after %s", figure_time(figure, ns));
	text_puts(to, ": ");
	if (o->jail && result->outcome == LASTACK_OUTCOME_MISMATCH)
		text_puts(to, "the response does not satisfy");
	else
		verdict_error(to, o, result);
}

static void
put_reason(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	struct text words = TEXT_INIT;
	size_t before;

	put_failure(&words, o, result);
	before = words.len;
	if (before > 0 && result->close_peer != LASTACK_END_NONE)
		text_puts(&words, "; ");
	verdict_close(&words, o, result);
	put_clean(to, &words);
	text_puts(to, "\n");
	text_free(&words);
}

static void
put_attempts(struct text *to, const struct lastack_result *result)
{
	char figure[FIGURE_TEXT];

	for (size_t i = 0; i < lastack_result_attempts(result); i++) {
		const struct lastack_attempt *attempt =
		    lastack_result_attempt(result, i);

		text_printf(to, "address %s: %s after %s\n", attempt->address,
		    lastack_outcome_name(attempt->outcome),
		    figure_time(figure, attempt->time_ns));
	}
}

static void
put_phases(struct text *to, const struct lastack_result *result)
{
	const char *comma = "phases: ";
	char figure[FIGURE_TEXT];

	for (unsigned int i = 0; i <= LASTACK_PHASE_TOTAL; i++) {
		int64_t ns = lastack_result_phase_ns(result, i);

		if (ns == -1)
			continue;
		text_printf(to, "%s%s %s", comma, lastack_phase_name(i),
		    figure_time(figure, ns));
		comma = ", ";
	}
	text_puts(to, "\n");
}

static void
put_events(struct text *to, const struct lastack_result *result)
{
	enum lastack_event events[LASTACK_EVENT_COUNT];
	size_t count = events_in_order(result, events);
	char figure[FIGURE_TEXT];

	for (size_t i = 0; i < count; i++)
		text_printf(to, "event %s: %s\n", lastack_event_name(events[i]),
		    figure_time(
			figure, lastack_result_event_ns(result, events[i])));
}

/* All of what is kept, on one line. */
static void
put_response(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	struct text words = TEXT_INIT;

	if (o->jail || result->kept_bytes == 0)
		return;
	put_bytes(&words, lastack_result_response(result),
	    (size_t)result->kept_bytes);
	text_puts(to, "response: ");
	put_clean(to, &words);
	text_puts(to, "\n");
	text_free(&words);
}

void
report_nagios(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	struct text words = TEXT_INIT;

	put_line(&words, o, result);
	put_clean(to, &words);
	text_free(&words);
	text_puts(to, "|");
	perfdata_add(to, o, result);
	text_puts(to, "\n");
	put_reason(to, o, result);
	if (o->verbose > 0) {
		put_attempts(to, result);
		put_phases(to, result);
	}
	if (o->verbose > 1)
		put_events(to, result);
	if (o->verbose > 2)
		put_response(to, o, result);
}
