/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options as check_tcp has them. Not by getopt(3): its operands end the
 * options, three old spellings with one dash are words, and a name may be
 * shortened as if the options that check_tcp lacks were not there.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "parse.h"
#include "perfdata.h"
#include "plugin_options.h"
#include "plugin_prepare.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND INT64_C(1000000000)
#define SECONDS_MAX (LASTACK_TIME_MAX_NS / SECOND)

/* ---- a function for each option: NULL, or why the value is wrong */

static const char *
take_hostname(struct plugin *p, const char *value)
{
	p->options->hostname = value;
	return NULL;
}

static const char *
take_port(struct plugin *p, const char *value)
{
	uint64_t number;

	if (parse_number(value, 1, 65535, &number) != NULL)
		return "not a port from 1 to 65535";
	p->options->port = (uint16_t)number;
	return NULL;
}

static const char *
take_ipv4(struct plugin *p, const char *value)
{
	(void)value;
	p->family = LASTACK_FAMILY_IPV4;
	return NULL;
}

static const char *
take_ipv6(struct plugin *p, const char *value)
{
	(void)value;
	p->family = LASTACK_FAMILY_IPV6;
	return NULL;
}

static const char *
take_escape(struct plugin *p, const char *value)
{
	(void)value;
	p->escapes = true;
	return NULL;
}

static const char *
take_send(struct plugin *p, const char *value)
{
	p->send = value;
	p->send_escaped = p->escapes;
	return NULL;
}

static const char *
take_quit(struct plugin *p, const char *value)
{
	p->quit = value;
	p->quit_escaped = p->escapes;
	return NULL;
}

static const char *
take_expect(struct plugin *p, const char *value)
{
	p->expects = true;
	return talk_add_expectation(
	    &p->options->talk, EXPECTATION_STRING, value);
}

static const char *
take_all(struct plugin *p, const char *value)
{
	(void)value;
	p->all = true;
	return NULL;
}

static const char *
take_maxbytes(struct plugin *p, const char *value)
{
	return parse_number(value, 1, INT64_MAX, &p->maxbytes);
}

static const char *
take_seconds(const char *value, int64_t *ns)
{
	uint64_t number;
	const char *reason = parse_number(value, 1, SECONDS_MAX, &number);

	if (reason == NULL)
		*ns = (int64_t)number * SECOND;
	return reason;
}

static const char *
take_delay(struct plugin *p, const char *value)
{
	return take_seconds(value, &p->delay_ns);
}

static const char *
take_timeout(struct plugin *p, const char *value)
{
	return parse_timeout(
	    value, &p->options->timeout_ns, &p->options->states.timeout);
}

static const char *
take_refuse(struct plugin *p, const char *value)
{
	return state_parse(value, &p->options->states.refuse);
}

static const char *
take_mismatch(struct plugin *p, const char *value)
{
	return state_parse(value, &p->options->states.mismatch);
}

static const char *
take_jail(struct plugin *p, const char *value)
{
	(void)value;
	p->options->jail = true;
	return NULL;
}

static const char *
take_tls(struct plugin *p, const char *value)
{
	(void)value;
	p->tls = true;
	return NULL;
}

static const char *
take_verbose(struct plugin *p, const char *value)
{
	(void)value;
	p->options->verbose++;
	return NULL;
}

static const char *
take_help(struct plugin *p, const char *value)
{
	(void)value;
	p->options->help = true;
	return NULL;
}

static const char *
take_version(struct plugin *p, const char *value)
{
	(void)value;
	p->options->version = true;
	return NULL;
}

static const char *
take_nothing(struct plugin *p, const char *value)
{
	(void)p;
	(void)value;
	return NULL;
}

static const char *
take_close_state(struct plugin *p, const char *value)
{
	return state_parse(value, &p->options->states.close);
}

static const char *
take_drain(struct plugin *p, const char *value)
{
	return parse_time(value, &p->options->drain_ns);
}

