/* SPDX-License-Identifier: MIT */
#include "ingestd/app.h"

#include <string.h>

#include "ingestd/app_state.h"
#include "ingestd/counters.h"
#include "ingestd/event.h"
#include "ingestd/reply.h"
#include "lib/clock.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/signals.h"
#include "lib/version.h"

#define OUT_MAX 1048576
/* The index in DUNE_ON_NEW_SOURCE's list. */
#define ON_NEW_SOURCE_REBUILD 1
/* An event that has waited for so long for its commit makes us unwell. */
#define LATE_MS 5000

static uint64_t
now_ms(const struct app *app)
{
	return (uint64_t)(ev_now(app->loop) * 1e3);
}

/* ---- towards analyticsd ---- */

/* Gives the kernel all that it takes; `drained` goes on from there. */
static void
on_pump(struct ev_loop *loop UNUSED, ev_prepare *watcher, int events UNUSED)
{
	struct app *app = container_of(watcher, struct app, pump);
	struct conn *conn = app->greeted ? link_conn(app->link) : NULL;

	while (conn) {
		size_t length;
		const uint8_t *data = outbox_unsent(app->outbox, &length);

		length = MIN(length, conn_room(conn));
		if (length == 0 || conn_send(conn, data, length) < 0)
			return;
		outbox_sent(app->outbox, length);
		counters[COUNTER_sent_bytes] += length;
		if (conn_room(conn) == 0) {
			conn_flush(conn);
			if (conn_pending(conn) > 0)
				return;
		}
	}
}

void
app_pump_soon(struct app *app)
{
	ev_feed_event(app->loop, &app->pump, EV_CUSTOM);
}

void
app_rest_or_go_on(struct app *app)
{
	if (!app->paused && outbox_full(app->outbox)) {
		app->paused = true;
		counters[COUNTER_pauses]++;
		app->source->class->pause(app->source);
	} else if (app->paused && outbox_drained(app->outbox)) {
		app->paused = false;
		app->source->class->resume(app->source);
	}
}

void
app_leave_when_done(struct app *app)
{
	if (!app->ended || outbox_count(app->outbox) > 0)
		return;
	log_info("all of %s is committed: ending", app->source->name);
	ev_break(app->loop, EVBREAK_ALL);
}

/* ---- the source's events ---- */

static void
count_event(const uint8_t *data, size_t length)
{
	static const enum counter_index by_op[] = {
	    [EVENT_RESPONSE] = COUNTER_response,
	    [EVENT_RESPONSE_DELETED] = COUNTER_response_deleted,
	    [EVENT_FORM] = COUNTER_form,
	    [EVENT_FORM_DELETED] = COUNTER_form_deleted,
	    [EVENT_POSITION] = COUNTER_position,
	    [EVENT_REBUILD] = COUNTER_rebuilds_begun,
	    [EVENT_REBUILT] = COUNTER_rebuilds_finished,
	};
	struct event_view view;

	if (event_view(data, length, &view) < 0)
		return;
	counters[by_op[view.op]]++;
	if (view.op == EVENT_REBUILD || view.op == EVENT_REBUILT)
		log_info("analyticsd is told that everything %s",
		    view.op == EVENT_REBUILD ? "comes anew" : "has come anew");
	counters[COUNTER_event_bytes] += length;
	if (view.at != EVENT_NO_TIME)
		counters[COUNTER_lag] = (uint64_t)MAX(clock_wall_ms() - view.at, 0);
}

static void
on_event(void *owner, const uint8_t *data, size_t length)
{
	struct app *app = owner;

	if (outbox_add(app->outbox, data, length, now_ms(app)) < 0) {
		/* The outbox has room for one event of any size while it is not full. */
		die_system("unable to keep an event of %zu bytes", length);
	}
	count_event(data, length);
	app_pump_soon(app);
	app_rest_or_go_on(app);
}

static void
on_end(void *owner)
{
	struct app *app = owner;

	app->ended = true;
	app_leave_when_done(app);
}

