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
#include "figure.h"
#include "hint.h"
#include "report.h"
#include "status.h"
#include "verdict.h"

#define NAME_COLUMNS 11	    /* "  receive  " */
#define TIME_COLUMNS 9	    /* "311.2 us" */
#define NOTE_COLUMNS 29	    /* beside the staircase */
#define NOTE_LEAST_WIDTH 72 /* narrower: the notes go below */
#define BAR_LEAST 8
#define STEPS 8 /* of a column, that a bar can end at */

struct page {
	struct text *to;
	const struct options *options;
	const struct lastack_result *result;
	const struct screen *screen;
	size_t bar_columns;
	bool notes_below;
	int64_t total_ns;
};

/* ---- the verdict */

static void
put_color(const struct page *page, const char *code)
{
	if (page->screen->color)
		text_printf(page->to, "\033[%sm", code);
}

/* Columns that a text takes; all of it is of single width here. */
static size_t
columns_of(const char *bytes, size_t len)
{
	size_t columns = 0;

	for (size_t i = 0; i < len; i++)
		columns += ((unsigned char)bytes[i] & 0xc0) != 0x80;
	return columns;
}

/* Word by word. column: where the string begins; indent: of further lines. */
static void
put_wrapped(
    const struct page *page, const char *string, size_t column, size_t indent)
{
	while (*string != '\0') {
		size_t len = strcspn(string, " ");
		size_t columns = columns_of(string, len);

		if (column > indent && column + columns > page->screen->width) {
			while (page->to->len > 0 &&
			    page->to->bytes[page->to->len - 1] == ' ')
				page->to->len--;
			text_printf(page->to, "\n%*s", (int)indent, "");
			column = indent;
		}
		text_add(page->to, string, len);
		column += columns;
		string += len;
		while (*string == ' ') {
			text_puts(page->to, " ");
			column++;
			string++;
		}
	}
	text_puts(page->to, "\n");
}

static void
put_target(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	const char *remote = lastack_result_remote(result);
	size_t len = strlen(o->host);
	bool numeric_v6 = strchr(o->host, ':') != NULL;

	text_puts(to, numeric_v6 ? "[" : "");
	escape_line(to, o->host, len < 255 ? len : 255, false);
	text_printf(to, "%s:%u", numeric_v6 ? "]" : "", o->port);
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

	put_color(page, ok ? "1;32" : "1;31");
	for (const char *c = name; *c != '\0'; c++) {
		bool lower = *c >= 'a' && *c <= 'z';

		text_printf(page->to, "%c", lower ? *c - 'a' + 'A' : *c);
	}
	put_color(page, "0");
	text_puts(&sentence, "  ");
	put_target(&sentence, page->options, result);
	text_puts(&sentence, "  ");
	verdict_summary(&sentence, page->options, result);
	put_wrapped(page, text_string(&sentence), strlen(name), 4);
	text_free(&sentence);
}

/* ---- the staircase */

/*
 * One column of a bar that covers [from, to) of its steps. A bar is never
 * invisible: the least of it is a line at the edge it is nearest to.
 */
static const char *
block(const struct page *page, size_t from, size_t to)
{
	static const char *const left[] = { "▏", "▏", "▎", "▍", "▌", "▋", "▊",
		"▉", "█" };

	if (!page->screen->utf8)
		return to - from >= STEPS / 2 ? "#" : "|";
	if (from == 0)
		return left[to];
	if (to == STEPS)
		return from <= STEPS / 2 ? "▐" : "▕";
	return from < STEPS / 2 ? "▏" : "▕";
}

static size_t
step_of(const struct page *page, int64_t at_ns)
{
	size_t steps = page->bar_columns * STEPS;

	if (page->total_ns <= 0)
		return 0;
	return (size_t)((double)at_ns / (double)page->total_ns * (double)steps);
}

/* A phase's bar in its row, spaces up to the end of the bars. */
static void
put_bar(const struct page *page, int64_t begin_ns, int64_t end_ns)
{
	size_t steps = page->bar_columns * STEPS;
	size_t begin = step_of(page, begin_ns);
	size_t end = step_of(page, end_ns);

	if (begin >= steps)
		begin = steps - 1;
	if (end <= begin)
		end = begin + 1;
	put_color(page, "36");
	for (size_t column = 0; column < page->bar_columns; column++) {
		size_t edge = column * STEPS;
		size_t from = begin > edge ? begin - edge : 0;
		size_t to = end < edge + STEPS ? end - edge : STEPS;

		if (end <= edge || begin >= edge + STEPS)
			text_puts(page->to, " ");
		else
			text_puts(page->to, block(page, from, to));
	}
	put_color(page, "0");
}

