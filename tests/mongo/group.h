/* SPDX-License-Identifier: MIT */
/*
 * The $group stage with $sum, $min, $max, $first, $last and $avg over paths and constants:
 * manual, "$group (aggregation)". Pure code.
 */
#ifndef TESTS_MONGO_GROUP_H
#define TESTS_MONGO_GROUP_H

#include "tests/mongo/base.h"

int group_check(const bson_t *spec, struct fail *f);

/* Replaces the list by the groups, in the order of their keys. */
int group_run(const bson_t *spec, struct doc_list *l, struct fail *f);

#endif
