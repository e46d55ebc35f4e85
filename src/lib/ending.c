/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>

#include "clock.h"
#include "drain.h"
#include "ending.h"
#include "pace.h"
#include "timewait.h"

/* Once time is up: for what is queued already, however much that is. */
#define GRACE_NS 5000000

void
lastack__ending_init(struct lastack__ending *e)
{
	*e = (struct lastack__ending){ .peer_end_ns = -1,
		.dead_ns = -1,
		.decided_ns = -1,
		.local_fin_ns = -1,
		.local_rst_ns = -1,
		.last_ack_ns = -1,
		.over_ns = -1,
		.peer_fin_ns = -1,
		.peer_rst_ns = -1 };
}

/* Without TCP_INFO, an error that recv() or send() met is a hard one. */
static bool
ending_dead(const struct lastack__ending *e, const struct lastack__socket *s)
{
	if (e->evidence.state == LASTACK__STATE_UNKNOWN)
		return s->broken;
	return e->evidence.state == LASTACK__STATE_CLOSED;
}

static bool
ending_peer_fin(
    const struct lastack__ending *e, const struct lastack__socket *s)
{
	switch (e->evidence.state) {
	case LASTACK__STATE_PEER_CLOSED:
	case LASTACK__STATE_CLOSING:
	case LASTACK__STATE_LAST_ACK:
		return true;
	default:
		break;
	}
	switch (lastack__evidence_peer_fin(&e->evidence, e->evidence_bytes)) {
	case LASTACK_YES:
		return true;
	case LASTACK_NO:
		return false;
	default:
		/* By POSIX recv() returns 0 for the peer's FIN only. */
		return s->first_errno == EPIPE || (s->ended && !s->broken);
	}
}

static enum lastack_truth
ending_fin_acked(
    const struct lastack__ending *e, const struct lastack__socket *s)
{
	if (!s->fin_sent)
		return LASTACK_NO;
	return lastack__evidence_fin_acked(&e->evidence, s->sent_bytes);
}

/*
 * A FIN behind unsent data leaves later than it was asked for. If the peer's
 * comes first, the peer was first on the wire, although the kernel will hold
 * TIME-WAIT for us all the same.
 */
static void
ending_follow_fin(struct lastack__ending *e, const struct lastack__socket *s)
{
	bool peer_fin = ending_peer_fin(e, s);

	if (e->evidence.unsent_bytes > 0) {
		if (peer_fin)
			e->first = LASTACK_SIDE_PEER;
		return;
	}
	e->fin_queued = false;
	e->local_fin_ns = e->evidence_ns;
	if (e->first != LASTACK_SIDE_UNKNOWN)
		return;
	if (peer_fin || ending_dead(e, s))
		e->active = false; /* both since the last look: who knows */
	else
		e->first = LASTACK_SIDE_LOCAL;
}

void
lastack__ending_learn(struct lastack__ending *e,
    const struct lastack__socket *s, const struct lastack__evidence *evidence,
    int64_t at_ns)
{
	e->evidence = *evidence;
	e->evidence_ns = at_ns;
	e->evidence_bytes = s->taken_bytes;
	e->fresh = true;
	if (lastack__evidence_peer_fin(evidence, s->taken_bytes) == LASTACK_YES)
		e->fin_seen = true;
	if (e->evidence.state == LASTACK__STATE_CLOSED && e->dead_ns == -1)
		e->dead_ns = e->evidence_ns;
	if (e->fin_queued)
		ending_follow_fin(e, s);
}

static void
ending_look(struct lastack__ending *e, const struct lastack__socket *s)
{
	struct lastack__evidence evidence;
	int64_t at_ns = lastack__clock_now_ns();

	lastack__evidence_read(s->fd, s->taken_bytes, e->fin_seen, &evidence);
	lastack__ending_learn(e, s, &evidence, at_ns);
}

static enum lastack_truth
ending_time_wait(const struct lastack__ending *e)
{
	return lastack__timewait_look(
	    &e->local_address.u.any, &e->remote_address.u.any, e->device);
}

/*
 * Who was first? Before shutdown() the peer had not closed; after it, the state
 * tells whose FIN the kernel handled first. Where all was over by then, only
 * TIME-WAIT, which the first to close holds, still knows; and where there is
 * none, an RST may have ended it already: then one segment of ours since says
 * that our FIN was all there was to send, and so that it answered the peer's.
 */
