/* SPDX-License-Identifier: MIT */
/* form: one form's definition and its aggregates. Pure: no loop, no disk, no clock.
 *
 * Adding and taking away are exact inverses as long as an aggregate is in its exact range;
 * where one has left it (a sketch, a bounded table, days dropped from a trend) and a removal or
 * a new definition cannot be honoured from what is held, the call returns FORM_REBUILD: the
 * caller then does form_reset() and adds all records of the form again. The result depends only
 * on the set of responses and the current definition, never on the order in which they came
 * (beyond the bounds of the approximate parts).
 *
 * A field that the definition lacks, or that came before it, is undeclared: it keeps aggregates
 * for every kind of value it has seen, and shows the type that most of its values look like
 * (ties: text, mcq, checkbox, rating), counted as if it had been declared so. */
#ifndef ANALYTICSD_FORM_H
#define ANALYTICSD_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include <bson/bson.h>

#include "analyticsd/response.h"
#include "lib/base.h"
#include "lib/buf.h"
#include "lib/form_id.h"
#include "lib/json_write.h"

struct form;
struct zone; /* analyticsd/zone.h: days and hours in DUNE_TIMEZONE */

enum form_result { FORM_OK, FORM_UNCHANGED, FORM_REBUILD };

struct form *form_new(const struct form_id *id);
void form_free(struct form **form);

const struct form_id *form_id_of(const struct form *form);
/* Is anything known of it: a definition that is not deleted, or responses? */
bool form_known(const struct form *form);
/* Has it a definition that is not deleted? */
bool form_defined(const struct form *form);
/* Was its definition deleted, and is not there again? */
bool form_deleted(const struct form *form);
uint64_t form_total(const struct form *form);
/* Its title (UTF-8, "" when unknown) and the newest submittedAt (RESPONSE_NO_TIME: none). */
const char *form_title(const struct form *form);
int64_t form_last_submission(const struct form *form);
/* Bytes of memory that it takes, roughly; for the bound on hot forms. */
size_t form_memory(const struct form *form);

/* A definition document. FORM_UNCHANGED when nothing that we use differs. *why
 * (a literal) is set when parts of it were malformed and left out; else NULL. After
 * FORM_REBUILD the new definition is in place and nothing is counted any more. */
MUST_CHECK enum form_result form_define(struct form *form, const bson_t *doc, const char **why);
/* The definition was deleted: the form takes its analytics with it. It is unknown
 * until it is defined again; what it has counted comes back then. */
void form_undefine(struct form *form);

/* Counts a response, or takes back one that was counted before with the same content.
 * O(answers); counting one twice is not noticed. */
void form_add(struct form *form, const struct response *response, const struct zone *zone);
MUST_CHECK enum form_result form_remove(
    struct form *form, const struct response *response, const struct zone *zone);
/* Back to no responses, definition kept. */
void form_reset(struct form *form);

/* Are its days those of this zone (or has it none)? If not, the form is to be rebuilt. */
bool form_zone_is(const struct form *form, const char *name);

/* When the numbers last changed; set by whoever applies events. RESPONSE_NO_TIME: never. */
void form_touch(struct form *form, int64_t wall_ms);
int64_t form_updated(const struct form *form);

/* The object that is `data` of analytics:update. */
void form_write_analytics(const struct form *form, struct json_writer *w);
/* Its members alone, into an object that has begun. */
void form_write_members(const struct form *form, struct json_writer *w);
/* Counts per quarter of an hour (UTC) are kept from two days before `now_ms` on, so that today and
 * this hour can be told in any time zone. Call it on a new or loaded form and from time to time;
 * FORM_REBUILD when counts that had to be dropped (far in the future then) are needed now. */
MUST_CHECK enum form_result form_set_now(struct form *form, int64_t now_ms);
/* Responses submitted in [since_ms, until_ms), multiples of 15 minutes, not older than two days. */
uint64_t form_count_between(const struct form *form, int64_t since_ms, int64_t until_ms);

#define FORM_MAX_STATE (32U << 20)

/* Was it decoded from a state that was counted by older rules (docs/counting.md)? Then the
 * form is to be rebuilt from its records. */
bool form_outdated(const struct form *form);

/* The whole state as bytes and back. Versioned: form_decode refuses (-1) what it
 * does not know or what is corrupt; then the form is rebuilt from its records. */
MUST_CHECK int form_encode(const struct form *form, struct buf *out);
MUST_CHECK struct form *form_decode(const struct form_id *id, const void *data, size_t length);
/* A copy; NULL when its state would be longer than FORM_MAX_STATE. */
MUST_CHECK struct form *form_copy(const struct form *form);

#endif
