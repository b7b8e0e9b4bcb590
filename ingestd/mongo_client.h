/* SPDX-License-Identifier: MIT */
/* mongo_client: one connection to MongoDB, and cursors on it, by raw commands: one command per
 * call, nothing retried, no loop inside. Every call blocks, for at most the time limits of the
 * URI; it belongs to one thread. After an error of kind other than MONGO_SERVER the client is
 * to be freed and made anew. */
#ifndef INGESTD_MONGO_CLIENT_H
#define INGESTD_MONGO_CLIENT_H

#include <mongoc/mongoc.h>
#include <stdbool.h>
#include <stdint.h>

#include "ingestd/mongo_errors.h"
#include "lib/base.h"

struct mongo_client;

/* Connects, and refuses what is no replica set. NULL with *error filled. */
struct mongo_client *mongo_client_new(const mongoc_uri_t *uri, struct mongo_error *error);
void mongo_client_free(struct mongo_client **pointer);

/* The replica set's name; "" behind mongos. */
const char *mongo_client_set_name(const struct mongo_client *client);
bool mongo_client_is_mongos(const struct mongo_client *client);
/* What the server can do: 7 is MongoDB 4.0, 8 is 4.2. */
int mongo_client_wire_version(const struct mongo_client *client);

/* One command on the URI's database, always to the same server and in the same session.
 * The reply, which the caller destroys; or NULL with *error filled. */
MUST_CHECK bson_t *mongo_client_command(
    struct mongo_client *client, const bson_t *command, struct mongo_error *error);

/* The documents of one reply are given before the next is asked for. */
struct mongo_cursor {
	struct mongo_client *client;
	int64_t id; /* 0: the server has closed it */
	char collection[256];
	bson_t *reply; /* the last one, or NULL; what follows points into it */
	const uint8_t *batch; /* its array; NULL: none */
	uint32_t batch_length;
	uint32_t batch_at; /* of the document that was given last; 0: none yet */
	const uint8_t *token; /* postBatchResumeToken, or NULL */
	uint32_t token_length;
};

/* Runs `command` (find or aggregate). 0; or -1 with *error filled and nothing to close. */
MUST_CHECK int mongo_cursor_open(struct mongo_cursor *cursor, struct mongo_client *client,
    const bson_t *command, struct mongo_error *error);
/* One getMore; max_time_ms 0: none. A getMore is never sent twice: after -1 the cursor is closed
 * (the server's end of it too, where it can still be told). */
MUST_CHECK int mongo_cursor_more(
    struct mongo_cursor *cursor, int64_t max_time_ms, struct mongo_error *error);
/* The next document of the last reply, which lives until the next one is asked for. */
bool mongo_cursor_next(struct mongo_cursor *cursor, bson_t *doc);
/* operationTime of the last reply; false where it has none. */
bool mongo_cursor_time(const struct mongo_cursor *cursor, uint32_t *time, uint32_t *increment);
/* $clusterTime of a reply: no change that its server knew of is newer. False where it has none. */
bool mongo_reply_cluster_time(const bson_t *reply, uint32_t *time, uint32_t *increment);

/* How far a stream has come, reply by reply; begins as {0, 0}. */
struct mongo_progress {
	uint32_t time, increment; /* operationTime of the reply before */
};
/* By how many seconds the stream's end, as a reply without events tells it, is behind the newest
 * change that the server knows of: a majority, or a shard, has not got what came since. 0 where
 * it cannot be told. */
uint32_t mongo_cursor_behind(const struct mongo_cursor *cursor);
/* Whether nothing at or before that time is left to come behind the last reply. */
bool mongo_progress_passed(struct mongo_progress *progress, const struct mongo_cursor *cursor,
    bool empty, uint32_t time, uint32_t increment);
/* killCursors, where there is something to kill. */
void mongo_cursor_close(struct mongo_cursor *cursor);

#endif
