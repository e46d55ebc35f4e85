/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>

#include "field.h"

void
field_string(const struct place *p, const char *string)
{
	if (string != NULL)
		p->writer->format->string(p->writer, p->field->name, string);
	else
		p->writer->format->null(p->writer, p->field->name);
}

void
field_text(const struct place *p, struct text *text)
{
	field_string(p, text->len > 0 ? text->bytes : NULL);
	if (text->failed)
		p->writer->to->failed = true;
	text_free(text);
}

void
field_number(const struct place *p, uint64_t number)
{
	char word[24];

	snprintf(word, sizeof(word), "%" PRIu64, number);
	p->writer->format->word(p->writer, p->field->name, word);
}

void
field_us(const struct place *p, int64_t ns)
{
	char word[32];

	if (ns < 0) {
		p->writer->format->null(p->writer, p->field->name);
		return;
	}
	snprintf(
	    word, sizeof(word), "%" PRId64 ".%03" PRId64, ns / 1000, ns % 1000);
	p->writer->format->word(p->writer, p->field->name, word);
}

void
field_bool(const struct place *p, bool value)
{
	p->writer->format->word(
	    p->writer, p->field->name, value ? "true" : "false");
}

/* ---- values that lie in the result, at an offset */

static const void *
member_of(const struct place *p)
{
	return (const char *)p->result + p->field->at;
}

void
field_u64(const struct place *p)
{
	const uint64_t *number = member_of(p);

	field_number(p, *number);
}

void
field_u32(const struct place *p)
{
	const uint32_t *number = member_of(p);

	field_number(p, *number);
}

void
field_u32_or_null(const struct place *p)
{
	const uint32_t *number = member_of(p);

	if (*number != 0)
		field_number(p, *number);
	else
		p->writer->format->null(p->writer, p->field->name);
}

void
field_ns(const struct place *p)
{
	const int64_t *ns = member_of(p);

	field_us(p, *ns);
}

void
field_truth(const struct place *p)
{
	const enum lastack_truth *truth = member_of(p);

	if (*truth == LASTACK_UNKNOWN)
		p->writer->format->null(p->writer, p->field->name);
	else
		field_bool(p, *truth == LASTACK_YES);
}

void
field_end(const struct place *p)
{
	const enum lastack_end *end = member_of(p);

	field_string(
	    p, *end == LASTACK_END_UNKNOWN ? NULL : lastack_end_name(*end));
}

void
field_method(const struct place *p)
{
	const enum lastack_method *method = member_of(p);

	field_string(p, lastack_method_name(*method));
}
