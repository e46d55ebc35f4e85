/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include "account.h"
#include "outcome.h"

static bool
wants_reset(const struct lastack_probe *p)
{
	return p->request->expect_close == LASTACK_END_RST &&
	    p->exchange.round->expect.count == 0;
}

void
lastack__outcome_of_exchange(struct lastack_probe *p)
{
	const struct lastack__exchange *x = &p->exchange;
	const struct lastack__expect *expect = &x->round->expect;
	uint64_t received = x->record->received_bytes;
	bool half_closed = x->last && p->request->half_close;
	/* FIN, then RST: recv() tells of the first one only. */
	bool reset = x->end == LASTACK__EXCHANGE_PEER_END &&
	    lastack__ending_was_reset(&p->ending, &p->socket);
	bool lost = p->socket.first_errno != 0 && !reset;

	if (x->end == LASTACK__EXCHANGE_MATCHED)
		return;
	if (x->end == LASTACK__EXCHANGE_FAILED && p->interrupted_by != 0)
		lastack__result_fail(
		    &p->result, LASTACK_OUTCOME_INTERRUPTED, x->failed_in, 0);
	if (x->end == LASTACK__EXCHANGE_FAILED)
		lastack__result_fail(&p->result, LASTACK_OUTCOME_SYSTEM,
		    x->failed_in, x->local_errno);
	if (x->end == LASTACK__EXCHANGE_PEER_END && reset && !wants_reset(p))
		lastack__result_fail(&p->result, LASTACK_OUTCOME_RESET,
		    lastack__account_phase(p), p->socket.first_errno);
	if (x->end == LASTACK__EXCHANGE_PEER_END && lost)
		lastack__result_fail(&p->result,
		    LASTACK_OUTCOME_RESPONSE_TIMEOUT, lastack__account_phase(p),
		    p->socket.first_errno);
	if (x->matcher.met)
		return;
	if (received > 0 && expect->count > 0)
		lastack__result_fail(&p->result, LASTACK_OUTCOME_MISMATCH,
		    LASTACK_PHASE_RECEIVE, 0);
	/* A peer that only takes what is sent has said all with its FIN. */
	if (received == 0 && !reset && !p->request->send_only &&
	    (expect->count > 0 || !half_closed))
		lastack__result_fail(&p->result, LASTACK_OUTCOME_CLOSED_EARLY,
		    LASTACK_PHASE_WAIT, 0);
}

static void
close_judge(struct lastack_probe *p)
{
	enum lastack_end want = p->request->expect_close;
	enum lastack_end got = p->ending.peer;

	if (got == LASTACK_END_FIN_RST && want == LASTACK_END_RST)
		got = LASTACK_END_RST;
	if (want != LASTACK_END_UNKNOWN && want != got)
		lastack__result_fail(&p->result, LASTACK_OUTCOME_CLOSE_MISMATCH,
		    LASTACK_PHASE_CLOSE, 0);
}

static void
fastopen_judge(struct lastack_probe *p)
{
	if (p->request->fastopen == LASTACK_FASTOPEN_REQUIRE &&
	    p->result.public.fastopen_status != LASTACK_FASTOPEN_ACCEPTED)
		lastack__result_fail(&p->result, LASTACK_OUTCOME_FASTOPEN,
		    LASTACK_PHASE_CONNECT, 0);
}

void
lastack__outcome_of_close(struct lastack_probe *p)
{
	fastopen_judge(p);
	close_judge(p);
}
