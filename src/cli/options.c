/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One table holds it all: the name, what its value is called, its line of
 * --help, and the function that takes the value.
 */
#include <config.h>

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"
#include "local.h"
#include "options.h"
#include "parse.h"
#include "plugin_options.h"
#include "prepare.h"
#include "services.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- a function for each option: NULL, or why the value is wrong */

static const char *
take_send(struct options *o, const char *value)
{
	if (*value == '\0')
		return NULL; /* nothing to send is no payload */
	return talk_add_piece(&o->talk, PIECE_STRING, value);
}

static const char *
take_send_hex(struct options *o, const char *value)
{
	if (*value == '\0')
		return NULL;
	return talk_add_piece(&o->talk, PIECE_HEX, value);
}

static const char *
take_send_file(struct options *o, const char *value)
{
	return talk_add_piece(&o->talk, PIECE_FILE, value);
}

static const char *
take_expect(struct options *o, const char *value)
{
	return talk_add_expectation(&o->talk, EXPECTATION_STRING, value);
}

static const char *
take_expect_hex(struct options *o, const char *value)
{
	return talk_add_expectation(&o->talk, EXPECTATION_HEX, value);
}

static const char *
take_expect_regex(struct options *o, const char *value)
{
	if (*value == '\0')
		return "empty, it would match anything";
	return talk_add_expectation(&o->talk, EXPECTATION_REGEX, value);
}

static const char *
take_not_expect(struct options *o, const char *value)
{
	if (*value == '\0')
		return "empty, every response contains it";
	return talk_add_expectation(&o->talk, EXPECTATION_NOT, value);
}

static const char *
take_all(struct options *o, const char *value)
{
	struct turn *turn = talk_turn(&o->talk);

	(void)value;
	if (turn == NULL)
		return "out of memory";
	turn->all = true;
	return NULL;
}

static const char *
take_then(struct options *o, const char *value)
{
	(void)value;
	return talk_then(&o->talk);
}

static const char *
take_quit(struct options *o, const char *value)
{
	o->quit = *value != '\0' ? value : NULL;
	return NULL;
}

static const char *
take_hostname(struct options *o, const char *value)
{
	o->hostname = value;
	return NULL;
}

static const char *
take_port(struct options *o, const char *value)
{
	o->port_name = value;
	return NULL;
}

static const char *
take_maxbytes(struct options *o, const char *value)
{
	struct turn *turn = talk_turn(&o->talk);

	if (turn == NULL)
		return "out of memory";
	return parse_number(value, 1, INT64_MAX, &turn->maxbytes);
}

static const char *
take_more_than_no_time(const char *value, int64_t *to)
{
	int64_t ns;
	const char *reason = parse_time(value, &ns);

	if (reason == NULL && ns == 0)
		reason = "it must be more than 0";
	if (reason == NULL)
		*to = ns;
	return reason;
}

static const char *
take_timeout(struct options *o, const char *value)
{
	return parse_timeout(value, &o->timeout_ns, &o->states.timeout);
}

static const char *
take_close_state(struct options *o, const char *value)
{
	return state_parse(value, &o->states.close);
}

static const char *
take_connect_timeout(struct options *o, const char *value)
{
	return take_more_than_no_time(value, &o->connect_ns);
}

static const char *
take_idle(struct options *o, const char *value)
{
	struct turn *turn = talk_turn(&o->talk);

	if (turn == NULL)
		return "out of memory";
	return take_more_than_no_time(value, &turn->idle_ns);
}

static const char *
take_drain(struct options *o, const char *value)
{
	return parse_time(value, &o->drain_ns);
}

static const char *
take_delay(struct options *o, const char *value)
{
	struct turn *turn = talk_turn(&o->talk);

	if (turn == NULL)
		return "out of memory";
	return parse_time(value, &turn->delay_ns);
}

/* A word out of a list; its place there, or -1. */
static int
place_of(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, words[i]) == 0)
			return (int)i;
	return -1;
}

const char *
options_take_close(struct options *o, const char *value)
{
	static const char *const words[] = { "auto", "fin", "rst" };
	static const enum lastack_close policies[] = { LASTACK_CLOSE_AUTO,
		LASTACK_CLOSE_FIN, LASTACK_CLOSE_RST };
	int place = place_of(value, words, COUNT(words));

	if (place == -1)
		return "not auto, fin or rst";
	o->close = policies[place];
	return NULL;
}

