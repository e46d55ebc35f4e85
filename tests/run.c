/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

#define OUTPUT_BYTES_MAX ((size_t)64 << 20)
#define ARGUMENTS_MAX 256
#define ENVIRONMENT_MAX 1024
#define DESCRIPTORS_MAX 1024

extern char **environ;

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/*
 * The real program, not libtool's wrapper: that is a shell script, slow and
 * with a process of its own to which signals would go.
 */
static void
find_program(char *path, char *library_path, size_t size)
{
	const char *given = getenv("LASTACK");
	const char *build = getenv("BUILDDIR");
	char directory[PATH_MAX], resolved[PATH_MAX];

	library_path[0] = '\0';
	if (given != NULL && given[0] != '\0') {
		ck_assert_msg(realpath(given, resolved) != NULL,
		    "LASTACK=%s: %s", given, strerror(errno));
		snprintf(path, size, "%s", resolved);
		return;
	}
	build = build != NULL && build[0] != '\0' ? build : ".";
	ck_assert_msg(realpath(build, directory) != NULL, "BUILDDIR=%s: %s",
	    build, strerror(errno));
	snprintf(path, size, "%s/.libs/lastack", directory);
	if (access(path, X_OK) == 0) {
		const char *old = getenv("LD_LIBRARY_PATH");

		snprintf(library_path, size, "LD_LIBRARY_PATH=%s/.libs%s%s",
		    directory, old != NULL ? ":" : "", old != NULL ? old : "");
		return;
	}
	snprintf(path, size, "%s/lastack", directory);
	ck_assert_msg(access(path, X_OK) == 0, "%s: %s", path, strerror(errno));
}

/* A later setting of a name takes the place of an earlier one. */
static void
set_variable(const char **variables, size_t *count, const char *setting)
{
	const char *equals = strchr(setting, '=');
	size_t len;

	ck_assert_ptr_nonnull(equals);
	len = (size_t)(equals - setting) + 1;
	for (size_t i = 0; i < *count; i++) {
		if (strncmp(variables[i], setting, len) == 0) {
			variables[i] = setting;
			return;
		}
	}
	ck_assert_uint_lt(*count, ENVIRONMENT_MAX - 1);
	variables[(*count)++] = setting;
	variables[*count] = NULL;
}

static void
make_environment(const char **variables, const char *library_path,
    const struct run_options *options)
{
	size_t count = 0;

	variables[0] = NULL;
	for (size_t i = 0; environ[i] != NULL; i++)
		if (strchr(environ[i], '=') != NULL)
			set_variable(variables, &count, environ[i]);
	/* The same words everywhere; a test may say otherwise. */
	set_variable(variables, &count, "LC_ALL=C");
	if (library_path[0] != '\0')
		set_variable(variables, &count, library_path);
	for (size_t i = 0;
	     options->environment != NULL && options->environment[i] != NULL;
	     i++)
		set_variable(variables, &count, options->environment[i]);
}

