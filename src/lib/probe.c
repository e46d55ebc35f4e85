/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
#include "clock.h"
#include "stage.h"
#include "survey.h"

static void
probe_check_time(struct lastack_probe *p)
{
	if (p->interrupted_by != 0) {
		p->ending.deadline_ns = p->now_ns;
		if (p->ending.timer_ns > p->now_ns)
			p->ending.timer_ns = p->now_ns;
		lastack__result_fail(&p->result, LASTACK_OUTCOME_INTERRUPTED,
		    lastack__account_phase(p), 0);
		lastack__stage_cut_short(p, LASTACK_OUTCOME_INTERRUPTED, 0);
	} else if (p->now_ns >= p->deadline_ns) {
		lastack__stage_cut_short(p, LASTACK_OUTCOME_NONE, ETIMEDOUT);
	}
}

static void
probe_advance(struct lastack_probe *p)
{
	enum lastack__stage before;

	do {
		before = p->stage;
		lastack__stage_step(p);
	} while (p->stage != before);
}

static void
probe_wake(struct lastack_probe *p, const struct epoll_event *events, int n)
{
	p->now_ns = lastack__clock_now_ns();
	for (int i = 0; i < n; i++) {
		if (events[i].data.u32 == LASTACK__WATCHED_SOCKET)
			lastack__socket_wake(&p->socket, events[i].events);
		if (events[i].data.u32 == LASTACK__WATCHED_STREAM)
			p->exchange.cursor.stream_ready = true;
	}
	lastack__pace_wake(&p->socket);
	if (p->socket.fd != -1 && p->connected_ns != -1)
		lastack__ending_notice(&p->ending, &p->socket, p->now_ns);
	probe_advance(p);
	probe_check_time(p);
	probe_advance(p);
	if (p->stage != LASTACK__STAGE_OVER)
		return;
	lastack__account(p);
	lastack__survey_next(p);
}

static void
probe_begin_result(struct lastack_probe *p)
{
	lastack__survey_begin(p);
	p->start_ns = p->now_ns = lastack__clock_now_ns();
	p->deadline_ns = lastack__clock_add(p->start_ns, p->request->total_ns);
	p->resolved_ns = -1;
	p->connects_only = lastack__request_connects_only(p->request);
	p->bare = p->connects_only &&
	    p->request->expect_close == LASTACK_END_UNKNOWN &&
	    p->request->goodbye.count == 0;
}

int
lastack_probe_new(
    const struct lastack_request *request, struct lastack_probe **probe)
{
	struct lastack_probe *p;
	int error = lastack_request_check(request);

	if (error != 0)
		return error;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return LASTACK_ERROR_MEMORY;
	p->request = request;
	p->socket.fd = -1;
	p->watched_stream = -1;
	p->epoll_fd = -1;
	lastack__stage_prepare(p);
	probe_begin_result(p);
	error = lastack__exchange_begin(&p->exchange, request);
	if (error != 0)
		goto out;
	p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	error = p->epoll_fd == -1 ? LASTACK_ERROR_SYSTEM :
				    lastack__stage_begin(p);
out:
	if (error != 0) {
		int saved = errno;

		lastack_probe_free(p);
		errno = saved;
		return error;
	}
	*probe = p;
	return 0;
}

void
lastack_probe_free(struct lastack_probe *p)
{
	if (p == NULL)
		return;
	lastack__lookup_free(p->lookup);
	if (p->socket.fd != -1)
		lastack__socket_reset(&p->socket);
	if (p->epoll_fd != -1)
		close(p->epoll_fd);
	lastack__exchange_free(&p->exchange);
	if (p->worst.there)
		lastack__exchange_free(&p->worst.exchange);
	lastack__connect_free(&p->connect);
	free(p);
}

int
lastack_probe_fd(const struct lastack_probe *p)
{
	return p->epoll_fd;
}

int64_t
lastack_probe_deadline_ns(const struct lastack_probe *p)
{
	int64_t timer = LASTACK__NEVER;

	if (p->interrupted_by != 0)
		return p->now_ns;
	switch (p->stage) {
	case LASTACK__STAGE_RESOLVE:
		break;
	case LASTACK__STAGE_CONNECT:
		/* Nothing to wait for yet: the first SYN is still to be sent. */
		if (p->socket.fd == -1)
			return p->start_ns;
		timer = lastack__connect_timer(&p->connect, &p->socket);
		break;
	case LASTACK__STAGE_EXCHANGE:
		if (p->exchange.again)
			return p->now_ns;
		timer = lastack__pace_timer(
		    &p->socket, lastack__exchange_timer(&p->exchange));
		break;
	case LASTACK__STAGE_END:
		return lastack__pace_timer(&p->socket, p->ending.timer_ns);
	case LASTACK__STAGE_OVER:
		return p->start_ns;
	}
	return timer < p->deadline_ns ? timer : p->deadline_ns;
}

/* epoll_pwait() with an instant; early at most by what a signal makes it. */
static int
probe_wait(struct lastack_probe *p, struct epoll_event *events, int count,
    const sigset_t *mask)
{
	int64_t left = lastack_probe_deadline_ns(p) - lastack__clock_now_ns();
	int64_t left_ms;

	if (left < 0)
		left = 0;
#ifdef HAVE_EPOLL_PWAIT2
	if (!p->waits_in_ms) {
		struct timespec span = { .tv_sec = left / 1000000000,
			.tv_nsec = left % 1000000000 };
		int n = epoll_pwait2(p->epoll_fd, events, count, &span, mask);

		if (n != -1 || errno != ENOSYS)
			return n;
		p->waits_in_ms = true;
	}
#endif
	left_ms = left / 1000000 + (left % 1000000 != 0);
	return epoll_pwait(p->epoll_fd, events, count,
	    left_ms < 86400000 ? (int)left_ms : 86400000, mask);
}

#define EVENTS 4

int
lastack_probe_step(struct lastack_probe *p)
{
	struct epoll_event events[EVENTS];
	int n;

	if (p->stage == LASTACK__STAGE_OVER)
		return 0;
	n = epoll_wait(p->epoll_fd, events, EVENTS, 0);
	if (n == -1 && errno != EINTR)
		return LASTACK_ERROR_SYSTEM;
	probe_wake(p, events, n);
	return p->stage != LASTACK__STAGE_OVER;
}

int
lastack_probe_run(struct lastack_probe *p, const void *mask)
{
	struct epoll_event events[EVENTS];

	/* The first SYN waits for nothing. */
	if (p->stage == LASTACK__STAGE_CONNECT && p->socket.fd == -1)
		probe_wake(p, NULL, 0);
	while (p->stage != LASTACK__STAGE_OVER) {
		int n = probe_wait(p, events, EVENTS, mask);

		if (n == -1 && errno == EINTR)
			return LASTACK_ERROR_INTERRUPTED;
		if (n == -1)
			return LASTACK_ERROR_SYSTEM;
		probe_wake(p, events, n);
	}
	return 0;
}

void
lastack_probe_interrupt(struct lastack_probe *p, int signo)
{
	p->interrupted_by = signo;
}

const struct lastack_result *
lastack_probe_result(const struct lastack_probe *p)
{
	return &p->result.public;
}
