/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "complain.h"
#include "parse.h"
#include "path.h"
#include "prepare.h"
#include "proxy.h"
#include "write_out.h"

/* ---- the target */

static const char *
copy_host(struct options *o, const char *host)
{
	size_t len = strlen(host);

	if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	if (len == 0)
		return "no host is given";
	if (len >= sizeof(o->host))
		return "the host is too long";
	memcpy(o->host, host, len);
	o->host[len] = '\0';
	return NULL;
}

enum options_result
prepare_target(struct options *o, int count, char **operands, struct text *text)
{
	const char *host = o->hostname, *port = o->port_name;
	const char *reason;

	if (host == NULL && count > 0) {
		host = *operands++;
		count--;
	}
	if (host == NULL)
		return complain(text, "no host is given", NULL, NULL);
	o->path = path_of(host);
	if (o->path == NULL && port == NULL && count > 0) {
		port = *operands++;
		count--;
	}
	if (count > 0)
		return complain(text, "unexpected operand", operands[0], NULL);
	if (o->path != NULL) {
		reason = copy_host(o, host);
		return reason == NULL ? path_check(o, text) :
					complain(text, "target", host, reason);
	}
	if (port == NULL) {
		reason = parse_target(host, o->host, sizeof(o->host), &o->port);
		return reason == NULL ? OPTIONS_RUN :
					complain(text, "target", host, reason);
	}
	reason = copy_host(o, host);
	if (reason != NULL)
		return complain(text, "host", host, reason);
	reason = parse_port(port, &o->port);
	if (reason != NULL)
		return complain(text, "port", port, reason);
	return OPTIONS_RUN;
}

/* ---- the request */

static enum options_result
open_piece(struct options *o, const char *name, struct lastack_request *request,
    struct text *text)
{
	struct stat status;
	int *files;
	int fd = STDIN_FILENO;

	if (strcmp(name, "-") != 0) {
		fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd == -1)
			return complain_local(text, "--send-file", name);
		files =
		    reallocarray(o->files, o->file_count + 1, sizeof(*files));
		if (files == NULL) {
			close(fd);
			errno = ENOMEM;
			return complain_local(text, "--send-file", name);
		}
		o->files = files;
		files[o->file_count++] = fd;
	}
	/* What fills the place of a closed standard input can only be written. */
	if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY) {
		errno = EBADF;
		return complain_local(text, "--send-file", name);
	}
	if (fstat(fd, &status) == -1)
		return complain_local(text, "--send-file", name);
	if (S_ISDIR(status.st_mode)) {
		errno = EISDIR;
		return complain_local(text, "--send-file", name);
	}
	if (lastack_request_add_payload_fd(request, fd) != 0) {
		errno = ENOMEM;
		return complain_local(text, "--send-file", name);
	}
	return OPTIONS_RUN;
}

static const char *
string_bytes(const struct options *o, const char *value, struct text *bytes)
{
	if (!o->raw)
		return parse_escaped(value, bytes);
	text_puts(bytes, value);
	return bytes->failed ? "out of memory" : NULL;
}

static enum options_result
take_piece(struct options *o, const struct piece *piece,
    struct lastack_request *request, struct text *text)
{
	struct text bytes = TEXT_INIT;
	const char *reason;
	bool hex = piece->kind == PIECE_HEX;

	if (piece->kind == PIECE_FILE)
		return open_piece(o, piece->value, request, text);
	reason = hex ? parse_hex(piece->value, &bytes) :
		       string_bytes(o, piece->value, &bytes);
	if (reason == NULL &&
	    lastack_request_add_payload(request, bytes.bytes, bytes.len) != 0)
		reason = "out of memory";
	text_free(&bytes);
	if (reason == NULL)
		return OPTIONS_RUN;
	return complain(
	    text, hex ? "--send-hex" : "--send", piece->value, reason);
}

static const char *
expectation_bytes(const struct options *o,
    const struct expectation *expectation, struct text *bytes)
{
	switch (expectation->kind) {
	case EXPECTATION_HEX:
		return parse_hex(expectation->value, bytes);
	case EXPECTATION_REGEX:
		if (!o->raw)
			return parse_regex(expectation->value, bytes);
		text_puts(bytes, expectation->value);
		return bytes->failed ? "out of memory" : NULL;
	default:
		return string_bytes(o, expectation->value, bytes);
	}
}

/* What the library does not tell: what is wrong with an expression. */
static const char *
regex_reason(struct options *o, const char *expression)
{
	regex_t regex;
	int error = regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB);

	if (error == 0) {
		regfree(&regex);
		return "out of memory";
	}
	regerror(error, &regex, o->reason, sizeof(o->reason));
	return o->reason;
}

/* Returns why not, or NULL. */
static const char *
add_expectation(struct options *o, struct lastack_request *request,
    enum expectation_kind kind, struct text *bytes)
{
	int error;