const char *
options_take_expect_close(struct options *o, const char *value)
{
	static const char *const words[] = { "fin", "rst", "open" };
	static const enum lastack_end ends[] = { LASTACK_END_FIN,
		LASTACK_END_RST, LASTACK_END_OPEN };
	int place = place_of(value, words, COUNT(words));

	if (place == -1)
		return "not fin, rst or open";
	o->expect_close = ends[place];
	return NULL;
}

static const char *
take_fastopen(struct options *o, const char *value)
{
	static const char *const words[] = { "try", "require" };
	static const enum lastack_fastopen wishes[] = { LASTACK_FASTOPEN_TRY,
		LASTACK_FASTOPEN_REQUIRE };
	int place = value != NULL ? place_of(value, words, COUNT(words)) : 0;

	if (place == -1)
		return "not try or require";
	o->fastopen = wishes[place];
	return NULL;
}

static const char *
take_proxy(struct options *o, const char *value)
{
	static const char *const words[] = { "v1", "v2", "local" };
	static const enum lastack_proxy versions[] = { LASTACK_PROXY_V1,
		LASTACK_PROXY_V2, LASTACK_PROXY_LOCAL };
	int place = place_of(value, words, COUNT(words));

	if (place == -1)
		return "not v1, v2 or local";
	o->proxy = versions[place];
	return NULL;
}

static const char *
take_proxy_source(struct options *o, const char *value)
{
	o->proxy_source = value;
	return NULL;
}

static const char *
take_proxy_destination(struct options *o, const char *value)
{
	o->proxy_destination = value;
	return NULL;
}

static const char *
take_source(struct options *o, const char *value)
{
	o->source = value;
	return parse_endpoint(value, o->source_address,
	    sizeof(o->source_address), &o->source_port);
}

static const char *
take_interface(struct options *o, const char *value)
{
	o->interface = value;
	return NULL;
}

static const char *
take_mark(struct options *o, const char *value)
{
	uint64_t number;
	const char *reason = parse_hex_number(value, UINT32_MAX, &number);

	o->mark_text = value;
	if (reason == NULL)
		o->mark = (uint32_t)number;
	return reason;
}

static const char *
take_tos(struct options *o, const char *value)
{
	o->tos_text = value;
	return local_parse_tos(value, &o->tos);
}

static const char *
take_format(struct options *o, const char *value)
{
	static const char *const words[] = { "text", "json", "nagios",
		"prometheus" };
	static const enum format formats[] = { FORMAT_TEXT, FORMAT_JSON,
		FORMAT_NAGIOS, FORMAT_PROMETHEUS };
	int place = place_of(value, words, COUNT(words));

	if (place == -1)
		return "not text, json, nagios or prometheus";
	o->format = formats[place];
	return NULL;
}

static const char *
take_write_out(struct options *o, const char *value)
{
	o->write_out = value;
	o->format = FORMAT_WRITE_OUT;
	return NULL;
}

static const char *
take_output_report(struct options *o, const char *value)
{
	o->output_report = value;
	return *value == '\0'	    ? "empty, a file is needed" :
	    strcmp(value, "-") == 0 ? "a file is needed" :
				      NULL;
}

static const char *
take_color(struct options *o, const char *value)
{
	static const char *const words[] = { "auto", "always", "never" };
	static const enum color colors[] = { COLOR_AUTO, COLOR_ALWAYS,
		COLOR_NEVER };
	int place = place_of(value, words, COUNT(words));

	if (place == -1)
		return "not auto, always or never";
	o->color = colors[place];
	return NULL;
}

static const char *
take_output(struct options *o, const char *value)
{
	o->output = value;
	return *value != '\0' ? NULL : "empty, a file is needed";
}

static const char *
take_verbose(struct options *o, const char *value)
{
	(void)value;
	o->verbose++;
	return NULL;
}

static const char *
take_warning(struct options *o, const char *value)
{
	return range_parse(value, &o->thresholds[SPAN_TIME].warning);
}

static const char *
take_critical(struct options *o, const char *value)
{
	return range_parse(value, &o->thresholds[SPAN_TIME].critical);
}

static const char *
take_warning_connect(struct options *o, const char *value)
{
	return range_parse(value, &o->thresholds[SPAN_CONNECT].warning);
}

static const char *
take_critical_connect(struct options *o, const char *value)
{
	return range_parse(value, &o->thresholds[SPAN_CONNECT].critical);
}

