/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "ingestd/mongo_change.h"
#include "ingestd/mongo_worker.h"
#include "lib/clock.h"
#include "lib/log.h"

/* How often a stream that brings nothing for us says how far it is, in ms. */
#define POSITION_INTERVAL 1000

/* startAfter came with MongoDB 4.2; unlike resumeAfter it also goes on behind an invalidate. */
#define WIRE_START_AFTER 8
/* $changeStreamSplitLargeEvent came with 7.0 (and 6.0.9, which cannot be told from 6.0.0). It stays
 * in the pipeline: a token that was given with it is of no use without it. */
#define WIRE_SPLIT 21

/* ---- opening ---- */

static void
append_start(struct mongo_worker *worker, bson_t *options)
{
	const char *after = mongo_client_wire_version(worker->client) >= WIRE_START_AFTER
	    ? "startAfter"
	    : "resumeAfter";
	bson_iter_t at;

	if (!bson_iter_init(&at, worker->position.at) || !bson_iter_next(&at))
		return;
	bson_append_iter(
	    options, BSON_ITER_IS_KEY(&at, "token") ? after : "startAtOperationTime", -1, &at);
}

/* {$match: {$or: [{"ns.coll": {$in: [ours]}}, {"to.coll": {$in: [ours]}},
 * {operationType: {$in: ["dropDatabase", "invalidate"]}}]}} */
static void
append_match(const struct mongo_worker *worker, bson_t *stage)
{
	bson_t *match = BCON_NEW("$or", "[", "{", "ns.coll", "{", "$in", "[",
	    BCON_UTF8(worker->forms), BCON_UTF8(worker->responses), "]", "}", "}", "{", "to.coll",
	    "{", "$in", "[", BCON_UTF8(worker->forms), BCON_UTF8(worker->responses), "]", "}", "}",
	    "{", "operationType", "{", "$in", "[", BCON_UTF8("dropDatabase"),
	    BCON_UTF8("invalidate"), "]", "}", "}", "]");

	BSON_APPEND_DOCUMENT(stage, "$match", match);
	bson_destroy(match);
}

static void
append_project(bson_t *stage)
{
	static const char *const members[] = {"operationType", "ns", "to", "documentKey",
	    "fullDocument", "clusterTime", "wallTime", "splitEvent"};
	bson_t project;

	BSON_APPEND_DOCUMENT_BEGIN(stage, "$project", &project);
	BSON_APPEND_INT32(&project, "_id", 1);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		BSON_APPEND_INT32(&project, members[i], 1);
	bson_append_document_end(stage, &project);
}

static void
append_pipeline(struct mongo_worker *worker, bson_t *command)
{
	bson_t pipeline, stage, options;

	BSON_APPEND_ARRAY_BEGIN(command, "pipeline", &pipeline);
	BSON_APPEND_DOCUMENT_BEGIN(&pipeline, "0", &stage);
	BSON_APPEND_DOCUMENT_BEGIN(&stage, "$changeStream", &options);
	BSON_APPEND_UTF8(&options, "fullDocument", "updateLookup");
	append_start(worker, &options);
	bson_append_document_end(&stage, &options);
	bson_append_document_end(&pipeline, &stage);
	BSON_APPEND_DOCUMENT_BEGIN(&pipeline, "1", &stage);
	append_match(worker, &stage);
	bson_append_document_end(&pipeline, &stage);
	BSON_APPEND_DOCUMENT_BEGIN(&pipeline, "2", &stage);
	append_project(&stage);
	bson_append_document_end(&pipeline, &stage);
	if (mongo_client_wire_version(worker->client) >= WIRE_SPLIT) {
		BSON_APPEND_DOCUMENT_BEGIN(&pipeline, "3", &stage);
		BSON_APPEND_DOCUMENT_BEGIN(&stage, "$changeStreamSplitLargeEvent", &options);
		bson_append_document_end(&stage, &options);
		bson_append_document_end(&pipeline, &stage);
	}
	bson_append_array_end(command, &pipeline);
}

int
mongo_stream_open(
    struct mongo_worker *worker, struct mongo_cursor *cursor, struct mongo_error *error)
{
	bson_t command = BSON_INITIALIZER, inside;
	int result;

