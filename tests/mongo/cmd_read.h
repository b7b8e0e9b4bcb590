/* SPDX-License-Identifier: MIT */
/*
 * What the commands that read have in common: their arguments, and the reply with a first batch.
 */
#ifndef TESTS_MONGO_CMD_READ_H
#define TESTS_MONGO_CMD_READ_H

#include "tests/mongo/command.h"
#include "tests/mongo/cursor.h"

#define FIRST_BATCH 101

/* Fails with 13, in the words of a server whose user lacks the privilege; returns -1. */
int read_denied(struct cmd *c);

/* A document argument: 0 with an empty view where it is missing. */
int arg_doc(struct cmd *c, const char *key, bson_t *out);

/* A number that must not be negative. */
int arg_number(struct cmd *c, const char *key, int64_t dflt, int64_t *out);

/* Data is in memory and committed at once, so that all read concerns see the same; a read in the
 * past is refused. */
int read_concern_check(struct cmd *c);

/* Fills the first batch, answers, and keeps the cursor where there is more. Frees it else. */
int cursor_open(struct cmd *c, struct cursor *cur, int64_t batch, bool single);

#endif
