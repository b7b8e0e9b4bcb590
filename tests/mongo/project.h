/* SPDX-License-Identifier: MIT */
/*
 * Projections of find and of the $project and $unset stages: manual, "$project (aggregation)".
 * Inclusion, exclusion, nested specifications, and computed fields that are "$a.path", {$literal:
 * …} or (in aggregate) a constant. Pure code.
 */
#ifndef TESTS_MONGO_PROJECT_H
#define TESTS_MONGO_PROJECT_H

#include "tests/mongo/base.h"

struct projection;

/* A compiled projection; NULL with f filled where it is refused. The empty one keeps all. */
struct projection *projection_new(const bson_t *spec, struct fail *f);

void projection_free(struct projection **p);

/* Appends what is left of doc to out (initialised, empty). */
void projection_apply(const struct projection *p, const bson_t *doc, bson_t *out);

/* Evaluates an expression: "$path", {$literal: x}, a constant. Appends the value under key, or
 * nothing where the path is missing. False with f filled where it is not understood (out is then
 * unchanged); doc NULL: only checks. */
bool expression_append(
    const bson_iter_t *expr, const bson_t *doc, const char *key, bson_t *out, struct fail *f);

#endif
