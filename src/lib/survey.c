/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>

#include "account.h"
#include "clock.h"
#include "stage.h"
#include "survey.h"

void
lastack__survey_begin(struct lastack_probe *p)
{
	lastack__result_init(&p->result);
	lastack__ending_init(&p->ending);
	p->socket = (struct lastack__socket)LASTACK__SOCKET_INIT;
	p->connected_ns = p->complete_ns = -1;
	p->connect.first_syn_ns = -1;
	p->result.public.fastopen = p->request->fastopen;
	if (p->request->path.len != 0)
		p->result.public.family = LASTACK_FAMILY_UNIX;
	if (p->request->fastopen != LASTACK_FASTOPEN_OFF)
		p->result.public.fastopen_status = LASTACK_FASTOPEN_UNKNOWN;
}

/*
 * The sooner it failed the worse, and what is our own fault says nothing of the
 * address at all.
 */
static int
badness(enum lastack_outcome outcome)
{
	static const enum lastack_outcome order[] = {
		LASTACK_OUTCOME_OK,
		LASTACK_OUTCOME_FASTOPEN,
		LASTACK_OUTCOME_CLOSE_MISMATCH,
		LASTACK_OUTCOME_MISMATCH,
		LASTACK_OUTCOME_CLOSED_EARLY,
		LASTACK_OUTCOME_RESET,
		LASTACK_OUTCOME_RESPONSE_TIMEOUT,
		LASTACK_OUTCOME_REFUSED,
		LASTACK_OUTCOME_UNREACHABLE,
		LASTACK_OUTCOME_CONNECT_TIMEOUT,
		LASTACK_OUTCOME_SYSTEM,
		LASTACK_OUTCOME_INTERRUPTED,
	};
	int count = (int)(sizeof(order) / sizeof(order[0]));

	for (int i = 0; i < count; i++)
		if (order[i] == outcome)
			return i;
	return count;
}

/* The row is of the whole run at this address, not of its handshake alone. */
static void
write_row(struct lastack_probe *p)
{
	struct lastack_attempt *row =
	    &p->connect.attempts[p->connect.tried - 1].record;
	int64_t end_ns = p->start_ns + p->result.event_ns[LASTACK_EVENT_END];

	row->outcome = p->result.public.outcome;
	row->error_errno = p->result.public.error_errno;
	if (p->connected_ns != -1)
		row->time_ns = end_ns - p->connect.begun_ns;
}

/* What is kept goes to *worst, and the other one may be written over. */
static void
keep_the_worse(struct lastack_probe *p)
{
	struct lastack__worst *worst = &p->worst;

	if (worst->there &&
	    badness(worst->result.public.outcome) >=
		badness(p->result.public.outcome))
		return;
	if (worst->there)
		lastack__exchange_free(&worst->exchange);
	worst->there = true;
	worst->result = p->result;
	worst->exchange = p->exchange;
	p->exchange = (struct lastack__exchange){ .request = p->request };
}

static void
survey_over(struct lastack_probe *p)
{
	lastack__exchange_free(&p->exchange);
	p->result = p->worst.result;
	p->exchange = p->worst.exchange;
	p->worst.there = false;
	p->result.attempts = p->connect.attempts;
	p->result.attempt_count = p->connect.tried;
}

/* Time is up: of the address only this can be said. */
static void
pass_over(struct lastack_probe *p)
{
	lastack__connect_pass(&p->connect);
	lastack__result_fail(&p->result, LASTACK_OUTCOME_CONNECT_TIMEOUT,
	    LASTACK_PHASE_CONNECT, ETIMEDOUT);
	p->stage = LASTACK__STAGE_OVER;
	lastack__account(p);
}

/* False: memory is short. */
static bool
begin_again(struct lastack_probe *p)
{
	lastack__exchange_free(&p->exchange);
	lastack__survey_begin(p);
	p->connect.bound++;
	p->connect.first = p->connect.tried;
	p->connect.evidence = (struct lastack__evidence){ 0 };
	return lastack__stage_again(p) == 0;
}

void
lastack__survey_next(struct lastack_probe *p)
{
	if (!p->request->all_addresses || p->connect.tried == 0)
		return;
	do {
		write_row(p);
		keep_the_worse(p);
		if (p->connect.tried == p->connect.addresses.count ||
		    p->interrupted_by != 0) {
			survey_over(p);
			return;
		}
		if (!begin_again(p)) {
			survey_over(p);
			p->result.public.outcome = LASTACK_OUTCOME_NONE;
			lastack__result_fail(&p->result, LASTACK_OUTCOME_SYSTEM,
			    LASTACK_PHASE_CONNECT, ENOMEM);
			p->stage = LASTACK__STAGE_OVER;
			return;
		}
		if (p->now_ns >= p->deadline_ns)
			pass_over(p);
	} while (p->stage == LASTACK__STAGE_OVER);
}
