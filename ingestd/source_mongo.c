/* SPDX-License-Identifier: MIT */
/* source_mongo: a MongoDB database, read by a thread of its own (mongo_worker.h), since
 * libmongoc blocks: here, in the loop's thread, its batches are taken out of the channel, one
 * event at a time, as long as they are wanted. What is not taken stops the worker. */
#include <errno.h>
#include <mongoc/mongoc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "ingestd/counters.h"
#include "ingestd/mongo_channel.h"
#include "ingestd/mongo_uri.h"
#include "ingestd/mongo_worker.h"
#include "ingestd/source.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/mem.h"

/* How long an ending waits for the worker: it must be over within a second. */
#define END_MS 700
/* Batches taken in one turn of the loop. */
#define BATCHES_PER_TURN 4
/* A stream that is so far behind while it brings nothing makes us unwell. */
#define BEHIND_S 30

/* `batch` is what was taken and not given yet. The counters of workers that are gone are
 * in `before`. */
struct source_mongo {
	struct source base;
	mongoc_uri_t *uri;
	const struct settings *settings;
	struct mongo_channel *channel;
	pthread_t thread;
	ev_async wake;
	struct mongo_batch *batch;
	struct mongo_status status, before;
	bool paused;
	char text[160]; /* of scanning() and unwell() */
	bool abandoned; /* a worker that hung in a call may still run */
};

static struct source_mongo *
of(struct source *source)
{
	return container_of(source, struct source_mongo, base);
}

/* ---- the library ---- */

/* libmongoc would write to standard error by itself. */
static void
on_mongoc_log(
    mongoc_log_level_t level UNUSED, const char *domain, const char *message, void *data UNUSED)
{
	log_debug("libmongoc: %s: %s", domain, message);
}

static void
library_init(void)
{
	/* Its own counters would be a file in /dev/shm, which stays when we are killed. */
	setenv("MONGOC_DISABLE_SHM", "1", 1);
	mongoc_log_set_handler(on_mongoc_log, NULL);
	mongoc_init();
}

void
source_mongo_check(const struct settings *settings)
{
	mongoc_uri_t *uri;

	library_init();
	uri = mongo_uri_parse(settings);
	mongoc_uri_destroy(uri);
	if (strcmp(settings->forms_collection, settings->responses_collection) == 0)
		die_usage("DUNE_FORMS_COLLECTION and DUNE_RESPONSES_COLLECTION are both %s: they "
			  "must differ",
		    settings->forms_collection);
}

/* ---- what the worker brings ---- */

/* False when the source was paused in the middle. */
static bool
give_batch(struct source_mongo *mongo)
{
	struct buf *events = &mongo->batch->events;

	while (buf_length(events) > 0) {
		const uint8_t *at = buf_bytes(events);
		uint32_t length = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
		    (uint32_t)at[3] << 24;

		if (mongo->paused)
			return false;
		mongo->base.events->event(mongo->base.owner, at, length);
		buf_consume(events, length);
	}
	mongo_batch_free(&mongo->batch);
	return true;
}

static void
on_wake(struct ev_loop *loop, ev_async *async, int events UNUSED)
{
	struct source_mongo *mongo = container_of(async, struct source_mongo, wake);

	mongo_channel_status(mongo->channel, &mongo->status);
	if (*mongo->status.fatal)
		mongo->base.events->foreign(mongo->base.owner, mongo->status.fatal);
	for (int i = 0; i < BATCHES_PER_TURN; i++) {
		if (mongo->paused)
			return;
		if (!mongo->batch)
			mongo->batch = mongo_channel_take(mongo->channel);
		if (!mongo->batch || !give_batch(mongo))
			return;
	}
	ev_async_send(loop, async);
}

/* ---- the worker's life ---- */

static void
leave_worker(struct source_mongo *mongo)
{
	mongo_batch_free(&mongo->batch);
	mongo_channel_status(mongo->channel, &mongo->status);
	mongo->before.connects += mongo->status.connects;
	mongo->before.errors += mongo->status.errors;
	mongo->before.structure += mongo->status.structure;
	memset(&mongo->status, 0, sizeof(mongo->status));
	mongo_channel_leave(&mongo->channel);
}

/* Ends the worker; what cannot be ended in `ms` is left alone. */
static void
end_worker(struct source_mongo *mongo, unsigned ms)
{
	if (!mongo->channel)
		return;
	mongo_channel_stop(mongo->channel);
	if (mongo_channel_wait(mongo->channel, ms)) {
		pthread_join(mongo->thread, NULL);
	} else {
		mongo->abandoned = true;
		pthread_detach(mongo->thread);
	}
	leave_worker(mongo);
}

/* Signals are the loop's: the thread is born with all of them blocked. */
static void
start_worker(struct source_mongo *mongo, struct mongo_worker *worker)
{
	sigset_t all, old;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&mongo->thread, NULL, mongo_worker_run, worker);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error) {
		errno = error;
		die_system("unable to start a thread");
	}
}

