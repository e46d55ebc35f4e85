/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "escape.h"

size_t
escape_sequence(const unsigned char *bytes, size_t len, unsigned int *code)
{
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = 0;
	unsigned int value;

	if (len == 0)
		return 0;
	if (bytes[0] < 0x80) {
		*code = bytes[0];
		return 1;
	}
	if (bytes[0] >= 0xc2 && bytes[0] <= 0xdf)
		n = 2;
	else if (bytes[0] >= 0xe0 && bytes[0] <= 0xef)
		n = 3;
	else if (bytes[0] >= 0xf0 && bytes[0] <= 0xf4)
		n = 4;
	if (n == 0 || n > len)
		return 0;
	value = bytes[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (bytes[i] & 0x3f);
	}
	if (value < least[n] || value > 0x10ffff ||
	    (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*code = value;
	return n;
}

bool
escape_is_utf8(const void *data, size_t len)
{
	const unsigned char *bytes = data;
	unsigned int code;

	while (len > 0) {
		size_t n = escape_sequence(bytes, len, &code);

		if (n == 0)
			return false;
		bytes += n;
		len -= n;
	}
	return true;
}

/*
 * Controls, and what changes the order or the lines of a text: C0, DEL, C1,
 * the line and paragraph separators, bidirectional overrides and isolates,
 * invisible marks, noncharacters.
 */
static bool
steers(unsigned int code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0xad ||
	    code == 0x61c || (code >= 0x200b && code <= 0x200f) ||
	    (code >= 0x2028 && code <= 0x202e) ||
	    (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
	    (code >= 0xfff0 && code <= 0xfffb) || (code & 0xfffe) == 0xfffe ||
	    (code >= 0xe0000 && code <= 0xe0fff);
}

static const char *
short_escape(unsigned char byte)
{
	switch (byte) {
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	case '\\':
		return "\\\\";
	default:
		return NULL;
	}
}

void
escape_word(struct text *to, const char *word)
{
	while (*word != '\0') {
		size_t len = strcspn(word, "\\");

		escape_line(to, word, len, false);
		word += len;
		for (; *word == '\\'; word++)
			text_puts(to, "\\");
	}
}

void
escape_line(struct text *to, const void *data, size_t len, bool utf8)
{
	const unsigned char *bytes = data;

	while (len > 0) {
		unsigned int code = 0;
		size_t n = escape_sequence(bytes, len, &code);
		const char *form = short_escape(bytes[0]);

		if (form != NULL) {
			text_puts(to, form);
		} else if (n > 0 && !steers(code) && (utf8 || code < 0x80)) {
			text_add(to, bytes, n);
		} else {
			n = n > 0 ? n : 1;
			for (size_t i = 0; i < n; i++)
				text_printf(to, "\\x%02x", bytes[i]);
		}
		bytes += n;
		len -= n;
	}
}

static void
json_code(struct text *to, unsigned int code)
{
	if (code >= 0x10000) {
		code -= 0x10000;
		text_printf(to, "\\u%04x\\u%04x", 0xd800 + (code >> 10),
		    0xdc00 + (code & 0x3ff));
	} else {
		text_printf(to, "\\u%04x", code);
	}
}

void
escape_json(struct text *to, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	while (len > 0) {
		unsigned int code = 0;
		size_t n = escape_sequence(bytes, len, &code);

		if (n == 0) {
			text_puts(to, "\\ufffd");
			n = 1;
		} else if (code == '"' || short_escape(bytes[0]) != NULL) {
			text_puts(
			    to, code == '"' ? "\\\"" : short_escape(bytes[0]));
		} else if (steers(code)) {
			json_code(to, code);
		} else {
			text_add(to, bytes, n);
		}
		bytes += n;
		len -= n;
	}
}

void
escape_base64(struct text *to, const void *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		unsigned int group = (unsigned int)bytes[i] << 16;
		char out[4];

		if (left > 1)
			group |= (unsigned int)bytes[i + 1] << 8;
		if (left > 2)
			group |= bytes[i + 2];
		out[0] = digits[group >> 18];
		out[1] = digits[group >> 12 & 63];
		out[2] = left > 1 ? digits[group >> 6 & 63] : '=';
		out[3] = left > 2 ? digits[group & 63] : '=';
		text_add(to, out, sizeof(out));
	}
}
