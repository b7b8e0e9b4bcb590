/* SPDX-License-Identifier: MIT */
/*
 * The _id index: a skip list of documents in BSON order of their _id. Pure code.
 */
#ifndef TESTS_MONGO_INDEX_H
#define TESTS_MONGO_INDEX_H

#include "tests/mongo/base.h"

/* One document in the index. key_at is the offset of its _id element; rid its record. */
struct index_node {
	struct doc *doc;
	uint32_t key_at;
	uint64_t rid;
	struct index_node *prev;
	int levels;
	struct index_node *next[];
};

struct index;

struct index *index_new(void);

/* Drops the references to all documents. */
void index_free(struct index **ix);

/* Stands it on the node's _id. */
void index_key(const struct index_node *n, bson_iter_t *out);

/* Takes over one reference to d, which must have an _id. NULL where that _id is there already
 * (and the reference stays with the caller); `again`: then it stands behind it. */
struct index_node *index_add(struct index *ix, struct doc *d, uint64_t rid, bool again);

/* The first one of that _id. */
struct index_node *index_find(const struct index *ix, const bson_iter_t *id);

/* The first node whose _id is >= id, or > id with after; NULL id: the first of all. */
struct index_node *index_seek(const struct index *ix, const bson_iter_t *id, bool after);

struct index_node *index_last(const struct index *ix);

/* Puts another document with the same _id into the node; takes over the reference. */
void index_swap(struct index_node *n, struct doc *d);

void index_remove(struct index *ix, struct index_node *n);

#endif
