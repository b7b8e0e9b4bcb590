/* SPDX-License-Identifier: MIT */
/*
 * What the commands that write have in common: the list of write errors, and how documents are
 * made ready and found.
 */
#ifndef TESTS_MONGO_CMD_WRITE_H
#define TESTS_MONGO_CMD_WRITE_H

#include "tests/mongo/collection.h"
#include "tests/mongo/command.h"

struct write_errors {
	bson_t *list;
	size_t n;
	bool ordered;
};

void write_errors_init(struct write_errors *e, bool ordered);

/* dup: the key {_id: …} that was there already, or NULL. */
void write_errors_add(
    struct write_errors *e, size_t index, const struct fail *f, const struct doc *dup);

/* Appends writeErrors, if any, and frees the list. */
void write_errors_finish(struct write_errors *e, bson_t *reply);

void duplicate_fail(struct fail *f, const char *db, const char *coll, const struct doc *key);

/* A document as it will be stored, _id first; NULL with f filled. */
struct doc *doc_prepare(const bson_t *in, struct fail *f);

/* The documents that a filter (which passed match_check()) selects, or the first of them. */
void targets_collect(struct collection *coll, const bson_t *filter, bool one, struct doc_list *out);

struct index_node *target_node(struct collection *coll, const struct doc *d);

#endif
