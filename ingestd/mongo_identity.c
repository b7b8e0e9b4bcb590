/* SPDX-License-Identifier: MIT */
/* Is it still the database that the position was made in? Names do not tell: another cluster may
 * have the same, and a resume token is taken by any oplog that spans its time. The collections'
 * UUIDs do: a collection keeps its own for life, and no two are alike. Where one of ours is
 * known again, it is the same database. Where none is, the stream tells: collections that were
 * dropped and made again since the position were dropped in it; where it comes to the present
 * without that, it is another database. */
#include <stdio.h>
#include <string.h>

#include "ingestd/mongo_change.h"
#include "ingestd/mongo_worker.h"
#include "lib/log.h"

#define UNAUTHORIZED 13
#define UUID_BYTES 16

/* What stands under our names now, and the server's time of that. */
struct found {
	bool told; /* the server let us look, and said when that was */
	struct mongo_uuid forms, responses;
	uint32_t time, increment;
};

/* As RFC 9562 writes it. */
static void
write_uuid(const uint8_t *data, struct mongo_uuid *uuid)
{
	char *at = uuid->text;

	for (int i = 0; i < UUID_BYTES; i++) {
		const char *dash = i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";

		at += sprintf(at, "%s%02x", dash, data[i]);
	}
}

static void
read_collection(const struct mongo_worker *worker, const bson_t *doc, struct found *found)
{
	const uint8_t *data;
	bson_subtype_t subtype;
	uint32_t length;
	bson_iter_t name, at, uuid;
	struct mongo_uuid *to = NULL;

	if (!bson_iter_init_find(&name, doc, "name") || !BSON_ITER_HOLDS_UTF8(&name) ||
	    !bson_iter_init(&at, doc) || !bson_iter_find_descendant(&at, "info.uuid", &uuid) ||
	    !BSON_ITER_HOLDS_BINARY(&uuid))
		return;
	if (strcmp(bson_iter_utf8(&name, NULL), worker->forms) == 0)
		to = &found->forms;
	else if (strcmp(bson_iter_utf8(&name, NULL), worker->responses) == 0)
		to = &found->responses;
	bson_iter_binary(&uuid, &subtype, &length, &data);
	if (to && length == UUID_BYTES)
		write_uuid(data, to);
}

/* Without the privilege nothing is found, which is said once. */
static enum mongo_outcome
look(struct mongo_worker *worker, struct found *found, struct mongo_error *error)
{
	bson_t *command = BCON_NEW("listCollections", BCON_INT32(1), "filter", "{", "name", "{",
	    "$in", "[", BCON_UTF8(worker->forms), BCON_UTF8(worker->responses), "]", "}", "}",
	    "cursor", "{", "}");
	struct mongo_cursor cursor;
	int result = mongo_cursor_open(&cursor, worker->client, command, error);
	bson_t doc;

	memset(found, 0, sizeof(*found));
	bson_destroy(command);
	if (result < 0 && (error->kind != MONGO_SERVER || error->code != UNAUTHORIZED))
		return MONGO_FAILED;
	if (result < 0) {
		if (!worker->told_unknown)
			log_warn("%s: the user may not list collections (the privilege "
				 "listCollections, in the role read): another database of the "
				 "same names would not be noticed",
			    worker->name);
		worker->told_unknown = true;
		return MONGO_DONE;
	}
	worker->told_unknown = false;
	while (mongo_cursor_next(&cursor, &doc))
		read_collection(worker, &doc, found);
	found->told = mongo_cursor_time(&cursor, &found->time, &found->increment);
	mongo_cursor_close(&cursor);
	return MONGO_DONE;
}

static void
adopt(struct mongo_worker *worker, const struct found *found)
{
	if (*found->forms.text)
		worker->origin.forms_uuid = found->forms;
	if (*found->responses.text)
		worker->origin.responses_uuid = found->responses;
}

static bool
is_same(const struct mongo_uuid *a, const struct mongo_uuid *b)
{
	return *a->text && strcmp(a->text, b->text) == 0;
}

