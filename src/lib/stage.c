/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run asks of the kernel, and what would be lost without it; counted by
 * tests/check_cost.c. A small request that is answered with a FIN:
 *
 *	epoll_create1	the descriptor for the caller's poll loop
 *	socket		before that where there are to be stamps
 *	setsockopt	SO_OOBINLINE: else an urgent byte passes for a FIN
 *	setsockopt	TCP_QUICKACK off: the handshake's ACK rides on the
 *			payload, the FIN or the RST
 *	connect
 *	epoll_ctl
 *	getsockopt	TCP_INFO: connected, refused or reset; the handshake's
 *			round trip; Fast Open
 *	getsockname	the port that the report tells, and that the search
 *			for TIME-WAIT needs
 *	ioctl		SIOCINQ: what is there before the payload is no answer
 *	send
 *	epoll_pwait2	once for the answer; once more where the socket was
 *			writable before the answer came
 *	recvmsg		with the stamp; recv() after the first time
 *	getsockopt	TCP_INFO: whose stamp that is, and the peer's FIN
 *			behind it; where that is there recv() is not asked
 *	shutdown
 *	getsockopt	TCP_INFO: the last ACK, and that no RST came instead
 *	close, close	the connection, epoll
 *
 * With a payload, unless it is to be lean: SO_TIMESTAMPING, for when the first
 * byte arrived and not when we woke up, sched_yield(), so that what that sets
 * off is over before the clock starts, and TCP_CONGESTION for the report.
 * Where the FIN comes later: a wait, a recv() that gives 0 and a TCP_INFO more.
 * An end by RST: SO_ATTACH_FILTER and a TCP_INFO, so that no FIN slips in
 * between the decision and the reset, and SO_LINGER. A connection that died:
 * SO_ERROR, and SIOCINQ where the counters leave it open whether a FIN was
 * among the last bytes. Our FIN first: four calls to sock_diag(7) for
 * TIME-WAIT. Fast Open: six to generic netlink for the cookie, before the SYN,
 * since after it there may be another. Much that nobody looks at: SO_RCVLOWAT
 * now and then, for the waits that it saves. All of the clock's are the vDSO's.
 */
#include <config.h>

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "account.h"
#include "clock.h"
#include "cookie.h"
#include "outcome.h"
#include "stage.h"

#define SOCKET_EVENTS (EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET)

static void
stage_fail(struct lastack_probe *p, enum lastack_outcome outcome,
    enum lastack_phase phase, int error)
{
	lastack__result_fail(&p->result, outcome, phase, error);
}

static bool
stage_watch(struct lastack_probe *p, int operation, int fd, uint32_t events,
    enum lastack__watched what)
{
	struct epoll_event event = { .events = events, .data.u32 = what };

	return epoll_ctl(p->epoll_fd, operation, fd, &event) == 0;
}

/* ---- resolve */

static bool
has_header(const struct lastack_probe *p)
{
	return p->request->proxy.version != LASTACK_PROXY_OFF;
}

/* What the SYN is to carry, if it is there by now. */
static void
load_syn(struct lastack_probe *p)
{
	struct lastack__cursor *cursor = &p->exchange.cursor;
	struct lastack__open *open = &p->connect.open;
	const unsigned char *data;
	size_t len;
	bool more;

	p->connect.fastopen = true;
	lastack__cursor_poll(cursor);
	if (!has_header(p) &&
	    lastack__cursor_peek(cursor, &data, &len, &more) !=
		LASTACK__PEEK_DATA)
		return;
	open->load.cursor = cursor;
	if (has_header(p))
		open->load.proxy = &p->request->proxy;
	open->hold_ack = true;
}

/* Of a name the family is anybody's guess. */
void
lastack__stage_prepare(struct lastack_probe *p)
{
	const struct lastack_request *request = p->request;
	struct lastack__address address;
	int family = AF_INET;

	p->connect.open.stamps = !request->lean && request->path.len == 0 &&
	    lastack__request_sends(request, 0);
	if (!p->connect.open.stamps)
		return;
	if (lastack__resolve_numeric(request->host, request->port, &address))
		family = address.u.any.sa_family;
	else if (request->family == LASTACK_FAMILY_IPV6)
		family = AF_INET6;
	lastack__socket_prepare(&p->connect.open, family);
}

