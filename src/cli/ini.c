/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ini.h"

#define SPACE " \t\r\v\f"
#define NO_FILE "no such file in any of the usual places"

/* ---- the file */

static const char *const usual_files[] = {
	"/usr/local/etc/monitoring-plugins/monitoring-plugins.ini",
	"/usr/local/etc/monitoring-plugins.ini",
	"/etc/monitoring-plugins/monitoring-plugins.ini",
	"/etc/monitoring-plugins.ini",
	"/etc/nagios/plugins.ini",
	"/usr/local/nagios/etc/plugins.ini",
	"/usr/local/etc/nagios/plugins.ini",
	"/etc/opt/nagios/plugins.ini",
	"/etc/nagios-plugins.ini",
	"/usr/local/etc/nagios-plugins.ini",
	"/etc/opt/nagios-plugins.ini",
};

static bool
find_in_path(const char *path, char *file, size_t room)
{
	static const char *const names[] = { "monitoring-plugins.ini",
		"plugins.ini", "nagios-plugins.ini" };

	while (*path != '\0') {
		int len = (int)strcspn(path, ":");

		for (size_t i = 0; len > 0 && i < 3; i++) {
			int n = snprintf(
			    file, room, "%.*s/%s", len, path, names[i]);

			if (n > 0 && (size_t)n < room &&
			    access(file, F_OK) == 0)
				return true;
		}
		path += len;
		path += *path == ':';
	}
	return false;
}

static bool
find_file(char *file, size_t room)
{
	const char *named = getenv("MP_CONFIG_FILE");
	const char *path = getenv("NAGIOS_CONFIG_PATH");

	if (named != NULL && *named != '\0') {
		snprintf(file, room, "%s", named);
		return true;
	}
	if (path != NULL && find_in_path(path, file, room))
		return true;
	for (size_t i = 0; i < sizeof(usual_files) / sizeof(usual_files[0]);
	     i++) {
		snprintf(file, room, "%s", usual_files[i]);
		if (access(file, F_OK) == 0)
			return true;
	}
	return false;
}

/* All of it, NUL-terminated. A pipe could keep us waiting: none is taken. */
static const char *
read_all(int fd, char *bytes)
{
	struct stat status;
	size_t len = 0;

	if (fstat(fd, &status) == -1)
		return strerror(errno);
	if (!S_ISREG(status.st_mode))
		return "not a regular file";
	while (len <= INI_FILE_BYTES) {
		ssize_t n = read(fd, bytes + len, INI_FILE_BYTES + 1 - len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return strerror(errno);
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len > INI_FILE_BYTES)
		return "larger than 64 KiB";
	bytes[len] = '\0';
	return memchr(bytes, '\0', len) == NULL ? NULL : "not a text file";
}

static const char *
read_file(const char *file, char *bytes)
{
	int fd = strcmp(file, "-") == 0 ?
	    STDIN_FILENO :
	    open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *reason;

	if (fd == -1)
		return strerror(errno);
	reason = read_all(fd, bytes);
	if (fd != STDIN_FILENO)
		close(fd);
	return reason;
}

/* ---- its lines */

/* Cuts white space off both ends. */
static char *
trim(char *word)
{
	size_t len;

	word += strspn(word, SPACE);
	len = strlen(word);
	while (len > 0 && strchr(SPACE, word[len - 1]) != NULL)
		word[--len] = '\0';
	return word;
}

static const char *
add_option(struct ini *ini, char *line)
{
	char *equals = strchr(line, '='), *key, *value;
	const char *dashes;
	int n;

	if (equals == NULL)
		return "a line is neither KEY=VALUE nor [SECTION]";
	*equals = '\0';
	key = trim(line);
	value = trim(equals + 1);
	if (*key == '\0')
		return "a line begins with =";
	if (ini->count == INI_OPTIONS_MAX)
		return "more than 256 options";
	dashes = key[1] == '\0' ? "-" : "--";
	n = asprintf(&ini->arguments[ini->count], "%s%s%s%s", dashes, key,
	    key[1] != '\0' && *value != '\0' ? "=" : "", value);
	if (n == -1)
		return "out of memory";
	ini->count++;
	return NULL;
}

static const char *
read_section(struct ini *ini, char *bytes, const char *section)
{
	bool inside = false, found = false;
	char *rest = bytes, *line;
	const char *reason;

	while ((line = strsep(&rest, "\n")) != NULL) {
		line = trim(line);
		if (*line == '\0' || *line == '#' || *line == ';')
			continue;
		if (*line == '[') {
			char *end = strchr(line, ']');

			if (end == NULL)
				return "a bracket is not closed";
			*end = '\0';
			inside = strcmp(trim(line + 1), section) == 0;
			found = found || inside;
			continue;
		}
		if (!inside)
			continue;
		reason = add_option(ini, line);
		if (reason != NULL)
			return reason;
	}
	return found ? NULL : "no such section";
}

const char *
ini_read(struct ini *ini, const char *locator, const char *name, char *what,
    size_t what_bytes)
{
	size_t len = locator != NULL ? strcspn(locator, "@") : 0;
	char file[PATH_MAX], section[256];
	const char *reason;
	char *bytes;

	snprintf(what, what_bytes, "%s", locator != NULL ? locator : "");
	if (len >= sizeof(section))
		return "the section's name is too long";
	snprintf(section, sizeof(section), "%.*s",
	    len > 0 ? (int)len : (int)strlen(name), len > 0 ? locator : name);
	if (locator != NULL && locator[len] == '@')
		snprintf(file, sizeof(file), "%s", locator + len + 1);
	else if (!find_file(file, sizeof(file)))
		return NO_FILE;
	snprintf(what, what_bytes, "%s@%s", section, file);
	bytes = malloc(INI_FILE_BYTES + 2);
	if (bytes == NULL)
		return "out of memory";
	reason = read_file(file, bytes);
	if (reason == NULL)
		reason = read_section(ini, bytes, section);
	free(bytes);
	return reason;
}

void
ini_free(struct ini *ini)
{
	for (size_t i = 0; i < ini->count; i++)
		free(ini->arguments[i]);
	ini->count = 0;
}