static enum mongo_outcome
refuse(struct mongo_worker *worker, const char *why)
{
	struct mongo_status *status = mongo_channel_lock(worker->channel);

	snprintf(status->fatal, sizeof(status->fatal),
	    "its position is one of other collections of the same names: their UUIDs differ, and "
	    "%s",
	    why);
	mongo_channel_unlock(worker->channel);
	return MONGO_STOPPING;
}

/* Reads on from the position and gives nothing of it. MONGO_DONE: the present is reached. */
static enum mongo_outcome
read_on(struct mongo_worker *worker, const struct found *found, struct mongo_cursor *cursor,
    struct mongo_error *error)
{
	struct mongo_progress progress = {0, 0};
	struct mongo_change change;
	bool empty, passed = false;
	bson_t raw;

	for (;;) {
		for (empty = true; mongo_cursor_next(cursor, &raw); empty = false) {
			if (mongo_change_read(&raw, &worker->origin, &change) < 0)
				continue;
			mongo_change_clear(&change);
			if (mongo_change_ends_stream(&change))
				return mongo_stream_structure(worker, &change, error);
			passed |= mongo_time_is_behind(
			    change.time, change.increment, found->time, found->increment);
		}
		passed |= mongo_progress_passed(
		    &progress, cursor, empty, found->time, found->increment);
		if (passed)
			return MONGO_DONE;
		if (mongo_channel_stopping(worker->channel))
			return MONGO_STOPPING;
		if (cursor->id == 0) {
			memset(error, 0, sizeof(*error));
			error->kind = MONGO_CLOSED;
			return MONGO_FAILED;
		}
		if (mongo_cursor_more(cursor, worker->await_ms, error) < 0)
			return MONGO_FAILED;
	}
}

/* None of ours is known again: were they dropped since? */
static enum mongo_outcome
ask_stream(struct mongo_worker *worker, const struct found *found, struct mongo_error *error)
{
	enum mongo_outcome outcome = MONGO_FAILED;
	struct mongo_cursor cursor;

	log_debug(
	    "%s: collections of other UUIDs: looking whether they were made anew", worker->name);
	if (mongo_stream_open(worker, &cursor, error) == 0) {
		outcome = read_on(worker, found, &cursor, error);
		mongo_cursor_close(&cursor);
	}
	if (outcome == MONGO_DONE)
		return refuse(worker, "they were neither dropped nor renamed since");
	if (outcome == MONGO_FAILED && error->kind != MONGO_STRUCTURE &&
	    mongo_error_remedy(error)->policy == MONGO_REBUILD)
		return refuse(worker, "what happened since cannot be read any more");
	return outcome;
}

enum mongo_outcome
mongo_identity_learn(struct mongo_worker *worker, struct mongo_error *error)
{
	struct found found;
	enum mongo_outcome outcome = look(worker, &found, error);

	if (outcome == MONGO_DONE)
		adopt(worker, &found);
	return outcome;
}

enum mongo_outcome
mongo_identity_check(struct mongo_worker *worker, struct mongo_error *error)
{
	const struct mongo_uuid *forms = &worker->origin.forms_uuid;
	const struct mongo_uuid *responses = &worker->origin.responses_uuid;
	uint32_t time, increment;
	struct found found;
	enum mongo_outcome outcome;

	outcome = look(worker, &found, error);
	if (outcome != MONGO_DONE || !found.told)
		return outcome;
	if ((!*forms->text && !*responses->text) || is_same(forms, &found.forms) ||
	    is_same(responses, &found.responses)) {
		adopt(worker, &found);
		return MONGO_DONE;
	}
	/* A member that lags may know the collections only as they were before. */
	if (mongo_position_time(&worker->position, &time, &increment) && time > found.time) {
		memset(error, 0, sizeof(*error));
		error->kind = MONGO_BEHIND;
		return MONGO_FAILED;
	}
	return ask_stream(worker, &found, error);
}
