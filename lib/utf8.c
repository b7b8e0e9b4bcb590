/* SPDX-License-Identifier: MIT */
#include "lib/utf8.h"

#include <string.h>

static bool
continues(const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (((uint8_t)text[i] & 0xc0) != 0x80)
			return false;
	return true;
}

size_t
utf8_sequence(const char *text, size_t length)
{
	uint8_t lead = (uint8_t)text[0];
	if (lead < 0x80)
		return 1;
	/* 0x80 to 0xc1 are continuations and overlong forms. */
	size_t size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
	if (size == 0 || length < size || !continues(text + 1, size - 1))
		return 0;
	uint8_t second = (uint8_t)text[1];
	bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
	bool surrogate = lead == 0xed && second > 0x9f;
	bool beyond = lead == 0xf4 && second > 0x8f;
	return overlong || surrogate || beyond ? 0 : size;
}

bool
utf8_valid(const char *text, size_t length)
{
	size_t at = 0;
	while (at < length) {
		uint64_t word;
		if (length - at >= sizeof(word)) {
			memcpy(&word, text + at, sizeof(word));
			if ((word & 0x8080808080808080u) == 0) {
				at += sizeof(word);
				continue;
			}
		}
		size_t size = utf8_sequence(text + at, length - at);
		if (size == 0)
			return false;
		at += size;
	}
	return true;
}

/* RFC 3629, section 4: what may stand second depends on the first. */
static bool
utf8_begin(struct utf8_state *state, uint8_t lead)
{
	if (lead < 0xc2 || lead > 0xf4)
		return false;
	state->missing = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
	state->low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	state->high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	return true;
}

bool
utf8_feed(struct utf8_state *state, const void *text, size_t length)
{
	const uint8_t *bytes = text;
	for (size_t i = 0; i < length; i++) {
		if (state->missing > 0) {
			if (bytes[i] < state->low || bytes[i] > state->high)
				return false;
			state->missing--;
			state->low = 0x80;
			state->high = 0xbf;
		} else if (bytes[i] >= 0x80 && !utf8_begin(state, bytes[i])) {
			return false;
		}
	}
	return true;
}
