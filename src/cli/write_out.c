/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --write-out: the user's own line. A field that is an object or an array is
 * JSON in it, a string is made harmless for a line.
 */
#include <config.h>

#include <string.h>

#include "escape.h"
#include "near.h"
#include "parse.h"
#include "report.h"
#include "walk.h"
#include "write_out.h"

#define FIELDS_MOST 256 /* a response is in any of them: 100 MB at most */

/* ---- the writer of one field */

static void
plain_open(struct writer *w, const char *name, enum writer_shape shape)
{
	w->format = &writer_json;
	w->format->open(w, name, shape);
}

/* What it opened JSON closes. */
static void
plain_close(struct writer *w, enum writer_shape shape)
{
	(void)w;
	(void)shape;
}

static void
plain_null(struct writer *w, const char *name)
{
	(void)w;
	(void)name;
}

static void
plain_word(struct writer *w, const char *name, const char *word)
{
	(void)name;
	text_puts(w->to, word);
}

static void
plain_string(struct writer *w, const char *name, const char *string)
{
	(void)name;
	escape_word(w->to, string);
}

static void
plain_bytes(struct writer *w, const char *name, const void *bytes, size_t len)
{
	(void)name;
	escape_line(w->to, bytes, len, false);
}

const struct writer_format writer_plain = {
	.open = plain_open,
	.close = plain_close,
	.null = plain_null,
	.word = plain_word,
	.string = plain_string,
	.bytes = plain_bytes,
};

/* ---- the format */

/* Of one pass over it, with a result or only to look. */
struct pass {
	const struct options *options;
	const struct lastack_result *result; /* NULL: only look */
	struct text *to;
	struct write_out_fault *fault;
	size_t fields;
};

static bool
fail(struct pass *pass, const char *at, size_t len, const char *why)
{
	text_add(&pass->fault->what, at, len);
	text_puts(&pass->fault->why, why);
	return false;
}

static bool
fail_field(struct pass *pass, const char *path)
{
	struct text near = TEXT_INIT;

	near_fields(&near, path);
	fail(pass, path, strlen(path),
	    near.len > 0 ? "no such field; near it: " :
			   "no such field; the manual lists them under JSON");
	text_puts(&pass->fault->why, text_string(&near));
	text_free(&near);
	return false;
}

static bool
put_field(struct pass *pass, const char *name, size_t len)
{
	struct text value = TEXT_INIT;
	struct writer writer = { &writer_plain, &value };
	char path[64];

	if (++pass->fields > FIELDS_MOST)
		return fail(pass, name, len, "more than 256 fields");
	if (len >= sizeof(path))
		return fail(pass, name, len, "no such field");
	memcpy(path, name, len);
	path[len] = '\0';
	if (strcmp(path, "json") != 0 && !walk_knows(path))
		return fail_field(pass, path);
	if (pass->result == NULL)
		return true;
	if (strcmp(path, "json") == 0)
		walk_report(&writer, pass->options, pass->result);
	else
		walk_field(&writer, pass->options, pass->result, path);
	text_add(pass->to, text_string(&value), value.len);
	if (value.failed)
		pass->to->failed = true;
	text_free(&value);
	return true;
}

/* What is between the fields. */
static bool
put_literal(struct pass *pass, const char *at, size_t len)
{
	struct text literal = TEXT_INIT;
	const char *why;

	text_add(&literal, at, len);
	why = parse_escaped(text_string(&literal), pass->to);
	text_free(&literal);
	return why == NULL || fail(pass, at, len, why);
}

/* Behind a '%', which is moved over what it stands for. */
static bool
put_percent(struct pass *pass, const char **format)
{
	const char *at = *format;
	size_t len;

	if (*at == '%') {
		text_puts(pass->to, "%");
		*format = at + 1;
		return true;
	}
	if (*at != '{')
		return fail(pass, at - 1, *at == '\0' ? 1 : 2,
		    "% is followed by neither {field} nor %");
	at++;
	len = strcspn(at, "}");
	if (at[len] == '\0')
		return fail(pass, at - 2, len + 2, "the } is missing");
	*format = at + len + 1;
	return put_field(pass, at, len);
}

static bool
run(struct pass *pass, const char *format)
{
	while (*format != '\0') {
		size_t len = strcspn(format, "%");

		if (len > 0 && !put_literal(pass, format, len))
			return false;
		format += len;
		if (*format == '%') {
			format++;
			if (!put_percent(pass, &format))
				return false;
		}
	}
	return true;
}

bool
write_out_check(const char *format, struct write_out_fault *fault)
{
	struct text text = TEXT_INIT;
	struct pass pass = { .to = &text, .fault = fault };
	bool right = run(&pass, format);

	text_free(&text);
	return right;
}

bool
write_out_is_dear(const char *format)
{
	static const char *const fields[] = { "%{json", "%{wire_us",
		"%{kernel" };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strstr(format, fields[i]) != NULL)
			return true;
	return false;
}

void
write_out_fault_free(struct write_out_fault *fault)
{
	text_free(&fault->what);
	text_free(&fault->why);
}

void
report_write_out(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	struct write_out_fault fault = WRITE_OUT_FAULT_INIT;
	struct pass pass = {
		.options = o, .result = result, .to = to, .fault = &fault
	};

	/* It was right when the command line was read. */
	if (!run(&pass, o->write_out))
		to->failed = true;
	write_out_fault_free(&fault);
}