/* `rebuild`: from the beginning, and says so. */
static const char *
start(struct source *source, const bson_t *position, bool rebuild)
{
	struct source_mongo *mongo = of(source);
	const struct settings *settings = mongo->settings;
	struct mongo_worker *worker = mem_zalloc(sizeof(*worker));
	const char *wrong = NULL;

	worker->uri = mongoc_uri_copy(mongo->uri);
	worker->name = mem_strdup(source->name);
	worker->database = mem_strdup(mongoc_uri_get_database(mongo->uri));
	worker->forms = mem_strdup(settings->forms_collection);
	worker->responses = mem_strdup(settings->responses_collection);
	worker->origin.database = worker->database;
	worker->origin.forms = worker->forms;
	worker->origin.responses = worker->responses;
	worker->await_ms = settings->mongodb_await_ms;
	worker->rebuild_due = rebuild;
	buf_init(&worker->events, EVENT_MAX);
	mongo_position_init(&worker->position);
	if (position)
		wrong = mongo_position_decode(position, &worker->origin, &worker->position);
	if (wrong) {
		mongo_worker_free(&worker);
		return wrong;
	}
	end_worker(mongo, 0);
	mongo->channel = mongo_channel_new(source->loop, &mongo->wake);
	worker->channel = mongo->channel;
	start_worker(mongo, worker);
	return NULL;
}

static const char *
mongo_start(struct source *source, const bson_t *position)
{
	return start(source, position, false);
}

static void
mongo_rebuild(struct source *source)
{
	const char *wrong = start(source, NULL, true);

	if (wrong)
		log_error("%s: %s", source->name, wrong);
}

static const char *
mongo_scanning(struct source *source)
{
	struct source_mongo *mongo = of(source);
	const struct mongo_status *status = &mongo->status;

	if (!status->rebuilding && !status->scanning)
		return NULL;
	snprintf(mongo->text, sizeof(mongo->text), "%s, %llu of %llu documents",
	    status->rebuilding ? "rebuilding" : "scanning",
	    (unsigned long long)status->scan_documents,
	    (unsigned long long)MAX(status->scan_total, status->scan_documents));
	return mongo->text;
}

static void
mongo_pause(struct source *source)
{
	of(source)->paused = true;
}

static void
mongo_resume(struct source *source)
{
	of(source)->paused = false;
	if (of(source)->channel)
		ev_async_send(source->loop, &of(source)->wake);
}

static void
mongo_refresh(struct source *source)
{
	struct source_mongo *mongo = of(source);
	const struct mongo_status *now = &mongo->status, *before = &mongo->before;

	if (mongo->channel)
		mongo_channel_status(mongo->channel, &mongo->status);
	counters[COUNTER_source_connects] = before->connects + now->connects;
	counters[COUNTER_source_errors] = before->errors + now->errors;
	counters[COUNTER_structure_changes] = before->structure + now->structure;
	/* It can be read, also where it is unwell for being behind. */
	counters[COUNTER_source_connected] = now->connected && !*now->unwell;
	counters[COUNTER_source_behind] = (uint64_t)now->behind_s * 1000;
	counters[COUNTER_rebuilding] = now->rebuilding;
	counters[COUNTER_scan_rate] = now->scan_rate;
	counters[COUNTER_scan_left] = now->scan_left_ms;
	counters[COUNTER_scanning] = now->scanning;
	counters[COUNTER_scan_documents] = now->scan_documents;
	counters[COUNTER_scan_total] = now->scan_total;
}

/* A set writes something every 10 s, changes or not. */
static const char *
behind_text(struct source_mongo *mongo)
{
	if (mongo->status.behind_s < BEHIND_S)
		return NULL;
	snprintf(mongo->text, sizeof(mongo->text),
	    "the change stream stands still, %lu s behind the database: a majority of it, or a "
	    "shard, lags",
	    (unsigned long)mongo->status.behind_s);
	return mongo->text;
}

static const char *
mongo_unwell(struct source *source)
{
	struct source_mongo *mongo = of(source);

	if (mongo->channel)
		mongo_channel_status(mongo->channel, &mongo->status);
	if (*mongo->status.unwell)
		return mongo->status.unwell;
	if (!mongo->status.connected)
		return "not connected to MongoDB yet";
	return behind_text(mongo);
}

static bool
mongo_free(struct source *source)
{
	struct source_mongo *mongo = of(source);
	bool clean;

	end_worker(mongo, END_MS);
	clean = !mongo->abandoned;
	mongoc_uri_destroy(mongo->uri);
	MEM_FREE(&source->name);
	MEM_FREE(&mongo);
	if (clean)
		mongoc_cleanup();
	return clean;
}

static const struct source_class mongo_class = {
    .rereadable = true,
    .start = mongo_start,
    .rebuild = mongo_rebuild,
    .scanning = mongo_scanning,
    .pause = mongo_pause,
    .resume = mongo_resume,
    .refresh = mongo_refresh,
    .unwell = mongo_unwell,
    .free = mongo_free,
};

struct source *
source_mongo_new(const struct settings *settings)
{
	struct source_mongo *mongo = mem_zalloc(sizeof(*mongo));

	library_init();
	mongo->base.class = &mongo_class;
	mongo->settings = settings;
	mongo->uri = mongo_uri_parse(settings);
	mongo->base.name = mongo_uri_name(mongo->uri);
	ev_async_init(&mongo->wake, on_wake);
	return &mongo->base;
}
