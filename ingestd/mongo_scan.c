/* SPDX-License-Identifier: MIT */
/* The initial scan: forms first, then responses, each in the order of _id. The point at which
 * the stream will go on is taken before the first document is read, so whatever changes
 * meanwhile comes again with the stream; and since events are idempotent by _id, it counts once.
 * The stream begins behind what its server has applied, also where a majority has not got that
 * yet (the server's getStartTimeForNewStream()), while reads of "majority" do not wait for it:
 * so they are told to (afterClusterTime). */
#include <string.h>

#include "ingestd/mongo_worker.h"
#include "lib/clock.h"
#include "lib/log.h"

#define BATCH_SIZE 1000
#define PROGRESS_INTERVAL 10000

struct scan {
	struct mongo_worker *worker;
	const char *collection;
	enum event_op op;
	bool is_begun; /* this find has given a document: an _id that comes again is another's */
	uint64_t first, started_ms; /* how many there were when this run began, and when */
	uint64_t total; /* as the server estimates */
	uint64_t told_ms;
};

/* ---- where the stream will go on ---- */

/* A cluster time at or behind the point: the server's own in the reply that gave it, or that of
 * now. Its operationTime will not do: that is what the majority has. */
static int
take_since(struct mongo_worker *worker, const bson_t *reply, struct mongo_error *error)
{
	struct mongo_position *position = &worker->position;
	bson_t ping = BSON_INITIALIZER, *pong = NULL;

	if (!reply) {
		BSON_APPEND_INT32(&ping, "ping", 1);
		reply = pong = mongo_client_command(worker->client, &ping, error);
		bson_destroy(&ping);
	}
	if (reply &&
	    !mongo_reply_cluster_time(reply, &position->since_time, &position->since_increment))
		log_debug("%s: the server tells no cluster time", worker->name);
	bson_destroy(pong);
	return reply ? 0 : -1;
}

static int
take_point(struct mongo_worker *worker, struct mongo_error *error)
{
	struct mongo_cursor cursor;
	uint32_t time, increment;
	bson_t token;

	if (mongo_stream_open(worker, &cursor, error) < 0)
		return -1;
	if (cursor.token && bson_init_static(&token, cursor.token, cursor.token_length)) {
		mongo_position_set_token(&worker->position, &token);
	} else if (mongo_cursor_time(&cursor, &time, &increment)) {
		mongo_position_set_time(&worker->position, time, increment);
	} else {
		memset(error, 0, sizeof(*error));
		error->kind = MONGO_CLIENT;
		snprintf(error->message, sizeof(error->message),
		    "the server tells neither a resume token nor an operation time");
	}
	(void)take_since(worker, cursor.reply, error);
	mongo_cursor_close(&cursor);
	if (bson_empty(worker->position.at))
		return -1;
	worker->position.scan = SCAN_FORMS;
	worker->position.scanned = 0;
	bson_reinit(worker->position.after);
	/* Not before the point: what happens to the collections from it on the stream tells. */
	return mongo_identity_learn(worker, error) == MONGO_DONE ? 0 : -1;
}

/* Everything that is given from now on is counted beside the old numbers. */
static enum mongo_outcome
tell_rebuild(struct mongo_worker *worker)
{
	worker->position.rebuild = true;
	worker->position.until_time = worker->position.until_increment = 0;
	worker->rebuild_due = false;
	return mongo_worker_give(worker, EVENT_REBUILD, EVENT_NO_TIME, NULL);
}

/* ---- progress ---- */

/* An estimate from the collection's metadata; 0 where the server tells none. */
static uint64_t
estimate(struct mongo_worker *worker, const char *collection)
{
	bson_t command = BSON_INITIALIZER, *reply;
	struct mongo_error error;
	bson_iter_t at;
	uint64_t count = 0;

	BSON_APPEND_UTF8(&command, "count", collection);
	reply = mongo_client_command(worker->client, &command, &error);
	if (reply && bson_iter_init_find(&at, reply, "n"))
		count = (uint64_t)MAX(bson_iter_as_int64(&at), 0);
	bson_destroy(reply);
	bson_destroy(&command);
	return count;
}