void
app_on_foreign(void *owner, const char *why)
{
	const struct app *app = owner;

	if (app->settings->on_new_source == ON_NEW_SOURCE_REBUILD) {
		log_warn("%s is another source than that of the numbers so far (%s): everything is "
			 "counted anew",
		    app->source->name, why);
		app->source->class->rebuild(app->source);
		return;
	}
	die_usage("DUNE_SOURCE is %s, but %s/analytics.db was filled from elsewhere (%s): set "
		  "DUNE_SOURCE back, or set DUNE_ON_NEW_SOURCE=rebuild to count everything anew",
	    app->source->name, app->settings->state_dir, why);
}

static const struct source_events source_events = {on_event, on_end, app_on_foreign};

/* ---- reports ---- */

static uint64_t
uncommitted_age(const struct app *app)
{
	uint64_t now = now_ms(app), oldest = outbox_oldest(app->outbox, now);

	return now > oldest ? now - oldest : 0;
}

static void
refresh(void *owner)
{
	struct app *app = owner;

	counters[COUNTER_analyticsd_connected] = app->greeted;
	counters[COUNTER_source_connected] = app->started &&
	    !app->source->class->unwell(app->source);
	counters[COUNTER_source_paused] = app->paused;
	counters[COUNTER_outbox_events] = outbox_count(app->outbox);
	counters[COUNTER_outbox_bytes] = outbox_bytes(app->outbox);
	counters[COUNTER_uncommitted_age] = uncommitted_age(app);
	if (app->source->class->refresh)
		app->source->class->refresh(app->source);
}

static const char *
unwell(void *owner)
{
	struct app *app = owner;
	const char *source;

	if (!app->greeted) {
		snprintf(
		    app->text, sizeof(app->text), "not connected to analyticsd at %s", app->path);
		return app->text;
	}
	source = app->source->class->unwell(app->source);
	if (source)
		return source;
	if (app->source->class->scanning)
		source = app->source->class->scanning(app->source);
	if (source)
		return source;
	if (uncommitted_age(app) <= LATE_MS)
		return NULL;
	snprintf(app->text, sizeof(app->text),
	    "events have waited for %llu s for analyticsd's commit",
	    (unsigned long long)uncommitted_age(app) / 1000);
	return app->text;
}

static const struct report_events report_events = {.refresh = refresh, .unwell = unwell};

/* ---- from the beginning to the end ---- */

static void
on_terminate(void *owner)
{
	struct app *app = owner;

	if (!app->source->class->rereadable && outbox_count(app->outbox) > 0)
		log_warn("%zu events of %s were not committed", outbox_count(app->outbox),
		    app->source->name);
	ev_break(app->loop, EVBREAK_ALL);
}

static const struct signal_events signal_events = {.terminate = on_terminate};

struct app *
app_new(struct ev_loop *loop, const struct settings *settings)
{
	struct app *app = mem_zalloc(sizeof(*app));
	struct report_config report = {
	    .daemon = "ingestd",
	    .instance = "ingestd",
	    .run_dir = settings->run_dir,
	    .schema = counters_schema,
	    .values = counters,
	    .count = COUNTERS,
	};
	char *name;

	app->loop = loop;
	app->settings = settings;
	app->path = mem_printf("%s/ingest.sock", settings->run_dir);
	name = mem_printf("analyticsd at %s", app->path);
	ev_prepare_init(&app->pump, on_pump);
	/* Behind the events of this turn, before the conn's own writing. */
	ev_set_priority(&app->pump, EV_MINPRI + 1);
	app->outbox = outbox_new((size_t)settings->outbox_bytes);
	app->source = source_new(loop, settings, &source_events, app);
	app->link = link_new(loop, app->path, name, &app_link_events, app, REPLY_MAX, OUT_MAX);
	app->report = report_new(loop, &report, &report_events, app);
	signals_init(loop, &signal_events, app);
	log_info("ingestd %s: from %s", DUNE_VERSION, app->source->name);
	MEM_FREE(&name);
	return app;
}

bool
app_free(struct app **pointer)
{
	struct app *app = *pointer;
	bool clean;

	signals_free(app->loop);
	report_now(app->report);
	report_free(&app->report);
	link_free(&app->link);
	clean = source_free(&app->source);
	outbox_free(&app->outbox);
	ev_prepare_stop(app->loop, &app->pump);
	MEM_FREE(&app->path);
	MEM_FREE(pointer);
	return clean;
}