	if (kind == EXPECTATION_REGEX) {
		error = lastack_request_add_expect_regex(
		    request, text_string(bytes));
		return error == 0 ? NULL : regex_reason(o, text_string(bytes));
	}
	error = kind == EXPECTATION_NOT ?
	    lastack_request_add_unwanted(request, bytes->bytes, bytes->len) :
	    lastack_request_add_expect(request, bytes->bytes, bytes->len);
	return error == 0 ? NULL : "out of memory";
}

static enum options_result
take_expectation(struct options *o, const struct expectation *expectation,
    struct lastack_request *request, struct text *text)
{
	static const char *const names[] = { "--expect", "--expect-hex",
		"--expect-regex", "--not-expect" };
	struct text bytes = TEXT_INIT;
	const char *reason = expectation_bytes(o, expectation, &bytes);

	if (reason == NULL)
		reason = add_expectation(o, request, expectation->kind, &bytes);
	text_free(&bytes);
	if (reason == NULL)
		return OPTIONS_RUN;
	return complain(
	    text, names[expectation->kind], expectation->value, reason);
}

/* Into the exchange that the request has begun last. */
static enum options_result
take_turn(struct options *o, const struct turn *turn,
    struct lastack_request *request, struct text *text)
{
	enum options_result result = OPTIONS_RUN;

	lastack_request_set_expect_all(request, turn->all);
	lastack_request_set_maxbytes(request, turn->maxbytes);
	if (turn->idle_ns > 0)
		lastack_request_set_time(
		    request, LASTACK_TIME_IDLE, turn->idle_ns);
	lastack_request_set_time(request, LASTACK_TIME_DELAY, turn->delay_ns);
	for (size_t i = 0; result == OPTIONS_RUN && i < turn->expectation_count;
	     i++)
		result =
		    take_expectation(o, &turn->expectations[i], request, text);
	for (size_t i = 0; result == OPTIONS_RUN && i < turn->piece_count; i++)
		result = take_piece(o, &turn->pieces[i], request, text);
	return result;
}

static enum options_result
take_talk(struct options *o, struct lastack_request *request, struct text *text)
{
	enum options_result result = OPTIONS_RUN;

	for (size_t i = 0; result == OPTIONS_RUN && i < o->talk.count; i++) {
		if (i > 0 && lastack_request_add_exchange(request) != 0)
			return complain(text, "--then", NULL, "out of memory");
		result = take_turn(o, &o->talk.turns[i], request, text);
	}
	return result;
}

static enum options_result
take_goodbye(
    const struct options *o, struct lastack_request *request, struct text *text)
{
	struct text bytes = TEXT_INIT;
	const char *reason;

	if (o->quit == NULL)
		return OPTIONS_RUN;
	reason = string_bytes(o, o->quit, &bytes);
	if (reason == NULL &&
	    lastack_request_set_quit(request, bytes.bytes, bytes.len) != 0)
		reason = "out of memory";
	text_free(&bytes);
	if (reason == NULL)
		return OPTIONS_RUN;
	return complain(text, "--quit", o->quit, reason);
}

static enum options_result
check_talk(const struct options *o, struct text *text)
{
	const struct talk *talk = &o->talk;

	if (talk->count > 1 && talk_is_empty(&talk->turns[talk->count - 1]))
		return complain(text, "--then", NULL,
		    "no exchange comes after it: no payload, no expectation, "
		    "no --maxbytes");
	for (size_t i = 0; i < talk->count; i++)
		if (talk->turns[i].all && talk->turns[i].expectation_count == 0)
			return complain(
			    text, "--all", NULL, "there is no expectation");
	if (o->half_close && o->quit != NULL)
		return complain(text, "--half-close and --quit", NULL,
		    "nothing can be sent behind our FIN");
	return OPTIONS_RUN;
}

static enum options_result
check_write_out(const struct options *o, struct text *text)
{
	struct write_out_fault fault = WRITE_OUT_FAULT_INIT;
	enum options_result result = OPTIONS_RUN;

	if (o->format == FORMAT_WRITE_OUT &&
	    !write_out_check(o->write_out, &fault))
		result = complain(text, "--write-out", text_string(&fault.what),
		    text_string(&fault.why));
	write_out_fault_free(&fault);
	return result;
}

static enum options_result
check_sense(const struct options *o, struct text *text)
{
	bool exchange = talk_pieces(&o->talk) > 0 ||
	    talk_expectations(&o->talk) > 0 || o->half_close ||
	    o->output != NULL || o->quit != NULL ||
	    o->proxy != LASTACK_PROXY_OFF;

	if (o->connect_only && exchange)
		return complain(text, "--connect-only", NULL,
		    "there is a payload, an expectation, --half-close, "
		    "--quit, --proxy-protocol or --output");
	if (o->ipv4 && o->ipv6)
		return complain(
		    text, "--ipv4 and --ipv6", NULL, "only one of them");
	if (check_talk(o, text) != OPTIONS_RUN)
		return OPTIONS_USAGE;
	if (o->quiet && o->output_report != NULL)
		return complain(text, "--quiet and --output-report", NULL,
		    "only one of them");
	return check_write_out(o, text);
}