static void
ending_order(struct lastack__ending *e, const struct lastack__socket *s,
    uint32_t segments_before)
{
	enum lastack_truth waits;

	switch (e->evidence.state) {
	case LASTACK__STATE_WE_CLOSED:
	case LASTACK__STATE_CLOSING:
		e->active = true;
		return;
	case LASTACK__STATE_LAST_ACK:
		e->passive = true;
		return;
	case LASTACK__STATE_CLOSED:
		if (!ending_peer_fin(e, s)) {
			e->active = true; /* and then it was reset */
			return;
		}
		waits = ending_time_wait(e);
		e->active = waits == LASTACK_YES;
		e->passive = waits == LASTACK_NO &&
		    ending_fin_acked(e, s) == LASTACK_YES &&
		    e->evidence.segments_out - segments_before == 1;
		return;
	default:
		e->passive = s->ended && !s->broken;
	}
}

void
lastack__ending_fin(struct lastack__ending *e, struct lastack__socket *s)
{
	uint32_t segments_before;
	int64_t now_ns;

	if (!e->fresh)
		ending_look(e, s);
	if (ending_dead(e, s))
		return;
	segments_before = e->evidence.segments_out;
	e->passive = e->evidence.state == LASTACK__STATE_PEER_CLOSED;
	now_ns = lastack__clock_now_ns();
	if (!lastack__socket_shutdown(s)) {
		ending_look(e, s);
		return;
	}
	e->local_fin_ns = now_ns;
	ending_look(e, s);
	if (!e->passive)
		ending_order(e, s, segments_before);
	if (e->passive && e->peer_end_ns == -1)
		e->peer_end_ns = now_ns;
	if (e->passive)
		e->first = LASTACK_SIDE_PEER;
	e->fin_queued = e->evidence.unsent_bytes > 0;
	if (e->active && !e->fin_queued)
		e->first = LASTACK_SIDE_LOCAL;
}

void
lastack__ending_notice(
    struct lastack__ending *e, struct lastack__socket *s, int64_t now_ns)
{
	e->fresh = false;
	if (s->hung_up && e->peer_end_ns == -1)
		e->peer_end_ns = now_ns;
	if (!s->fin_sent || e->last_ack_ns != -1)
		return;
	ending_look(e, s);
	if (ending_fin_acked(e, s) == LASTACK_YES)
		e->last_ack_ns = e->evidence_ns;
}

void
lastack__ending_begin(
    struct lastack__ending *e, const struct lastack__socket *s, int64_t now_ns)
{
	e->begun_bytes = s->taken_bytes;
	e->stage = LASTACK__ENDING_DRAIN;
	e->timer_ns = lastack__clock_add(now_ns, e->drain_ns);
	if (e->policy != LASTACK_CLOSE_AUTO || e->bare)
		e->timer_ns = now_ns;
	if (e->timer_ns > e->deadline_ns)
		e->timer_ns = e->deadline_ns;
}

/*
 * How the connection died, if it did. SO_ERROR is asked only where nothing else
 * is left to tell: on a live connection it holds what ICMP said in passing.
 */
static int
ending_errno(struct lastack__ending *e, struct lastack__socket *s)
{
	if (s->first_errno != 0 || !s->hung_up)
		return s->first_errno;
	if (!e->fresh)
		ending_look(e, s);
	if (e->evidence.state == LASTACK__STATE_CLOSED)
		return lastack__socket_errno(s);
	if (e->evidence.state == LASTACK__STATE_UNKNOWN &&
	    lastack__socket_errno(s) != 0 && !lastack__socket_was_reset(s))
		s->first_errno = 0;
	return s->first_errno;
}

bool
lastack__ending_was_reset(struct lastack__ending *e, struct lastack__socket *s)
{
	return ending_errno(e, s) != 0 && lastack__socket_was_reset(s);
}

