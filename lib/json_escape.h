/* SPDX-License-Identifier: MIT */
/* json_escape: the way back from what stands between the quotes of a valid JSON
 * string (RFC 8259, section 7) to the characters it means. Pure. The text must
 * have passed json_scan; anything else is not checked again. */
#ifndef LIB_JSON_ESCAPE_H
#define LIB_JSON_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base.h"

/* Unescapes into `out`, with a NUL behind. The length, or -1: it does not fit or
 * it contains U+0000. */
MUST_CHECK int json_unescape(const char *text, size_t length, char *out, size_t size);

/* Whether the escaped text means exactly `plain`. */
bool json_escaped_is(const char *text, size_t length, const char *plain);

#endif