static const char *
take_warning_first_byte(struct options *o, const char *value)
{
	return range_parse(value, &o->thresholds[SPAN_FIRST_BYTE].warning);
}

static const char *
take_critical_first_byte(struct options *o, const char *value)
{
	return range_parse(value, &o->thresholds[SPAN_FIRST_BYTE].critical);
}

static const char *
take_warning_close(struct options *o, const char *value)
{
	return range_parse(value, &o->thresholds[SPAN_CLOSE].warning);
}

static const char *
take_critical_close(struct options *o, const char *value)
{
	return range_parse(value, &o->thresholds[SPAN_CLOSE].critical);
}

/* ---- the table */

struct option_row {
	char letter; /* 0: none */
	const char *name;
	const char *value; /* what --help calls it; NULL: takes none; in
			      brackets: only of the long name, and may lack */

	const char *help;
	const char *(*take)(struct options *, const char *);
	size_t flag; /* offset of a bool, where take is NULL */
};

#define FLAG(member) NULL, offsetof(struct options, member)
#define TAKE(function) function, 0

static const struct option_row rows[] = {
	{ 'H', "hostname", "HOST", "the target, instead of the operands",
	    TAKE(take_hostname) },
	{ 'p', "port", "PORT", "its port: a number or a service name",
	    TAKE(take_port) },
	{ '4', "ipv4", NULL, "only IPv4", FLAG(ipv4) },
	{ '6', "ipv6", NULL, "only IPv6", FLAG(ipv6) },
	{ 'n', "numeric", NULL, "HOST is an address: ask no resolver",
	    FLAG(numeric) },
	{ 0, "all-addresses", NULL, "probe every address of HOST",
	    FLAG(all_addresses) },
	{ 0, "source", "ADDR[:PORT]", "our address, our port, or both",
	    TAKE(take_source) },
	{ 0, "interface", "IFACE", "the interface to leave by",
	    TAKE(take_interface) },
	{ 0, "mark", "N", "the packets' mark (SO_MARK)", TAKE(take_mark) },
	{ 0, "tos", "N", "their type of service: a number, AF21, EF, ...",
	    TAKE(take_tos) },
	{ 's', "send", "STRING",
	    "payload; \\r \\n \\t \\\\ \\0 \\xHH stand for bytes",
	    TAKE(take_send) },
	{ 'R', "raw", NULL, "-s and -e as they are: no escapes", FLAG(raw) },
	{ 0, "send-hex", "HEX", "payload in hexadecimal", TAKE(take_send_hex) },
	{ 0, "send-file", "FILE", "payload from FILE; - is standard input",
	    TAKE(take_send_file) },
	{ 0, "proxy-protocol", "VERSION",
	    "a PROXY header first: v1, v2 or local", TAKE(take_proxy) },
	{ 0, "proxy-source", "ADDR:PORT", "... from there (our own address)",
	    TAKE(take_proxy_source) },
	{ 0, "proxy-destination", "ADDR:PORT", "... to there (the target)",
	    TAKE(take_proxy_destination) },
	{ 'N', "half-close", NULL, "after the payload send FIN, then read on",
	    FLAG(half_close) },
	{ 'e', "expect", "STRING",
	    "the response must contain it; \"\": any byte", TAKE(take_expect) },
	{ 0, "expect-hex", "HEX", "... these bytes, in hexadecimal",
	    TAKE(take_expect_hex) },
	{ 0, "expect-regex", "ERE", "... a match of it",
	    TAKE(take_expect_regex) },
	{ 0, "not-expect", "STRING", "the response must not contain it",
	    TAKE(take_not_expect) },
	{ 'A', "all", NULL, "all expectations must be met, not any",
	    TAKE(take_all) },
	{ 0, "then", NULL, "end one exchange and begin the next",
	    TAKE(take_then) },
	{ 'q', "quit", "STRING", "a goodbye, sent before the close",
	    TAKE(take_quit) },
	{ 0, "expect-close", "HOW", "the peer must end by fin, rst or open",
	    TAKE(options_take_expect_close) },
	{ 0, "close-state", "STATE", "where not: ok, warn or crit, in nagios",
	    TAKE(take_close_state) },
	{ 'm', "maxbytes", "N", "the response is complete after N bytes",
	    TAKE(take_maxbytes) },
	{ 0, "idle", "TIME", "... after a silence of TIME (1s)",
	    TAKE(take_idle) },
	{ 0, "drain", "TIME", "then wait for the peer's FIN (100ms)",
	    TAKE(take_drain) },
	{ 0, "close", "HOW", "how to end it: auto, fin or rst (auto)",
	    TAKE(options_take_close) },
	{ 'F', "fastopen", "[MODE]", "TCP Fast Open: try or require it (try)",
	    TAKE(take_fastopen) },
	{ 'z', "connect-only", NULL, "connect and end, exchange nothing",
	    FLAG(connect_only) },
	{ 't', "timeout", "TIME", "a deadline for everything (10s); TIME:STATE",
	    TAKE(take_timeout) },
	{ 0, "connect-timeout", "TIME", "for each address (none)",
	    TAKE(take_connect_timeout) },
	{ 'd', "delay", "TIME", "pause between payload and reading (0)",
	    TAKE(take_delay) },
	{ 'w', "warning", "RANGE", "on the response time in seconds",
	    TAKE(take_warning) },
	{ 'c', "critical", "RANGE", "likewise, and told before a warning",
	    TAKE(take_critical) },
	{ 0, "warning-connect", "RANGE", "on the connect phase",
	    TAKE(take_warning_connect) },
	{ 0, "critical-connect", "RANGE", "likewise",
	    TAKE(take_critical_connect) },
	{ 0, "warning-first-byte", "RANGE", "on the wait for a first byte",
	    TAKE(take_warning_first_byte) },
	{ 0, "critical-first-byte", "RANGE", "likewise",
	    TAKE(take_critical_first_byte) },
	{ 0, "warning-close", "RANGE", "on the close phase",
	    TAKE(take_warning_close) },
	{ 0, "critical-close", "RANGE", "likewise", TAKE(take_critical_close) },
	{ 'f', "format", "FORMAT", "text, json, nagios or prometheus (text)",
	    TAKE(take_format) },
	{ 0, "write-out", "FORMAT", "report just this; %{close.peer}: a field",
	    TAKE(take_write_out) },
	{ 0, "output-report", "FILE", "the report to FILE, replaced at once",
	    TAKE(take_output_report) },
	{ 'o', "output", "FILE", "the response to FILE; - is standard output",
	    TAKE(take_output) },
	{ 'Q', "quiet", NULL, "no report, only the exit status", FLAG(quiet) },
	{ 'j', "jail", NULL, "never show what the server said", FLAG(jail) },
	{ 'v', "verbose", NULL, "events, addresses, the response",
	    TAKE(take_verbose) },
	{ 0, "color", "WHEN", "auto, always or never (auto)",
	    TAKE(take_color) },
	{ 'h', "help", NULL, "print this", FLAG(help) },
	{ 'V', "version", NULL, "print the version", FLAG(version) },
};