static const char *
take_idle(struct plugin *p, const char *value)
{
	int64_t ns;
	const char *reason = parse_time(value, &ns);

	if (reason == NULL && ns == 0)
		reason = "it must be more than 0";
	if (reason == NULL)
		p->idle_ns = ns;
	return reason;
}

/* ---- those that the command takes as well */

static const char *
take_close(struct plugin *p, const char *value)
{
	return options_take_close(p->options, value);
}

static const char *
take_expect_close(struct plugin *p, const char *value)
{
	return options_take_expect_close(p->options, value);
}

/* ---- the table */

struct row {
	char letter; /* 0: none */
	const char *name;
	const char *value; /* NULL: takes none */
	const char *help;
	const char *(*take)(struct plugin *, const char *);
	struct {
		bool is; /* a range of this span instead of take */
		bool critical;
		enum span span;
	} range;
	bool ours; /* check_tcp has it not */
};

#define NO_RANGE                                                               \
	{                                                                      \
		false, false, SPAN_TIME                                        \
	}
#define TAKE(function) function, NO_RANGE, false
#define OURS(function) function, NO_RANGE, true
#define RANGE(span, critical) NULL, { true, critical, span }, false
#define OUR_RANGE(span, critical) NULL, { true, critical, span }, true

/* clang-format off */
static const struct row rows[] = {
	{ 'H', "hostname", "HOST", "name, address or path of a Unix socket",
	  TAKE(take_hostname) },
	{ 'p', "port", "PORT", "a number", TAKE(take_port) },
	{ '4', "use-ipv4", NULL, "only IPv4", TAKE(take_ipv4) },
	{ '6', "use-ipv6", NULL, "only IPv6", TAKE(take_ipv6) },
	{ 'E', "escape", NULL, "\\n \\r \\t \\\\ in -s and -q that follow",
	  TAKE(take_escape) },
	{ 's', "send", "STRING", "what to send", TAKE(take_send) },
	{ 'e', "expect", "STRING", "what the response must contain",
	  TAKE(take_expect) },
	{ 'A', "all", NULL, "all -e, not any", TAKE(take_all) },
	{ 'q', "quit", "STRING", "what to send before the close", TAKE(take_quit) },
	{ 'm', "maxbytes", "N", "read no more than N bytes", TAKE(take_maxbytes) },
	{ 'd', "delay", "SECONDS", "between sending and reading", TAKE(take_delay) },
	{ 'r', "refuse", "STATE", "if not connected: ok, warn or crit (crit)",
	  TAKE(take_refuse) },
	{ 'M', "mismatch", "STATE", "if not as expected (warn)",
	  TAKE(take_mismatch) },
	{ 'j', "jail", NULL, "never show what the server said", TAKE(take_jail) },
	{ 'w', "warning", "RANGE", "on the response time in seconds", RANGE(SPAN_TIME, false) },
	{ 'c', "critical", "RANGE", "likewise", RANGE(SPAN_TIME, true) },
	{ 't', "timeout", "SECONDS", "for everything (10); SECONDS:STATE",
	  TAKE(take_timeout) },
	{ 'S', "ssl", NULL, "TLS: not in this version", TAKE(take_tls) },
	{ 0, "sni", "NAME", "likewise", TAKE(take_tls) },
	{ 'D', "certificate", "DAYS", "likewise", TAKE(take_tls) },
	{ 'C', "critical-codes", "STRING", "without effect", TAKE(take_nothing) },
	{ 'W', "warning-codes", "STRING", "without effect", TAKE(take_nothing) },
	{ 'P', "protocol", "STRING", "without effect", TAKE(take_nothing) },
	{ 0, "extra-opts", "[SECTION][@FILE]", "options from a file",
	  TAKE(take_nothing) },
	{ 'v', "verbose", NULL, "more lines; -vvv for all", TAKE(take_verbose) },
	{ 'h', "help", NULL, "print this", TAKE(take_help) },
	{ 'V', "version", NULL, "print the version", TAKE(take_version) },
	{ 0, "warning-connect", "RANGE", "on the connect phase", OUR_RANGE(SPAN_CONNECT, false) },
	{ 0, "critical-connect", "RANGE", "likewise", OUR_RANGE(SPAN_CONNECT, true) },
	{ 0, "warning-first-byte", "RANGE", "on the wait for a first byte",
	  OUR_RANGE(SPAN_FIRST_BYTE, false) },
	{ 0, "critical-first-byte", "RANGE", "likewise", OUR_RANGE(SPAN_FIRST_BYTE, true) },
	{ 0, "warning-close", "RANGE", "on the close phase", OUR_RANGE(SPAN_CLOSE, false) },
	{ 0, "critical-close", "RANGE", "likewise", OUR_RANGE(SPAN_CLOSE, true) },
	{ 0, "expect-close", "HOW", "the peer must end by fin, rst or open",
	  OURS(take_expect_close) },
	{ 0, "close-state", "STATE", "if it does not (crit)",
	  OURS(take_close_state) },
	{ 0, "close", "HOW", "how to end it: auto, fin or rst (fin)",
	  OURS(take_close) },
	{ 0, "drain", "TIME", "then wait for the peer's FIN (100ms)",
	  OURS(take_drain) },
	{ 0, "idle", "TIME", "silence that ends a response (none)",
	  OURS(take_idle) },
};
/* clang-format on */

