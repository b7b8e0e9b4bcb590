/* SPDX-License-Identifier: MIT */
/* http_head: a strict parser for one HTTP/1.1 request head (RFC 9112, sections 3
 * to 5). Pure: it works on the bytes where they lie, allocates nothing, and
 * keeps slices into them. Refused: bare CR or LF, obs-fold, space before the
 * colon, control characters, an empty or non-token method or name, targets that
 * do not start with '/', versions other than HTTP/1.0 and 1.1, several Host fields or none
 * (1.1), Content-Length together with Transfer-Encoding, twice, or with anything but digits.
 * A Transfer-Encoding alone passes: who reads no bodies looks for it with http_head_find(). */
#ifndef LIB_HTTP_HEAD_H
#define LIB_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base.h"

#define HTTP_HEAD_MAX_FIELDS 64

struct slice {
	const char *bytes;
	size_t length;
};

struct http_field {
	struct slice name, value; /* value without the white space around it */
};

struct http_head {
	struct slice method, target;
	struct slice path, query; /* of the target; query without '?', empty if none */
	int minor; /* HTTP/1.minor */
	size_t field_count;
	struct http_field fields[HTTP_HEAD_MAX_FIELDS];
};

/* Bytes of the head, the empty line included; 0: more is needed; -1: bad, and
 * *error is a literal that says what ("malformed request line", "bare CR", …). */
MUST_CHECK long http_head_parse(
    struct http_head *head, const char *data, size_t length, const char **error);

/* The first field of that name (case-insensitive) behind `after` (NULL: from the
 * start), or NULL. */
const struct http_field *http_head_find(
    const struct http_head *head, const char *name, const struct http_field *after);

/* Whether any field of that name holds `token` in its comma-separated list, without regard to
 * case. */
bool http_head_has_token(const struct http_head *head, const char *name, const char *token);

/* The value of `name` in the query, percent-decoded into `out` with a NUL. Its
 * length, or -1: absent, too long, badly encoded, or with a NUL inside. */
MUST_CHECK int http_query_get(struct slice query, const char *name, char *out, size_t size);

/* RFC 9110, 5.6.3: the white space there may be around values. */
static inline bool
http_is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* Without the blanks around it. */
struct slice slice_trim(struct slice slice);
bool slice_equal(struct slice slice, const char *text);
bool slice_equal_nocase(struct slice slice, const char *text);

#endif
