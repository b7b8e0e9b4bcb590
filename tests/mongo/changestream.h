/* SPDX-License-Identifier: MIT */
/*
 * Change streams: manual, "Change Streams" and "$changeStream (aggregation)". A stream reads the
 * oplog from where it was told to start, makes events of what lies in its scope and runs the rest
 * of its pipeline on them.
 */
#ifndef TESTS_MONGO_CHANGESTREAM_H
#define TESTS_MONGO_CHANGESTREAM_H

#include "tests/mongo/server.h"

struct changestream;

/* coll is NULL for the whole database, or for the cluster where db is "admin". stages is the
 * pipeline, whose first stage is $changeStream. NULL with f filled on refusal. */
struct changestream *changestream_open(
    struct server *srv, const char *db, const char *coll, const bson_t *stages, struct fail *f);

void changestream_free(struct changestream **cs);

/* 1: an event in *out (the caller's reference); 0: none for now; -1: the stream has failed. */
int changestream_next(struct changestream *cs, struct doc **out, struct fail *f);

/* Gives back the event that changestream_next() returned last: it comes again. */
void changestream_unget(struct changestream *cs, struct doc *d);

/* Whether it was invalidated: nothing will come any more, and its cursor is to be closed. */
bool changestream_closed(const struct changestream *cs);

/* Appends {postBatchResumeToken: {_data: …}} as it stands after the last event. */
void changestream_append_token(const struct changestream *cs, bson_t *out);

#endif
