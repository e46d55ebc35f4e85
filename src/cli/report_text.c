/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For a person: the verdict, then a staircase of the phases to scale, then the
 * kernel's figures. An arrow stands for a segment that was proven, no other.
 */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "errname.h"
#include "escape.h"
#include "events.h"
#include "exchanges.h"
#include "figure.h"
#include "hint.h"
#include "page.h"
#include "report.h"
#include "staircase.h"
#include "status.h"
#include "verdict.h"

/* ---- the verdict */

static void
put_target(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	const char *remote = lastack_result_remote(result);
	size_t len = strlen(o->host);
	bool numeric_v6 = strchr(o->host, ':') != NULL;

	if (o->path != NULL) {
		escape_line(to, o->host, len, false);
		return;
	}
	text_puts(to, numeric_v6 ? "[" : "");
	escape_line(to, o->host, len < 255 ? len : 255, false);
	text_puts(to, numeric_v6 ? "]:" : ":");
	text_number(to, o->port);
	if (remote != NULL && strcmp(remote, o->host) != 0)
		text_printf(to, " (%s)", remote);
}

static void
put_verdict(const struct page *page)
{
	const struct lastack_result *result = page->result;
	const char *name = status_outcome(page->options, result);
	bool ok = status_of(page->options, result) == 0;
	struct text sentence = TEXT_INIT;

	page_color(page, ok ? "1;32" : "1;31");
	for (const char *c = name; *c != '\0'; c++) {
		bool lower = *c >= 'a' && *c <= 'z';
		char upper = (char)(lower ? *c - 'a' + 'A' : *c);

		text_add(page->to, &upper, 1);
	}
	page_color(page, "0");
	text_puts(&sentence, "  ");
	put_target(&sentence, page->options, result);
	text_puts(&sentence, "  ");
	verdict_summary(&sentence, page->options, result);
	page_wrap(page, text_string(&sentence), strlen(name), 4);
	text_free(&sentence);
}

/* ---- figures of the kernel, and more of everything */

static void
add_us(struct text *line, const char *what, uint32_t us)
{
	char figure[FIGURE_TEXT];

	text_puts(line, what);
	text_puts(line, figure_time(figure, (int64_t)us * 1000));
}

static void
add_count(
    struct text *line, const char *before, uint32_t count, const char *behind)
{
	text_puts(line, before);
	text_number(line, count);
	text_puts(line, behind);
}

static void
put_kernel(const struct page *page)
{
	const struct lastack_result *result = page->result;
	struct text line = TEXT_INIT;

	if (!result->has_kernel)
		return;
	text_puts(&line, "  kernel   ");
	if (result->min_rtt_us != 0) {
		add_us(&line, "rtt ", result->rtt_us);
		add_us(&line, " (min ", result->min_rtt_us);
		text_puts(&line, "), ");
	}
	if (result->retransmits == 0)
		text_puts(&line, "no");
	else
		text_number(&line, result->retransmits);
	text_puts(
	    &line, result->retransmits == 1 ? " retransmit" : " retransmits");
	add_count(&line, ", mss ", result->mss_bytes, "");
	add_count(&line, ", ", result->segments_out, " out");
	add_count(&line, ", ", result->segments_in, " in");
	page_wrap(page, text_string(&line), 0, PAGE_NAME_COLUMNS);
	text_free(&line);
}

static void
add_estimate(
    struct text *line, const char *what, int64_t ns, enum lastack_method method)
{
	char figure[FIGURE_TEXT];

	if (method == LASTACK_METHOD_NONE)
		return;
	figure_time(figure, ns);
	text_printf(line, "%s%s %s (%s)", line->len > 0 ? ", " : "  wire     ",
	    what, figure, lastack_method_name(method));
}

/* What a capture would show, and how that is known. */
static void
put_wire(const struct page *page)
{
	const struct lastack_result *result = page->result;
	struct text line = TEXT_INIT;

	add_estimate(
	    &line, "handshake", result->handshake_ns, result->handshake_method);
	add_estimate(&line, "first byte", result->first_byte_ns,
	    result->first_byte_method);
	if (line.len > 0)
		page_wrap(page, text_string(&line), 0, PAGE_NAME_COLUMNS);
	text_free(&line);
}

static void
put_hint(const struct page *page)
{
	struct text line = TEXT_INIT;
	size_t before;

	text_puts(&line, "  hint     ");
	before = line.len;
	hint_add(&line, page->result);
	if (line.len > before)
		page_wrap(page, text_string(&line), 0, PAGE_NAME_COLUMNS);
	text_free(&line);
}

