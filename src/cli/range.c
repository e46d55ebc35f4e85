/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "range.h"

#define DECIMALS 9
#define UNIT INT64_C(1000000000)
#define WHOLE_MAX INT64_C(1000000000) /* beyond any time and any count */

/* By hand, for strtod() takes its decimal point from the locale. */
static const char *
take_bound(const char *from, const char *end, int64_t *bound)
{
	const char *c = from;
	int64_t sum = 0, part = UNIT;
	bool negative = c < end && *c == '-';
	size_t digits = 0;

	if (c < end && (*c == '-' || *c == '+'))
		c++;
	for (; c < end && *c >= '0' && *c <= '9'; c++, digits++) {
		sum = sum * 10 + (*c - '0');
		if (sum > WHOLE_MAX)
			return "a bound is too large";
	}
	sum *= UNIT;
	if (c < end && *c == '.')
		for (c++; c < end && *c >= '0' && *c <= '9'; c++, digits++) {
			part /= 10;
			sum += (*c - '0') * part;
		}
	if (c != end || digits == 0)
		return "not a range such as 10, 0.5, 10:, ~:10, 10:20 or "
		       "@10:20";
	*bound = negative ? -sum : sum;
	return NULL;
}

static const char *
take_start(const char *from, const char *end, int64_t *start)
{
	if (end - from == 1 && *from == '~') {
		*start = RANGE_NO_START;
		return NULL;
	}
	if (from == end)
		return NULL; /* 0 */
	return take_bound(from, end, start);
}

const char *
range_parse(const char *value, struct range *range)
{
	struct range r = { .given = true, .end = RANGE_NO_END };
	const char *from = value, *end = value + strlen(value), *colon;
	const char *reason = NULL;

	if (*from == '@') {
		r.inside = true;
		from++;
	}
	colon = strchr(from, ':');
	if (from == end || (colon == from && colon + 1 == end))
		return "empty, a range is needed";
	if (colon != NULL)
		reason = take_start(from, colon, &r.start);
	from = colon != NULL ? colon + 1 : from;
	if (reason == NULL && from < end)
		reason = take_bound(from, end, &r.end);
	if (reason == NULL && r.start > r.end)
		reason = "its start is above its end";
	if (reason == NULL)
		*range = r;
	return reason;
}

bool
range_alerts(const struct range *range, int64_t value)
{
	bool within = value >= range->start && value <= range->end;

	return range->given && within == range->inside;
}

static void
print_bound(struct text *to, int64_t bound, int decimals)
{
	uint64_t size = bound < 0 ? -(uint64_t)bound : (uint64_t)bound;
	uint64_t part = size % UNIT;
	int digits = DECIMALS;

	for (; digits > decimals && part % 10 == 0; digits--)
		part /= 10;
	text_printf(to, "%s%" PRIu64, bound < 0 ? "-" : "", size / UNIT);
	if (digits > 0)
		text_printf(to, ".%0*" PRIu64, digits, part);
}

void
range_print(struct text *to, const struct range *range, int decimals)
{
	if (!range->given)
		return;
	if (range->inside)
		text_puts(to, "@");
	if (range->start == RANGE_NO_START)
		text_puts(to, "~:");
	else if (range->start != 0 || range->end == RANGE_NO_END) {
		print_bound(to, range->start, decimals);
		text_puts(to, ":");
	}
	if (range->end != RANGE_NO_END)
		print_bound(to, range->end, decimals);
}
