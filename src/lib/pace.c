/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <sys/socket.h>

#include "clock.h"
#include "pace.h"
#include "socket.h"

/* Where what nobody looks at has to be copied, that is what costs. */
#ifdef LASTACK_DRAIN_TRUNCATE
#define PACES true
#else
#define PACES false
#endif

#define LEAST_BYTES 65536
/* What a processor's cache holds: with more it is slower again. */
#define MOST_BYTES 524288
#define LOOK_NS 1000000

static void
pace_set(struct lastack__socket *s, size_t mark_bytes)
{
	int mark = mark_bytes > 0 ? (int)mark_bytes : 1;

	if (mark_bytes == s->pace.mark_bytes)
		return;
	s->pace.mark_bytes = mark_bytes;
	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof(mark)) ==
	    -1)
		s->pace.mark_bytes = 0;
}

/* Twice as much if it came in time, half if not. */
static size_t
pace_mark(const struct lastack__pace *pace, uint64_t came_bytes, int64_t now_ns)
{
	size_t mark = pace->mark_bytes;

	if (mark == 0)
		return came_bytes >= LEAST_BYTES ? LEAST_BYTES : 0;
	if (came_bytes >= mark)
		return mark < MOST_BYTES ? 2 * mark : MOST_BYTES;
	if (now_ns < pace->look_ns)
		return mark;
	return mark > LEAST_BYTES ? mark / 2 : 0;
}

void
lastack__pace_go(struct lastack__socket *s, uint64_t came_bytes,
    uint64_t most_bytes, int64_t now_ns)
{
	size_t mark = pace_mark(&s->pace, came_bytes, now_ns);
	bool anew = came_bytes >= mark || now_ns >= s->pace.look_ns;

	if (!PACES || s->is_unix || s->fd == -1)
		return;
	/* Nothing comes behind the peer's end: there is none to look for. */
	if (s->hung_up)
		mark = 0;
	pace_set(s, mark < most_bytes ? mark : (size_t)most_bytes);
	if (anew)
		s->pace.look_ns = lastack__clock_add(now_ns, LOOK_NS);
}

void
lastack__pace_stop(struct lastack__socket *s)
{
	pace_set(s, 0);
}

void
lastack__pace_wake(struct lastack__socket *s)
{
	if (s->pace.mark_bytes > 0)
		s->readable = true;
}

int64_t
lastack__pace_timer(const struct lastack__socket *s, int64_t timer_ns)
{
	if (s->pace.mark_bytes == 0 || timer_ns < s->pace.look_ns)
		return timer_ns;
	return s->pace.look_ns;
}
