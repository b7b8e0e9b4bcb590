/* SPDX-License-Identifier: MIT */
/* malformed: what is skipped, a document in whole or a part of it: counted, and logged with its
 * _id, at a limited rate for each kind, so that many of one do not hide the first of another. */
#ifndef ANALYTICSD_MALFORMED_H
#define ANALYTICSD_MALFORMED_H

#include <bson/bson.h>

/* A document in whole. `kind` ("response") and `why` are words for the log, and `why` a literal. */
void malformed_note(const bson_t *doc, const char *kind, const char *why);
/* Parts of a response: bits 1 << PART_… (response.h). */
void malformed_parts(const bson_t *doc, unsigned parts);
/* A part of a form's definition. */
void malformed_definition(const bson_t *doc, const char *why);

#endif