	BSON_APPEND_INT32(&command, "aggregate", 1);
	append_pipeline(worker, &command);
	/* Nothing with the first reply: so its token is the point at which the stream begins. */
	BSON_APPEND_DOCUMENT_BEGIN(&command, "cursor", &inside);
	BSON_APPEND_INT32(&inside, "batchSize", 0);
	bson_append_document_end(&command, &inside);
	BSON_APPEND_DOCUMENT_BEGIN(&command, "readConcern", &inside);
	BSON_APPEND_UTF8(&inside, "level", "majority");
	bson_append_document_end(&command, &inside);
	result = mongo_cursor_open(cursor, worker->client, &command, error);
	bson_destroy(&command);
	if (result == 0)
		mongo_worker_is_well(worker);
	return result;
}

/* ---- following ---- */

struct following {
	struct mongo_cursor cursor;
	struct mongo_worker *worker;
	struct mongo_error *error;
	uint64_t told_ms; /* when a position last went out, with an event or alone */
	bson_t *parts; /* of a split event, up to the last one; NULL: none wait */
	struct mongo_progress progress;
	bool is_open; /* the reply to the opening was looked at */
	bool is_new; /* something came of a collection that was not there yet */
};

/* What was in a collection that is dropped is gone without a word about each document. */
enum mongo_outcome
mongo_stream_structure(
    struct mongo_worker *worker, const struct mongo_change *change, struct mongo_error *error)
{
	memset(error, 0, sizeof(*error));
	error->kind = MONGO_STRUCTURE;
	snprintf(error->message, sizeof(error->message), "%s %s: everything is read anew",
	    change->type, *change->collection ? change->collection : worker->database);
	mongo_channel_lock(worker->channel)->structure++;
	mongo_channel_unlock(worker->channel);
	return MONGO_FAILED;
}

static enum mongo_outcome
tell_rebuilt(struct mongo_worker *worker)
{
	worker->position.rebuild = false;
	mongo_worker_set_rebuilding(worker, false);
	return mongo_worker_give(worker, EVENT_REBUILT, EVENT_NO_TIME, NULL);
}

/* Is this of a collection whose UUID is not known, though it could be? */
static bool
is_unknown(const struct mongo_worker *worker, enum event_op op)
{
	bool is_form = op == EVENT_FORM || op == EVENT_FORM_DELETED;

	return !worker->told_unknown &&
	    !*(is_form ? &worker->origin.forms_uuid : &worker->origin.responses_uuid)->text;
}

/* Makes it an event: the document as it is, which *found then is, or its deletion. */
static enum mongo_outcome
look_up(struct following *following, struct mongo_change *change, bson_t **found)
{
	if (mongo_lookup(following->worker, change, found, following->error) < 0)
		return MONGO_FAILED;
	change->kind = CHANGE_EVENT;
	if (*found) {
		change->doc.data = bson_get_data(*found);
		change->doc.length = (*found)->len;
	} else {
		change->op = change->op == EVENT_FORM ? EVENT_FORM_DELETED : EVENT_RESPONSE_DELETED;
	}
	return MONGO_DONE;
}

static enum mongo_outcome
give_change(struct following *following, const bson_t *raw)
{
	struct mongo_worker *worker = following->worker;
	enum mongo_outcome outcome = MONGO_DONE;
	struct mongo_change change;
	bson_t token, doc, *found = NULL;

	if (mongo_change_read(raw, &worker->origin, &change) < 0) {
		log_warn("%s: a change without a token, passed over", worker->name);
		return MONGO_DONE;
	}
	if (mongo_change_ends_stream(&change)) {
		outcome = mongo_stream_structure(worker, &change, following->error);
		mongo_change_clear(&change);
		return outcome;
	}
	if (worker->position.rebuild &&
	    mongo_time_is_behind(change.time, change.increment, worker->position.until_time,
		worker->position.until_increment))
		outcome = tell_rebuilt(worker);
	if (outcome == MONGO_DONE && change.kind == CHANGE_LOOKUP)
		outcome = look_up(following, &change, &found);
	if (outcome != MONGO_DONE) {
		mongo_change_clear(&change);
		return outcome;
	}
	/* Both were looked at by mongo_change_read(). */
	if (bson_init_static(&token, change.token.data, change.token.length))
		mongo_position_set_token(&worker->position, &token);
	following->is_new |= change.kind == CHANGE_EVENT && is_unknown(worker, change.op);
	if (change.kind == CHANGE_EVENT &&
	    bson_init_static(&doc, change.doc.data, change.doc.length))
		outcome = mongo_worker_give(worker, change.op, change.at, &doc);
	else
		outcome = mongo_worker_give(worker, EVENT_POSITION, change.at, NULL);
	mongo_change_clear(&change);
	bson_destroy(found);
	following->told_ms = clock_monotonic_ms();
	return outcome;
}

