/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "events.h"
#include "figure.h"
#include "staircase.h"

#define NOTE_COLUMNS 29	    /* beside the staircase */
#define NOTE_LEAST_WIDTH 72 /* narrower: the notes go below */
#define BAR_LEAST 8
#define STEPS 8 /* of a column, that a bar can end at */

struct stair {
	const struct page *page;
	struct text *to;		     /* the page's */
	const struct lastack_result *result; /* likewise */
	size_t bar_columns;
	bool notes_below;
	int64_t total_ns;
};

/* ---- the bars */

/*
 * One column of a bar that covers [from, to) of its steps. A bar is never
 * invisible: the least of it is a line at the edge it is nearest to.
 */
static const char *
block(const struct stair *stair, size_t from, size_t to)
{
	static const char *const left[] = { "▏", "▏", "▎", "▍", "▌", "▋", "▊",
		"▉", "█" };

	if (!stair->page->screen->utf8)
		return to - from >= STEPS / 2 ? "#" : "|";
	if (from == 0)
		return left[to];
	if (to == STEPS)
		return from <= STEPS / 2 ? "▐" : "▕";
	return from < STEPS / 2 ? "▏" : "▕";
}

static size_t
step_of(const struct stair *stair, int64_t at_ns)
{
	size_t steps = stair->bar_columns * STEPS;

	if (stair->total_ns <= 0)
		return 0;
	return (
	    size_t)((double)at_ns / (double)stair->total_ns * (double)steps);
}

/* A phase's bar in its row, spaces up to the end of the bars. */
static void
put_bar(const struct stair *stair, int64_t begin_ns, int64_t end_ns)
{
	size_t steps = stair->bar_columns * STEPS;
	size_t begin = step_of(stair, begin_ns);
	size_t end = step_of(stair, end_ns);

	if (begin >= steps)
		begin = steps - 1;
	if (end > steps)
		end = steps;
	if (end <= begin)
		end = begin + 1;
	text_spaces(stair->to, begin / STEPS);
	page_color(stair->page, "36");
	for (size_t edge = begin - begin % STEPS; edge < end; edge += STEPS) {
		size_t from = begin > edge ? begin - edge : 0;
		size_t to = end < edge + STEPS ? end - edge : STEPS;

		text_puts(stair->to, block(stair, from, to));
	}
	page_color(stair->page, "0");
	text_spaces(stair->to, stair->bar_columns - (end + STEPS - 1) / STEPS);
}

static void
put_name(const struct stair *stair, const char *name)
{
	text_puts(stair->to, "  ");
	text_left(stair->to, name, PAGE_NAME_COLUMNS - 2);
}

static void
put_time(const struct stair *stair, int64_t ns)
{
	char figure[FIGURE_TEXT];

	text_puts(stair->to, " ");
	text_right(stair->to, figure_time(figure, ns), PAGE_TIME_COLUMNS);
}

/* The end of a row: beside the staircase, or below it. */
static void
put_note(const struct stair *stair, const char *note)
{
	size_t columns = page_columns(note, strlen(note));

	/* Also where it is one that is longer than most. */
	if (*note != '\0' &&
	    (stair->notes_below || columns + 2 > NOTE_COLUMNS)) {
		text_puts(stair->to, "\n");
		text_spaces(stair->to, PAGE_NAME_COLUMNS);
		page_wrap(
		    stair->page, note, PAGE_NAME_COLUMNS, PAGE_NAME_COLUMNS);
		return;
	}
	text_puts(stair->to, *note != '\0' ? "  " : "");
	text_puts(stair->to, note);
	text_puts(stair->to, "\n");
}

static void
put_row(const struct stair *stair, enum lastack_phase phase, int64_t begin_ns,
    const struct text *note)
{
	int64_t ns = lastack_result_phase_ns(stair->result, phase);

	put_name(stair, lastack_phase_name(phase));
	put_bar(stair, begin_ns, begin_ns + ns);
	put_time(stair, ns);
	put_note(stair, text_string(note));
}

/* ---- the notes beside it */

static void
note_segment(
    const struct stair *stair, struct text *note, bool ours, const char *what)
{
	const char *arrow = stair->page->screen->utf8 ? (ours ? "→" : "←") :
							(ours ? "->" : "<-");

	text_puts(note, note->len > 0 ? "  " : "");
	text_puts(note, arrow);
	text_puts(note, " ");
	text_puts(note, what);
}

static void
note_bytes(struct text *note, uint64_t bytes, const char *what)
{
	char amount[FIGURE_TEXT];

	text_puts(note, figure_bytes(amount, bytes));
	text_puts(note, what);
}

