/* SPDX-License-Identifier: MIT */
/*
 * Dotted paths into documents, with MongoDB's walk through arrays: manual, "Query an Array" and
 * "Query an Array of Embedded Documents". Pure code.
 */
#ifndef TESTS_MONGO_PATH_H
#define TESTS_MONGO_PATH_H

#include "tests/mongo/base.h"

/* A question put to each value under a path; NULL is a missing one. */
typedef bool path_fn(const bson_iter_t *value, void *ctx);

/* True once fn says so for a value under path. With elements, fn is also asked about each element
 * of an array at the end of the path (after the array itself). */
bool path_any(const bson_t *doc, const char *path, bool elements, path_fn *fn, void *ctx);

/* The single value at path, no arrays walked through (numbers index them). */
bool path_get(const bson_t *doc, const char *path, bson_iter_t *out);

#endif
