/* SPDX-License-Identifier: MIT */
/* definition_text: a form's definition as /api/forms/ID shows it (docs/protocol.md, "HTTP"): what
 * definition.h takes of the document, with its labels. Pure. */
#ifndef ANALYTICSD_DEFINITION_TEXT_H
#define ANALYTICSD_DEFINITION_TEXT_H

#include <bson/bson.h>

#include "lib/base.h"
#include "lib/buf.h"
#include "lib/form_id.h"

/* A definition that is longer is not kept. */
#define DEFINITION_TEXT_MAX 1000000

/* Puts the JSON object into `out`, which is cleared before; it stays empty when there is no
 * room. */
void definition_text(const bson_t *doc, const struct form_id *id, struct buf *out);

#endif
