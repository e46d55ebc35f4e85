/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "parse.h"
#include "replace.h"
#include "report.h"

#define WIDTH_DEFAULT 80
#define WIDTH_LEAST 40
#define WIDTH_MOST 200

static unsigned int
screen_width(const struct winsize *size)
{
	const char *columns = getenv("COLUMNS");
	uint64_t width = size->ws_col;

	if (width == 0 && columns != NULL &&
	    parse_number(columns, 1, UINT16_MAX, &width) != NULL)
		width = 0;
	if (width == 0)
		width = WIDTH_DEFAULT;
	if (width < WIDTH_LEAST)
		return WIDTH_LEAST;
	return width > WIDTH_MOST ? WIDTH_MOST : (unsigned int)width;
}

/* "en_US.UTF-8", "C.utf8", and "UTF-8", as macOS has it. */
static bool
is_utf8(const char *locale)
{
	const char *dot = strchr(locale, '.');
	const char *codeset = dot != NULL ? dot + 1 : locale;
	const char *want = "utf8";

	for (; *want != '\0' && *codeset != '\0'; codeset++) {
		if ((*codeset | 0x20) == *want)
			want++;
		else if (*codeset != '-')
			return false;
	}
	return *want == '\0';
}

/*
 * By the name alone: loading the locale would cost more system calls than the
 * whole probe.
 */
static bool
locale_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value != NULL && *value != '\0')
			return is_utf8(value);
	}
	return false;
}

static void
screen_look(struct screen *screen, const struct options *o, int fd)
{
	const char *no_color = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");
	struct winsize size = { 0 };
	/* What has no size is none: no need to ask a second time. */
	bool sized = ioctl(fd, TIOCGWINSZ, &size) == 0;

	screen->utf8 = locale_is_utf8();
	screen->width = screen_width(&size);
	screen->color = o->color == COLOR_ALWAYS ||
	    (o->color == COLOR_AUTO && sized && isatty(fd) &&
		(no_color == NULL || *no_color == '\0') &&
		(terminal == NULL || strcmp(terminal, "dumb") != 0));
}

int
report_print(const struct options *o, const struct lastack_result *result)
{
	bool aside = o->output != NULL && strcmp(o->output, "-") == 0;
	int fd = o->output_report != NULL ? -1 :
	    aside			  ? STDERR_FILENO :
					    STDOUT_FILENO;
	struct text text = TEXT_INIT;
	struct screen screen;
	int error;

	switch (o->format) {
	case FORMAT_TEXT:
		screen_look(&screen, o, fd);
		report_text(&text, o, result, &screen);
		break;
	case FORMAT_JSON:
		report_json(&text, o, result);
		break;
	case FORMAT_PROMETHEUS:
		report_prometheus(&text, o, result);
		break;
	case FORMAT_NAGIOS:
		report_nagios(&text, o, result);
		break;
	case FORMAT_WRITE_OUT:
		report_write_out(&text, o, result);
		break;
	}
	error = o->output_report != NULL ?
	    replace_file(o->output_report, &text) :
	    text_write(&text, fd);
	text_free(&text);
	return error;
}
