/* SPDX-License-Identifier: MIT */
/*
 * Aggregation stages over documents: $match $project $unset $sort $limit
 * $skip $count $group. A pipeline is compiled once; what it does not know is refused then.
 * Manual: "Aggregation Stages".
 */
#ifndef TESTS_MONGO_PIPELINE_H
#define TESTS_MONGO_PIPELINE_H

#include "tests/mongo/base.h"

struct pipeline;

/* Compiles the stages of an array from stage number `from` on. for_stream: those of a change
 * stream, where only $match, $project and $unset may stand. NULL with f filled on refusal. */
struct pipeline *pipeline_new(const bson_t *stages, int from, bool for_stream, struct fail *f);

void pipeline_free(struct pipeline **p);

/* How many stages at the head are $match: a change stream filters by them before all else. */
size_t pipeline_leading_matches(const struct pipeline *p);

/* Runs the stages from..to-1 on one document: false where a $match drops it. *d is replaced
 * where a stage changes it. For pipelines made with for_stream. */
bool pipeline_one(const struct pipeline *p, size_t from, size_t to, struct doc **d);

size_t pipeline_length(const struct pipeline *p);

/* Runs the whole pipeline on a list, in place. */
int pipeline_run(const struct pipeline *p, struct doc_list *l, struct fail *f);

#endif
