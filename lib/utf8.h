/* SPDX-License-Identifier: MIT */
/* utf8: well-formed UTF-8 and nothing else (RFC 3629, section 4: no overlong
 * forms, no surrogates, nothing over U+10FFFF). Pure. */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at `text`, 1 to 4; 0 when it is malformed or cut off.
 * `length` is at least 1. */
size_t utf8_sequence(const char *text, size_t length);

/* Whether `length` bytes are well-formed UTF-8. */
bool utf8_valid(const char *text, size_t length);

/* Text that comes in pieces; all zero at its start. */
struct utf8_state {
	uint8_t missing; /* continuation bytes of a character that is half there */
	uint8_t low, high; /* what its next byte may be */
};

/* Whether the text can still become well-formed with these bytes behind those before.
 * It is whole where no byte is missing. */
bool utf8_feed(struct utf8_state *state, const void *text, size_t length);

#endif