static void
note_connect(const struct stair *stair, struct text *note)
{
	enum lastack_outcome outcome = stair->result->outcome;
	size_t count = lastack_result_attempts(stair->result);

	if (count > 1)
		text_printf(note, "%zu addresses", count);
	if (stair->result->family == LASTACK_FAMILY_UNIX)
		return;
	if (lastack_result_remote(stair->result) != NULL) {
		note_segment(stair, note, true, "SYN");
		note_segment(stair, note, false, "SYN/ACK");
	} else if (outcome == LASTACK_OUTCOME_REFUSED) {
		note_segment(stair, note, true, "SYN");
		note_segment(stair, note, false, "RST");
	}
}

static void
note_close(const struct stair *stair, struct text *note)
{
	enum lastack_event events[LASTACK_EVENT_COUNT];
	size_t count = events_in_order(stair->result, events);

	for (size_t i = 0; i < count; i++) {
		switch (events[i]) {
		case LASTACK_EVENT_PEER_FIN:
			note_segment(stair, note, false, "FIN");
			break;
		case LASTACK_EVENT_PEER_RST:
			note_segment(stair, note, false, "RST");
			break;
		case LASTACK_EVENT_LOCAL_FIN:
			note_segment(stair, note, true, "FIN");
			break;
		case LASTACK_EVENT_LOCAL_RST:
			note_segment(stair, note, true, "RST");
			break;
		case LASTACK_EVENT_LAST_ACK:
			note_segment(stair, note, false, "ACK");
			break;
		default:
			break;
		}
	}
}

static void
note_phase(
    const struct stair *stair, enum lastack_phase phase, struct text *note)
{
	const struct lastack_result *result = stair->result;

	switch (phase) {
	case LASTACK_PHASE_CONNECT:
		note_connect(stair, note);
		break;
	case LASTACK_PHASE_SEND:
		note_bytes(note, result->sent_bytes, " sent");
		if (result->in_syn_bytes == 0)
			break;
		text_puts(note, ", ");
		note_bytes(note, result->in_syn_bytes, " in the SYN");
		break;
	case LASTACK_PHASE_RECEIVE:
		note_bytes(note, result->received_bytes, " received");
		break;
	case LASTACK_PHASE_DRAIN:
		if (result->drained_bytes > 0)
			note_bytes(note, result->drained_bytes, " drained");
		break;
	case LASTACK_PHASE_CLOSE:
		note_close(stair, note);
		break;
	default:
		break;
	}
}

/* Whether the run would have come to it, had all gone well. */
static bool
was_planned(const struct stair *stair, enum lastack_phase phase)
{
	const struct options *o = stair->page->options;

	switch (phase) {
	case LASTACK_PHASE_RESOLVE:
		return false;
	case LASTACK_PHASE_SEND:
		return talk_pieces(&o->talk) > 0 ||
		    o->proxy != LASTACK_PROXY_OFF;
	case LASTACK_PHASE_WAIT:
	case LASTACK_PHASE_RECEIVE:
	case LASTACK_PHASE_DRAIN:
		return talk_pieces(&o->talk) > 0 ||
		    talk_expectations(&o->talk) > 0 || o->half_close ||
		    o->proxy != LASTACK_PROXY_OFF || o->output != NULL;
	default:
		return true;
	}
}

static void
put_scale(const struct stair *stair)
{
	int64_t column_ns = stair->total_ns / (int64_t)stair->bar_columns;
	struct text note = TEXT_INIT;
	char figure[FIGURE_TEXT];

	put_name(stair, "total");
	text_spaces(stair->to, stair->bar_columns);
	put_time(stair, stair->total_ns);
	text_puts(&note, "one column is ");
	text_puts(&note, figure_time(figure, column_ns));
	put_note(stair, text_string(&note));
	text_free(&note);
}

static void
stair_begin(struct stair *stair, const struct page *page)
{
	size_t width = page->screen->width;
	size_t taken = PAGE_NAME_COLUMNS + 1 + PAGE_TIME_COLUMNS;

	*stair = (struct stair){ .page = page,
		.to = page->to,
		.result = page->result,
		.notes_below = width < NOTE_LEAST_WIDTH,
		.total_ns = lastack_result_phase_ns(
		    page->result, LASTACK_PHASE_TOTAL) };
	if (!stair->notes_below)
		taken += NOTE_COLUMNS;
	stair->bar_columns = width > taken + BAR_LEAST ? width - taken :
							 BAR_LEAST;
}

void
staircase_add(const struct page *page)
{
	struct stair stair;
	int64_t begin_ns = 0;

	stair_begin(&stair, page);
	text_puts(page->to, "\n");
	for (unsigned int i = 0; i < LASTACK_PHASE_TOTAL; i++) {
		int64_t ns = lastack_result_phase_ns(page->result, i);
		struct text note = TEXT_INIT;

		if (ns == -1) {
			if (!was_planned(&stair, i))
				continue;
			put_name(&stair, lastack_phase_name(i));
			text_puts(page->to, "never reached\n");
			continue;
		}
		note_phase(&stair, i, &note);
		put_row(&stair, i, begin_ns, &note);
		text_free(&note);
		begin_ns += ns;
	}
	put_scale(&stair);
}