/* Holds any number of bytes without a writer that would have to be served. */
static int
input_file(const void *bytes, size_t len)
{
	int fd = memfd_create("input", MFD_CLOEXEC);
	size_t done = 0;

	ck_assert_int_ge(fd, 0);
	while (done < len) {
		ssize_t n = write(fd, (const char *)bytes + done, len - done);

		ck_assert_int_gt(n, 0);
		done += (size_t)n;
	}
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int
open_input(const struct run_options *options)
{
	int fd;

	if (options->input != NULL)
		return input_file(options->input, options->input_bytes);
	if (options->input_fd != 0)
		fd = fcntl(options->input_fd, F_DUPFD_CLOEXEC, 3);
	else
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

/* A descriptor to write to, above the standard ones, and one to read from. */
static int
open_output(int wanted, int *reader)
{
	int ends[2], fd;

	*reader = -1;
	if (wanted != 0) {
		fd = fcntl(wanted, F_DUPFD_CLOEXEC, 3);
		ck_assert_int_ge(fd, 0);
		return fd;
	}
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	*reader = ends[0];
	return ends[1];
}

static bool
limit(int resource, uint64_t value)
{
	struct rlimit limits = { .rlim_cur = (rlim_t)value,
		.rlim_max = (rlim_t)value };

	return value == 0 || setrlimit((unsigned int)resource, &limits) == 0;
}

static bool
place(const int fds[3], unsigned int closed)
{
	for (int i = 0; i < 3; i++) {
		if (closed & 1U << i)
			close(i);
		else if (dup2(fds[i], i) == -1)
			return false;
	}
	return true;
}

/* What the test and its library left without FD_CLOEXEC is not the command's. */
static void
close_others(int but)
{
	for (int fd = 3; fd < DESCRIPTORS_MAX; fd++)
		if (fd != but)
			close(fd);
}

struct plan {
	const char *path;
	char *const *argv, *const *environment;
	const struct run_options *options;
	int fds[3];
	int report_fd; /* closed by exec, or given the errno */
};

/* Between fork() and exec: a test has threads, so only what is safe there. */
static void
become(const struct plan *plan)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE,
		SIGALRM, SIGTERM, SIGCHLD, SIGUSR1, SIGUSR2, SIGXFSZ };
	const struct run_options *options = plan->options;
	sigset_t none;
	int error;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	if (options->ignored_signal != 0)
		signal(options->ignored_signal, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if ((options->directory == NULL || chdir(options->directory) == 0) &&
	    place(plan->fds, options->closed) &&
	    limit(RLIMIT_NOFILE, options->descriptors) &&
	    limit(RLIMIT_FSIZE, options->file_size_bytes) &&
	    limit(RLIMIT_AS, options->address_space_bytes)) {
		close_others(plan->report_fd);
		execve(plan->path, plan->argv, plan->environment);
	}
	error = errno;
	if (write(plan->report_fd, &error, sizeof(error)) == -1)
		_exit(1);
	_exit(0);
}

/*
 * Returns once the command has taken the place of the child, so that what a
 * test sees of the process, and what signals it sends, is the command's. Until
 * then no handler of ours may run in the child.
 */
static pid_t
spawn(struct plan *plan)
{
	sigset_t all, before;
	int ends[2], error;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	plan->report_fd = ends[1];
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		become(plan);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	ck_assert_int_ge(pid, 0);
	do
		n = read(ends[0], &error, sizeof(error));
	while (n == -1 && errno == EINTR);
	close(ends[0]);
	ck_assert_msg(n == 0, "%s: %s", plan->path,
	    n == sizeof(error) ? strerror(error) : "it was not started");
	return pid;
}

void
run_start(
    struct run *run, const struct run_options *options, const char *const *argv)
{
	static const struct run_options defaults;
	const char *arguments[ARGUMENTS_MAX] = { "lastack" };
	const char *environment[ENVIRONMENT_MAX];
	char path[PATH_MAX + 32], library_path[PATH_MAX + 32];
	struct plan plan = { .path = path,
		.argv = (char *const *)(uintptr_t)arguments,
		.environment = (char *const *)(uintptr_t)environment };
	size_t count = 1;

	*run = (struct run){ .status = -1, .out_fd = -1, .err_fd = -1 };
	if (options == NULL)
		options = &defaults;
	if (options->name != NULL)
		arguments[0] = options->name;
	for (; *argv != NULL; argv++) {
		ck_assert_uint_lt(count, ARGUMENTS_MAX - 1);
		arguments[count++] = *argv;
	}
	find_program(path, library_path, sizeof(path));
	make_environment(environment, library_path, options);
	plan.options = options;
	plan.fds[0] = open_input(options);
	plan.fds[1] = open_output(options->output_fd, &run->out_fd);
	plan.fds[2] = open_output(options->error_fd, &run->err_fd);
	run->start_ns = now_ns();
	run->pid = spawn(&plan);
	for (int i = 0; i < 3; i++)
		close(plan.fds[i]);
}

static void
take(int *fd, char **data, size_t *len, size_t *room)
{
	ssize_t n;

	if (*len + 1 >= *room) {
		*room = *room == 0 ? 4096 : *room * 2;
		ck_assert_uint_le(*room, OUTPUT_BYTES_MAX);
		*data = realloc(*data, *room);
		ck_assert_ptr_nonnull(*data);
	}
	n = read(*fd, *data + *len, *room - *len - 1);
	if (n == -1 && errno == EINTR)
		return;
	ck_assert_msg(n >= 0, "read from the command: %s", strerror(errno));
	if (n == 0) {
		close(*fd);
		*fd = -1;
	}
	*len += (size_t)n;
	(*data)[*len] = '\0';
}

static void
kill_late(const struct run *run)
{
	int status;

	kill(run->pid, SIGKILL);
	waitpid(run->pid, &status, 0);
	ck_abort_msg("the command ran for more than %d s; standard output so "
		     "far: \"%s\", standard error: \"%s\"",
	    RUN_BOUND_SECONDS, run->out, run->err);
}

/* Reads both pipes to their ends, which come with the end of the command. */
static void
read_all(struct run *run)
{
	int64_t deadline_ns = run->start_ns + RUN_BOUND_SECONDS * 1000000000LL;
	size_t out_room = 0, err_room = 0;

	while (run->out_fd != -1 || run->err_fd != -1) {
		struct pollfd fds[2] = { { run->out_fd, POLLIN, 0 },
			{ run->err_fd, POLLIN, 0 } };
		int64_t left_ns = deadline_ns - now_ns();
		int n;

		if (left_ns <= 0)
			kill_late(run);
		n = poll(fds, 2, (int)(left_ns / 1000000) + 1);
		ck_assert(n >= 0 || errno == EINTR);
		if (n > 0 && fds[0].revents != 0)
			take(&run->out_fd, &run->out, &run->out_bytes,
			    &out_room);
		if (n > 0 && fds[1].revents != 0)
			take(&run->err_fd, &run->err, &run->err_bytes,
			    &err_room);
	}
}

/* Where neither stream is a pipe of ours, nothing else tells of the end. */
static void
reap(struct run *run, int *status, struct rusage *usage)
{
	int64_t deadline_ns = run->start_ns + RUN_BOUND_SECONDS * 1000000000LL;
	const struct timespec pause = { .tv_nsec = 1000000 };
	pid_t pid;

	for (;;) {
		pid = wait4(run->pid, status, WNOHANG, usage);
		if (pid == run->pid)
			return;
		ck_assert(pid == 0 || (pid == -1 && errno == EINTR));
		if (now_ns() >= deadline_ns)
			kill_late(run);
		nanosleep(&pause, NULL);
	}
}

void
run_finish(struct run *run)
{
	struct rusage usage;
	int status = 0;

	run->out = calloc(1, 1);
	run->err = calloc(1, 1);
	ck_assert_ptr_nonnull(run->out);
	ck_assert_ptr_nonnull(run->err);
	read_all(run);
	reap(run, &status, &usage);
	run->elapsed_ns = now_ns() - run->start_ns;
	run->max_rss_kib = usage.ru_maxrss;
	run->pid = 0;
	if (WIFEXITED(status))
		run->status = WEXITSTATUS(status);
	else
		run->signo = WTERMSIG(status);
}

void
run_command_with(
    struct run *run, const struct run_options *options, const char *const *argv)
{
	run_start(run, options, argv);
	run_finish(run);
}

void
run_command(struct run *run, const char *const *argv)
{
	run_command_with(run, NULL, argv);
}

void
run_free(struct run *run)
{
	if (run == NULL)
		return;
	free(run->out);
	free(run->err);
	run->out = NULL;
	run->err = NULL;
}