static int
connect_begin(struct lastack_probe *p)
{
	const struct lastack__payload *first = &p->request->rounds[0].payload;

	p->connect.patience_ns = p->request->connect_ns;
	p->connect.open.local = &p->request->local;
	/* Only what follows at once may hold the ACK back: 200 ms else. */
	p->connect.open.hold_ack = p->bare || has_header(p) ||
	    lastack__payload_ready(first) ||
	    (p->request->half_close && first->count == 0) ||
	    (p->connects_only && p->request->goodbye.count > 0);
	if (has_header(p) && lastack__cursor_gather(&p->exchange.cursor) != 0)
		return LASTACK_ERROR_MEMORY;
	if (p->request->fastopen != LASTACK_FASTOPEN_OFF)
		load_syn(p);
	p->stage = LASTACK__STAGE_CONNECT;
	return 0;
}

static int
connect_to(struct lastack_probe *p, struct lastack__addresses *addresses)
{
	int error = lastack__connect_begin(&p->connect, addresses);

	if (error != 0)
		return error;
	if (p->request->all_addresses)
		p->connect.bound = 1;
	return connect_begin(p);
}

int
lastack__stage_again(struct lastack_probe *p)
{
	int error = lastack__exchange_begin(&p->exchange, p->request);

	return error != 0 ? error : connect_begin(p);
}

