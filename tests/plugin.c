/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "plugin.h"

#define DIGITS "0123456789"

static const char *
skip_number(const char *c)
{
	c += *c == '-';
	c += strspn(c, DIGITS);
	if (*c == '.')
		c += 1 + strspn(c + 1, DIGITS);
	return c;
}

/* [@][start:]end, or nothing. */
static const char *
skip_range(const char *c)
{
	c += *c == '@';
	c = *c == '~' ? c + 1 : skip_number(c);
	return *c == ':' ? skip_number(c + 1) : c;
}

/* label=value[unit];[warning];[critical];[min];[max] */
static const char *
check_figure(const char *figure)
{
	const char *c = figure + strspn(figure, "abcdefghijklmnopqrstuvwxyz_");
	const char *value;

	ck_assert_msg(c > figure && *c == '=', "no label: %s", figure);
	value = ++c;
	c = skip_number(c);
	ck_assert_msg(c > value, "no number: %s", figure);
	c += *c == 's' || *c == 'B';
	for (int i = 0; i < 4 && *c == ';'; i++)
		c = i < 2 ? skip_range(c + 1) : skip_number(c + 1);
	ck_assert_msg(*c == ' ' || *c == '\n', "no end: %s", figure);
	return c;
}

void
plugin_check_shape(const char *out, size_t len)
{
	const char *bar = memchr(out, '|', len);
	const char *end = memchr(out, '\n', len);
	const char *c;

	ck_assert_uint_eq(strlen(out), len);
	ck_assert_msg(bar != NULL && end != NULL && bar < end, "%s", out);
	ck_assert_msg(strchr(bar + 1, '|') == NULL, "another |: %s", out);
	ck_assert_int_eq(out[len - 1], '\n');
	for (c = out; *c != '\0'; c++)
		ck_assert_msg(
		    ((unsigned char)*c >= ' ' && *c != '\x7f') || *c == '\n',
		    "byte 0x%02x in %s", (unsigned char)*c, out);
	ck_assert_msg(strncmp(bar + 1, "time=", 5) == 0, "%s", out);
	for (c = bar; *c != '\n';)
		c = check_figure(c + 1);
	ck_assert_ptr_eq(c, end);
}

static void
mask(const char *from, const char *end, char to[PLUGIN_LINE])
{
	size_t n = 0;

	while (from < end && n + 1 < PLUGIN_LINE) {
		const char *past = from + strspn(from, DIGITS);

		if (past > from && *past == '.')
			past += 1 + strspn(past + 1, DIGITS);
		to[n++] = past > from ? 'N' : *from;
		from = past > from ? past : from + 1;
	}
	to[n] = '\0';
}

void
plugin_mask(const char *out, char words[PLUGIN_LINE], char figure[PLUGIN_LINE])
{
	const char *end = out + strcspn(out, "|\n");

	mask(out, end, words);
	figure[0] = '\0';
	if (*end == '|')
		mask(end + 1, end + 1 + strcspn(end + 1, " \n"), figure);
}

bool
plugin_has(const char *out, const char *label)
{
	const char *bar = strchr(out, '|');
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "%s=", label);
	for (const char *c = bar; c != NULL && *c != '\n' && *c != '\0'; c++)
		if ((*c == '|' || *c == ' ') &&
		    strncmp(c + 1, wanted, strlen(wanted)) == 0)
			return true;
	return false;
}
