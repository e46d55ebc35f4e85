/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <inttypes.h>

#include "perfdata.h"
#include "threshold.h"

#define DECIMALS 6

void
perfdata_seconds(struct text *to, int64_t ns)
{
	int64_t us = ns / 1000 + (ns % 1000 >= 500);

	text_printf(to, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
}

static void
add_span(struct text *to, const struct options *o, const char *label,
    enum span span, int64_t ns)
{
	const struct threshold *threshold = &o->thresholds[span];

	text_printf(to, "%s=", label);
	perfdata_seconds(to, ns);
	text_puts(to, "s;");
	range_print(to, &threshold->warning, DECIMALS);
	text_puts(to, ";");
	range_print(to, &threshold->critical, DECIMALS);
	text_puts(to, ";0.000000;");
	perfdata_seconds(to, o->timeout_ns);
}

static void
add_optional_span(struct text *to, const struct options *o,
    const struct lastack_result *result, const char *label, enum span span)
{
	int64_t ns = threshold_ns(o, result, span);

	if (ns == -1)
		return;
	text_puts(to, " ");
	add_span(to, o, label, span, ns);
}

static void
add_kernel(struct text *to, const struct lastack_result *result)
{
	if (!result->has_kernel)
		return;
	if (result->rtt_us != 0) {
		text_puts(to, " rtt=");
		perfdata_seconds(to, (int64_t)result->rtt_us * 1000);
		text_puts(to, "s;;;0.000000");
	}
	text_printf(to, " retransmits=%" PRIu32 ";;;0", result->retransmits);
}

void
perfdata_add(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	add_span(to, o, "time", SPAN_TIME, threshold_ns(o, result, SPAN_TIME));
	if (lastack_result_remote(result) == NULL && o->path == NULL)
		return;
	add_optional_span(to, o, result, "connect", SPAN_CONNECT);
	add_optional_span(to, o, result, "first_byte", SPAN_FIRST_BYTE);
	if (result->close_peer != LASTACK_END_NONE)
		text_printf(to,
		    " received=%" PRIu64 "B;;;0 sent=%" PRIu64 "B;;;0",
		    result->received_bytes, result->sent_bytes);
	add_kernel(to, result);
	add_optional_span(to, o, result, "close", SPAN_CLOSE);
}

void
perfdata_add_none(struct text *to, const struct options *o)
{
	add_span(to, o, "time", SPAN_TIME, 0);
}