/* ---- what is said instead of a run */

/* Where a "|" would be the beginning of figures, and a line one too many. */
static void
add_word(struct text *to, const char *word)
{
	size_t from = to->len;

	escape_word(to, word);
	for (size_t i = from; i < to->len; i++)
		if (to->bytes[i] == '|')
			to->bytes[i] = '/';
}

enum options_result
plugin_answer(const struct plugin *p, struct text *text, enum state state,
    const char *words)
{
	text->len = 0;
	text_printf(
	    text, "%s %s - ", options_service(p->options), state_name(state));
	add_word(text, words);
	text_puts(text, "|");
	perfdata_add_none(text, p->options);
	text_puts(text, "\n");
	p->options->answer_status = (int)state;
	return OPTIONS_DONE;
}

static void
add_usage(struct text *text, const char *program)
{
	text_printf(text, "Usage: %s -H HOST -p PORT [OPTION]...\n", program);
}

enum options_result
plugin_usage(const struct plugin *p, struct text *text, const char *what,
    const char *value, const char *why)
{
	text->len = 0;
	text_puts(text, p->program);
	text_puts(text, ": ");
	add_word(text, what);
	if (value != NULL) {
		text_puts(text, ": '");
		add_word(text, value);
		text_puts(text, "'");
	}
	text_printf(
	    text, "%s%s\n", why != NULL ? ": " : "", why != NULL ? why : "");
	add_usage(text, p->program);
	text_printf(text, "Try '%s --help'.\n", p->program);
	p->options->answer_status = STATE_UNKNOWN;
	return OPTIONS_DONE;
}

static enum options_result
print_help(const struct plugin *p, struct text *text)
{
	text_puts(text, "Check a TCP service, and how its connections end.\n");
	add_usage(text, p->program);
	text_puts(text, "\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		size_t before = text->len;
		char letter[] = { '-', row->letter, ',', ' ', '\0' };

		text_printf(text, "  %s--%s%s%s", row->letter ? letter : "    ",
		    row->name, row->value ? "=" : "",
		    row->value ? row->value : "");
		text_printf(text, "%*s%s\n", 38 - (int)(text->len - before), "",
		    row->help);
	}
	text_puts(text,
	    "\n"
	    "RANGE: what is well: 0.5 (from 0), 1:2, 1: or ~:2; @1:2: what is "
	    "not\n"
	    "Exit status: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN\n"
	    "More: man check_lastack\n");
	p->options->answer_status = STATE_UNKNOWN;
	return OPTIONS_DONE;
}

