/* SPDX-License-Identifier: MIT */
/*
 * The order of BSON values: manual, "BSON Types > Comparison/Sort Order". Pure code.
 */
#ifndef TESTS_MONGO_COMPARE_H
#define TESTS_MONGO_COMPARE_H

#include "tests/mongo/base.h"

/* The class of a value: values of different classes order by it, and query operators bracket by
 * it. NULL (a missing value) counts as null. */
int value_class(const bson_iter_t *v);

/* <0, 0, >0. Either may be NULL: missing, which equals null. Numbers of all types compare by
 * value, NaN below all others; Decimal128 by its nearest long double. */
int value_compare(const bson_iter_t *a, const bson_iter_t *b);

int docs_compare(const bson_t *a, const bson_t *b);

bool value_is_nan(const bson_iter_t *v);

#endif