static void
verdict_on_peer(struct lastack__ending *e, struct lastack__socket *s)
{
	bool fin = ending_peer_fin(e, s);
	bool both = fin && ending_fin_acked(e, s) == LASTACK_YES;
	int error = both ? 0 : ending_errno(e, s);
	bool alive = e->evidence.state == LASTACK__STATE_UNKNOWN ?
	    error == 0 :
	    both || !ending_dead(e, s);

	if (e->peer_end_ns == -1)
		e->peer_end_ns = e->evidence_ns;
	if (fin)
		e->peer_fin_ns = e->peer_end_ns;
	if (alive) {
		e->peer = fin ? LASTACK_END_FIN : LASTACK_END_OPEN;
		return;
	}
	if (error != 0 && !lastack__socket_was_reset(s)) {
		e->peer = LASTACK_END_LOST;
		return;
	}
	e->peer = fin ? LASTACK_END_FIN_RST : LASTACK_END_RST;
	e->peer_rst_ns = fin && e->dead_ns != -1 ? e->dead_ns : e->peer_end_ns;
}

static void
verdict_on_us(struct lastack__ending *e, struct lastack__socket *s)
{
	/* A FIN that is still queued has not left, and may never. */
	if (e->fin_queued)
		e->local_fin_ns = -1;
	e->local = LASTACK_END_NONE;
	if (e->local_fin_ns != -1)
		e->local = LASTACK_END_FIN;
	if (e->local_rst_ns != -1)
		e->local = LASTACK_END_RST;
	e->last_ack = e->local_fin_ns == -1 ? LASTACK_NO :
					      ending_fin_acked(e, s);
	if (e->last_ack == LASTACK_YES && e->last_ack_ns == -1)
		e->last_ack_ns = e->evidence_ns;
	e->clean = LASTACK_NO;
	if (e->peer == LASTACK_END_FIN && e->local == LASTACK_END_FIN)
		e->clean = e->last_ack;
}

/* Only a clean close leaves one, with the side whose FIN was first. */
static void
verdict_on_time_wait(struct lastack__ending *e, const struct lastack__socket *s)
{
	e->time_wait = LASTACK_NO;
	if (e->clean == LASTACK_NO || e->passive || s->is_unix)
		return;
	e->time_wait = ending_time_wait(e);
	if (e->time_wait == LASTACK_UNKNOWN && e->active)
		e->time_wait = LASTACK_YES;
}

static void
verdict_on_order(struct lastack__ending *e)
{
	bool peer_ended = e->peer == LASTACK_END_FIN ||
	    e->peer == LASTACK_END_RST || e->peer == LASTACK_END_FIN_RST;

	if (e->first != LASTACK_SIDE_UNKNOWN)
		return; /* our FIN told them apart */
	if (e->local_fin_ns != -1 && peer_ended)
		return; /* or it could not */
	if (e->local != LASTACK_END_NONE && e->peer_fin_ns == -1)
		e->first = LASTACK_SIDE_LOCAL;
	else if (peer_ended)
		e->first = LASTACK_SIDE_PEER;
}

/*
 * What came before the peer's end is still to be read, and no edge announces
 * it any more: the end was seen by its counters, ahead of the stream. Where we
 * leave with FIN, what came since the last edge is read too: unread, close()
 * would turn it into an RST.
 */
static void
ending_read_on(struct lastack__ending *e, struct lastack__socket *s)
{
	bool over = ending_dead(e, s) || ending_peer_fin(e, s), before;

	do {
		uint64_t taken;

		if (s->ended || (!over && e->local_rst_ns != -1))
			return;
		s->readable = true;
		s->hung_up = s->hung_up || over;
		taken = lastack__drain_all(
		    s, lastack__clock_add(lastack__clock_now_ns(), GRACE_NS));
		before = over;
		if (taken > 0 || over)
			ending_look(e, s);
		over = ending_dead(e, s) || ending_peer_fin(e, s);
	} while (over && !before); /* the end came behind what was read */
}

static void
ending_over(struct lastack__ending *e, struct lastack__socket *s)
{
	ending_read_on(e, s);
	verdict_on_peer(e, s);
	verdict_on_us(e, s);
	verdict_on_time_wait(e, s);
	verdict_on_order(e);
	e->over_ns = e->evidence_ns > e->decided_ns ? e->evidence_ns :
						      e->decided_ns;
	if (e->local_rst_ns != -1) {
		lastack__socket_reset(s);
		e->over_ns = lastack__clock_now_ns();
	} else {
		lastack__socket_close(s);
	}
	e->stage = LASTACK__ENDING_OVER;
}

