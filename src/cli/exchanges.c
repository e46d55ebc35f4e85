/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <inttypes.h>

#include "escape.h"
#include "exchanges.h"
#include "figure.h"

size_t
exchanges_lines(const struct options *o, const struct lastack_result *result)
{
	bool any = lastack_result_exchanges(result) > 0;

	return any && o->talk.count > 1 ? o->talk.count : 0;
}

static void
put_quoted(struct text *to, const void *bytes, size_t len)
{
	text_puts(to, "'");
	escape_line(to, bytes, len < 60 ? len : 60, false);
	text_puts(to, len < 60 ? "'" : "'...");
}

static void
tell_match(struct text *to, const struct turn *turn,
    const struct lastack_exchange *exchange)
{
	static const char *const words[] = { "undecided", NULL, "found",
		"missing" };
	const char *word = words[exchange->match];
	const struct expectation *expectation;

	if (word == NULL)
		return;
	if (exchange->match_which < 0) {
		text_puts(to,
		    exchange->match == LASTACK_MATCH_YES ? ", as expected" :
			exchange->match == LASTACK_MATCH_NO ?
							   ", not as expected" :
							   ", undecided");
		return;
	}
	expectation = &turn->expectations[exchange->match_which];
	if (expectation->kind == EXPECTATION_NOT)
		word = "found, which must not appear";
	text_puts(to, ", ");
	if (*expectation->value == '\0') {
		text_puts(to, "a byte");
	} else {
		text_puts(to, "'");
		escape_word(to, expectation->value);
		text_puts(to, "'");
	}
	text_printf(to, " %s", word);
}

void
exchanges_tell(struct text *to, const struct options *o,
    const struct lastack_result *result, size_t index)
{
	const struct lastack_exchange *exchange =
	    lastack_result_exchange(result, index);
	char figure[FIGURE_TEXT];

	if (exchange == NULL) {
		text_puts(to, "never reached");
		return;
	}
	if (exchange->send_ns != -1)
		text_printf(to, "%s sent, ",
		    figure_bytes(figure, exchange->sent_bytes));
	text_printf(
	    to, "%s received", figure_bytes(figure, exchange->received_bytes));
	if (exchange->receive_ns != -1)
		text_printf(
		    to, " after %s", figure_time(figure, exchange->wait_ns));
	tell_match(to, &o->talk.turns[index], exchange);
}

void
exchanges_groups(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	size_t count = lastack_result_groups(result);

	if (o->jail)
		return;
	for (size_t i = 0; i < count; i++) {
		size_t len;
		const void *bytes = lastack_result_group(result, i, &len);

		if (i == 0)
			text_puts(to, "the match is ");
		else
			text_printf(to, ", group %zu ", i);
		if (bytes == NULL)
			text_puts(to, "took no part");
		else
			put_quoted(to, bytes, len);
	}
}
