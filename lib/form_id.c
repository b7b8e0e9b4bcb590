/* SPDX-License-Identifier: MIT */
#include "lib/form_id.h"

static int
hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	char lower = (char)(digit | 0x20);
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

int
form_id_parse(struct form_id *id, const char *text, size_t length)
{
	if (length != FORM_ID_HEX)
		return -1;
	struct form_id parsed;
	for (size_t i = 0; i < FORM_ID_BYTES; i++) {
		int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return -1;
		parsed.bytes[i] = (uint8_t)(high * 16 + low);
	}
	*id = parsed;
	return 0;
}

void
form_id_format(const struct form_id *id, char out[static FORM_ID_HEX + 1])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < FORM_ID_BYTES; i++) {
		out[2 * i] = digits[id->bytes[i] >> 4];
		out[2 * i + 1] = digits[id->bytes[i] & 15];
	}
	out[FORM_ID_HEX] = '\0';
}