/* The end of a row: beside the staircase, or below it. */
static void
put_note(const struct page *page, const char *note)
{
	size_t columns = columns_of(note, strlen(note));

	/* Also where it is one that is longer than most. */
	if (*note != '\0' &&
	    (page->notes_below || columns + 2 > NOTE_COLUMNS)) {

		text_printf(page->to, "\n%*s", NAME_COLUMNS, "");
		put_wrapped(page, note, NAME_COLUMNS, NAME_COLUMNS);
		return;
	}
	text_printf(page->to, "%s%s\n", *note != '\0' ? "  " : "", note);
}

static void
put_row(const struct page *page, enum lastack_phase phase, int64_t begin_ns,
    const struct text *note)
{
	int64_t ns = lastack_result_phase_ns(page->result, phase);
	char figure[FIGURE_TEXT];

	figure_time(figure, ns);
	text_printf(
	    page->to, "  %-*s", NAME_COLUMNS - 2, lastack_phase_name(phase));
	put_bar(page, begin_ns, begin_ns + ns);
	text_printf(page->to, " %*s", TIME_COLUMNS, figure);
	put_note(page, text_string(note));
}

/* ---- the notes beside it */

static void
note_segment(
    const struct page *page, struct text *note, bool ours, const char *what)
{
	const char *arrow = page->screen->utf8 ? (ours ? "→" : "←") :
						 (ours ? "->" : "<-");

	text_printf(note, "%s%s %s", note->len > 0 ? "  " : "", arrow, what);
}

static void
note_connect(const struct page *page, struct text *note)
{
	enum lastack_outcome outcome = page->result->outcome;
	size_t count = lastack_result_attempts(page->result);

	if (count > 1)
		text_printf(note, "%zu addresses", count);
	if (lastack_result_remote(page->result) != NULL) {
		note_segment(page, note, true, "SYN");
		note_segment(page, note, false, "SYN/ACK");
	} else if (outcome == LASTACK_OUTCOME_REFUSED) {
		note_segment(page, note, true, "SYN");
		note_segment(page, note, false, "RST");
	}
}

static void
note_close(const struct page *page, struct text *note)
{
	enum lastack_event events[LASTACK_EVENT_COUNT];
	size_t count = events_in_order(page->result, events);

	for (size_t i = 0; i < count; i++) {
		switch (events[i]) {
		case LASTACK_EVENT_PEER_FIN:
			note_segment(page, note, false, "FIN");
			break;
		case LASTACK_EVENT_PEER_RST:
			note_segment(page, note, false, "RST");
			break;
		case LASTACK_EVENT_LOCAL_FIN:
			note_segment(page, note, true, "FIN");
			break;
		case LASTACK_EVENT_LOCAL_RST:
			note_segment(page, note, true, "RST");
			break;
		case LASTACK_EVENT_LAST_ACK:
			note_segment(page, note, false, "ACK");
			break;
		default:
			break;
		}
	}
}

static void
note_phase(const struct page *page, enum lastack_phase phase, struct text *note)
{
	const struct lastack_result *result = page->result;
	char amount[FIGURE_TEXT];

	switch (phase) {
	case LASTACK_PHASE_CONNECT:
		note_connect(page, note);
		break;
	case LASTACK_PHASE_SEND:
		text_printf(
		    note, "%s sent", figure_bytes(amount, result->sent_bytes));
		if (result->in_syn_bytes > 0)
			text_printf(note, ", %s in the SYN",
			    figure_bytes(amount, result->in_syn_bytes));
		break;

	case LASTACK_PHASE_RECEIVE:
		text_printf(note, "%s received",
		    figure_bytes(amount, result->received_bytes));
		break;
	case LASTACK_PHASE_DRAIN:
		if (result->drained_bytes > 0)
			text_printf(note, "%s drained",
			    figure_bytes(amount, result->drained_bytes));
		break;
	case LASTACK_PHASE_CLOSE:
		note_close(page, note);
		break;
	default:
		break;
	}
}