static void
count_documents(struct scan *scan)
{
	uint64_t now = clock_monotonic_ms(), done = scan->worker->position.scanned;
	uint64_t rate = (done - scan->first) * 1000 / MAX(now - scan->started_ms, 1);
	uint64_t left = scan->total > done && rate > 0 ? (scan->total - done) * 1000 / rate : 0;
	struct mongo_status *status = mongo_channel_lock(scan->worker->channel);

	status->scan_documents = done;
	status->scan_rate = rate;
	status->scan_left_ms = left;
	mongo_channel_unlock(scan->worker->channel);
	if (now - scan->told_ms < PROGRESS_INTERVAL)
		return;
	log_info("%s: scanning %s: %llu of about %llu documents, %llu a second, %llu s left",
	    scan->worker->name, scan->collection, (unsigned long long)done,
	    (unsigned long long)scan->total, (unsigned long long)rate,
	    (unsigned long long)left / 1000);
	scan->told_ms = now;
}

/* ---- one collection ---- */

/* `min` is inclusive and, other than $gt, compares values of all types. */
static int
open_find(struct scan *scan, struct mongo_cursor *cursor, struct mongo_error *error)
{
	const struct mongo_position *position = &scan->worker->position;
	const bson_t *after = position->after;
	bson_t command = BSON_INITIALIZER, by_id = BSON_INITIALIZER, inside;
	int result;

	BSON_APPEND_INT32(&by_id, "_id", 1);
	BSON_APPEND_UTF8(&command, "find", scan->collection);
	BSON_APPEND_DOCUMENT(&command, "sort", &by_id);
	BSON_APPEND_DOCUMENT(&command, "hint", &by_id);
	if (!bson_empty(after))
		BSON_APPEND_DOCUMENT(&command, "min", after);
	BSON_APPEND_INT32(&command, "batchSize", BATCH_SIZE);
	BSON_APPEND_DOCUMENT_BEGIN(&command, "readConcern", &inside);
	BSON_APPEND_UTF8(&inside, "level", "majority");
	if (position->since_time != 0)
		BSON_APPEND_TIMESTAMP(
		    &inside, "afterClusterTime", position->since_time, position->since_increment);
	bson_append_document_end(&command, &inside);
	result = mongo_cursor_open(cursor, scan->worker->client, &command, error);
	bson_destroy(&command);
	bson_destroy(&by_id);
	return result;
}

/* The document that was read last comes again first, since `min` is inclusive. */
static bool
is_known(const struct mongo_position *position, const bson_iter_t *id)
{
	bson_t one = BSON_INITIALIZER;
	bool known;

	bson_append_iter(&one, "_id", 3, id);
	known = bson_equal(&one, position->after);
	bson_destroy(&one);
	return known;
}

static enum mongo_outcome
give_reply(struct scan *scan, struct mongo_cursor *cursor)
{
	struct mongo_worker *worker = scan->worker;
	enum mongo_outcome outcome = MONGO_DONE;
	bson_iter_t id;
	bson_t doc;

	while (outcome == MONGO_DONE && mongo_cursor_next(cursor, &doc)) {
		if (!bson_iter_init_find(&id, &doc, "_id"))
			continue;
		if (is_known(&worker->position, &id)) {
			if (scan->is_begun)
				mongo_lookup_warn(worker, &doc);
			scan->is_begun = true;
			continue;
		}
		scan->is_begun = true;
		mongo_position_set_after(&worker->position, &id);
		worker->position.scanned++;
		outcome = mongo_worker_give(worker, scan->op, EVENT_NO_TIME, &doc);
	}
	count_documents(scan);
	return outcome == MONGO_DONE ? mongo_worker_flush(worker) : outcome;
}

