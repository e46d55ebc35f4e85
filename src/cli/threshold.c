/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include "figure.h"
#include "options.h"
#include "threshold.h"

static int64_t
phase_ns(const struct lastack_result *result, enum lastack_phase phase)
{
	int64_t ns = lastack_result_phase_ns(result, phase);

	return ns < 0 ? 0 : ns;
}

static int64_t
delay_ns(const struct options *o, size_t exchange)
{
	return exchange < o->talk.count ? o->talk.turns[exchange].delay_ns : 0;
}

/* What -d took of the phases that follow it. */
static int64_t
pause_ns(const struct options *o, const struct lastack_result *result)
{
	int64_t sum = 0;

	for (size_t i = 0; i < lastack_result_exchanges(result); i++) {
		const struct lastack_exchange *exchange =
		    lastack_result_exchange(result, i);
		int64_t since =
		    (exchange->wait_ns > 0 ? exchange->wait_ns : 0) +
		    (exchange->receive_ns > 0 ? exchange->receive_ns : 0);
		int64_t delay = delay_ns(o, i);

		sum += since < delay ? since : delay;
	}
	return sum;
}

/* Silence that was waited for behind the last byte is no time of a response. */
static int64_t
time_ns(const struct options *o, const struct lastack_result *result)
{
	int64_t last = lastack_result_event_ns(result, LASTACK_EVENT_LAST_BYTE);
	int64_t pause = pause_ns(o, result), sum = 0;

	for (unsigned int i = 0; i <= LASTACK_PHASE_RECEIVE; i++)
		sum += phase_ns(result, i);
	if (last != -1 && last < sum)
		sum = last;
	return sum > pause ? sum - pause : 0;
}

/* Of the first exchange. */
static int64_t
first_byte_ns(const struct options *o, const struct lastack_result *result)
{
	const struct lastack_exchange *first =
	    lastack_result_exchange(result, 0);

	if (first == NULL || first->receive_ns == -1)
		return -1;
	return first->wait_ns > delay_ns(o, 0) ?
	    first->wait_ns - delay_ns(o, 0) :
	    0;
}

int64_t
threshold_ns(const struct options *o, const struct lastack_result *result,
    enum span span)
{
	switch (span) {
	case SPAN_TIME:
		return time_ns(o, result);
	case SPAN_FIRST_BYTE:
		return first_byte_ns(o, result);
	default:
		/* A handshake that failed took no time to succeed. */
		if (lastack_result_remote(result) == NULL)
			return -1;
		return lastack_result_phase_ns(result, threshold_phase(span));
	}
}

static bool
alerts(const struct options *o, const struct lastack_result *result,
    const struct violation *v)
{
	const struct threshold *threshold = &o->thresholds[v->span];
	int64_t ns = threshold_ns(o, result, v->span);

	return ns != -1 &&
	    range_alerts(
		v->critical ? &threshold->critical : &threshold->warning, ns);
}

bool
threshold_violated(const struct options *o, const struct lastack_result *result,
    struct violation *violation)
{
	for (unsigned int i = 0; i < 2 * SPAN_COUNT; i++) {
		struct violation v = { .span = i % SPAN_COUNT,
			.critical = i < SPAN_COUNT };

		if (!alerts(o, result, &v))
			continue;
		if (violation != NULL)
			*violation = v;
		return true;
	}
	return false;
}

enum lastack_phase
threshold_phase(enum span span)
{
	switch (span) {
	case SPAN_CONNECT:
		return LASTACK_PHASE_CONNECT;
	case SPAN_FIRST_BYTE:
		return LASTACK_PHASE_WAIT;
	case SPAN_CLOSE:
		return LASTACK_PHASE_CLOSE;
	default:
		return LASTACK_PHASE_TOTAL;
	}
}

void
threshold_tell(struct text *to, const struct options *o,
    const struct lastack_result *result, const struct violation *v)
{
	static const char *const names[] = {
		[SPAN_TIME] = "the response time was",
		[SPAN_CONNECT] = "connect took",
		[SPAN_FIRST_BYTE] = "the first byte took",
		[SPAN_CLOSE] = "close took",
	};
	const struct threshold *threshold = &o->thresholds[v->span];
	char figure[FIGURE_TEXT];

	figure_time(figure, threshold_ns(o, result, v->span));
	text_printf(to, "%s %s, the %s range is ", names[v->span], figure,
	    v->critical ? "critical" : "warning");
	range_print(
	    to, v->critical ? &threshold->critical : &threshold->warning, 0);
}
