/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>

#include "clock.h"
#include "drain.h"
#include "evidence.h"
#include "exchange.h"
#include "pace.h"

#define TURNS_MAX 64 /* of sending or receiving, before time is looked at */
#define SINK_BITE_BYTES 4096 /* what a pipe takes whole, once it is ready */

/* ---- one exchange after another */

static int
exchange_open(struct lastack__exchange *x)
{
	x->round = &x->request->rounds[x->current];
	x->last = x->current + 1 == x->request->round_count;
	x->record = &x->records[x->current];
	*x->record = (struct lastack__record){ .sent_ns = -1,
		.first_byte_ns = -1,
		.last_byte_ns = -1,
		.matched_ns = -1,
		.over_ns = -1 };
	x->sent = x->pausing = false;
	x->waiting_ns = -1;
	x->end = LASTACK__EXCHANGE_GOING;
	lastack__cursor_begin(&x->cursor, &x->round->payload);
	return lastack__matcher_begin(&x->matcher, &x->round->expect);
}

int
lastack__exchange_begin(
    struct lastack__exchange *x, const struct lastack_request *request)
{
	*x = (struct lastack__exchange){ .request = request,
		.intake = { .request = request },
		.first_send_ns = -1,
		.stamp_ns = -1,
		.evidence_ns = -1 };

	x->records = calloc(request->round_count, sizeof(*x->records));
	x->public = calloc(request->round_count, sizeof(*x->public));
	if (x->records == NULL || x->public == NULL)
		return LASTACK_ERROR_MEMORY;
	return exchange_open(x);
}

void
lastack__exchange_free(struct lastack__exchange *x)
{
	lastack__cursor_free(&x->cursor);
	lastack__matcher_free(&x->matcher);
	lastack__intake_free(&x->intake);
	free(x->records);
	free(x->public);
}

void
lastack__exchange_note(struct lastack__exchange *x,
    const struct lastack__socket *s, int64_t now_ns)
{
	x->record->over_ns = now_ns;
	x->record->sent_bytes = s->sent_bytes - x->sent_before;
	x->record->which = x->matcher.which;
	x->sent_before = s->sent_bytes;
}

int
lastack__exchange_next(struct lastack__exchange *x)
{
	lastack__cursor_free(&x->cursor);
	lastack__matcher_free(&x->matcher);
	x->current++;
	return exchange_open(x);
}

void
lastack__exchange_part(struct lastack__exchange *x, int64_t timer_ns)
{
	x->farewell = true;
	x->farewell_ns = timer_ns;
	x->sent = false;
	lastack__cursor_free(&x->cursor);
	lastack__cursor_begin(&x->cursor, &x->request->goodbye);
}

/* ---- sending */

static void
exchange_fail(struct lastack__exchange *x, enum lastack_phase phase, int error)
{
	x->end = LASTACK__EXCHANGE_FAILED;
	x->failed_in = phase;
	x->local_errno = error;
}

/* Our FIN rides on what is peeked at. */
static bool
exchange_closes(const struct lastack__exchange *x)
{
	return x->last && !x->farewell && x->request->half_close &&
	    lastack__cursor_closes(&x->cursor);
}

static void
exchange_send(
    struct lastack__exchange *x, struct lastack__socket *s, int64_t now_ns)
{
	for (int turn = 0; turn < TURNS_MAX && !x->sent; turn++) {
		const unsigned char *data;
		size_t len;
		bool more;

		if (s->broken || !s->writable)
			return;
		switch (lastack__cursor_peek(&x->cursor, &data, &len, &more)) {
		case LASTACK__PEEK_WAIT:
			return;
		case LASTACK__PEEK_FAILED:
			exchange_fail(x, LASTACK_PHASE_SEND, errno);
			return;
		case LASTACK__PEEK_END:
			x->sent = true;
			if (!x->farewell)
				x->record->sent_ns =
				    turn > 0 ? lastack__clock_now_ns() : now_ns;
			return;
		case LASTACK__PEEK_DATA:
			if (x->first_send_ns == -1 && x->current == 0) {
				x->unasked = lastack__socket_has_queued(s);
				x->first_send_ns = lastack__clock_now_ns();
			}
			/* What a stream gives must not wait for more of it. */
			len = lastack__socket_send(
			    s, data, len, more || exchange_closes(x));
			lastack__cursor_take(&x->cursor, len);
			x->waiting_ns = -1;
		}
	}
	x->again = !x->sent;
}

