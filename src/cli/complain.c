/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "complain.h"
#include "escape.h"

enum options_result
complain(
    struct text *text, const char *what, const char *value, const char *why)
{
	text->len = 0;
	text_printf(text, "lastack: %s", what);
	if (value != NULL) {
		text_puts(text, ": '");
		escape_word(text, value);
		text_puts(text, "'");
	}
	text_printf(text, "%s%s. Try 'lastack --help'.\n",
	    why != NULL ? ": " : "", why != NULL ? why : "");
	return OPTIONS_USAGE;
}

enum options_result
complain_local(struct text *text, const char *what, const char *value)
{
	int error = errno;

	text->len = 0;
	text_printf(text, "lastack: %s: '", what);
	escape_word(text, value);
	text_printf(text, "': %s\n", strerror(error));
	return OPTIONS_LOCAL;
}