static bool
may_lack_value(const struct option_row *row)
{
	return row->value != NULL && row->value[0] == '[';
}

static const struct option_row *
row_of_letter(int letter)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (letter != 0 && rows[i].letter == letter)
			return &rows[i];
	return NULL;
}

static void
print_help(struct text *text)
{
	text_puts(text,
	    "Usage: lastack [OPTION]... HOST PORT\n"
	    "       lastack [OPTION]... HOST:PORT     ([V6]:PORT too)\n"
	    "       lastack [OPTION]... unix:PATH     (a Unix socket)\n"
	    "Follow one TCP connection from its first SYN to its last ACK,\n"
	    "and tell how long each part took and how each side ended it.\n"
	    "\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct option_row *row = &rows[i];
		size_t before = text->len;
		char letter[] = { '-', row->letter, ',', ' ', '\0' };

		text_printf(text,
		    may_lack_value(row) ? "  %s--%s%.1s%s%s" :
					  "  %s--%s%.0s%s%s",
		    row->letter ? letter : "    ", row->name,
		    row->value ? row->value : "", row->value ? "=" : "",
		    row->value ? row->value + may_lack_value(row) : "");

		text_printf(text, "%*s%s\n", 34 - (int)(text->len - before), "",
		    row->help);
	}
	text_puts(text,
	    "\n"
	    "TIME: 10 or 0.5 (seconds), 500us, 500ms, 2s, 1m\n"
	    "RANGE: what is well: 0.5 (from 0), 1:2, 1: or ~:2; @1:2: what is "
	    "not\n"
	    "Exit status: 0 ok, 1 mismatch, 2 usage, 3 resolve, 4 refused,\n"
	    "  5 unreachable, 6 connect-timeout, 7 reset, 8 response-timeout,\n"
	    "  9 closed-early, 10 close-mismatch, 11 fastopen, 12 slow,\n"
	    "  13 system, 128+n signal n\n"
	    "More: man lastack\n");
}

