/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "fields.h"
#include "near.h"

#define PATH_ROOM 64
#define NEAR_MOST 4

struct near {
	const char *wrong;
	size_t count;
	struct {
		char path[PATH_ROOM];
		size_t cost;
	} best[NEAR_MOST]; /* the cheapest first */
};

/* Letters to add, to take out or to change (Levenshtein). */
static size_t
distance(const char *a, const char *b)
{
	size_t row[PATH_ROOM], width = strlen(b);

	for (size_t j = 0; j <= width; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t corner = row[0];

		row[0] = i + 1;
		for (size_t j = 1; j <= width; j++) {
			size_t cost = corner + (a[i] != b[j - 1]);

			corner = row[j];
			if (cost > row[j] + 1)
				cost = row[j] + 1;
			if (cost > row[j - 1] + 1)
				cost = row[j - 1] + 1;
			row[j] = cost;
		}
	}
	return row[width];
}

static const char *
last_name(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot != NULL ? dot + 1 : path;
}

/* The whole path is misspelt, or its last name is right and the way is not. */
static size_t
cost_of(const char *path, const char *wrong)
{
	size_t whole = distance(path, wrong);
	size_t last = distance(last_name(path), last_name(wrong)) + 1;

	return whole < last ? whole : last;
}

static void
consider(struct near *near, const char *path)
{
	size_t cost = cost_of(path, near->wrong);
	size_t i = near->count;

	if (cost > 1 + strlen(last_name(near->wrong)) / 4)
		return;
	if (i == NEAR_MOST && near->best[--i].cost <= cost)
		return;
	for (; i > 0 && near->best[i - 1].cost > cost; i--)
		near->best[i] = near->best[i - 1];
	snprintf(near->best[i].path, PATH_ROOM, "%s", path);
	near->best[i].cost = cost;
	if (near->count < NEAR_MOST)
		near->count++;
}

/* An element's place in its array is "N". As deep as the tables are. */
static void
consider_all(struct near *near, const struct field *members, const char *prefix)
{
	char path[PATH_ROOM];

	for (; members->name != NULL; members++) {
		snprintf(path, sizeof(path), "%s%s", prefix, members->name);
		consider(near, path);
		if (members->members == NULL)
			continue;
		snprintf(path, sizeof(path), "%s%s%s", prefix, members->name,
		    members->count != NULL ? ".N." : ".");
		consider_all(near, members->members, path);
	}
}

/* With "N" for every number. */
static void
normalize(char to[PATH_ROOM], const char *path)
{
	size_t len = 0;

	while (*path != '\0') {
		size_t digits = strspn(path, "0123456789");

		if (digits > 0 && len > 0 && to[len - 1] == '.') {
			to[len++] = 'N';
			path += digits;
		} else {
			to[len++] = *path++;
		}
	}
	to[len] = '\0';
}

void
near_fields(struct text *to, const char *path)
{
	char wrong[PATH_ROOM];
	struct near near = { .wrong = wrong };

	if (*path == '\0' || strlen(path) >= PATH_ROOM)
		return;
	normalize(wrong, path);
	consider_all(&near, fields, "");
	for (size_t i = 0; i < near.count; i++)
		text_printf(to, "%s%s", i > 0 ? ", " : "", near.best[i].path);
}
