/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "clock.h"
#include "drain.h"
#include "evidence.h"
#include "exchange.h"

#define SCRATCH_BYTES 65536
#define KEPT_FIRST_BYTES 4096
#define TURNS_MAX 64 /* of sending or receiving, before time is looked at */

int
lastack__exchange_begin(
    struct lastack__exchange *x, const struct lastack_request *request)
{
	*x = (struct lastack__exchange){ .request = request,
		.sent_ns = -1,
		.first_byte_ns = -1,
		.last_byte_ns = -1,
		.matched_ns = -1,
		.first_send_ns = -1,
		.stamp_ns = -1 };

	lastack__cursor_begin(&x->cursor, &request->payload);
	return lastack__matcher_begin(&x->matcher, &request->expect);
}

void
lastack__exchange_free(struct lastack__exchange *x)
{
	lastack__cursor_free(&x->cursor);
	lastack__matcher_free(&x->matcher);
	free(x->scratch);
	free(x->kept);
}

static void
exchange_fail(struct lastack__exchange *x, enum lastack_phase phase, int error)
{
	x->end = LASTACK__EXCHANGE_FAILED;
	x->failed_in = phase;
	x->local_errno = error;
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
			x->sent_ns = turn > 0 ? lastack__clock_now_ns() :
						now_ns;
			return;
		case LASTACK__PEEK_DATA:
			if (x->first_send_ns == -1)
				x->first_send_ns = lastack__clock_now_ns();
			/*
			 * Our FIN rides on the data, if it comes next; what a
			 * stream gives must not wait for more of it.
			 */
			len = lastack__socket_send(s, data, len,
			    more ||
				(x->request->half_close &&
				    lastack__cursor_closes(&x->cursor)));
			lastack__cursor_take(&x->cursor, len);
		}
	}
	x->again = !x->sent;
}

/* Room to read into: at the end of what is kept, or aside. */
static unsigned char *
exchange_room(struct lastack__exchange *x, size_t *room)
{
	if (x->kept_bytes < x->request->keep_bytes) {
		if (x->kept_bytes == x->kept_room) {
			size_t size = x->kept_room ? x->kept_room * 2 :
						     KEPT_FIRST_BYTES;
			unsigned char *kept;

			if (size > x->request->keep_bytes)
				size = x->request->keep_bytes;
			kept = realloc(x->kept, size);
			if (kept == NULL)
				return NULL;
			x->kept = kept;
			x->kept_room = size;
		}
		*room = x->kept_room - x->kept_bytes;
		return x->kept + x->kept_bytes;
	}
	if (x->scratch == NULL)
		x->scratch = malloc(SCRATCH_BYTES);
	*room = SCRATCH_BYTES;
	return x->scratch;
}

/* Somebody looks at the next byte of the response. */
static bool
exchange_looks(const struct lastack__exchange *x)
{
	return x->request->sink != NULL ||
	    x->kept_bytes < x->request->keep_bytes ||
	    (x->request->expect.count > 0 && !x->matcher.decided);
}

static bool
exchange_first(const struct lastack__exchange *x)
{
	return x->first_byte_ns == -1;
}

/*
 * A stamp is of the last segment that the read took from, and a pure FIN is one
 * as well: it is the first byte's only where nothing else has come.
 */
static void
exchange_check_stamp(
    struct lastack__exchange *x, const struct lastack__socket *s)
{
	struct lastack__evidence evidence;

	if (x->stamp_ns == -1)
		return;
	lastack__evidence_read(s->fd, &evidence);
	x->stamp_exact = evidence.has_figures &&
	    evidence.data_segments_in == 1 &&
	    evidence.state == LASTACK__STATE_OPEN;
}

/* Discards once, without a copy where there is a way to. */
static size_t
exchange_discard(
    struct lastack__exchange *x, struct lastack__socket *s, size_t limit)
{
#ifdef LASTACK_DRAIN_TRUNCATE
	if (exchange_first(x))
		return lastack__socket_receive_first(
		    s, NULL, limit, &x->stamp_ns);
#else
	(void)x;
#endif
	return lastack__drain_once(s, limit);
}

