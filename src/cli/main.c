/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"
#include "lastack.h"
#include "options.h"
#include "replace.h"
#include "report.h"
#include "sink.h"
#include "status.h"

/* The signal that came, for the run to see; a handler has nowhere else. */
static volatile sig_atomic_t caught;

static void
catch_signal(int signo)
{
	caught = signo;
}

/*
 * Blocked but while waiting, so that none is missed between a look at "caught"
 * and the wait; and first of all, so that none is caught that was ignored: as
 * nohup(1) and cron would have it, it stays so. What errno tells as well stays
 * blocked for good.
 */
static void
prepare_signals(sigset_t *while_waiting)
{
	static const int signals[] = { SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = catch_signal }, before;
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGPIPE);
	sigaddset(&ours, SIGXFSZ);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&ours, signals[i]);
	sigprocmask(SIG_BLOCK, &ours, while_waiting);
	sigaddset(while_waiting, SIGPIPE);
	sigaddset(while_waiting, SIGXFSZ);
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigdelset(while_waiting, signals[i]);
		if (sigaction(signals[i], &action, &before) == 0 &&
		    before.sa_handler == SIG_IGN)
			sigaction(signals[i], &before, NULL);
	}
}

/*
 * A standard descriptor that is closed would be taken by the connection, and
 * the report written into it. Fill the gap so that its use still fails.
 */
static void
fill_standard_descriptors(void)
{
	struct pollfd fds[] = { { .fd = STDIN_FILENO }, { .fd = STDOUT_FILENO },
		{ .fd = STDERR_FILENO } };

	if (poll(fds, 3, 0) == 0)
		return;
	for (size_t i = 0; i < 3; i++)
		if (fds[i].revents & POLLNVAL)
			open("/dev/null", i == 0 ? O_WRONLY : O_RDONLY);
}

/* One line; what may be a name of the user's, why is the system's word. */
static int
fail(const struct options *options, const char *what, const char *why)
{
	bool plugin = options->format == FORMAT_NAGIOS;
	struct text line = TEXT_INIT;

	if (plugin)
		text_printf(&line, "%s UNKNOWN - ", options_service(options));
	else
		text_puts(&line, "lastack: ");
	escape_word(&line, what);
	text_printf(&line, ": %s\n", why);
	text_write(&line, plugin ? STDOUT_FILENO : STDERR_FILENO);
	text_free(&line);
	return status_local(options);
}

static int
run(struct lastack_probe *probe, const sigset_t *while_waiting)
{
	int error;

	while ((error = lastack_probe_run(probe, while_waiting)) ==
	    LASTACK_ERROR_INTERRUPTED)
		if (caught != 0)
			lastack_probe_interrupt(probe, caught);
	return error;
}

static int
report(const struct options *options, struct sink *sink,
    const struct lastack_result *result)
{
	bool connected = lastack_result_remote(result) != NULL;
	int status = status_of(options, result);
	int error = sink_close(sink, connected);

	if (error != 0)
		status = status_worse(
		    status, fail(options, options->output, strerror(error)));
	if (options->quiet)
		return status;
	error = report_print(options, result);
	if (error != 0)
		status = status_worse(status,
		    fail(options,
			options->output_report != NULL ?
			    options->output_report :
			    "the report",
			strerror(error)));
	return status;
}

static int
probe(const struct options *options, struct lastack_request *request)
{
	struct lastack_probe *probe = NULL;
	struct sink sink = SINK_INIT;
	sigset_t while_waiting;
	int error, status;

	if (options->output_report != NULL) {
		error = replace_check(options->output_report);
		if (error != 0)
			return fail(
			    options, options->output_report, strerror(error));
	}
	if (options->output != NULL) {
		error = sink_open(&sink, options->output, options->timeout_ns);
		if (error != 0)
			return fail(options, options->output, strerror(error));
		lastack_request_set_sink(request, sink_write, &sink);
		lastack_request_set_sink_fd(
		    request, sink.regular ? -1 : sink.fd);
	}
	prepare_signals(&while_waiting);
	error = lastack_probe_new(request, &probe);
	sink.probe = probe;
	sink.while_waiting = &while_waiting;
	sink.caught = &caught;
	if (error == 0)
		error = run(probe, &while_waiting);
	if (error == 0)
		status = report(options, &sink, lastack_probe_result(probe));
	else
		status = fail(options, "the probe", lastack_error_text(error));
	sink_close(&sink, false);
	lastack_probe_free(probe);
	return status;
}

int
main(int argc, char **argv)
{
	struct lastack_request *request;
	struct options options = { 0 };
	struct text text = TEXT_INIT;
	int status = 0;

	fill_standard_descriptors();
	request = lastack_request_new();
	if (request == NULL)
		return fail(&options, "start", "out of memory");
	switch (options_parse(&options, argc, argv, request, &text)) {
	case OPTIONS_RUN:
		status = probe(&options, request);
		break;
	case OPTIONS_DONE:
		status = options.answer_status;
		if (text_write(&text, STDOUT_FILENO) != 0)
			status = fail(
			    &options, "standard output", "cannot be written");
		break;
	case OPTIONS_USAGE:
		text_write(&text, STDERR_FILENO);
		status = STATUS_USAGE;
		break;
	case OPTIONS_LOCAL:
		text_write(&text, STDERR_FILENO);
		status = STATUS_SYSTEM;
		break;
	}
	options_free(&options);
	lastack_request_free(request);
	text_free(&text);
	return status;
}
