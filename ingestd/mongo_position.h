/* SPDX-License-Identifier: MIT */
/* mongo_position: where in a MongoDB database we are, as a document and back. Pure.
 *
 *     {v: 1, source: "mongodb", of: {database, forms, responses, set, formsUuid, responsesUuid},
 *      at: {token} or {time},
 *      scan: {collection: "forms" or "responses", after: {_id}, done, since: timestamp},
 *      rebuild: timestamp}
 *
 * `at` is where the change stream goes on: the resume token of the last event, or (servers before
 * 4.0.7 give none at first) an operation time. While the initial scan runs, `at` stands still at
 * the point where the scan began, and `scan` moves; it is left out afterwards. `since` is a cluster
 * time not before that point: what the scan reads has to be at least as new, or else a change that
 * was made before the point, but that a majority got only behind the reading, would be in neither.
 */
#ifndef INGESTD_MONGO_POSITION_H
#define INGESTD_MONGO_POSITION_H

#include <bson/bson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base.h"

/* Of a collection; a position may be without: the collection was not there yet, it could not be
 * asked for, or an older ingestd made the position. */
struct mongo_uuid {
	char text[37]; /* "" where it is not known */
};

/* Whom a position belongs to. `set` is the name of the replica set, "" where it has none
 * (mongos) or is not known yet. */
#define MONGO_SET_SIZE 128
struct mongo_origin {
	const char *database, *forms, *responses;
	char set[MONGO_SET_SIZE];
	struct mongo_uuid forms_uuid, responses_uuid;
};

enum mongo_scan { SCAN_NONE, SCAN_FORMS, SCAN_RESPONSES };

/* Between EVENT_REBUILD and EVENT_REBUILT `rebuild` is true; once its scan has ended the stream
 * has to reach until_time, until_increment. `at` and `after` are the position's own and never NULL;
 * they may be empty: nothing known yet, from the first document on. */
struct mongo_position {
	bson_t *at;
	enum mongo_scan scan;
	bson_t *after; /* {_id: the last one that was read} */
	uint64_t scanned; /* documents of the scan up to here */
	uint32_t since_time, since_increment; /* of the scan; 0, 0: not known */
	bool rebuild;
	uint32_t until_time, until_increment;
};

void mongo_position_init(struct mongo_position *position);
void mongo_position_clear(struct mongo_position *position);
void mongo_position_copy(struct mongo_position *to, const struct mongo_position *from);

/* Back to knowing nothing. */
void mongo_position_forget(struct mongo_position *position);

/* Copies. */
void mongo_position_set_token(struct mongo_position *position, const bson_t *token);
void mongo_position_set_time(struct mongo_position *position, uint32_t time, uint32_t increment);
/* `id` stands at the _id of a document. */
void mongo_position_set_after(struct mongo_position *position, const bson_iter_t *id);

/* The cluster time of a resume token. Tokens are the server's own business, but how they begin
 * has been so from 4.0 to 8.0: a KeyString (server source: resume_token.h), of which the
 * timestamp is the first value. False: it is none of that kind, so nothing is known. */
bool mongo_token_time(const bson_t *token, uint32_t *time, uint32_t *increment);
/* That of the position; false where it cannot be told. */
bool mongo_position_time(
    const struct mongo_position *position, uint32_t *time, uint32_t *increment);
/* Is the first time behind (later than) the second? */
bool mongo_time_is_behind(
    uint32_t time, uint32_t increment, uint32_t than_time, uint32_t than_increment);

/* Initialises `out`, which the caller destroys. */
void mongo_position_encode(
    const struct mongo_position *position, const struct mongo_origin *origin, bson_t *out);

/* Fills an initialised position. NULL, or why it cannot be one of ours (static text).
 * `origin->set` and its UUIDs are taken from the document. */
MUST_CHECK const char *mongo_position_decode(
    const bson_t *doc, struct mongo_origin *origin, struct mongo_position *position);

#endif