/* ---- argv */

static const struct row *
row_of_letter(char letter)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].letter == letter)
			return &rows[i];
	return NULL;
}

/* The only one that begins so, of check_tcp's or else of ours. */
static const struct row *
row_of_start(const char *name, size_t len, bool ours)
{
	const struct row *found = NULL;

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].ours != ours ||
		    strncmp(rows[i].name, name, len) != 0)
			continue;
		if (rows[i].name[len] == '\0')
			return &rows[i];
		if (found != NULL)
			return NULL;
		found = &rows[i];
	}
	return found;
}

static const struct row *
row_of_name(const char *name, size_t len)
{
	const struct row *theirs = row_of_start(name, len, false);
	const struct row *mine = row_of_start(name, len, true);

	/* Written out, it is that one. */
	if (mine != NULL && mine->name[len] == '\0')
		return mine;
	return theirs != NULL ? theirs : mine;
}

static enum options_result
take_row(struct plugin *p, const struct row *row, const char *value,
    struct text *text)
{
	struct threshold *threshold = &p->options->thresholds[row->range.span];
	char what[64] = "--";
	const char *reason;

	if (row->range.is)
		reason = range_parse(value,
		    row->range.critical ? &threshold->critical :
					  &threshold->warning);
	else
		reason = row->take(p, value);
	if (reason == NULL)
		return OPTIONS_RUN;
	strncat(what, row->name, sizeof(what) - 3);
	return plugin_usage(p, text, what, value, reason);
}

/* --name, --name=value or --name value; *next is the argument that follows. */
static enum options_result
take_long(
    struct plugin *p, const char *argument, char ***next, struct text *text)
{
	const char *name = argument + 2;
	size_t len = strcspn(name, "=");
	const struct row *row = row_of_name(name, len);
	const char *value = name[len] == '=' ? name + len + 1 : NULL;

	if (row == NULL || len == 0)
		return plugin_usage(
		    p, text, "unknown or ambiguous option", argument, NULL);
	if (row->value == NULL && value != NULL)
		return plugin_usage(
		    p, text, "option takes no value", argument, NULL);
	if (row->value != NULL && value == NULL) {
		if (**next == NULL)
			return plugin_usage(
			    p, text, "option needs a value", argument, NULL);
		value = *(*next)++;
	}
	return take_row(p, row, value, text);
}

/* -x, -xVALUE or -x VALUE, and several without a value in one. */
static enum options_result
take_letters(
    struct plugin *p, const char *argument, char ***next, struct text *text)
{
	enum options_result result = OPTIONS_RUN;

	for (const char *c = argument + 1; *c != '\0' && result == OPTIONS_RUN;
	     c++) {
		const struct row *row = row_of_letter(*c);
		const char *value = c + 1;

		if (row == NULL)
			return plugin_usage(
			    p, text, "unknown option", argument, NULL);
		if (row->value == NULL) {
			result = take_row(p, row, NULL, text);
			continue;
		}
		if (*value == '\0' && **next == NULL)
			return plugin_usage(
			    p, text, "option needs a value", argument, NULL);
		if (*value == '\0')
			value = *(*next)++;
		return take_row(p, row, value, text);
	}
	return result;
}

/* As old configurations have them. */
static const char *
spelling(const char *argument)
{
	static const char *const old[] = { "-to", "-wt", "-ct" };
	static const char *const new[] = { "-t", "-w", "-c" };

	for (size_t i = 0; i < COUNT(old); i++)
		if (strcmp(argument, old[i]) == 0)
			return new[i];
	return argument;
}

static bool
is_option(const char *argument)
{
	size_t dashes = strspn(argument, "-");

	return dashes == 1 || dashes == 2;
}

/*
 * The host may come first of all. After an operand anywhere else nothing is
 * read any more: so it is in check_tcp.
 */
