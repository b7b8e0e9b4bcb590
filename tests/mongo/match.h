/* SPDX-License-Identifier: MIT */
/*
 * Query filters: manual, "Query Predicate Operators", with type bracketing as in "Comparison
 * Query Operators". Pure code. A filter is checked once and then never fails.
 *
 * Understood: literals, $eq $ne $gt $gte $lt $lte $in $nin $exists $type $size $all $elemMatch
 * $mod $not, $and $or $nor, $comment. All else is refused.
 */
#ifndef TESTS_MONGO_MATCH_H
#define TESTS_MONGO_MATCH_H

#include "tests/mongo/base.h"

/* 0, or -1 with f filled. */
int match_check(const bson_t *filter, struct fail *f);

/* Whether doc satisfies a filter that passed match_check(). */
bool match_doc(const bson_t *filter, const bson_t *doc);

#endif