/* Whether the run would have come to it, had all gone well. */
static bool
was_planned(const struct page *page, enum lastack_phase phase)
{
	const struct options *o = page->options;

	switch (phase) {
	case LASTACK_PHASE_RESOLVE:
		return false;
	case LASTACK_PHASE_SEND:
		return o->piece_count > 0;
	case LASTACK_PHASE_WAIT:
	case LASTACK_PHASE_RECEIVE:
	case LASTACK_PHASE_DRAIN:
		return o->piece_count > 0 || o->expect_count > 0 ||
		    o->half_close || o->output != NULL;
	default:
		return true;
	}
}

static void
put_scale(const struct page *page)
{
	char total[FIGURE_TEXT], column[FIGURE_TEXT], note[64];

	figure_time(total, page->total_ns);
	figure_time(column, page->total_ns / (int64_t)page->bar_columns);
	snprintf(note, sizeof(note), "one column is %s", column);
	text_printf(page->to, "  %-*s%*s %*s", NAME_COLUMNS - 2, "total",
	    (int)page->bar_columns, "", TIME_COLUMNS, total);
	put_note(page, note);
}

static void
put_staircase(const struct page *page)
{
	int64_t begin_ns = 0;

	text_puts(page->to, "\n");
	for (unsigned int i = 0; i < LASTACK_PHASE_TOTAL; i++) {
		int64_t ns = lastack_result_phase_ns(page->result, i);
		struct text note = TEXT_INIT;

		if (ns == -1) {
			if (was_planned(page, i))
				text_printf(page->to, "  %-*snever reached\n",
				    NAME_COLUMNS - 2, lastack_phase_name(i));
			continue;
		}
		note_phase(page, i, &note);
		put_row(page, i, begin_ns, &note);
		text_free(&note);
		begin_ns += ns;
	}
	put_scale(page);
}

/* ---- figures of the kernel, and more of everything */

static void
put_kernel(const struct page *page)
{
	const struct lastack_result *result = page->result;
	struct text line = TEXT_INIT;
	char rtt[FIGURE_TEXT], least[FIGURE_TEXT];

	if (!result->has_kernel)
		return;
	text_puts(&line, "  kernel   ");
	if (result->min_rtt_us != 0) {
		figure_time(rtt, (int64_t)result->rtt_us * 1000);
		figure_time(least, (int64_t)result->min_rtt_us * 1000);
		text_printf(&line, "rtt %s (min %s), ", rtt, least);
	}
	if (result->retransmits == 0)
		text_puts(&line, "no retransmits");
	else
		text_printf(&line, "%" PRIu32 " retransmit%s",
		    result->retransmits, result->retransmits > 1 ? "s" : "");
	text_printf(&line, ", mss %" PRIu32 ", %" PRIu32 " out, %" PRIu32 " in",
	    result->mss_bytes, result->segments_out, result->segments_in);
	put_wrapped(page, text_string(&line), 0, NAME_COLUMNS);
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
		put_wrapped(page, text_string(&line), 0, NAME_COLUMNS);
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
	put_wrapped(page, text_string(&line), 0, NAME_COLUMNS);
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
		text_printf(&line, "  %-7s  %*s  %s  %s%s%s%s",
		    i == 0 ? "address" : "", TIME_COLUMNS, figure,
		    attempt->address, lastack_outcome_name(attempt->outcome),
		    error ? " (" : "", error ? error : "", error ? ")" : "");
		put_wrapped(page, text_string(&line), 0, NAME_COLUMNS);
		text_free(&line);
	}
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
		text_puts(page->to, "  | ");
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
	struct page page = { .to = to,
		.options = options,
		.result = result,
		.screen = screen,
		.notes_below = screen->width < NOTE_LEAST_WIDTH,
		.total_ns =
		    lastack_result_phase_ns(result, LASTACK_PHASE_TOTAL) };
	size_t taken = NAME_COLUMNS + 1 + TIME_COLUMNS +
	    (page.notes_below ? 0 : NOTE_COLUMNS);

	page.bar_columns = screen->width > taken + BAR_LEAST ?
	    screen->width - taken :
	    BAR_LEAST;
	put_verdict(&page);
	put_staircase(&page);
	put_kernel(&page);
	put_fastopen(&page);
	put_hint(&page);
	put_attempts(&page);
	if (options->verbose > 0) {
		put_events(&page);
		put_response(&page);
	}
}
