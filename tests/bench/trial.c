/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trial.h"

#define ARGS_MAX 64
#define FIGURES_FD 3

bool
trial_installed(const char *program)
{
	const char *path = getenv("PATH");
	char file[4096];

	if (strchr(program, '/') != NULL)
		return access(program, X_OK) == 0;
	while (path != NULL && *path != '\0') {
		size_t len = strcspn(path, ":");

		snprintf(
		    file, sizeof(file), "%.*s/%s", (int)len, path, program);
		if (access(file, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

static int
memory_file(const char *text)
{
	int fd = memfd_create("trial", MFD_CLOEXEC);

	if (fd == -1 ||
	    (text != NULL &&
		write(fd, text, strlen(text)) != (ssize_t)strlen(text)) ||
	    lseek(fd, 0, SEEK_SET) == -1)
		err(1, "memory");
	return fd;
}

static int
null_file(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		err(1, "/dev/null");
	return fd;
}

/* Its end, where there is more than room for. */
static void
read_file(int fd, char *text, size_t size)
{
	off_t end = lseek(fd, 0, SEEK_END);
	off_t from = end < (off_t)size ? 0 : end - (off_t)size + 1;
	ssize_t n = pread(fd, text, size - 1, from);

	text[n > 0 ? n : 0] = '\0';
	close(fd);
}

/*
 * Runs prefix and argv, output to a file, what is written to FIGURES_FD to
 * another. Returns the status.
 */
static int
run_with(const char *const *prefix, const struct trial *trial, int output,
    int figures)
{
	const char *argv[ARGS_MAX] = { NULL };
	size_t count = 0;
	int input = memory_file(trial->input), status;
	pid_t pid;

	for (; *prefix != NULL; prefix++)
		argv[count++] = *prefix;
	for (size_t i = 0; trial->argv[i] != NULL && count < ARGS_MAX - 1; i++)
		argv[count++] = trial->argv[i];
	pid = fork();
	if (pid == -1)
		err(1, "fork");
	if (pid == 0) {
		alarm(TRIAL_SECONDS);
		if (dup2(input, 0) == -1 || dup2(output, 1) == -1 ||
		    dup2(output, 2) == -1 || dup2(figures, FIGURES_FD) == -1)
			_exit(126);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid)
		err(1, "wait");
	close(input);
	return status;
}

void
trial_run(struct trial *trial, const char *measure)
{
	const char *const prefix[] = { measure, NULL };
	int output = trial->listen ? memory_file(NULL) : null_file();
	int figures = memory_file(NULL);
	int status = run_with(prefix, trial, output, figures);
	long long wall_ns, cpu_us;
	char line[128];

	read_file(output, trial->words, sizeof(trial->words));
	read_file(figures, line, sizeof(line));
	if (status != 0 ||
	    sscanf(line, "%lld %lld %ld %d", &wall_ns, &cpu_us,
		&trial->peak_kib, &trial->status) != 4)
		errx(1, "%s: no figures: %s", trial->argv[0], trial->words);
	trial->wall_us = (double)wall_ns / 1000;
	trial->cpu_us = (double)cpu_us;
}

double
trial_instructions(const struct trial *trial)
{
	static const char *const prefix[] = { "valgrind", "--tool=callgrind",
		"--callgrind-out-file=/dev/null", "--log-fd=3", NULL };
	char words[4096], *at;
	double count = 0;
	int output, figures;

	if (!trial_installed(prefix[0]))
		return 0;
	output = null_file();
	figures = memory_file(NULL);
	run_with(prefix, trial, output, figures);
	read_file(figures, words, sizeof(words));
	close(output);
	at = strstr(words, "refs:");
	for (; at != NULL && *at != '\n' && *at != '\0'; at++)
		if (*at >= '0' && *at <= '9')
			count = count * 10 + (*at - '0');
	return count;
}

unsigned int
trial_calls(const struct trial *trial)
{
	char path[] = "/tmp/bench-XXXXXX", line[4096];
	const char *const prefix[] = { "strace", "-f", "-o", path, NULL };
	unsigned int count = 0;
	int null = null_file();
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "r");

	if (file == NULL)
		err(1, "%s", path);
	if (trial_installed(prefix[0]))
		run_with(prefix, trial, null, null);
	while (fgets(line, sizeof(line), file) != NULL)
		if (strstr(line, "resumed>") == NULL &&
		    strstr(line, "+++ ") == NULL &&
		    strstr(line, "--- SIG") == NULL)
			count++;
	fclose(file);
	close(null);
	unlink(path);
	return count;
}
