/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
#include "clock.h"
#include "cookie.h"
#include "probe.h"

#define SOCKET_EVENTS (EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET)

/* What an epoll event is about. */
enum watched {
	WATCHED_LOOKUP,
	WATCHED_SOCKET,
	WATCHED_STREAM,
};

static void
probe_fail(struct lastack_probe *p, enum lastack_outcome outcome,
    enum lastack_phase phase, int error)
{
	lastack__result_fail(&p->result, outcome, phase, error);
}

static bool
probe_watch(struct lastack_probe *p, int operation, int fd, uint32_t events,
    enum watched what)
{
	struct epoll_event event = { .events = events, .data.u32 = what };

	return epoll_ctl(p->epoll_fd, operation, fd, &event) == 0;
}

/* ---- resolve */

/* What the SYN is to carry, if it is there by now. */
static void
load_syn(struct lastack_probe *p)
{
	struct lastack__cursor *cursor = &p->exchange.cursor;
	struct lastack__open *open = &p->connect.open;
	bool more;

	p->connect.fastopen = true;
	lastack__cursor_poll(cursor);
	if (lastack__cursor_peek(cursor, &open->payload, &open->payload_bytes,
		&more) == LASTACK__PEEK_DATA)
		open->hold_ack = true;
	else
		open->payload = NULL;
}

static int
connect_to(struct lastack_probe *p, struct lastack__addresses *addresses)
{
	int error = lastack__connect_begin(&p->connect, addresses);

	if (error != 0)
		return error;
	p->connect.patience_ns = p->request->connect_ns;
	/* Only what follows at once may hold the ACK back: 200 ms else. */
	p->connect.open.hold_ack = p->bare ||
	    lastack__payload_ready(&p->request->payload) ||
	    (p->request->half_close && p->request->payload.count == 0);
	p->connect.open.stamps = p->request->payload.count > 0;
	if (p->request->fastopen != LASTACK_FASTOPEN_OFF)
		load_syn(p);
	p->stage = LASTACK__STAGE_CONNECT;
	return 0;
}

static int
resolve_begin(struct lastack_probe *p)
{
	const struct lastack_request *request = p->request;
	struct lastack__addresses addresses = { 0 };
	struct lastack__address address;

	if (lastack__resolve_numeric(request->host, request->port, &address)) {
		int error;

		addresses.list = malloc(sizeof(address));
		if (addresses.list == NULL)
			return LASTACK_ERROR_MEMORY;
		addresses.list[0] = address;
		addresses.count = 1;
		error = connect_to(p, &addresses);
		lastack__addresses_free(&addresses);
		return error;
	}
	p->lookup = lastack__lookup_start(
	    request->host, request->port, request->family);
	if (p->lookup == NULL)
		return errno == ENOMEM ? LASTACK_ERROR_MEMORY :
					 LASTACK_ERROR_SYSTEM;
	if (!probe_watch(p, EPOLL_CTL_ADD, lastack__lookup_fd(p->lookup),
		EPOLLIN, WATCHED_LOOKUP))
		return LASTACK_ERROR_SYSTEM;
	return 0;
}

static void
resolve_step(struct lastack_probe *p)
{
	struct lastack__answer answer;

	if (!lastack__lookup_answer(p->lookup, &answer))
		return;
	/*
	 * The thread may not have left yet; its descriptor, which is in the
	 * epoll set by number, goes with the last of the two.
	 */
	epoll_ctl(
	    p->epoll_fd, EPOLL_CTL_DEL, lastack__lookup_fd(p->lookup), NULL);
	lastack__lookup_free(p->lookup);
	p->lookup = NULL;
	if (answer.error != 0) {
		probe_fail(p, LASTACK_OUTCOME_RESOLVE, LASTACK_PHASE_RESOLVE,
		    answer.system_errno);
		if (answer.system_errno == 0)
			lastack__result_text(
			    &p->result, gai_strerror(answer.error));
		p->stage = LASTACK__STAGE_OVER;
		return;
	}
	p->resolved_ns = p->now_ns;
	if (connect_to(p, &answer.addresses) != 0) {
		probe_fail(
		    p, LASTACK_OUTCOME_SYSTEM, LASTACK_PHASE_RESOLVE, ENOMEM);
		p->stage = LASTACK__STAGE_OVER;
	}
	lastack__addresses_free(&answer.addresses);
}

/* ---- connect */

