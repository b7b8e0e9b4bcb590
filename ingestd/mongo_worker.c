/* SPDX-License-Identifier: MIT */
#include "ingestd/mongo_worker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/backoff.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

/* Events go into the channel in pieces of about so many bytes. */
#define PIECE 262144
#define AGAIN_MIN_MS 50
#define AGAIN_MAX_MS 2000
#define SLOWLY_MS 30000
/* The same complaint is made once in so long. */
#define COMPLAIN_MS 30000

/* ---- for scan and stream ---- */

enum mongo_outcome
mongo_worker_flush(struct mongo_worker *worker)
{
	return mongo_channel_push(worker->channel, &worker->events) ? MONGO_DONE : MONGO_STOPPING;
}

enum mongo_outcome
mongo_worker_give(struct mongo_worker *worker, enum event_op op, int64_t at, const bson_t *doc)
{
	struct event event = {
	    .op = op, .at = at, .partial = worker->position.scan != SCAN_NONE, .doc = doc};
	enum mongo_outcome outcome = MONGO_DONE;
	bson_t position;

	mongo_position_encode(&worker->position, &worker->origin, &position);
	event.position = &position;
	if (event_encode(&event, &worker->events) < 0) {
		/* Too long together with what waits, or by itself. */
		outcome = mongo_worker_flush(worker);
		if (outcome == MONGO_DONE && event_encode(&event, &worker->events) < 0)
			log_error("%s: a document too long to be passed on: %s", worker->name,
			    strerror(errno));
	}
	bson_destroy(&position);
	if (outcome == MONGO_DONE && buf_length(&worker->events) >= PIECE)
		outcome = mongo_worker_flush(worker);
	return outcome;
}

void
mongo_worker_set_rebuilding(struct mongo_worker *worker, bool rebuilding)
{
	mongo_channel_lock(worker->channel)->rebuilding = rebuilding;
	mongo_channel_unlock(worker->channel);
}

void
mongo_worker_is_well(struct mongo_worker *worker)
{
	const char *set = mongo_client_set_name(worker->client);
	struct mongo_status *status;

	if (worker->well)
		return;
	worker->well = true;
	status = mongo_channel_lock(worker->channel);
	*status->unwell = '\0';
	status->connected = true;
	mongo_channel_unlock(worker->channel);
	log_info("%s: connected%s%s", worker->name, *set ? ", replica set " : "", set);
}

/* ---- one life of a connection ---- */

/* Another replica set with databases of the same names is another source. */
static bool
is_same_set(struct mongo_worker *worker)
{
	const char *now = mongo_client_set_name(worker->client);
	struct mongo_status *status;
	bool same = *worker->origin.set == '\0' || *now == '\0' ||
	    strcmp(worker->origin.set, now) == 0;

	if (!same) {
		status = mongo_channel_lock(worker->channel);
		snprintf(status->fatal, sizeof(status->fatal),
		    "its position is one of the replica set %s, this is %s", worker->origin.set,
		    now);
		mongo_channel_unlock(worker->channel);
	}
	if (*worker->origin.set == '\0')
		snprintf(worker->origin.set, sizeof(worker->origin.set), "%s", now);
	return same;
}

static enum mongo_outcome
work(struct mongo_worker *worker, struct mongo_error *error)
{
	enum mongo_outcome outcome;

	worker->client = mongo_client_new(worker->uri, error);
	if (!worker->client)
		return MONGO_FAILED;
	if (!is_same_set(worker))
		return MONGO_STOPPING;
	mongo_channel_lock(worker->channel)->connects++;
	mongo_channel_unlock(worker->channel);
	outcome = bson_empty(worker->position.at) ? MONGO_DONE
						  : mongo_identity_check(worker, error);
	if (outcome == MONGO_DONE)
		outcome = mongo_scan(worker, error);
	return outcome == MONGO_DONE ? mongo_stream(worker, error) : outcome;
}

/* ---- failures ---- */

struct complaint {
	char text[1024];
	uint64_t said_ms, held_back;
};