/*
 * No answer can come any more once the peer has closed. A stream is over then
 * when it pauses for longer than an answer might: who sits at a terminal does
 * not know that it has to be ended.
 */
static void
exchange_end_stream(struct lastack__exchange *x,
    const struct lastack__socket *s, int64_t now_ns)
{
	if (x->sent || !s->ended || !s->writable ||
	    lastack__cursor_stream(&x->cursor) == -1)
		return;
	if (x->waiting_ns == -1)
		x->waiting_ns = now_ns;
	if (now_ns < lastack__clock_add(x->waiting_ns, x->round->idle_ns))
		return;
	x->sent = true;
	x->record->sent_ns = now_ns;
}

bool
lastack__exchange_parted(
    struct lastack__exchange *x, struct lastack__socket *s, int64_t now_ns)
{
	x->again = false;
	/* To a peer that has closed, a word more would be met by its RST. */
	if (!s->hung_up)
		exchange_send(x, s, now_ns);
	return x->sent || s->hung_up || s->broken || now_ns >= x->farewell_ns;
}

/* ---- receiving */

/* Somebody looks at the next byte of the response. */
static bool
exchange_looks(const struct lastack__exchange *x)
{
	return lastack__intake_wants(&x->intake) ||
	    lastack__matcher_looks(&x->matcher);
}

/* The very first read of a connection. */
static bool
exchange_first(const struct lastack__exchange *x)
{
	return x->current == 0 && x->record->first_byte_ns == -1;
}

/*
 * A stamp is of the last segment that the read took from, and a pure FIN is one
 * as well: it is the first byte's only where nothing else has come. Whoever has
 * acknowledged the SYN alone did not have a byte of ours to answer. Where the
 * FIN is all that is left, recv() need not be asked for it, nor the kernel once
 * more.
 */
static void
exchange_check_first(struct lastack__exchange *x, struct lastack__socket *s)
{
	struct lastack__evidence *evidence = &x->evidence;

	if (x->first_send_ns == -1)
		return;
	lastack__evidence_read(s->fd, s->taken_bytes, false, evidence);
	if (evidence->has_counters && evidence->bytes_acked <= 1)
		x->unasked = true;
	x->stamp_exact = evidence->has_figures &&
	    evidence->data_segments_in == 1 &&
	    evidence->state == LASTACK__STATE_OPEN;
	if (evidence->state != LASTACK__STATE_PEER_CLOSED ||
	    !evidence->has_counters || evidence->queued_bytes > 0)
		return;
	x->evidence_ns = lastack__clock_now_ns(); /* not before it came */
	s->ended = s->hung_up = true;
	s->readable = false;
}

/* What may still be read as part of the response. */
static size_t
exchange_limit(const struct lastack__exchange *x)
{
	uint64_t left;

	if (x->round->maxbytes == 0)
		return INT_MAX;
	left = x->round->maxbytes - x->record->received_bytes;
	return left < INT_MAX ? (size_t)left : INT_MAX;
}

static void
exchange_count(struct lastack__exchange *x, size_t n, int64_t now_ns)
{
	if (n == 0)
		return;
	x->received_bytes += n;
	x->record->received_bytes += n;
	x->record->last_byte_ns = now_ns;
	if (x->record->first_byte_ns == -1)
		x->record->first_byte_ns = now_ns;
}

/*
 * Shows bytes of the response to those who expect some. Returns how many belong
 * to this exchange.
 */
static size_t
exchange_show(struct lastack__exchange *x, const unsigned char *data, size_t n,
    int64_t now_ns)
{
	size_t taken;

	if (lastack__matcher_feed(&x->matcher, data, n, &taken) != 0)
		exchange_fail(x, LASTACK_PHASE_RECEIVE, ENOMEM);
	if (x->matcher.met && x->record->matched_ns == -1)
		x->record->matched_ns = now_ns;
	return x->last ? n : taken;
}

/*
 * A sink that would block is not given anything: we have to go on sending, for
 * its reader may be the one who writes our payload.
 */
static bool
exchange_stalls(struct lastack__exchange *x)
{
	struct pollfd sink = { .fd = x->request->sink_fd, .events = POLLOUT };

	x->stalled = x->request->sink != NULL && sink.fd != -1 &&
	    poll(&sink, 1, 0) == 0;
	return x->stalled;
}

