/* SPDX-License-Identifier: MIT */
/*
 * Sorting: manual, "cursor.sort()". An array sorts by its least element ascending, by its
 * greatest descending. Pure code.
 */
#ifndef TESTS_MONGO_SORT_H
#define TESTS_MONGO_SORT_H

#include "tests/mongo/base.h"

/* 0, or -1 with f filled: each value is to be 1 or -1, no operators. */
int sort_check(const bson_t *spec, struct fail *f);

/* A stable sort of the list. */
void sort_docs(const bson_t *spec, struct doc_list *l);

#endif