static void
note_addresses(struct lastack_probe *p)
{
	struct lastack__address *local = &p->ending.local_address;
	struct lastack__address *remote = &p->ending.remote_address;
	struct lastack_result *result = &p->result.public;

	*remote = *lastack__connect_address(&p->connect);
	lastack__address_text(&remote->u.any, p->result.remote);
	result->family = remote->u.any.sa_family == AF_INET ?
	    LASTACK_FAMILY_IPV4 :
	    LASTACK_FAMILY_IPV6;
	local->len = sizeof(local->u);
	if (getsockname(p->socket.fd, &local->u.any, &local->len) == -1)
		return;
	lastack__address_text(&local->u.any, p->result.local);
	result->local_port = lastack__address_port(&local->u.any);
}

/* Seen now, before what was sent again is acknowledged too. */
static void
note_fastopen(struct lastack_probe *p)
{
	struct lastack_result *result = &p->result.public;
	const struct lastack__connect *c = &p->connect;

	if (!c->fastopen)
		return;
	result->fastopen_status =
	    lastack__fastopen_status(&p->socket.syn, &c->evidence, c->cookie);
	result->fastopen_cookie = c->cookie;
	if (result->fastopen_status == LASTACK_FASTOPEN_REQUESTED ||
	    result->fastopen_status == LASTACK_FASTOPEN_REFUSED)
		result->fastopen_cookie =
		    lastack__cookie_look(&p->ending.local_address.u.any,
			&p->ending.remote_address.u.any);
}

static void
end_begin(struct lastack_probe *p)
{
	struct lastack__ending *e = &p->ending;

	p->complete_ns = p->now_ns = lastack__clock_now_ns();
	e->policy = p->request->close;
	e->drain_ns = p->request->drain_ns;
	e->bare = p->bare;
	/* A failure or a signal ends it now. */
	e->deadline_ns = p->interrupted_by != 0 ? p->now_ns : p->deadline_ns;
	lastack__ending_begin(e, &p->socket, p->now_ns);
	p->stage = LASTACK__STAGE_END;
}

static void
connect_failed(struct lastack_probe *p)
{
	const struct lastack__attempt *attempt =
	    lastack__connect_verdict(&p->connect);

	probe_fail(p, attempt->record.outcome, LASTACK_PHASE_CONNECT,
	    attempt->record.error_errno);
	p->stage = LASTACK__STAGE_OVER;
}

static void
connect_step(struct lastack_probe *p)
{
	enum lastack__connecting state = LASTACK__CONNECT_FAILED;

	if (p->socket.fd != -1)
		state =
		    lastack__connect_step(&p->connect, &p->socket, p->now_ns);
	while (state == LASTACK__CONNECT_FAILED) {
		state = lastack__connect_next(&p->connect, &p->socket);
		if (state == LASTACK__CONNECT_FAILED) {
			connect_failed(p);
			return;
		}
		if (!probe_watch(p, EPOLL_CTL_ADD, p->socket.fd, SOCKET_EVENTS,
			WATCHED_SOCKET)) {
			probe_fail(p, LASTACK_OUTCOME_SYSTEM,
			    LASTACK_PHASE_CONNECT, errno);
			lastack__socket_close(&p->socket);
			p->stage = LASTACK__STAGE_OVER;
			return;
		}
	}
	if (state == LASTACK__CONNECT_STARTED)
		p->now_ns = lastack__clock_now_ns();
	if (state != LASTACK__CONNECT_DONE)
		return;
	p->connected_ns = p->now_ns;
	if (p->socket.syn.payload_bytes > 0) {
		lastack__cursor_take(
		    &p->exchange.cursor, p->socket.syn.payload_bytes);
		p->exchange.first_send_ns = p->socket.syn.sent_ns;
	}
	p->socket.writable = true; /* with an empty queue, before any edge */
	note_addresses(p);
	note_fastopen(p);
	lastack__socket_congestion(
	    &p->socket, p->result.congestion, sizeof(p->result.congestion));
	if (p->connects_only)
		end_begin(p);
	else
		p->stage = LASTACK__STAGE_EXCHANGE;
}

/* ---- exchange */

/* One wake-up for each time that the payload's stream has to be waited for. */
static void
watch_stream(struct lastack_probe *p)
{
	struct lastack__exchange *x = &p->exchange;
	int fd = x->sent ? -1 : lastack__cursor_stream(&x->cursor);
	bool known = fd == p->watched_stream;

	if (!known && p->watched_stream != -1) {
		epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, p->watched_stream, NULL);
		p->watched_stream = -1;
	}
	if (fd == -1 || !p->socket.writable || x->cursor.stream_ready)
		return;
	if (!probe_watch(p, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
		EPOLLIN | EPOLLONESHOT, WATCHED_STREAM)) {
		/* A file that cannot seek and cannot be polled never blocks. */
		x->cursor.stream_ready = true;
		x->again = true;
		return;
	}
	p->watched_stream = fd;
}

