/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strangers' bytes made harmless: nothing of what the network, the resolver or
 * argv holds may steer a terminal or break a line.
 */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/*
 * The length of the UTF-8 sequence at the start of the bytes, 0 if there is
 * none; *code is its code point (RFC 3629: no overlong form, no surrogate).
 */
size_t escape_sequence(
    const unsigned char *bytes, size_t len, unsigned int *code);

bool escape_is_utf8(const void *bytes, size_t len);

/*
 * For a line of text: \n, \r, \t, \\ and \xHH for all that is not printable
 * (and, unless utf8, for all that is not ASCII). The result reads as a -s
 * argument would be written.
 */
void escape_line(struct text *to, const void *bytes, size_t len, bool utf8);

/* The same for a word of the user's own: a backslash stays as it is. */
void escape_word(struct text *to, const char *word);

/* The inside of a JSON string; what is not UTF-8 becomes U+FFFD. */
void escape_json(struct text *to, const void *bytes, size_t len);

void escape_base64(struct text *to, const void *bytes, size_t len);

#endif
