/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "replace.h"

#define ATTEMPTS 100 /* at a name that nobody else has */

/* The file behind the links, which need not be there yet. */
static int
find_target(const char *name, char target[PATH_MAX])
{
	struct stat status;

	if (realpath(name, target) == NULL) {
		if (errno != ENOENT)
			return errno;
		/* A link into nowhere is not ours to make good. */
		if (lstat(name, &status) == 0)
			return ENOENT;
		if (strlen(name) >= PATH_MAX)
			return ENAMETOOLONG;
		strcpy(target, name);
		return 0;
	}
	if (stat(target, &status) == -1)
		return errno;
	/* A device, a pipe or a directory is not to be replaced by a file. */
	return S_ISREG(status.st_mode) ? 0 :
	    S_ISDIR(status.st_mode)    ? EISDIR :
					 EINVAL;
}

/* The name's length without what is behind its last slash. */
static size_t
directory_length(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash != NULL ? (size_t)(slash - name) + 1 : 0;
}

int
replace_check(const char *name)
{
	char target[PATH_MAX];
	int error = find_target(name, target);
	size_t length;

	if (error != 0)
		return error;
	length = directory_length(target);
	if (target[length] == '\0')
		return EISDIR;
	if (length == 0)
		strcpy(target, ".");
	else
		target[length] = '\0';
	return access(target, W_OK | X_OK) == -1 ? errno : 0;
}

/* A new file in the target's directory. Returns its descriptor, or -1. */
static int
make_beside(const char *target, char made[PATH_MAX])
{
	int length = (int)directory_length(target);
	struct timespec now;
	int fd = -1;

	clock_gettime(CLOCK_REALTIME, &now);
	for (int i = 0; i < ATTEMPTS && fd == -1; i++) {
		if (snprintf(made, PATH_MAX, "%.*s.lastack-%ld-%lx", length,
			target, (long)getpid(),
			(unsigned long)now.tv_nsec + (unsigned long)i) >=
		    PATH_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd == -1 && errno != EEXIST)
			return -1;
	}
	return fd;
}

static int
fill(int fd, const struct text *text)
{
	int error = text_write(text, fd);

	if (error == 0 && fsync(fd) == -1)
		error = errno;
	if (close(fd) == -1 && error == 0)
		error = errno;
	return error;
}

static int
replace_target(const char *target, const struct text *text)
{
	char made[PATH_MAX];
	int fd = make_beside(target, made);
	int error;

	if (fd == -1)
		return errno;
	error = fill(fd, text);
	if (error == 0 && rename(made, target) == -1)
		error = errno;
	if (error != 0)
		unlink(made);
	return error;
}

/* With no signal meanwhile, for none is to leave the new file lying about. */
int
replace_file(const char *name, const struct text *text)
{
	char target[PATH_MAX];
	int error = find_target(name, target);
	sigset_t all, before;

	if (error != 0)
		return error;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	error = replace_target(target, text);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return error;
}