static bool
wants_reset(const struct lastack_probe *p)
{
	return p->request->expect_close == LASTACK_END_RST &&
	    p->request->expect.count == 0;
}

/* The outcome of an exchange that ended by itself. */
static void
exchange_judge(struct lastack_probe *p)
{
	const struct lastack_request *request = p->request;
	const struct lastack__exchange *x = &p->exchange;
	/* FIN, then RST: recv() tells of the first one only. */
	bool reset = x->end == LASTACK__EXCHANGE_PEER_END &&
	    lastack__ending_was_reset(&p->ending, &p->socket);
	bool lost = p->socket.first_errno != 0 && !reset;

	if (x->end == LASTACK__EXCHANGE_MATCHED)
		return;
	if (x->end == LASTACK__EXCHANGE_FAILED)
		probe_fail(
		    p, LASTACK_OUTCOME_SYSTEM, x->failed_in, x->local_errno);
	if (x->end == LASTACK__EXCHANGE_PEER_END && reset && !wants_reset(p))
		probe_fail(p, LASTACK_OUTCOME_RESET, lastack__account_phase(p),
		    p->socket.first_errno);
	if (x->end == LASTACK__EXCHANGE_PEER_END && lost)
		probe_fail(p, LASTACK_OUTCOME_RESPONSE_TIMEOUT,
		    lastack__account_phase(p), p->socket.first_errno);
	if (x->matcher.decided)
		return;
	if (x->received_bytes > 0 && request->expect.count > 0)
		probe_fail(
		    p, LASTACK_OUTCOME_MISMATCH, LASTACK_PHASE_RECEIVE, 0);
	/* A peer that only takes what is sent has said all with its FIN. */
	if (x->received_bytes == 0 && !reset &&
	    (request->expect.count > 0 || !request->half_close))
		probe_fail(
		    p, LASTACK_OUTCOME_CLOSED_EARLY, LASTACK_PHASE_WAIT, 0);
}

static void
exchange_step(struct lastack_probe *p)
{
	struct lastack__exchange *x = &p->exchange;

	lastack__exchange_step(x, &p->socket, p->now_ns);
	if (x->sent && p->request->half_close && !p->socket.fin_sent &&
	    !p->socket.broken)
		lastack__ending_fin(&p->ending, &p->socket);
	if (x->end == LASTACK__EXCHANGE_GOING) {
		watch_stream(p);
		return;
	}
	exchange_judge(p);
	end_begin(p);
}

/* ---- end */

static void
close_judge(struct lastack_probe *p)
{
	enum lastack_end want = p->request->expect_close;
	enum lastack_end got = p->ending.peer;

	if (got == LASTACK_END_FIN_RST && want == LASTACK_END_RST)
		got = LASTACK_END_RST;
	if (want != LASTACK_END_UNKNOWN && want != got)
		probe_fail(
		    p, LASTACK_OUTCOME_CLOSE_MISMATCH, LASTACK_PHASE_CLOSE, 0);
}

static void
fastopen_judge(struct lastack_probe *p)
{
	if (p->request->fastopen == LASTACK_FASTOPEN_REQUIRE &&
	    p->result.public.fastopen_status != LASTACK_FASTOPEN_ACCEPTED)
		probe_fail(
		    p, LASTACK_OUTCOME_FASTOPEN, LASTACK_PHASE_CONNECT, 0);
}

static void
end_step(struct lastack_probe *p)
{
	lastack__ending_step(&p->ending, &p->socket, p->now_ns);
	if (p->ending.stage != LASTACK__ENDING_OVER)
		return;
	fastopen_judge(p);
	close_judge(p);
	p->stage = LASTACK__STAGE_OVER;
}

/* ---- the run */

