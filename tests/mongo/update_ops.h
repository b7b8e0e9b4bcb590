/* SPDX-License-Identifier: MIT */
/*
 * The update operators, one at a time, on a tree. Pure code. Part of update.h.
 */
#ifndef TESTS_MONGO_UPDATE_OPS_H
#define TESTS_MONGO_UPDATE_OPS_H

#include "tests/mongo/update_place.h"

bool update_op_known(const char *op);

/* Applies {op: {path: arg}} to the tree. 0, or -1 with f filled. */
int update_op_apply(struct node *root, const char *op, const char *path, const bson_iter_t *arg,
    bool insert, struct touched *t, struct fail *f);

#endif
