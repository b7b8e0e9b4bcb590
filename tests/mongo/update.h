/* SPDX-License-Identifier: MIT */
/*
 * Updates: manual, "Update Operators" and "update > Update with a Replacement Document". Pure code
 * (but for the clock of $currentDate).
 *
 * Understood: $set $unset $inc $mul $min $max $push ($each) $addToSet $pop $pull $rename
 * $setOnInsert $currentDate, and replacement documents. Positional paths, array filters and
 * pipelines are refused.
 */
#ifndef TESTS_MONGO_UPDATE_H
#define TESTS_MONGO_UPDATE_H

#include "tests/mongo/base.h"

/* What became of a document. Both references are the caller's. */
struct update_result {
	struct doc *doc;
	struct doc *desc; /* {updatedFields, removedFields}; NULL for a replacement */
	bool changed;
};

/* Whether it is a replacement; checks what can be checked without a document. -1 with f filled. */
int update_kind(const bson_iter_t *u, bool multi, struct fail *f);

/* Applies it to old. insert: old is the beginning of an upserted document. 0, or -1 with f. */
int update_apply(
    const bson_t *u, const bson_t *old, bool insert, struct update_result *r, struct fail *f);

/* The document that an upsert begins with: what the filter says by equality. 0, or -1 with f. */
int update_seed(const bson_t *filter, bool replacement, bson_t *out, struct fail *f);

#endif
