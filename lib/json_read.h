/* SPDX-License-Identifier: MIT */
/* json_read: a small JSON document as tokens (jsmn), after json_scan has found
 * it valid, so that nothing lenient of jsmn's shows. For documents of which the
 * meaning is needed: clients' messages, interest, reports. A value is the index
 * of a token; -1 means "not there" and may be passed to every function. */
#ifndef LIB_JSON_READ_H
#define LIB_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"

enum json_type {
	JSON_NONE,
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

struct json_token;

struct json_doc {
	const char *text; /* the caller's; must outlive the document */
	size_t length;
	struct json_token *tokens; /* ours */
	int count;
};

/* The root value is 0. -1: not valid JSON, too deep, or over `max_tokens`
 * tokens; *error (may be NULL) says which. On 0 the caller must json_free(). */
MUST_CHECK int json_parse(
    struct json_doc *doc, const char *text, size_t length, int max_tokens, const char **error);
void json_free(struct json_doc *doc);

enum json_type json_type(const struct json_doc *doc, int value);
/* The value of an object's first member of that name (names are compared
 * unescaped), or -1. */
int json_get(const struct json_doc *doc, int object, const char *name);
/* Members of an object, elements of an array, otherwise 0. */
int json_size(const struct json_doc *doc, int value);
/* First child (of an object: its first KEY) and the sibling behind a value; -1 at
 * the end. The value of key k is k + 1. */
int json_first(const struct json_doc *doc, int value);
int json_next(const struct json_doc *doc, int parent, int child);
#define JSON_FOR_EACH(child, doc, parent) \
	for (int child = json_first(doc, parent); child >= 0; child = json_next(doc, parent, child))

/* Unescaped into `out`, with a NUL behind. The length, or -1: no string, or it
 * does not fit, or it contains U+0000. */
MUST_CHECK int json_string(const struct json_doc *doc, int value, char *out, size_t size);
bool json_string_is(const struct json_doc *doc, int value, const char *text);
/* -1 when it is no number, not whole (for i64), or out of range. */
MUST_CHECK int json_i64(const struct json_doc *doc, int value, int64_t *out);
MUST_CHECK int json_double(const struct json_doc *doc, int value, double *out);
MUST_CHECK int json_bool(const struct json_doc *doc, int value, bool *out);
/* The value as it stands in the text, strings with their quotes. */
const char *json_raw(const struct json_doc *doc, int value, size_t *length);

#endif
