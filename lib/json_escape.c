/* SPDX-License-Identifier: MIT */
#include "lib/json_escape.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

static unsigned
hex4(const char *digits)
{
	unsigned value = 0;
	for (int i = 0; i < 4; i++) {
		char digit = digits[i];
		unsigned nibble = digit <= '9' ? (unsigned)(digit - '0')
					       : (unsigned)((digit | 0x20) - 'a' + 10);
		value = value << 4 | nibble;
	}
	return value;
}

static size_t
put_utf8(uint32_t code, char out[static 4])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* Reads one byte, or one escape with the character it means. Bytes put into `out`. */
static size_t
next_piece(const char **at, char out[static 4])
{
	const char *text = *at;
	if (text[0] != '\\') {
		out[0] = text[0];
		*at = text + 1;
		return 1;
	}
	if (text[1] == 'u') {
		uint32_t code = hex4(text + 2);
		*at = text + 6;
		if (code >= 0xd800 && code < 0xdc00) {
			code = 0x10000 + ((code - 0xd800) << 10) + (hex4(text + 8) - 0xdc00);
			*at = text + 12;
		}
		return put_utf8(code, out);
	}
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *known = strchr(from, text[1]);
	out[0] = known != NULL ? to[known - from] : text[1];
	*at = text + 2;
	return 1;
}

int
json_unescape(const char *text, size_t length, char *out, size_t size)
{
	const char *end = text + length;
	size_t used = 0;
	while (text < end) {
		char piece[4];
		size_t n = next_piece(&text, piece);
		if (piece[0] == '\0' || used + n >= size)
			return -1;
		memcpy(out + used, piece, n);
		used += n;
	}
	if (used >= size || used > INT_MAX)
		return -1;
	out[used] = '\0';
	return (int)used;
}

bool
json_escaped_is(const char *text, size_t length, const char *plain)
{
	const char *end = text + length;
	while (text < end) {
		char piece[4];
		size_t n = next_piece(&text, piece);
		/* A NUL of the text must not meet the end of `plain`. */
		if (piece[0] == '\0' || strncmp(plain, piece, n) != 0)
			return false;
		plain += n;
	}
	return *plain == '\0';
}