/* Reads once and shows it to all who look. Returns the bytes. */
static size_t
exchange_look(struct lastack__exchange *x, struct lastack__socket *s,
    size_t limit, int64_t now_ns)
{
	size_t room;
	unsigned char *data = exchange_room(x, &room);
	size_t n;

	if (data == NULL) {
		exchange_fail(x, LASTACK_PHASE_RECEIVE, ENOMEM);
		return 0;
	}
	limit = room < limit ? room : limit;
	n = exchange_first(x) ?
	    lastack__socket_receive_first(s, data, limit, &x->stamp_ns) :
	    lastack__socket_receive(s, data, limit);
	if (n == 0)
		return 0;
	if (data != x->scratch)
		x->kept_bytes += n;
	lastack__matcher_feed(&x->matcher, data, n);
	if (x->matcher.decided && x->matched_ns == -1)
		x->matched_ns = now_ns;
	if (x->request->sink != NULL) {
		int error = x->request->sink(x->request->sink_context, data, n);

		if (error != 0)
			exchange_fail(x, LASTACK_PHASE_RECEIVE, error);
	}
	return n;
}

/* What may still be read as part of the response. */
static size_t
exchange_limit(const struct lastack__exchange *x)
{
	uint64_t left;

	if (x->request->maxbytes == 0)
		return INT_MAX;
	left = x->request->maxbytes - x->received_bytes;
	return left < INT_MAX ? (size_t)left : INT_MAX;
}

/*
 * The expectations are met, and that is all that was asked for: where somebody
 * takes the response, it is wanted whole.
 */
static bool
exchange_matched(const struct lastack__exchange *x)
{
	return x->matcher.decided && x->request->sink == NULL;
}

/* The response is known to be complete, whatever else comes. */
static bool
exchange_full(const struct lastack__exchange *x)
{
	return exchange_matched(x) || exchange_limit(x) == 0;
}

static void
exchange_receive(
    struct lastack__exchange *x, struct lastack__socket *s, int64_t now_ns)
{
	for (int turn = 0; turn < TURNS_MAX; turn++) {
		size_t n;

		if (!s->readable || s->ended ||
		    x->end != LASTACK__EXCHANGE_GOING)
			return;
		if (exchange_full(x)) {
			if (x->sent)
				return;
			/* The peer may read on only when we do. */
			lastack__drain_once(s, INT_MAX);
			continue;
		}
		if (turn > 0)
			now_ns = lastack__clock_now_ns();
		if (exchange_looks(x))
			n = exchange_look(x, s, exchange_limit(x), now_ns);
		else
			n = exchange_discard(x, s, exchange_limit(x));
		if (n == 0)
			continue;
		x->received_bytes += n;
		x->last_byte_ns = now_ns;
		if (!exchange_first(x))
			continue;
		x->first_byte_ns = now_ns;
		exchange_check_stamp(x, s);
	}
	x->again = true;
}

static int64_t
exchange_pause_end(const struct lastack__exchange *x)
{
	return lastack__clock_add(x->sent_ns, x->request->delay_ns);
}

static int64_t
exchange_idle_end(const struct lastack__exchange *x)
{
	if (!x->sent || x->last_byte_ns == -1)
		return LASTACK__NEVER;
	/* Silence counts from the later of the two: it is an answer's end. */
	return lastack__clock_add(
	    x->last_byte_ns > x->sent_ns ? x->last_byte_ns : x->sent_ns,
	    x->request->idle_ns);
}

static void
exchange_decide(
    struct lastack__exchange *x, struct lastack__socket *s, int64_t now_ns)
{
	if (x->end != LASTACK__EXCHANGE_GOING || x->pausing)
		return;
	/* A peer that has closed may still be reading: go on sending. */
	if (!x->sent && !s->broken)
		return;
	if (exchange_matched(x))
		x->end = LASTACK__EXCHANGE_MATCHED;
	else if (s->ended)
		x->end = LASTACK__EXCHANGE_PEER_END;
	else if (exchange_limit(x) == 0 || now_ns >= exchange_idle_end(x))
		x->end = LASTACK__EXCHANGE_ENOUGH;
}

void
lastack__exchange_step(
    struct lastack__exchange *x, struct lastack__socket *s, int64_t now_ns)
{
	x->again = false;
	if (!x->sent) {
		exchange_send(x, s, now_ns);
		now_ns = lastack__clock_now_ns();
	}
	x->pausing = x->sent && x->request->delay_ns > 0 &&
	    now_ns < exchange_pause_end(x);
	if (!x->pausing)
		exchange_receive(x, s, now_ns);
	exchange_decide(x, s, now_ns);
	/* Nothing of ours will carry the ACK that the peer may wait for. */
	if (x->end == LASTACK__EXCHANGE_GOING && x->received_bytes > 0)
		lastack__socket_release_ack(s);
}

int64_t
lastack__exchange_timer(const struct lastack__exchange *x)
{
	return x->pausing ? exchange_pause_end(x) : exchange_idle_end(x);
}
