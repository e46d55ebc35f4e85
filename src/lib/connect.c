/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "clock.h"
#include "connect.h"
#include "cookie.h"

/* Nothing tells that a Unix socket's backlog has room again. */
#define AGAIN_NS 5000000

int
lastack__connect_begin(
    struct lastack__connect *c, struct lastack__addresses *addresses)
{
	c->first_syn_ns = -1;
	c->addresses = *addresses;
	c->bound = c->addresses.count;
	*addresses = (struct lastack__addresses){ 0 };
	c->attempts = calloc(c->addresses.count, sizeof(*c->attempts));
	return c->attempts == NULL ? LASTACK_ERROR_MEMORY : 0;
}

void
lastack__connect_free(struct lastack__connect *c)
{
	lastack__socket_unprepare(&c->open);
	lastack__addresses_free(&c->addresses);
	free(c->attempts);
}

/* sync: connect() itself said it, so it is this machine's own word. */
static enum lastack_outcome
outcome_of(int error, bool sync)
{
	switch (error) {
	case 0:
		return LASTACK_OUTCOME_OK;
	case ECONNREFUSED:
		return LASTACK_OUTCOME_REFUSED;
	case ETIMEDOUT:
		return LASTACK_OUTCOME_CONNECT_TIMEOUT;
	case ENOENT: /* of a path, likewise */
	case ENOTDIR:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case ENONET:
		return LASTACK_OUTCOME_UNREACHABLE;
	default:
		/* What is left of icmp_err_convert[] and icmpv6_err_convert. */
		return sync ? LASTACK_OUTCOME_SYSTEM :
			      LASTACK_OUTCOME_UNREACHABLE;
	}
}

static struct lastack__attempt *
connect_current(const struct lastack__connect *c)
{
	return &c->attempts[c->tried - 1];
}

const struct lastack__address *
lastack__connect_address(const struct lastack__connect *c)
{
	return &c->addresses.list[c->tried - 1];
}

static void
connect_finish(struct lastack__connect *c, enum lastack_outcome outcome,
    int error, int64_t now_ns)
{
	struct lastack_attempt *record = &connect_current(c)->record;

	record->outcome = outcome;
	record->error_errno = error;
	record->time_ns = now_ns - c->begun_ns;
}

static struct lastack__attempt *
connect_take(struct lastack__connect *c)
{
	struct lastack__attempt *attempt = &c->attempts[c->tried++];

	attempt->record.size = sizeof(attempt->record);
	attempt->record.address = attempt->text;
	lastack__address_text(
	    &lastack__connect_address(c)->u.any, attempt->text);
	return attempt;
}

void
lastack__connect_pass(struct lastack__connect *c)
{
	connect_take(c)->record.time_ns = 0;
}

enum lastack__connecting
lastack__connect_next(struct lastack__connect *c, struct lastack__socket *s)
{
	while (c->tried < c->bound) {
		struct lastack__attempt *attempt = connect_take(c);
		const struct lastack__address *address =
		    lastack__connect_address(c);
		int error;

		if (c->open.load.cursor != NULL)
			c->cookie = lastack__cookie_look(
			    lastack__local_address(
				c->open.local, address->u.any.sa_family),
			    &address->u.any);
		c->begun_ns = lastack__clock_now_ns();
		error = lastack__socket_connect(
		    s, &address->u.any, address->len, &c->open);
		/* The clock starts when the SYN leaves. */
		if (s->syn.sent_ns != 0)
			c->begun_ns = s->syn.sent_ns;
		if (c->first_syn_ns == -1)
			c->first_syn_ns = c->begun_ns;
		c->again_ns = lastack__clock_add(c->begun_ns, AGAIN_NS);
		if (error == 0)
			return LASTACK__CONNECT_STARTED;
		attempt->refused = s->refused;
		connect_finish(
		    c, outcome_of(error, true), error, lastack__clock_now_ns());
	}
	return LASTACK__CONNECT_FAILED;
}

/*
 * Not SO_ERROR alone: where the peer has accepted and reset at once, that would
 * take the reset for a refusal and lose it for recv().
 */
