/* SPDX-License-Identifier: MIT */
/* mongo_worker: the thread that reads a MongoDB database, since libmongoc blocks. It connects,
 * scans both collections where that is still to be done, follows the change stream, and begins
 * again after each failure, as mongo_errors says, from the last position that it gave. All it
 * shares with the rest is its mongo_channel. */
#ifndef INGESTD_MONGO_WORKER_H
#define INGESTD_MONGO_WORKER_H

#include <mongoc/mongoc.h>
#include <stdint.h>

#include "ingestd/event.h"
#include "ingestd/mongo_change.h"
#include "ingestd/mongo_channel.h"
#include "ingestd/mongo_client.h"
#include "ingestd/mongo_errors.h"
#include "ingestd/mongo_position.h"
#include "lib/base.h"

/* Its own copies of everything: nobody else touches them. */
struct mongo_worker {
	mongoc_uri_t *uri;
	char *name;
	char *database, *forms, *responses; /* what `origin` points at */
	struct mongo_origin origin;
	int64_t await_ms;
	struct mongo_channel *channel;
	struct mongo_position position; /* of the last event that was put into `events` */
	struct mongo_client *client;
	struct buf events; /* not yet in the channel */
	bool told_unknown; /* that the source's collections cannot be told from others */
	bool well; /* the status says so */
	/* Everything is to be read anew: `position` knows nothing, and the next thing that is given
	 * is EVENT_REBUILD. */
	bool rebuild_due;
};

/* How a piece of work ended. */
enum mongo_outcome {
	MONGO_DONE, /* it is finished */
	MONGO_STOPPING, /* the channel says to end */
	MONGO_FAILED, /* *error says why */
};

/* Runs until the channel says to end; then frees the worker. For pthread_create(3). */
void *mongo_worker_run(void *pointer);
void mongo_worker_free(struct mongo_worker **pointer);

/* For scan and stream: puts one event, at the worker's position, into `events`, and these into
 * the channel when they are many. MONGO_DONE or MONGO_STOPPING. */
enum mongo_outcome mongo_worker_give(
    struct mongo_worker *worker, enum event_op op, int64_t at, const bson_t *doc);
/* What waits in `events` goes into the channel now. */
enum mongo_outcome mongo_worker_flush(struct mongo_worker *worker);
/* Between EVENT_REBUILD and EVENT_REBUILT, as the status says. */
void mongo_worker_set_rebuilding(struct mongo_worker *worker, bool rebuilding);
/* A reply came: all is well. */
void mongo_worker_is_well(struct mongo_worker *worker);

/* mongo_scan.c: both collections, from the position on; opens and closes the stream first, where
 * the position has no point yet at which the stream will go on. */
enum mongo_outcome mongo_scan(struct mongo_worker *worker, struct mongo_error *error);
/* mongo_identity.c: whether it is the database of the position, which is not empty. MONGO_STOPPING
 * with the status' `fatal` filled: it is another one. */
enum mongo_outcome mongo_identity_check(struct mongo_worker *worker, struct mongo_error *error);
/* Takes note of whose positions come from here on. */
enum mongo_outcome mongo_identity_learn(struct mongo_worker *worker, struct mongo_error *error);

/* mongo_lookup.c: the document of a CHANGE_LOOKUP as a majority has it, which the caller
 * destroys; NULL: it is not there. -1 with *error filled. */
MUST_CHECK int mongo_lookup(struct mongo_worker *worker, const struct mongo_change *change,
    bson_t **doc, struct mongo_error *error);
/* Says that a second document with this one's _id was passed over. */
void mongo_lookup_warn(const struct mongo_worker *worker, const bson_t *doc);

/* mongo_stream.c: follows the change stream; never MONGO_DONE. */
enum mongo_outcome mongo_stream(struct mongo_worker *worker, struct mongo_error *error);
/* A collection of ours is gone: *error says so. MONGO_FAILED. */
enum mongo_outcome mongo_stream_structure(
    struct mongo_worker *worker, const struct mongo_change *change, struct mongo_error *error);
/* Opens the stream at the worker's position (now, when it has none). */
MUST_CHECK int mongo_stream_open(
    struct mongo_worker *worker, struct mongo_cursor *cursor, struct mongo_error *error);

#endif
