/* SPDX-License-Identifier: MIT */
/*
 * A walk over one collection's documents that pass a filter, in the order of insertion or of _id.
 * It survives changes between two steps: as on the server, a document is met at most once per
 * place it has, and what is inserted behind is not met. Pure code.
 */
#ifndef TESTS_MONGO_SCAN_H
#define TESTS_MONGO_SCAN_H

#include "tests/mongo/collection.h"

struct scan;

/* by_id: walk the _id index. min and max (NULL: none) bound it, min inclusive, max exclusive, in
 * BSON order without brackets (manual, "cursor.min()"). A filter on _id narrows the walk, which
 * then goes by the index too. The filter has passed match_check(). */
struct scan *scan_new(
    const bson_t *filter, bool by_id, const bson_iter_t *min, const bson_iter_t *max);

void scan_free(struct scan **s);

/* The next document, borrowed from the collection; NULL at the end. */
struct doc *scan_next(struct scan *s, struct collection *c);

/* Whether the walk is in _id order. */
bool scan_by_id(const struct scan *s);

#endif
