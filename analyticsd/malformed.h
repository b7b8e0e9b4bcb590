/* SPDX-License-Identifier: MIT */
/* malformed: a document that is skipped, in whole or in part: counted, and logged at a limited rate
 * with its _id. */
#ifndef ANALYTICSD_MALFORMED_H
#define ANALYTICSD_MALFORMED_H

#include <bson/bson.h>

/* `kind` ("response") and `why` are words for the log. */
void malformed_note(const bson_t *doc, const char *kind, const char *why);

#endif