/* Reads once, for all who look. Returns the bytes. */
static size_t
exchange_read(struct lastack__exchange *x, struct lastack__socket *s,
    size_t limit, const unsigned char **data)
{
	size_t room, n;
	unsigned char *to = lastack__intake_room(&x->intake, &room);
	int error;

	if (to == NULL) {
		exchange_fail(x, LASTACK_PHASE_RECEIVE, ENOMEM);
		return 0;
	}
	limit = room < limit ? room : limit;
	if (x->request->sink_fd != -1 && limit > SINK_BITE_BYTES)
		limit = SINK_BITE_BYTES;
	n = exchange_first(x) ?
	    lastack__socket_receive_first(s, to, limit, &x->stamp_ns) :
	    lastack__socket_receive(s, to, limit);
	if (n == 0)
		return 0;
	error = lastack__intake_take(&x->intake, to, n);
	if (error != 0)
		exchange_fail(x, LASTACK_PHASE_RECEIVE, error);
	*data = to;
	return n;
}

/* Discards once, without a copy where there is a way to. */
static size_t
exchange_discard(
    struct lastack__exchange *x, struct lastack__socket *s, size_t limit)
{
#ifdef LASTACK_DRAIN_TRUNCATE
	if (exchange_first(x) && !s->is_unix)
		return lastack__socket_receive_first(
		    s, NULL, limit, &x->stamp_ns);
#else
	(void)x;
#endif
	return lastack__drain_once(s, limit);
}

static void
exchange_take(
    struct lastack__exchange *x, struct lastack__socket *s, int64_t now_ns)
{
	bool first = exchange_first(x);
	const unsigned char *data;
	size_t n, taken;

	if (exchange_looks(x)) {
		n = exchange_read(x, s, exchange_limit(x), &data);
		taken = n > 0 ? exchange_show(x, data, n, now_ns) : 0;
		if (n > taken &&
		    lastack__intake_carry(
			&x->intake, data + taken, n - taken) != 0)
			exchange_fail(x, LASTACK_PHASE_RECEIVE, ENOMEM);
	} else {
		taken = exchange_discard(x, s, exchange_limit(x));
	}
	exchange_count(x, taken, now_ns);
	if (first && taken > 0)
		exchange_check_first(x, s);
}

/* What the exchange before has left. */
static void
exchange_take_carried(struct lastack__exchange *x, int64_t now_ns)
{
	size_t limit = exchange_limit(x);
	const unsigned char *data;
	size_t n = lastack__intake_carried(&x->intake, &data);

	n = exchange_show(x, data, n < limit ? n : limit, now_ns);
	lastack__intake_consume(&x->intake, n);
	exchange_count(x, n, now_ns);
}

/*
 * The response is complete and the payload is not out: the peer may read on
 * only when we do. False: there is no room for more.
 */
static bool
exchange_read_ahead(struct lastack__exchange *x, struct lastack__socket *s)
{
	size_t space = lastack__intake_space(&x->intake);
	const unsigned char *data;
	size_t n;

	if (x->last) {
		lastack__drain_once(s, INT_MAX);
		return true;
	}
	if (space == 0)
		return false;
	n = exchange_read(x, s, space, &data);
	if (n > 0 && lastack__intake_carry(&x->intake, data, n) != 0)
		exchange_fail(x, LASTACK_PHASE_RECEIVE, ENOMEM);
	return true;
}

/*
 * The expectations are met, and that is all that was asked for: where somebody
 * takes the response, the last one is wanted whole.
 */
static bool
exchange_matched(const struct lastack__exchange *x)
{
	return x->matcher.met && (x->request->sink == NULL || !x->last);
}

/* The response is known to be complete, whatever else comes. */
static bool
exchange_full(const struct lastack__exchange *x)
{
	return exchange_matched(x) || x->matcher.failed ||
	    exchange_limit(x) == 0;
}

static void
exchange_receive(
    struct lastack__exchange *x, struct lastack__socket *s, int64_t now_ns)
{
	const unsigned char *data;