/* The stream has to come to here before all is counted that the scan has seen. */
static void
note_end(struct mongo_position *position, const struct mongo_cursor *cursor)
{
	if (!mongo_cursor_time(cursor, &position->until_time, &position->until_increment))
		position->until_time = 1;
}

static enum mongo_outcome
scan_collection(struct scan *scan, struct mongo_error *error)
{
	uint64_t first = scan->worker->position.scanned;
	struct mongo_cursor cursor;
	enum mongo_outcome outcome;

	scan->is_begun = false;
	if (open_find(scan, &cursor, error) < 0)
		return MONGO_FAILED;
	for (;;) {
		mongo_worker_is_well(scan->worker);
		outcome = give_reply(scan, &cursor);
		if (outcome != MONGO_DONE || cursor.id == 0)
			break;
		if (mongo_cursor_more(&cursor, 0, error) < 0) {
			outcome = MONGO_FAILED;
			break;
		}
	}
	if (outcome == MONGO_DONE && scan->op == EVENT_RESPONSE)
		note_end(&scan->worker->position, &cursor);
	mongo_cursor_close(&cursor);
	if (outcome == MONGO_DONE)
		log_info("%s: scanned %s: %llu documents", scan->worker->name, scan->collection,
		    (unsigned long long)(scan->worker->position.scanned - first));
	return outcome;
}

/* ---- both ---- */

static struct scan
begin(struct mongo_worker *worker)
{
	uint64_t now = clock_monotonic_ms();
	struct scan scan = {
	    .worker = worker,
	    .first = worker->position.scanned,
	    .started_ms = now,
	    .told_ms = now,
	    .total = estimate(worker, worker->forms) + estimate(worker, worker->responses),
	};
	struct mongo_status *status = mongo_channel_lock(worker->channel);

	status->scanning = true;
	status->scan_documents = scan.first;
	status->scan_total = scan.total;
	mongo_channel_unlock(worker->channel);
	log_info("%s: scanning, %llu of about %llu documents are read", worker->name,
	    (unsigned long long)scan.first, (unsigned long long)scan.total);
	return scan;
}

static enum mongo_outcome
end(struct mongo_worker *worker)
{
	struct mongo_status *status = mongo_channel_lock(worker->channel);

	status->scanning = false;
	status->scan_rate = status->scan_left_ms = 0;
	mongo_channel_unlock(worker->channel);
	worker->position.scan = SCAN_NONE;
	worker->position.since_time = worker->position.since_increment = 0;
	bson_reinit(worker->position.after);
	if (mongo_worker_give(worker, EVENT_POSITION, EVENT_NO_TIME, NULL) != MONGO_DONE)
		return MONGO_STOPPING;
	return mongo_worker_flush(worker);
}

enum mongo_outcome
mongo_scan(struct mongo_worker *worker, struct mongo_error *error)
{
	enum mongo_outcome outcome = MONGO_DONE;

	if (bson_empty(worker->position.at) && take_point(worker, error) < 0)
		return MONGO_FAILED;
	if (worker->position.scan != SCAN_NONE && worker->position.since_time == 0 &&
	    take_since(worker, NULL, error) < 0)
		return MONGO_FAILED;
	if (worker->rebuild_due)
		outcome = tell_rebuild(worker);
	if (worker->position.scan == SCAN_NONE)
		return outcome;
	struct scan scan = begin(worker);
	while (outcome == MONGO_DONE && worker->position.scan != SCAN_NONE) {
		bool forms = worker->position.scan == SCAN_FORMS;

		scan.collection = forms ? worker->forms : worker->responses;
		scan.op = forms ? EVENT_FORM : EVENT_RESPONSE;
		outcome = scan_collection(&scan, error);
		if (outcome != MONGO_DONE)
			return outcome;
		if (!forms)
			return end(worker);
		worker->position.scan = SCAN_RESPONSES;
		bson_reinit(worker->position.after);
	}
	return outcome;
}