int
lastack__stage_begin(struct lastack_probe *p)
{
	const struct lastack_request *request = p->request;
	struct lastack__addresses addresses = { 0 };
	struct lastack__address address;

	if (request->path.len != 0)
		address = request->path;
	if (request->path.len != 0 ||
	    lastack__resolve_numeric(request->host, request->port, &address)) {
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
	if (!stage_watch(p, EPOLL_CTL_ADD, lastack__lookup_fd(p->lookup),
		EPOLLIN, LASTACK__WATCHED_LOOKUP))
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
		stage_fail(p, LASTACK_OUTCOME_RESOLVE, LASTACK_PHASE_RESOLVE,
		    answer.system_errno);
		if (answer.system_errno == 0)
			lastack__result_text(
			    &p->result, gai_strerror(answer.error));
		p->stage = LASTACK__STAGE_OVER;
		return;
	}
	p->resolved_ns = p->now_ns;
	if (connect_to(p, &answer.addresses) != 0) {
		stage_fail(
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
	if (!p->socket.is_unix)
		result->family = remote->u.any.sa_family == AF_INET ?
		    LASTACK_FAMILY_IPV4 :
		    LASTACK_FAMILY_IPV6;
	p->ending.device = lastack__local_device(&p->request->local);
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

	p->now_ns = lastack__clock_now_ns();
	if (p->complete_ns == -1)
		p->complete_ns = p->now_ns;
	e->policy = p->request->close;
	e->drain_ns = p->request->drain_ns;
	e->bare = p->bare;
	/* A failure or a signal ends it now. */
	e->deadline_ns = p->interrupted_by != 0 ? p->now_ns : p->deadline_ns;
	lastack__ending_begin(e, &p->socket, p->now_ns);
	p->stage = LASTACK__STAGE_END;
}

/*
 * The conversation is over. A goodbye is for a peer that is still there and
 * has had its say; it waits no longer than the drain would.
 */
static void
talk_over(struct lastack_probe *p)
{
	enum lastack_outcome outcome = p->result.public.outcome;
	int64_t timer_ns =
	    lastack__clock_add(p->complete_ns, p->request->drain_ns);

	if (p->request->goodbye.count == 0 || p->socket.hung_up ||
	    p->socket.broken ||
	    (outcome != LASTACK_OUTCOME_NONE &&
		outcome != LASTACK_OUTCOME_MISMATCH)) {
		end_begin(p);
		return;
	}
	lastack__exchange_part(&p->exchange,
	    timer_ns < p->deadline_ns ? timer_ns : p->deadline_ns);
	p->stage = LASTACK__STAGE_EXCHANGE;
}

static void
connect_failed(struct lastack_probe *p)
{
	const struct lastack__attempt *attempt =
	    lastack__connect_verdict(&p->connect);

	stage_fail(p, attempt->record.outcome, LASTACK_PHASE_CONNECT,
	    attempt->record.error_errno);
	p->result.public.error_local = attempt->refused;
	p->stage = LASTACK__STAGE_OVER;
}

static void
connect_done(struct lastack_probe *p)
{
	p->connected_ns = p->now_ns;
	if (p->socket.syn.payload_bytes > 0) {
		lastack__cursor_take(
		    &p->exchange.cursor, p->socket.syn.payload_bytes);
		p->exchange.first_send_ns = p->socket.syn.sent_ns;
	} else if (has_header(p)) {
		lastack__proxy_lead(&p->request->proxy, p->socket.fd,
		    &lastack__connect_address(&p->connect)->u.any,
		    &p->exchange.cursor);
	}
	p->socket.writable = true; /* with an empty queue, before any edge */
	note_addresses(p);
	note_fastopen(p);
	if (!p->request->lean)
		lastack__socket_congestion(&p->socket, p->result.congestion,
		    sizeof(p->result.congestion));
	p->stage = LASTACK__STAGE_EXCHANGE;
	if (!p->connects_only)
		return;
	p->complete_ns = p->connected_ns;
	talk_over(p);
}

static void
connect_step(struct lastack_probe *p)
{
	enum lastack__connecting state = LASTACK__CONNECT_FAILED;

	if (p->socket.fd != -1)
		state =
		    lastack__connect_step(&p->connect, &p->socket, &p->now_ns);
	while (state == LASTACK__CONNECT_FAILED) {
		state = lastack__connect_next(&p->connect, &p->socket);
		if (state == LASTACK__CONNECT_FAILED) {
			connect_failed(p);
			return;
		}
		if (!stage_watch(p, EPOLL_CTL_ADD, p->socket.fd, SOCKET_EVENTS,
			LASTACK__WATCHED_SOCKET)) {
			stage_fail(p, LASTACK_OUTCOME_SYSTEM,
			    LASTACK_PHASE_CONNECT, errno);
			lastack__socket_close(&p->socket);
			p->stage = LASTACK__STAGE_OVER;
			return;
		}
	}
	if (state == LASTACK__CONNECT_STARTED)
		p->now_ns = lastack__clock_now_ns();
	if (state == LASTACK__CONNECT_DONE)
		connect_done(p);
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
	if (!stage_watch(p, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
		EPOLLIN | EPOLLONESHOT, LASTACK__WATCHED_STREAM)) {
		/* A file that cannot seek and cannot be polled never blocks. */
		x->cursor.stream_ready = true;
		x->again = true;
		return;
	}
	p->watched_stream = fd;
}

/* Likewise, until the sink's descriptor takes something. */
static void
watch_sink(struct lastack_probe *p)
{
	int operation = p->sink_watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (!p->exchange.stalled)
		return;
	if (stage_watch(p, operation, p->request->sink_fd,
		EPOLLOUT | EPOLLONESHOT, LASTACK__WATCHED_SINK))
		p->sink_watched = true;
	else
		p->exchange.again = true;
}

/*
 * Whether the next exchange can be held. To a peer that has closed nothing is
 * sent any more: it would be met by its RST.
 */
static bool
exchange_goes_on(struct lastack_probe *p)
{
	struct lastack__exchange *x = &p->exchange;

	if (x->last || p->result.public.outcome != LASTACK_OUTCOME_NONE)
		return false;
	if (lastack__exchange_next(x) != 0) {
		stage_fail(
		    p, LASTACK_OUTCOME_SYSTEM, LASTACK_PHASE_SEND, ENOMEM);
		return false;
	}
	if (x->round->payload.count == 0 || !p->socket.hung_up)
		return true;
	x->end = LASTACK__EXCHANGE_PEER_END;
	lastack__exchange_note(x, &p->socket, p->now_ns);
	lastack__outcome_of_exchange(p);
	return false;
}

static void
exchange_step(struct lastack_probe *p)
{
	struct lastack__exchange *x = &p->exchange;

	if (x->farewell) {
		if (lastack__exchange_parted(x, &p->socket, p->now_ns))
			end_begin(p);
		return;
	}
	do {
		lastack__exchange_step(x, &p->socket, p->now_ns);
		if (x->evidence_ns != -1)
			lastack__ending_learn(&p->ending, &p->socket,
			    &x->evidence, x->evidence_ns);
		x->evidence_ns = -1;
		if (x->sent && x->last && p->request->half_close &&
		    !p->socket.fin_sent && !p->socket.broken)
			lastack__ending_fin(&p->ending, &p->socket);
		if (x->end == LASTACK__EXCHANGE_GOING) {
			watch_stream(p);
			watch_sink(p);
			return;
		}
		p->now_ns = lastack__clock_now_ns();
		lastack__exchange_note(x, &p->socket, p->now_ns);
		lastack__outcome_of_exchange(p);
	} while (exchange_goes_on(p));
	p->complete_ns = p->now_ns;
	talk_over(p);
}

/* ---- end */

static void
end_step(struct lastack_probe *p)
{
	lastack__ending_step(&p->ending, &p->socket, p->now_ns);
	if (p->ending.stage != LASTACK__ENDING_OVER)
		return;
	lastack__outcome_of_close(p);
	p->stage = LASTACK__STAGE_OVER;
}

/* ---- all of them */

static void
exchange_cut_short(
    struct lastack_probe *p, enum lastack_outcome late, int error)
{
	if (late == LASTACK_OUTCOME_NONE)
		late = LASTACK_OUTCOME_RESPONSE_TIMEOUT;
	stage_fail(p, late, lastack__account_phase(p), error);
	lastack__exchange_note(&p->exchange, &p->socket, p->now_ns);
}

/*
 * The kernel may have connected, or been refused, while we were not let run:
 * a last look, for silence is not to be claimed where there was none.
 */
static void
connect_cut_short(struct lastack_probe *p, enum lastack_outcome late, int error)
{
	enum lastack__connecting state = LASTACK__CONNECT_FAILED;

	if (p->socket.fd != -1) {
		lastack__socket_poll(&p->socket);
		state =
		    lastack__connect_step(&p->connect, &p->socket, &p->now_ns);
	}
	if (state == LASTACK__CONNECT_DONE) {
		connect_done(p);
		lastack__stage_cut_short(p, late, error);
		return;
	}
	if (late == LASTACK_OUTCOME_NONE)
		late = LASTACK_OUTCOME_CONNECT_TIMEOUT;
	if (p->socket.fd != -1)
		lastack__connect_give_up(
		    &p->connect, &p->socket, late, p->now_ns);
	connect_failed(p);
}

void
lastack__stage_cut_short(
    struct lastack_probe *p, enum lastack_outcome late, int error)
{
	switch (p->stage) {
	case LASTACK__STAGE_RESOLVE:
		if (late == LASTACK_OUTCOME_NONE)
			late = LASTACK_OUTCOME_RESOLVE;
		stage_fail(p, late, LASTACK_PHASE_RESOLVE, error);
		p->stage = LASTACK__STAGE_OVER;
		break;
	case LASTACK__STAGE_CONNECT:
		connect_cut_short(p, late, error);
		break;
	case LASTACK__STAGE_EXCHANGE:
		if (!p->exchange.farewell)
			exchange_cut_short(p, late, error);
		end_begin(p);
		break;
	default:
		break;
	}
}

void
lastack__stage_step(struct lastack_probe *p)
{
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
		break;
	}
}