	for (int turn = 0; turn < TURNS_MAX; turn++) {
		bool full = exchange_full(x);

		if (x->end != LASTACK__EXCHANGE_GOING || (full && x->sent))
			return;
		if (!full && lastack__intake_carried(&x->intake, &data) > 0) {
			exchange_take_carried(x, now_ns);
			continue;
		}
		if (!s->readable || s->ended)
			return;
		if (!(full && x->last) && exchange_stalls(x))
			return;
		if (turn > 0)
			now_ns = lastack__clock_now_ns();
		if (!full)
			exchange_take(x, s, now_ns);
		else if (!exchange_read_ahead(x, s))
			return;
	}
	x->again = true;
}

/* ---- the end */

static int64_t
exchange_pause_end(const struct lastack__exchange *x)
{
	return lastack__clock_add(x->record->sent_ns, x->round->delay_ns);
}

static int64_t
exchange_idle_end(const struct lastack__exchange *x)
{
	const struct lastack__record *record = x->record;

	/* Nor is it silence where more may be here and nobody takes it. */
	if (!x->sent || record->last_byte_ns == -1 || x->stalled)
		return LASTACK__NEVER;
	/* Silence counts from the later of the two: it is an answer's end. */
	return lastack__clock_add(record->last_byte_ns > record->sent_ns ?
		record->last_byte_ns :
		record->sent_ns,
	    x->round->idle_ns);
}

/* Complete without a word of those who expect: what do they say now? */
static void
exchange_finish(
    struct lastack__exchange *x, enum lastack__exchange_end end, int64_t now_ns)
{
	x->end = end;
	if (x->record->received_bytes == 0)
		return;
	lastack__matcher_finish(&x->matcher);
	if (x->matcher.met && x->round->expect.count > 0 &&
	    x->record->matched_ns == -1)
		x->record->matched_ns = now_ns;
}

static void
exchange_decide(
    struct lastack__exchange *x, struct lastack__socket *s, int64_t now_ns)
{
	if (x->end != LASTACK__EXCHANGE_GOING || x->pausing)
		return;
	/* A peer that has closed may still be reading: go on sending. */
	if (!x->sent && !s->broken && !x->matcher.failed)
		return;
	if (x->matcher.failed)
		x->end = LASTACK__EXCHANGE_UNWANTED;
	else if (exchange_matched(x))
		x->end = LASTACK__EXCHANGE_MATCHED;
	else if (x->sent && x->request->send_only)
		x->end = LASTACK__EXCHANGE_ENOUGH;
	else if (s->ended)
		exchange_finish(x, LASTACK__EXCHANGE_PEER_END, now_ns);
	else if (exchange_limit(x) == 0 || now_ns >= exchange_idle_end(x))
		exchange_finish(x, LASTACK__EXCHANGE_ENOUGH, now_ns);
}

static void
exchange_pace(const struct lastack__exchange *x, struct lastack__socket *s,
    uint64_t came_bytes, int64_t now_ns)
{
	if (x->end != LASTACK__EXCHANGE_GOING || exchange_looks(x))
		lastack__pace_stop(s);
	else
		lastack__pace_go(s, came_bytes, exchange_limit(x), now_ns);
}

void
lastack__exchange_step(
    struct lastack__exchange *x, struct lastack__socket *s, int64_t now_ns)
{
	uint64_t taken_bytes = s->taken_bytes;

	x->again = x->stalled = false;
	if (!x->sent) {
		exchange_send(x, s, now_ns);
		now_ns = lastack__clock_now_ns();
	}
	x->pausing = x->sent && x->round->delay_ns > 0 &&
	    now_ns < exchange_pause_end(x);
	if (!x->pausing && !x->request->send_only)
		exchange_receive(x, s, now_ns);
	exchange_end_stream(x, s, now_ns);
	exchange_decide(x, s, now_ns);
	exchange_pace(x, s, s->taken_bytes - taken_bytes, now_ns);
	/* Nothing of ours will carry the ACK that the peer may wait for. */
	if (x->end == LASTACK__EXCHANGE_GOING && x->received_bytes > 0)
		lastack__socket_release_ack(s);
}

int64_t
lastack__exchange_timer(const struct lastack__exchange *x)
{
	if (x->farewell)
		return x->farewell_ns;
	if (x->waiting_ns != -1 && !x->sent)
		return lastack__clock_add(x->waiting_ns, x->round->idle_ns);
	return x->pausing ? exchange_pause_end(x) : exchange_idle_end(x);
}
