/* SPDX-License-Identifier: BSD-2-Clause */
/* One object on one line. */
#include <config.h>

#include <string.h>

#include "escape.h"
#include "report.h"
#include "walk.h"
#include "writer.h"

static void
put_name(struct writer *w, const char *name)
{
	const struct text *to = w->to;
	char last = to->len > 0 ? to->bytes[to->len - 1] : '{';

	if (last != '{' && last != '[')
		text_puts(w->to, ",");
	if (name != NULL)
		text_printf(w->to, "\"%s\":", name);
}

static void
json_open(struct writer *w, const char *name, enum writer_shape shape)
{
	put_name(w, name);
	text_puts(w->to, shape == WRITER_ARRAY ? "[" : "{");
}

static void
json_close(struct writer *w, enum writer_shape shape)
{
	text_puts(w->to, shape == WRITER_ARRAY ? "]" : "}");
}

static void
json_word(struct writer *w, const char *name, const char *word)
{
	put_name(w, name);
	text_puts(w->to, word);
}

static void
json_null(struct writer *w, const char *name)
{
	json_word(w, name, "null");
}

static void
json_bytes(struct writer *w, const char *name, const void *bytes, size_t len)
{
	put_name(w, name);
	text_puts(w->to, "\"");
	escape_json(w->to, bytes, len);
	text_puts(w->to, "\"");
}

static void
json_string(struct writer *w, const char *name, const char *string)
{
	json_bytes(w, name, string, strlen(string));
}

const struct writer_format writer_json = {
	.open = json_open,
	.close = json_close,
	.null = json_null,
	.word = json_word,
	.string = json_string,
	.bytes = json_bytes,
};

void
report_json(struct text *to, const struct options *o,
    const struct lastack_result *result)
{
	struct writer writer = { &writer_json, to };

	walk_report(&writer, o, result);
	text_puts(to, "\n");
}