/* The token behind a reply moves on with other people's changes too. A reply without one
 * leaves us where the last event was; so the position never goes back. */
static enum mongo_outcome
give_position(struct following *following)
{
	struct mongo_worker *worker = following->worker;
	uint64_t now = clock_monotonic_ms();
	bson_t at = BSON_INITIALIZER, token;
	enum mongo_outcome outcome = MONGO_DONE;
	bool told = following->cursor.token && !following->parts &&
	    bson_init_static(&token, following->cursor.token, following->cursor.token_length) &&
	    BSON_APPEND_DOCUMENT(&at, "token", &token);

	if (told && now - following->told_ms >= POSITION_INTERVAL &&
	    !bson_equal(&at, worker->position.at)) {
		mongo_position_set_token(&worker->position, &token);
		outcome = mongo_worker_give(worker, EVENT_POSITION, EVENT_NO_TIME, NULL);
		following->told_ms = now;
	}
	bson_destroy(&at);
	return outcome;
}

/* Is there nothing left before the end of a rebuild's scan? */
static enum mongo_outcome
look_for_end(struct following *following, bool empty)
{
	struct mongo_position *position = &following->worker->position;
	bool passed = mongo_progress_passed(&following->progress, &following->cursor, empty,
	    position->until_time, position->until_increment);

	if (passed && position->rebuild && !following->parts)
		return tell_rebuilt(following->worker);
	return MONGO_DONE;
}

/* A part of a split event waits for the last one, whose token is that of the whole. */
static enum mongo_outcome
give_part(struct following *following, const bson_t *raw)
{
	enum mongo_outcome outcome = MONGO_DONE;
	bool last = true;

	if (!mongo_change_join(raw, &following->parts, &last))
		return give_change(following, raw);
	if (last) {
		outcome = give_change(following, following->parts);
		bson_destroy(following->parts);
		following->parts = NULL;
	}
	return outcome;
}

/* The reply to the opening brings the point where it was opened, however old. */
static void
note_behind(struct following *following, bool empty)
{
	struct mongo_worker *worker = following->worker;
	uint32_t behind = empty && following->is_open ? mongo_cursor_behind(&following->cursor) : 0;

	following->is_open = true;
	mongo_channel_lock(worker->channel)->behind_s = behind;
	mongo_channel_unlock(worker->channel);
}

static enum mongo_outcome
give_reply(struct following *following)
{
	enum mongo_outcome outcome = MONGO_DONE;
	bool empty = true;
	bson_t raw;

	while (outcome == MONGO_DONE && mongo_cursor_next(&following->cursor, &raw)) {
		outcome = give_part(following, &raw);
		empty = false;
	}
	note_behind(following, empty);
	if (outcome == MONGO_DONE)
		outcome = look_for_end(following, empty);
	if (outcome == MONGO_DONE)
		outcome = give_position(following);
	return outcome == MONGO_DONE ? mongo_worker_flush(following->worker) : outcome;
}

static enum mongo_outcome
closed_by_server(struct mongo_error *error)
{
	memset(error, 0, sizeof(*error));
	error->kind = MONGO_CLOSED;
	return MONGO_FAILED;
}

enum mongo_outcome
mongo_stream(struct mongo_worker *worker, struct mongo_error *error)
{
	struct following following = {.worker = worker, .error = error};
	enum mongo_outcome outcome;

	if (mongo_stream_open(worker, &following.cursor, error) < 0)
		return MONGO_FAILED;
	log_debug("%s: following the change stream", worker->name);
	do {
		mongo_worker_is_well(worker);
		outcome = give_reply(&following);
		if (outcome == MONGO_DONE && following.is_new)
			outcome = mongo_identity_learn(worker, error);
		following.is_new = false;
		if (outcome == MONGO_DONE && following.cursor.id == 0)
			outcome = closed_by_server(error);
		else if (outcome == MONGO_DONE &&
		    mongo_cursor_more(&following.cursor, worker->await_ms, error) < 0)
			outcome = MONGO_FAILED;
	} while (outcome == MONGO_DONE);
	mongo_cursor_close(&following.cursor);
	bson_destroy(following.parts);
	return outcome;
}
