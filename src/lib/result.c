/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "result.h"

void
lastack__result_init(struct lastack__result *result)
{
	*result = (struct lastack__result){
		.public = { .size = sizeof(result->public),
		    .match_which = -1,
		    .match = LASTACK_MATCH_NONE,
		    .fastopen_status = LASTACK_FASTOPEN_NOT_ASKED,

		    .close_peer = LASTACK_END_NONE,
		    .close_local = LASTACK_END_NONE,
		    .close_clean = LASTACK_NO,
		    .close_last_ack = LASTACK_NO,
		    .close_time_wait = LASTACK_NO },
	};
	for (int i = 0; i <= LASTACK_PHASE_TOTAL; i++)
		result->phase_ns[i] = -1;
	for (int i = 0; i < LASTACK_EVENT_COUNT; i++)
		result->event_ns[i] = -1;
}

void
lastack__result_text(struct lastack__result *result, const char *text)
{
	snprintf(result->error_text, sizeof(result->error_text), "%s", text);
}

void
lastack__result_fail(struct lastack__result *result,
    enum lastack_outcome outcome, enum lastack_phase phase, int error)
{
	if (result->public.outcome != LASTACK_OUTCOME_NONE)
		return;
	result->public.outcome = outcome;
	result->public.error_phase = phase;
	result->public.error_errno = error;
	if (error != 0)
		lastack__result_text(result, strerror(error));
}

static const struct lastack__result *
inside(const struct lastack_result *result)
{
	return (const struct lastack__result *)(const void *)result;
}

const char *
lastack_result_remote(const struct lastack_result *result)
{
	const char *text = inside(result)->remote;

	return *text ? text : NULL;
}

const char *
lastack_result_local(const struct lastack_result *result)
{
	const char *text = inside(result)->local;

	return *text ? text : NULL;
}

const char *
lastack_result_congestion(const struct lastack_result *result)
{
	const char *text = inside(result)->congestion;

	return *text ? text : NULL;
}

const char *
lastack_result_error_text(const struct lastack_result *result)
{
	return inside(result)->error_text;
}

int64_t
lastack_result_phase_ns(
    const struct lastack_result *result, enum lastack_phase phase)
{
	if ((unsigned int)phase > LASTACK_PHASE_TOTAL)
		return -1;
	return inside(result)->phase_ns[phase];
}

int64_t
lastack_result_event_ns(
    const struct lastack_result *result, enum lastack_event event)
{
	if ((unsigned int)event >= LASTACK_EVENT_COUNT)
		return -1;
	return inside(result)->event_ns[event];
}

size_t
lastack_result_attempts(const struct lastack_result *result)
{
	return inside(result)->attempt_count;
}

const struct lastack_attempt *
lastack_result_attempt(const struct lastack_result *result, size_t index)
{
	if (index >= inside(result)->attempt_count)
		return NULL;
	return &inside(result)->attempts[index].record;
}

const void *
lastack_result_response(const struct lastack_result *result)
{
	const void *response = inside(result)->response;

	return response != NULL ? response : "";
}

size_t
lastack_result_exchanges(const struct lastack_result *result)
{
	return inside(result)->exchange_count;
}

const struct lastack_exchange *
lastack_result_exchange(const struct lastack_result *result, size_t index)
{
	if (index >= inside(result)->exchange_count)
		return NULL;
	return &inside(result)->exchanges[index];
}

size_t
lastack_result_groups(const struct lastack_result *result)
{
	return inside(result)->group_count;
}

const void *
lastack_result_group(
    const struct lastack_result *result, size_t index, size_t *len)
{
	const struct lastack__result *r = inside(result);
	const struct lastack__span *span;

	if (index >= r->group_count)
		return NULL;
	span = &r->groups[index];
	if (span->from > span->to)
		return NULL;
	*len = span->to - span->from;
	return r->group_bytes + span->from;
}