static void
complain(struct mongo_worker *worker, const struct mongo_error *error, struct complaint *last)
{
	static const enum log_level levels[] = {
	    [MONGO_AGAIN] = LOG_WARN, [MONGO_SLOWLY] = LOG_ERROR, [MONGO_REBUILD] = LOG_ERROR};
	enum log_level level = levels[mongo_error_remedy(error)->policy];
	struct mongo_status *status;
	uint64_t now = clock_monotonic_ms();
	char text[sizeof(last->text)];

	worker->well = false;
	mongo_error_text(error, worker->name, text, sizeof(text));
	status = mongo_channel_lock(worker->channel);
	snprintf(status->unwell, sizeof(status->unwell), "%s", text);
	status->connected = false;
	status->errors++;
	mongo_channel_unlock(worker->channel);
	if (strcmp(text, last->text) == 0 && now - last->said_ms < COMPLAIN_MS) {
		last->held_back++;
		return;
	}
	if (last->held_back > 0)
		log_at(level, "%s (%llu like this held back)", text,
		    (unsigned long long)last->held_back);
	else
		log_at(level, "%s", text);
	snprintf(last->text, sizeof(last->text), "%s", text);
	last->said_ms = now;
	last->held_back = 0;
}

static unsigned
wait_after(const struct mongo_error *error, struct backoff *backoff)
{
	struct backoff slowly = BACKOFF(SLOWLY_MS, SLOWLY_MS);

	if (mongo_error_remedy(error)->policy == MONGO_AGAIN || error->kind == MONGO_STRUCTURE)
		return backoff_next(backoff);
	return backoff_next(&slowly);
}

/* Forgets the position. How long to wait before everything is read anew: not at all, unless the
 * server said within a rebuild that it is of no use. */
static unsigned
begin_rebuild(struct mongo_worker *worker, const struct mongo_error *error, unsigned wait_ms)
{
	bool again = worker->rebuild_due || worker->position.rebuild;

	mongo_position_forget(&worker->position);
	*worker->origin.forms_uuid.text = *worker->origin.responses_uuid.text = '\0';
	worker->rebuild_due = true;
	mongo_worker_set_rebuilding(worker, true);
	return again || error->kind == MONGO_STRUCTURE ? wait_ms : AGAIN_MIN_MS;
}

/* What was given last, so that a life in which something was read starts small again. */
static bool
has_moved(const struct mongo_worker *worker, struct mongo_position *last)
{
	const struct mongo_position *now = &worker->position;
	bool moved = now->scan != last->scan || !bson_equal(now->at, last->at) ||
	    !bson_equal(now->after, last->after);

	mongo_position_copy(last, now);
	return moved;
}

static void
live(struct mongo_worker *worker)
{
	struct backoff backoff = BACKOFF(AGAIN_MIN_MS, AGAIN_MAX_MS);
	struct complaint last = {.said_ms = 0};
	struct mongo_position before;
	struct mongo_error error;
	unsigned wait_ms;

	mongo_position_init(&before);
	mongo_worker_set_rebuilding(worker, worker->rebuild_due || worker->position.rebuild);
	while (!mongo_channel_stopping(worker->channel) && work(worker, &error) == MONGO_FAILED) {
		mongo_client_free(&worker->client);
		/* What it has read but not given away yet is still behind its position. */
		if (mongo_worker_flush(worker) != MONGO_DONE)
			break;
		complain(worker, &error, &last);
		if (has_moved(worker, &before))
			backoff_reset(&backoff);
		wait_ms = wait_after(&error, &backoff);
		if (mongo_error_remedy(&error)->policy == MONGO_REBUILD)
			wait_ms = begin_rebuild(worker, &error, wait_ms);
		if (!mongo_channel_sleep(worker->channel, wait_ms))
			break;
	}
	mongo_position_clear(&before);
}

void *
mongo_worker_run(void *pointer)
{
	struct mongo_worker *worker = pointer;
	struct mongo_channel *channel = worker->channel;

	live(worker);
	mongo_worker_free(&worker);
	mongo_channel_done(&channel);
	return NULL;
}

void
mongo_worker_free(struct mongo_worker **pointer)
{
	struct mongo_worker *worker = *pointer;

	mongo_client_free(&worker->client);
	mongo_position_clear(&worker->position);
	mongoc_uri_destroy(worker->uri);
	buf_free(&worker->events);
	MEM_FREE(&worker->name);
	MEM_FREE(&worker->database);
	MEM_FREE(&worker->forms);
	MEM_FREE(&worker->responses);
	MEM_FREE(pointer);
}