static enum options_result
take_arguments(struct plugin *p, char **next, struct text *text)
{
	enum options_result result = OPTIONS_RUN;

	if (*next != NULL && !is_option(*next))
		p->operand = *next++;
	while (result == OPTIONS_RUN && *next != NULL) {
		const char *argument = spelling(*next);

		if (strcmp(argument, "--") == 0) {
			next++;
			break;
		}
		if (argument[0] != '-' || argument[1] == '\0')
			break;
		next++;
		result = argument[1] == '-' ?
		    take_long(p, argument, &next, text) :
		    take_letters(p, argument, &next, text);
	}
	if (result == OPTIONS_RUN && *next != NULL)
		p->operand = *next;
	return result;
}

/* ---- --extra-opts */

static enum options_result
read_extra(struct plugin *p, const char *locator, struct text *text)
{
	char what[4096 + 256];
	const char *reason = ini_read(
	    &p->options->extra, locator, p->program, what, sizeof(what));

	if (reason == NULL)
		return OPTIONS_RUN;
	return plugin_usage(p, text, "--extra-opts", what, reason);
}

/* Takes them out of argv, wherever they stand, and reads what they name. */
static enum options_result
take_extra(struct plugin *p, char **arguments, struct text *text)
{
	enum options_result result = OPTIONS_RUN;
	char **to = arguments;

	for (char **from = arguments; *from != NULL && result == OPTIONS_RUN;
	     from++) {
		if (strncmp(*from, "--extra-opts=", 13) == 0) {
			result = read_extra(p, *from + 13, text);
		} else if (strcmp(*from, "--extra-opts") != 0) {
			*to++ = *from;
		} else if (from[1] != NULL && !is_option(from[1])) {
			result = read_extra(p, *++from, text);
		} else {
			result = read_extra(p, NULL, text);
		}
	}
	*to = NULL;
	return result;
}

/* What comes from files first, for the command line to have the last word. */
static enum options_result
take_all_arguments(struct plugin *p, int argc, char **argv, struct text *text)
{
	char **copy = calloc((size_t)argc + 1 + INI_OPTIONS_MAX, sizeof(*copy));
	enum options_result result;
	char **mine;
	size_t count;

	if (copy == NULL)
		return plugin_answer(p, text, STATE_UNKNOWN, "out of memory");
	mine = copy + INI_OPTIONS_MAX;
	for (int i = 1; i < argc; i++)
		mine[i - 1] = argv[i];
	result = take_extra(p, mine, text);
	count = p->options->extra.count;
	if (result == OPTIONS_RUN) {
		memcpy(mine - count, p->options->extra.arguments,
		    count * sizeof(*copy));
		result = take_arguments(p, mine - count, text);
	}
	free(copy);
	return result;
}

enum options_result
plugin_options_parse(struct options *o, int argc, char **argv,
    struct lastack_request *request, struct text *text)
{
	struct plugin p = { .options = o,
		.service = services_find(argv[0]),
		.program = services_name(argv[0]),
		.idle_ns = LASTACK_TIME_MAX_NS };
	enum options_result result;

	*o = (struct options){ .timeout_ns = 10 * SECOND,
		.drain_ns = SECOND / 10,
		.close = LASTACK_CLOSE_FIN,
		.raw = true,
		.format = FORMAT_NAGIOS,
		.states = STATES_INIT };
	if (p.service == NULL)
		return plugin_usage(
		    &p, text, "there is no service of that name", NULL, NULL);
	o->service = p.service->label;
	o->jail = p.service->jail;
	if (argc < 2)
		return plugin_usage(
		    &p, text, "no arguments are given", NULL, NULL);
	result = take_all_arguments(&p, argc, argv, text);
	if (result != OPTIONS_RUN)
		return result;
	if (o->help)
		return print_help(&p, text);
	if (o->version) {
		text_printf(
		    text, "%s (lastack %s)\n", p.program, lastack_version());
		o->answer_status = STATE_UNKNOWN;
		return OPTIONS_DONE;
	}
	return plugin_prepare(&p, request, text);
}
