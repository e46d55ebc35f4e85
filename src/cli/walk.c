/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "fields.h"
#include "walk.h"

static void write_field(const struct place *place);

static void
write_object(
    const struct place *place, const char *name, const struct field *members)
{
	struct writer *writer = place->writer;
	struct place member = *place;

	writer->format->open(writer, name, WRITER_OBJECT);
	for (member.field = members; member.field->name != NULL; member.field++)
		write_field(&member);
	writer->format->close(writer, WRITER_OBJECT);
}

static void
write_array(const struct place *place)
{
	struct writer *writer = place->writer;
	const struct field *field = place->field;
	struct place element = *place;
	size_t count = field->count(place);

	writer->format->open(writer, field->name, WRITER_ARRAY);
	for (element.index = 0; element.index < count; element.index++)
		write_object(&element, NULL, field->members);
	writer->format->close(writer, WRITER_ARRAY);
}

/* As deep as the tables are. */
static void
write_field(const struct place *place)
{
	const struct field *field = place->field;

	if (field->members == NULL)
		field->put(place);
	else if (field->there != NULL && !field->there(place))
		place->writer->format->null(place->writer, field->name);
	else if (field->count != NULL)
		write_array(place);
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

/* ---- one field by its path */

#define INDEX_DIGITS 6

static const struct field *
find(const struct field *members, const char *name, size_t len)
{
	for (; members->name != NULL; members++)
		if (strlen(members->name) == len &&
		    memcmp(members->name, name, len) == 0)
			return members;
	return NULL;
}

/* Of an array's element, at *path, which is moved behind it. */
static bool
take_index(const char **path, size_t *index)
{
	size_t len = strspn(*path, "0123456789"), sum = 0;

	if (len == 0 || len > INDEX_DIGITS)
		return false;
	for (; len > 0; len--)
		sum = sum * 10 + (size_t)(*(*path)++ - '0');
	*index = sum;
	return true;
}

/* What a path leads to. */
struct target {
	struct place place;
	bool element; /* the array's, and not the array */
	bool there;   /* none of what it is a part of is null */
};

/* One name of the path, with the index behind it. */
static bool
go_into(struct target *target, const struct field *members, const char **path)
{
	struct place *place = &target->place;
	size_t len = strcspn(*path, ".");

	place->field = find(members, *path, len);
	if (place->field == NULL)
		return false;
	*path += len;
	target->element = false;
	if (place->field->count == NULL || **path == '\0')
		return true;
	++*path;
	target->element = true;
	return take_index(path, &place->index);
}

/* Without a result it only looks whether there is such a field. */
static bool
go(struct target *target, const char *path)
{
	struct place *place = &target->place;
	const struct field *members = fields;

	target->there = place->result != NULL;
	while (members != NULL) {
		if (!go_into(target, members, &path))
			return false;
		if (target->there && place->field->there != NULL)
			target->there = place->field->there(place);
		if (target->there && target->element)
			target->there = place->index <
			    place->field->count(place);
		if (*path == '\0')
			return true;
		if (*path++ != '.')
			return false;
		members = place->field->members;
	}
	return false;
}

bool
walk_knows(const char *path)
{
	struct target target = { .place = { .result = NULL } };

	return go(&target, path);
}

void
walk_field(struct writer *writer, const struct options *options,
    const struct lastack_result *result, const char *path)
{
	struct target target = { .place = { .writer = writer,
				     .options = options,
				     .result = result } };
	struct field field;

	if (!go(&target, path) || !target.there) {
		writer->format->null(writer, NULL);
		return;
	}
	if (target.element) {
		write_object(&target.place, NULL, target.place.field->members);
		return;
	}
	field = *target.place.field;
	field.name = NULL;
	target.place.field = &field;
	write_field(&target.place);
}