/* ---- argv */

#define LONG_BASE 256 /* getopt's values for long options: row + this */

static void
prepare_getopt(char *letters, struct option *names)
{
	*letters++ = ':';
	for (size_t i = 0; i < COUNT(rows); i++) {
		names[i] = (struct option){ .name = rows[i].name,
			.has_arg = may_lack_value(&rows[i]) ?
			    optional_argument :
			    rows[i].value ? required_argument :
					    no_argument,
			.val = LONG_BASE + (int)i };
		if (rows[i].letter == 0)
			continue;
		*letters++ = rows[i].letter;
		if (rows[i].value && !may_lack_value(&rows[i]))
			*letters++ = ':';
	}
	*letters = '\0';
	names[COUNT(rows)] = (struct option){ 0 };
}

static enum options_result
take_row(struct options *o, const struct option_row *row, const char *value,
    struct text *text)
{
	const char *reason;
	char what[64] = "--";

	if (row->take == NULL) {
		*(bool *)(void *)((char *)o + row->flag) = true;
		return OPTIONS_RUN;
	}
	reason = row->take(o, value);
	if (reason == NULL)
		return OPTIONS_RUN;
	strncat(what, row->name, sizeof(what) - 3);
	return complain(text, what, value, reason);
}

/* What getopt did not take. */
static enum options_result
complain_option(char **argv, struct text *text)
{
	char letter[] = { '-', (char)optopt, '\0' };

	if (optopt == 0)
		return complain(text, "unknown or ambiguous option",
		    argv[optind - 1], NULL);
	if (optopt >= LONG_BASE)
		return complain(
		    text, "option takes no value", argv[optind - 1], NULL);
	return complain(text, "unknown option", letter, NULL);
}

static enum options_result
complain_missing(struct text *text)
{
	char what[64] = "--";
	char letter[] = { '-', (char)optopt, '\0' };

	if (optopt < LONG_BASE)
		return complain(text, "option needs a value", letter, NULL);
	strncat(what, rows[optopt - LONG_BASE].name, sizeof(what) - 3);
	return complain(text, "option needs a value", what, NULL);
}

static enum options_result
take_argv(struct options *o, int argc, char **argv, struct text *text)
{
	struct option names[COUNT(rows) + 1];
	char letters[2 * COUNT(rows) + 2];
	enum options_result result = OPTIONS_RUN;
	int c;

	prepare_getopt(letters, names);
	opterr = 0;
	while (result == OPTIONS_RUN &&
	    (c = getopt_long(argc, argv, letters, names, NULL)) != -1) {
		if (c == '?')
			result = complain_option(argv, text);
		else if (c == ':')
			result = complain_missing(text);
		else
			result = take_row(o,
			    c >= LONG_BASE ? &rows[c - LONG_BASE] :
					     row_of_letter(c),
			    optarg, text);
	}
	return result;
}

enum options_result
options_parse(struct options *o, int argc, char **argv,
    struct lastack_request *request, struct text *text)
{
	enum options_result result;

	if (services_called(argv[0]))
		return plugin_options_parse(o, argc, argv, request, text);
	*o = (struct options){ .timeout_ns = INT64_C(10000000000),
		.drain_ns = INT64_C(100000000),
		.states = STATES_INIT };
	result = take_argv(o, argc, argv, text);
	if (result != OPTIONS_RUN)
		return result;
	if (o->help) {
		print_help(text);
		return OPTIONS_DONE;
	}
	if (o->version) {
		text_printf(text, "lastack %s\n", lastack_version());
		return OPTIONS_DONE;
	}
	result = prepare_target(o, argc - optind, argv + optind, text);
	if (result == OPTIONS_RUN)
		result = prepare_request(o, request, text);
	return result;
}

const char *
options_service(const struct options *o)
{
	return o->service != NULL ? o->service : "TCP";
}

void
options_free(struct options *o)
{
	for (size_t i = 0; i < o->file_count; i++)
		close(o->files[i]);
	free(o->files);
	ini_free(&o->extra);
	talk_free(&o->talk);
}