static void
ending_linger(struct lastack__ending *e, int64_t now_ns)
{
	int64_t round_trips_ns = 2 * 1000 * (int64_t)e->evidence.rtt_us;

	e->stage = LASTACK__ENDING_LINGER;
	/* Nothing can come back faster than that, whatever --drain says. */
	e->timer_ns = lastack__clock_add(now_ns,
	    e->drain_ns > round_trips_ns ? e->drain_ns : round_trips_ns);
	if (e->timer_ns > e->deadline_ns)
		e->timer_ns = e->deadline_ns;
}

/*
 * Returns false where there is nothing to reset: the peer's FIN has slipped in,
 * or its RST, or both FINs are out.
 */
static bool
ending_reset(struct lastack__ending *e, struct lastack__socket *s)
{
	if (!e->bare) {
		lastack__socket_freeze(s);
		ending_look(e, s);
	}
	switch (e->evidence.state) {
	case LASTACK__STATE_CLOSED:
	case LASTACK__STATE_CLOSING:
	case LASTACK__STATE_LAST_ACK:
		lastack__socket_thaw(s);
		return false;
	default:
		break;
	}
	if (e->policy != LASTACK_CLOSE_RST && ending_peer_fin(e, s)) {
		lastack__socket_thaw(s);
		return false;
	}
	e->local_rst_ns = lastack__clock_now_ns();
	ending_over(e, s);
	return true;
}

/* The drain is over: FIN or RST? */
static void
ending_decide(
    struct lastack__ending *e, struct lastack__socket *s, int64_t now_ns)
{
	e->decided_ns = lastack__clock_now_ns();
	if (!e->fresh)
		ending_look(e, s);
	/* A Unix socket has no FIN to choose, and none to wait for. */
	if (s->is_unix || ending_dead(e, s)) {
		ending_over(e, s);
		return;
	}
	if (e->policy == LASTACK_CLOSE_RST ||
	    (e->policy == LASTACK_CLOSE_AUTO && !ending_peer_fin(e, s))) {
		if (ending_reset(e, s))
			return;
		if (ending_dead(e, s)) {
			ending_over(e, s);
			return;
		}
	}
	if (!s->fin_sent)
		lastack__ending_fin(e, s);
	ending_linger(e, now_ns);
}

/* Our FIN is out. Returns false as long as there is something to wait for. */
static bool
ending_lingered(
    struct lastack__ending *e, struct lastack__socket *s, int64_t now_ns)
{
	bool fin;

	if (!e->fresh)
		ending_look(e, s);
	fin = ending_peer_fin(e, s);
	if (ending_fin_acked(e, s) == LASTACK_YES && e->last_ack_ns == -1)
		e->last_ack_ns = e->evidence_ns;
	if (ending_dead(e, s))
		return true;
	if (fin && ending_fin_acked(e, s) != LASTACK_NO)
		return true;
	if (now_ns < e->timer_ns)
		return false;
	/* It goes on sending past our FIN: only an RST stops that. */
	if (!fin && s->taken_bytes > e->begun_bytes && ending_reset(e, s))
		return false;
	return true;
}

void
lastack__ending_step(
    struct lastack__ending *e, struct lastack__socket *s, int64_t now_ns)
{
	if (!e->bare || e->stage == LASTACK__ENDING_LINGER) {
		int64_t grace_ns = lastack__clock_add(now_ns, GRACE_NS);
		uint64_t came_bytes = lastack__drain_all(
		    s, e->timer_ns > grace_ns ? e->timer_ns : grace_ns);

		if (came_bytes > 0)
			e->fresh = false;
		lastack__pace_go(s, came_bytes, UINT64_MAX, now_ns);
		if (s->ended && e->peer_end_ns == -1)
			e->peer_end_ns = now_ns;
	}
	if (e->stage == LASTACK__ENDING_DRAIN) {
		if (!s->ended && now_ns < e->timer_ns) {
			lastack__socket_release_ack(s);
			return;
		}
		ending_decide(e, s, now_ns);
	}
	if (e->stage == LASTACK__ENDING_LINGER && ending_lingered(e, s, now_ns))
		ending_over(e, s);
}
