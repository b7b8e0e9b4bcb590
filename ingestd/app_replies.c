/* SPDX-License-Identifier: MIT */
/* What analyticsd says: where it stands, and what it has committed. */
#include "ingestd/app_state.h"
#include "ingestd/counters.h"
#include "ingestd/reply.h"
#include "lib/die.h"
#include "lib/log.h"

static void
start_source(struct app *app, const uint8_t *position, uint32_t length)
{
	const char *error;
	bson_t at;

	outbox_reset(app->outbox, position, length);
	if (length > 0 && !bson_init_static(&at, position, length))
		die_system("analyticsd's position is no document");
	app->started = true;
	counters[COUNTER_source_starts]++;
	app_rest_or_go_on(app);
	error = app->source->class->start(app->source, length > 0 ? &at : NULL);
	if (error)
		app_on_foreign(app, error);
}

static void
on_hello(struct app *app, const uint8_t *position, uint32_t length)
{
	app->greeted = true;
	counters[COUNTER_connects]++;
	outbox_rewind(app->outbox);
	if (!app->started) {
		start_source(app, position, length);
	} else if (outbox_commit(app->outbox, position, length) >= 0) {
		log_debug("analyticsd stands where we knew it: %zu events go again",
		    outbox_count(app->outbox));
	} else if (app->source->class->rereadable) {
		log_warn("analyticsd stands at a position that is not in the outbox: %s starts "
			 "anew from it",
		    app->source->name);
		start_source(app, position, length);
	} else {
		log_warn(
		    "analyticsd stands at a position that is not in the outbox; %s cannot be read "
		    "again: the %zu events not yet committed go once more, those before them do "
		    "not",
		    app->source->name, outbox_count(app->outbox));
	}
	app_rest_or_go_on(app);
	app_leave_when_done(app);
	app_pump_soon(app);
}

static void
on_committed(struct app *app, const uint8_t *position, uint32_t length)
{
	long dropped;

	dropped = outbox_commit(app->outbox, position, length);
	if (dropped < 0) {
		log_debug("analyticsd has committed a position that is not in the outbox");
		return;
	}
	counters[COUNTER_committed] += (uint64_t)dropped;
	app_rest_or_go_on(app);
	app_leave_when_done(app);
}

static void
on_refused(struct app *app, const char *text)
{
	static struct log_limit limit = LOG_LIMIT(3, 10000);

	counters[COUNTER_refusals]++;
	log_limited(&limit, LOG_WARN, "analyticsd at %s: %s; trying again", app->path, text);
}

static void
on_reply(struct app *app, const struct reply *reply)
{
	switch (reply->kind) {
	case REPLY_HELLO:
		on_hello(app, reply->position, reply->position_length);
		break;
	case REPLY_COMMITTED:
		on_committed(app, reply->position, reply->position_length);
		break;
	case REPLY_ERROR:
		on_refused(app, reply->text);
		break;
	case REPLY_UNKNOWN:
		log_debug("analyticsd says something that we do not know");
		break;
	}
}

static void
on_broken(struct app *app)
{
	log_warn("analyticsd at %s does not speak the ingest protocol: connecting anew", app->path);
	app->greeted = false;
	link_reset(app->link);
}

static size_t
on_data(void *owner, const uint8_t *data, size_t length)
{
	struct app *app = owner;
	struct reply reply;
	size_t used = 0;
	long size;

	while ((size = reply_parse(data + used, length - used, &reply)) > 0) {
		on_reply(app, &reply);
		used += (size_t)size;
	}
	if (size < 0)
		on_broken(app);
	return used;
}

static void
on_up(void *owner UNUSED)
{
	/* analyticsd speaks first. */
}

static void
on_drained(void *owner)
{
	app_pump_soon(owner);
}

static void
on_down(void *owner, int error UNUSED)
{
	((struct app *)owner)->greeted = false;
}

const struct link_events app_link_events = {on_up, on_data, on_drained, on_down};