/* The deadline or a signal ends every stage but the last in its own way. */
static void
probe_cut_short(struct lastack_probe *p, enum lastack_outcome late, int error)
{
	switch (p->stage) {
	case LASTACK__STAGE_RESOLVE:
		if (late == LASTACK_OUTCOME_NONE)
			late = LASTACK_OUTCOME_RESOLVE;
		probe_fail(p, late, LASTACK_PHASE_RESOLVE, error);
		p->stage = LASTACK__STAGE_OVER;
		break;
	case LASTACK__STAGE_CONNECT:
		if (late == LASTACK_OUTCOME_NONE)
			late = LASTACK_OUTCOME_CONNECT_TIMEOUT;
		if (p->socket.fd != -1)
			lastack__connect_give_up(
			    &p->connect, &p->socket, late, p->now_ns);
		connect_failed(p);
		break;
	case LASTACK__STAGE_EXCHANGE:
		if (late == LASTACK_OUTCOME_NONE)
			late = LASTACK_OUTCOME_RESPONSE_TIMEOUT;
		probe_fail(p, late, lastack__account_phase(p), error);
		end_begin(p);
		break;
	default:
		break;
	}
}

static void
probe_check_time(struct lastack_probe *p)
{
	if (p->interrupted_by != 0) {
		p->ending.deadline_ns = p->now_ns;
		if (p->ending.timer_ns > p->now_ns)
			p->ending.timer_ns = p->now_ns;
		probe_fail(p, LASTACK_OUTCOME_INTERRUPTED,
		    lastack__account_phase(p), 0);
		probe_cut_short(p, LASTACK_OUTCOME_INTERRUPTED, 0);
	} else if (p->now_ns >= p->deadline_ns) {
		probe_cut_short(p, LASTACK_OUTCOME_NONE, ETIMEDOUT);
	}
}

static void
probe_advance(struct lastack_probe *p)
{
	enum lastack__stage before;

	do {
		before = p->stage;
		switch (p->stage) {
		case LASTACK__STAGE_RESOLVE:
			resolve_step(p);
			break;
		case LASTACK__STAGE_CONNECT:
			connect_step(p);
			break;
		case LASTACK__STAGE_EXCHANGE:
			exchange_step(p);
			break;
		case LASTACK__STAGE_END:
			end_step(p);
			break;
		case LASTACK__STAGE_OVER:
			return;
		}
	} while (p->stage != before);
}

static void
probe_wake(struct lastack_probe *p, const struct epoll_event *events, int n)
{
	p->now_ns = lastack__clock_now_ns();
	for (int i = 0; i < n; i++) {
		if (events[i].data.u32 == WATCHED_SOCKET)
			lastack__socket_wake(&p->socket, events[i].events);
		if (events[i].data.u32 == WATCHED_STREAM)
			p->exchange.cursor.stream_ready = true;
	}
	if (p->socket.fd != -1 && p->connected_ns != -1)
		lastack__ending_notice(&p->ending, &p->socket, p->now_ns);
	probe_advance(p);
	probe_check_time(p);
	probe_advance(p);
	if (p->stage == LASTACK__STAGE_OVER)
		lastack__account(p);
}

static void
probe_begin_result(struct lastack_probe *p)
{
	lastack__result_init(&p->result);
	lastack__ending_init(&p->ending);
	p->start_ns = p->now_ns = lastack__clock_now_ns();
	p->deadline_ns = lastack__clock_add(p->start_ns, p->request->total_ns);
	p->resolved_ns = p->connected_ns = p->complete_ns = -1;
	p->connect.first_syn_ns = -1;
	p->result.public.fastopen = p->request->fastopen;
	if (p->request->fastopen != LASTACK_FASTOPEN_OFF)
		p->result.public.fastopen_status = LASTACK_FASTOPEN_UNKNOWN;
	p->connects_only = lastack__request_connects_only(p->request);
	p->bare = p->connects_only &&
	    p->request->expect_close == LASTACK_END_UNKNOWN;
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
	probe_begin_result(p);
	error = lastack__exchange_begin(&p->exchange, request);
	if (error != 0)
		goto out;
	p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	error = p->epoll_fd == -1 ? LASTACK_ERROR_SYSTEM : resolve_begin(p);
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
		timer = lastack__connect_timer(&p->connect);
		break;
	case LASTACK__STAGE_EXCHANGE:
		if (p->exchange.again)
			return p->now_ns;
		timer = lastack__exchange_timer(&p->exchange);
		break;
	case LASTACK__STAGE_END:
		return p->ending.timer_ns;
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
	{
		struct timespec span = { .tv_sec = left / 1000000000,
			.tv_nsec = left % 1000000000 };
		int n = epoll_pwait2(p->epoll_fd, events, count, &span, mask);

		if (n != -1 || errno != ENOSYS)
			return n;
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
