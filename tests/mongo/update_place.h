/* SPDX-License-Identifier: MIT */
/*
 * Where the path of an update leads in a tree, and what was touched on the way. Pure code. Part of
 * update.h.
 */
#ifndef TESTS_MONGO_UPDATE_PLACE_H
#define TESTS_MONGO_UPDATE_PLACE_H

#include "tests/mongo/tree.h"

/* The paths that an update touched, for the change event; removed or (re)set. */
struct touched {
	char **paths;
	bool *removed;
	size_t n;
};

void touched_add(struct touched *t, const char *path, size_t len, bool removed);

void touched_free(struct touched *t);

/* Where a path leads: parent[last], and kid, which is NULL while it is not there. report is how
 * much of the path names what changes: up to its first component that is new. */
struct place {
	struct node *parent, *kid;
	const char *path, *last;
	size_t report;
};

/* A node of this key with the value v, or with that of v in {"v": ...}. */
struct node *kid_new(const char *key, size_t len, const bson_iter_t *v);

struct node *kid_from_json(const char *key, size_t len, const char *json);

/* Follows path; with create, makes the documents on the way. 1 there is a place, 0 none, -1 with f
 * filled. */
int place_find(struct node *root, const char *path, bool create, struct place *p, struct fail *f);

/* Puts value (taken over) at the place, unless it is there already. */
int place_set(struct place *p, struct node *value, struct touched *t, struct fail *f);

#endif
