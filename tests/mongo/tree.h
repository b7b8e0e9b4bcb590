/* SPDX-License-Identifier: MIT */
/*
 * A document taken apart, so that updates can change it in place. Pure code.
 */
#ifndef TESTS_MONGO_TREE_H
#define TESTS_MONGO_TREE_H

#include "tests/mongo/base.h"

/* A value under its key. Containers have children; anything else is leaf, {"": value}. */
struct node {
	char *key;
	bson_type_t type;
	struct doc *leaf;
	struct node **kids;
	size_t n;
};

/* The whole of a document; its key is "". */
struct node *tree_from(const bson_t *doc);

/* A value as a tree. */
struct node *tree_from_value(const char *key, const bson_iter_t *v);

void tree_free(struct node **t);

/* Appends a container's children. */
void tree_append_kids(const struct node *t, bson_t *out);

/* Appends the value itself, under key. */
void tree_append(const struct node *t, const char *key, bson_t *out);

/* Stands *it on the value, in a document made for it, which the caller unrefs. */
struct doc *tree_value(const struct node *t, bson_iter_t *it);

struct node *tree_kid(const struct node *t, const char *key, size_t len);

/* Puts a child at the end (in an array, its key becomes its place); takes it over. */
void tree_add(struct node *t, struct node *kid);

/* Puts value into the place of a child of the same key, or at the end; takes it over. */
void tree_put(struct node *t, struct node *value);

void tree_drop(struct node *t, struct node *kid);

bool tree_equal(const struct node *a, const struct node *b);

#endif