static enum lastack__connecting
connect_look(struct lastack__connect *c, struct lastack__socket *s)
{
	struct lastack__evidence *evidence = &c->evidence;

	lastack__evidence_read(s->fd, 0, false, evidence);
	switch (evidence->state) {
	case LASTACK__STATE_CONNECTING:
		return LASTACK__CONNECT_GOING;
	case LASTACK__STATE_CLOSED:
	case LASTACK__STATE_UNKNOWN:
		if (!s->writable)
			return LASTACK__CONNECT_GOING;
		lastack__socket_errno(s);
		s->broken = s->first_errno != 0;
		if (!s->broken || lastack__socket_was_reset(s))
			return LASTACK__CONNECT_DONE;
		return LASTACK__CONNECT_FAILED;
	default:
		return LASTACK__CONNECT_DONE;
	}
}

/* "Refused" is also what an unreachable port is told by: without an RST. */
static enum lastack_outcome
connect_outcome(const struct lastack__connect *c, int error)
{
	if (error == ECONNREFUSED && c->evidence.has_figures &&
	    c->evidence.segments_in == 0)
		return LASTACK_OUTCOME_UNREACHABLE;
	return outcome_of(error, false);
}

static int64_t
connect_limit(const struct lastack__connect *c)
{
	if (c->patience_ns == 0)
		return LASTACK__NEVER;
	return lastack__clock_add(c->begun_ns, c->patience_ns);
}

static enum lastack__connecting
connect_again(
    struct lastack__connect *c, struct lastack__socket *s, int64_t now_ns)
{
	const struct lastack__address *address = lastack__connect_address(c);
	int error;

	if (now_ns < c->again_ns)
		return LASTACK__CONNECT_GOING;
	error = lastack__socket_connect_again(s, &address->u.any, address->len);
	if (error == 0)
		return LASTACK__CONNECT_DONE;
	c->again_ns = lastack__clock_add(now_ns, AGAIN_NS);
	if (error == EAGAIN)
		return LASTACK__CONNECT_GOING;
	s->first_errno = error;
	return LASTACK__CONNECT_FAILED;
}

enum lastack__connecting
lastack__connect_step(
    struct lastack__connect *c, struct lastack__socket *s, int64_t *now_ns)
{
	enum lastack__connecting state =
	    s->backlogged ? connect_again(c, s, *now_ns) : connect_look(c, s);

	if (state == LASTACK__CONNECT_DONE) {
		if (!s->writable)
			*now_ns = lastack__clock_now_ns();
		connect_finish(c, LASTACK_OUTCOME_OK, 0, *now_ns);
	}
	if (state == LASTACK__CONNECT_FAILED) {
		connect_finish(c, connect_outcome(c, s->first_errno),
		    s->first_errno, *now_ns);
		lastack__socket_close(s);
	}
	if (state == LASTACK__CONNECT_GOING && *now_ns >= connect_limit(c)) {
		lastack__connect_give_up(
		    c, s, LASTACK_OUTCOME_CONNECT_TIMEOUT, *now_ns);
		return LASTACK__CONNECT_FAILED;
	}
	return state;
}

void
lastack__connect_give_up(struct lastack__connect *c, struct lastack__socket *s,
    enum lastack_outcome outcome, int64_t now_ns)
{
	connect_finish(c, outcome,
	    outcome == LASTACK_OUTCOME_CONNECT_TIMEOUT ? ETIMEDOUT : EINTR,
	    now_ns);
	lastack__socket_close(s);
}

int64_t
lastack__connect_timer(
    const struct lastack__connect *c, const struct lastack__socket *s)
{
	int64_t limit_ns = connect_limit(c);

	return s->backlogged && c->again_ns < limit_ns ? c->again_ns : limit_ns;
}

/* An answer says more than silence, and silence more than having no way. */
static int
weight_of(enum lastack_outcome outcome)
{
	switch (outcome) {
	case LASTACK_OUTCOME_REFUSED:
		return 4;
	case LASTACK_OUTCOME_CONNECT_TIMEOUT:
		return 3;
	case LASTACK_OUTCOME_UNREACHABLE:
		return 2;
	default:
		return 1;
	}
}

const struct lastack__attempt *
lastack__connect_verdict(const struct lastack__connect *c)
{
	const struct lastack__attempt *most = NULL;

	for (size_t i = c->first; i < c->tried; i++) {
		const struct lastack__attempt *attempt = &c->attempts[i];

		if (most == NULL ||
		    weight_of(attempt->record.outcome) >
			weight_of(most->record.outcome))
			most = attempt;
	}
	return most;
}
