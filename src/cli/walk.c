/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include "fields.h"
#include "walk.h"

static void write_field(const struct place *place);

static void
write_object(
    const struct place *place, const char *name, const struct field *members)
{
	const struct writer_format *format = place->writer->format;
	struct place member = *place;

	format->open(place->writer, name, WRITER_OBJECT);
	for (member.field = members; member.field->name != NULL; member.field++)
		write_field(&member);
	format->close(place->writer, WRITER_OBJECT);
}

static void
write_array(const struct place *place)
{
	const struct writer_format *format = place->writer->format;
	const struct field *field = place->field;
	struct place element = *place;
	size_t count = field->count(place);

	format->open(place->writer, field->name, WRITER_ARRAY);
	for (element.index = 0; element.index < count; element.index++)
		write_object(&element, NULL, field->members);
	format->close(place->writer, WRITER_ARRAY);
}

/* As deep as the tables are. */
static void
write_field(const struct place *place)
{
	const struct field *field = place->field;

	if (field->members == NULL)
		field->put(place);
	else if (field->count != NULL)
		write_array(place);
	else if (field->there != NULL && !field->there(place))
		place->writer->format->null(place->writer, field->name);
	else
		write_object(place, field->name, field->members);
}

void
walk_report(struct writer *writer, const struct options *options,
    const struct lastack_result *result)
{
	const struct place place = {
		.writer = writer, .options = options, .result = result
	};

	write_object(&place, NULL, fields);
}