static void
put_fastopen(const struct page *page)
{
	const struct lastack_result *result = page->result;
	bool known = result->fastopen_status != LASTACK_FASTOPEN_UNKNOWN;
	struct text line = TEXT_INIT;

	/* Where it is the error, the verdict has said it. */
	if (result->fastopen == LASTACK_FASTOPEN_OFF ||
	    result->outcome == LASTACK_OUTCOME_FASTOPEN)
		return;
	text_printf(&line, "  fastopen %s: ",
	    known ? lastack_fastopen_name(result->fastopen_status) :
		    "not told");
	verdict_fastopen(&line, page->options, result);
	page_wrap(page, text_string(&line), 0, PAGE_NAME_COLUMNS);
	text_free(&line);
}

static void
put_attempts(const struct page *page)
{
	size_t count = lastack_result_attempts(page->result);

	if (count == 0 || (count == 1 && page->options->verbose == 0))
		return;
	text_puts(page->to, "\n");
	for (size_t i = 0; i < count; i++) {
		const struct lastack_attempt *attempt =
		    lastack_result_attempt(page->result, i);
		const char *error = errname(attempt->error_errno);
		struct text line = TEXT_INIT;
		char figure[FIGURE_TEXT];

		figure_time(figure, attempt->time_ns);
		text_printf(&line, "  %-7s  %*s  ", i == 0 ? "address" : "",
		    PAGE_TIME_COLUMNS, figure);
		escape_line(
		    &line, attempt->address, strlen(attempt->address), false);
		text_printf(&line, "  %s%s%s%s",
		    lastack_outcome_name(attempt->outcome), error ? " (" : "",
		    error ? error : "", error ? ")" : "");
		page_wrap(page, text_string(&line), 0, PAGE_NAME_COLUMNS);
		text_free(&line);
	}
}

static void
put_exchanges(const struct page *page)
{
	size_t count = exchanges_lines(page->options, page->result);

	for (size_t i = 0; i < count; i++) {
		struct text line = TEXT_INIT;

		text_puts(page->to, i == 0 ? "\n" : "");
		text_printf(
		    &line, "  %-8s%3zu  ", i == 0 ? "exchange" : "", i + 1);
		exchanges_tell(&line, page->options, page->result, i);
		page_wrap(page, text_string(&line), 0, PAGE_NAME_COLUMNS + 3);
		text_free(&line);
	}
}

static void
put_groups(const struct page *page)
{
	struct text line = TEXT_INIT;
	size_t before;

	text_puts(&line, "  regex    ");
	before = line.len;
	exchanges_groups(&line, page->options, page->result);
	if (line.len > before) {
		text_puts(page->to, "\n");
		page_wrap(page, text_string(&line), 0, PAGE_NAME_COLUMNS);
	}
	text_free(&line);
}

/* All times in one unit, to be compared. */
static void
put_events(const struct page *page)
{
	enum lastack_event events[LASTACK_EVENT_COUNT];
	size_t count = events_in_order(page->result, events);

	text_puts(page->to, "\n");
	for (size_t i = 0; i < count; i++) {
		int64_t us =
		    lastack_result_event_ns(page->result, events[i]) / 1000;

		text_printf(page->to,
		    "  %-7s  %6" PRId64 ".%03" PRId64 " ms  %s\n",
		    i == 0 ? "event" : "", us / 1000, us % 1000,
		    lastack_event_name(events[i]));
	}
}

/* Line by line, as the server sent it, but for what could steer a terminal. */
static void
put_response(const struct page *page)
{
	const char *bytes = lastack_result_response(page->result);
	size_t left = (size_t)page->result->kept_bytes;
	uint64_t cut = page->result->received_bytes - left;
	char amount[FIGURE_TEXT];

	if (page->options->jail || page->result->received_bytes == 0)
		return;
	text_puts(page->to, "\n");
	while (left > 0) {
		const char *end = memchr(bytes, '\n', left);
		size_t len = end ? (size_t)(end - bytes) : left;
		size_t shown = len;

		if (end != NULL && len > 0 && bytes[len - 1] == '\r')
			shown--;
		text_puts(page->to, shown > 0 ? "  | " : "  |");
		escape_line(page->to, bytes, shown, page->screen->utf8);
		text_puts(page->to, "\n");
		len += end != NULL;
		bytes += len;
		left -= len;
	}
	if (cut > 0)
		text_printf(
		    page->to, "  and %s more\n", figure_bytes(amount, cut));
}

void
report_text(struct text *to, const struct options *options,
    const struct lastack_result *result, const struct screen *screen)
{
	struct page page = {
		.to = to, .options = options, .result = result, .screen = screen
	};

	put_verdict(&page);
	staircase_add(&page);
	if (options->verbose > 0)
		put_wire(&page);
	put_kernel(&page);
	put_fastopen(&page);
	put_hint(&page);
	put_exchanges(&page);
	put_attempts(&page);
	if (options->verbose > 0) {
		put_groups(&page);
		put_events(&page);
		put_response(&page);
	}
}
