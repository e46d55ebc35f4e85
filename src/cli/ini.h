/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options from a file of sections, as --extra-opts=[SECTION][@FILE] of the
 * Monitoring Plugins names them.
 */
#ifndef INI_H
#define INI_H

#include <stddef.h>

#define INI_FILE_BYTES 65536
#define INI_OPTIONS_MAX 256

/* Arguments, "-kVALUE" or "--key=VALUE", in the order of the file. */
struct ini {
	char *arguments[INI_OPTIONS_MAX]; /* owned */
	size_t count;
};

/*
 * Appends a section. locator: [SECTION][@FILE], or NULL; without SECTION that
 * of the name given, without FILE the one of the usual places. Returns NULL, or
 * why not; *what is then the file or the section that is meant, in buffer.
 */
const char *ini_read(struct ini *ini, const char *locator, const char *name,
    char *what, size_t what_bytes);

void ini_free(struct ini *ini);

#endif
