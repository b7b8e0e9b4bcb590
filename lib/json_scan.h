/* SPDX-License-Identifier: MIT */
/* json_scan: one strict pass over a JSON text (RFC 8259) without allocation:
 * is it valid, and where are a few string members of its top-level object?
 * Strict: UTF-8 well formed, no control characters in strings, escapes complete
 * (a lone surrogate \uD800 is refused), no trailing bytes but white space.
 * Pure; wsfand runs it over every frame and every client's message. */
#ifndef LIB_JSON_SCAN_H
#define LIB_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base.h"
#include "lib/utf8.h"

#define JSON_MAX_DEPTH 64

/* A wanted top-level member. Of several with one name the first counts. `value`
 * points into the text, behind the opening quote, still escaped; NULL when the
 * object lacks it or it is no string. */
struct json_member {
	const char *name;
	const char *value;
	size_t length;
};

/* 0 when `text` is one valid JSON object nested at most JSON_MAX_DEPTH deep; the
 * members are filled in. -1 otherwise, and *error (may be NULL) is a literal
 * that says what is wrong, e.g. "not a JSON object", "invalid UTF-8". */
MUST_CHECK int json_scan_object(
    const char *text, size_t length, struct json_member *members, size_t count, const char **error);

/* The same for any JSON value, with nothing looked for. */
MUST_CHECK int json_scan_value(const char *text, size_t length, const char **error);

#endif