/* Which rule of a request the target breaks. */
static enum options_result
check_target(
    const struct options *o, struct lastack_request *request, struct text *text)
{
	if (o->path != NULL) {
		if (lastack_request_set_path(request, o->path) != 0)
			return complain(text, "path", o->path,
			    "not from 1 to 107 bytes long");
		return OPTIONS_RUN;
	}
	if (lastack_request_set_target(request, o->host, o->port) != 0)
		return complain(text, "host", o->host, "not a host");
	if (lastack_request_check(request) == 0)
		return OPTIONS_RUN;
	if (o->numeric)
		return complain(text, "host", o->host,
		    o->ipv4	? "not an IPv4 address" :
			o->ipv6 ? "not an IPv6 address" :
				  "not an address");
	return complain(text, "host", o->host,
	    o->ipv4 ? "not an IPv4 address, as --ipv4 demands" :
		      "not an IPv6 address, as --ipv6 demands");
}

static enum options_result
take_local(
    const struct options *o, struct lastack_request *request, struct text *text)
{
	const char *address = o->source_address;

	if (o->interface != NULL &&
	    lastack_request_set_interface(request, o->interface) != 0)
		return complain(text, "--interface", o->interface,
		    "not the name of an interface");
	lastack_request_set_mark(request, o->mark);
	lastack_request_set_tos(request, o->tos);
	if (lastack_request_set_source(request,
		*address != '\0' ? address : NULL, o->source_port) != 0)
		return complain(text, "--source", o->source,
		    "not an IPv4 or IPv6 address, with or without a port");
	if (lastack_request_check(request) != 0)
		return complain(text, "--source", o->source,
		    "not of the address family of the target");
	return OPTIONS_RUN;
}

/* Whether the report tells what lastack_request_set_lean() does without. */
static bool
is_dear(const struct options *o)
{
	if (o->quiet)
		return false;
	switch (o->format) {
	case FORMAT_TEXT:
		return o->verbose > 0;
	case FORMAT_NAGIOS:
		return false;
	case FORMAT_WRITE_OUT:
		return write_out_is_dear(o->write_out);
	default:
		return true;
	}
}

static void
set_request(const struct options *o, struct lastack_request *request)
{
	/* Every value is in its range: nothing here can fail. */
	lastack_request_set_family(request,
	    o->ipv4	? LASTACK_FAMILY_IPV4 :
		o->ipv6 ? LASTACK_FAMILY_IPV6 :
			  LASTACK_FAMILY_ANY);
	lastack_request_set_numeric(request, o->numeric);
	lastack_request_set_half_close(request, o->half_close);
	lastack_request_set_expect_close(request, o->expect_close);
	lastack_request_set_time(request, LASTACK_TIME_TOTAL, o->timeout_ns);
	lastack_request_set_time(request, LASTACK_TIME_CONNECT, o->connect_ns);
	lastack_request_set_time(request, LASTACK_TIME_DRAIN, o->drain_ns);
	lastack_request_set_close(request, o->close);
	lastack_request_set_fastopen(request, o->fastopen);

	lastack_request_set_lean(request, !is_dear(o));
	lastack_request_set_connect_only(request, o->connect_only);
	if (!o->jail &&
	    (o->verbose > 0 || o->output != NULL ||
		talk_expectations(&o->talk) > 0))
		lastack_request_set_keep(request, LASTACK_KEEP_DEFAULT_BYTES);
}

static enum options_result
take_all_addresses(
    const struct options *o, struct lastack_request *request, struct text *text)
{
	lastack_request_set_all_addresses(request, o->all_addresses);
	if (lastack_request_check(request) == 0)
		return OPTIONS_RUN;
	return complain(text, "--all-addresses", NULL,
	    "a --send-file that is a pipe can be sent only once");
}

enum options_result
prepare_request(
    struct options *o, struct lastack_request *request, struct text *text)
{
	enum options_result result = check_sense(o, text);

	if (result == OPTIONS_RUN) {
		set_request(o, request);
		result = check_target(o, request, text);
	}
	if (result == OPTIONS_RUN)
		result = take_local(o, request, text);
	if (result == OPTIONS_RUN)
		result = proxy_prepare(o, request, text);
	if (result == OPTIONS_RUN)
		result = take_talk(o, request, text);
	if (result == OPTIONS_RUN)
		result = take_goodbye(o, request, text);
	if (result == OPTIONS_RUN)
		result = take_all_addresses(o, request, text);
	return result;
}
