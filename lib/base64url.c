/* SPDX-License-Identifier: MIT */
#include "lib/base64url.h"

#include <stdint.h>

static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

ssize_t
base64url_decode(unsigned char *out, const char *text, size_t length)
{
	unsigned char *start = out;
	uint32_t bits = 0;
	unsigned held = 0; /* of `bits`, the lowest, not yet written */

	for (size_t i = 0; i < length; i++) {
		int value = value_of(text[i]);

		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			*out++ = (unsigned char)(bits >> held);
			bits &= (1U << held) - 1;
		}
	}
	return length % 4 == 1 || bits != 0 ? -1 : out - start;
}
