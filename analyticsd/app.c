/* SPDX-License-Identifier: MIT */
#include "analyticsd/app.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "analyticsd/apply.h"
#include "analyticsd/committer.h"
#include "analyticsd/counters.h"
#include "analyticsd/fan_port.h"
#include "analyticsd/ingest_port.h"
#include "analyticsd/zone.h"
#include "lib/clock.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/report.h"
#include "lib/signals.h"

/* How long ingestd may be away (it retries within 2 s) before /readyz says so. */
#define ALONE_MS 5000
/* The hour is looked at this often at least: the wall clock may be set at any time. */
#define CLOCK_LOOK_MS 1000
/* What is delivered is fresh, says /readyz, up to here. */
#define STALE_MS 10000
#define UNWELL_SIZE 128

struct app {
	const struct settings *settings;
	struct ev_loop *loop;
	struct zone *zone;
	struct store *store;
	struct ledger *ledger;
	struct forms *forms;
	struct apply *apply;
	struct committer *committer;
	struct ingest_port *ingest;
	struct fan_port *fan;
	struct report *report;
	ev_timer metrics, hour;
	int64_t hour_start; /* of the hour that the rooms were told of */
	int exit_code;
	char unwell[UNWELL_SIZE];
};

/* ---- events in ---- */

static int
on_document(void *owner, const bson_t *doc)
{
	struct app *app = owner;

	if (apply_document(app->apply, doc, clock_wall_ms()) < 0) {
		committer_stall(app->committer, errno);
		return -1;
	}
	committer_note(app->committer);
	return 0;
}

static int
on_settle(void *owner)
{
	struct app *app = owner;

	return committer_commit(app->committer);
}

static const struct buf *
on_position(void *owner)
{
	struct app *app = owner;

	return apply_position(app->apply);
}

static void
on_changed(void *owner, struct hot_form *hot, int64_t at_ms)
{
	struct app *app = owner;

	fan_port_changed(app->fan, hot, at_ms);
}

/* ---- commits ---- */

static void
on_blocked(void *owner, bool blocked)
{
	struct app *app = owner;

	ingest_port_block(app->ingest, blocked);
}

static void
on_moved(void *owner)
{
	struct app *app = owner;

	ingest_port_committed(app->ingest);
}

static const struct ingest_events ingest_events = {
    .document = on_document, .settle = on_settle, .position = on_position};
static const struct committer_events committer_events = {.blocked = on_blocked, .moved = on_moved};

/* ---- time ---- */

static void
on_metrics(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	fan_port_metrics(container_of(timer, struct app, metrics)->fan);
}

static void
start_hour(struct app *app, int64_t now)
{
	int64_t left = zone_next_hour(app->zone, now) - now;

	ev_timer_set(&app->hour, (double)MIN(MAX(left, 1), CLOCK_LOOK_MS) / 1e3, 0);
	ev_timer_start(app->loop, &app->hour);
}

/* Forwards or, when the clock is set, backwards. */
static void
on_hour(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct app *app = container_of(timer, struct app, hour);
	int64_t now = clock_wall_ms();
	int64_t start = zone_hour_start(app->zone, now);

	if (start != app->hour_start) {
		app->hour_start = start;
		forms_set_now(app->forms, now);
		fan_port_metrics(app->fan);
		committer_note(app->committer);
	}
	start_hour(app, now);
}

/* ---- reports and signals ---- */

static void
on_refresh(void *owner)
{
	struct app *app = owner;

	fan_port_refresh(app->fan);
	counters[COUNTER_pending_rows] = ledger_pending(app->ledger);
	counters[COUNTER_forms_in_memory] = forms_count(app->forms);
}

static const char *
on_unwell(void *owner)
{
	struct app *app = owner;
	const char *unwell = committer_unwell(app->committer);

	if (unwell != NULL)
		return unwell;
	if (ingest_port_alone_ms(app->ingest) > ALONE_MS)
		return "ingestd is not connected";
	int64_t lag_ms = apply_lag(app->apply, clock_wall_ms());
	if (lag_ms > STALE_MS) {
		snprintf(app->unwell, sizeof(app->unwell),
		    "the numbers are %" PRId64 " s behind the source, and catching up",
		    lag_ms / 1000);
		return app->unwell;
	}
	if (fan_port_consumers(app->fan) == 0)
		return "no consumer of frames is connected";
	return NULL;
}

static const struct report_events report_events = {.refresh = on_refresh, .unwell = on_unwell};

static void
on_terminate(void *owner)
{
	struct app *app = owner;

	ingest_port_stop(app->ingest);
	if (committer_commit(app->committer) < 0) {
		log_error("leaving without the last commit; the source is read again from the one "
			  "before");
		app->exit_code = EXIT_SYSTEM;
	}
	ingest_port_stop(app->ingest);
	fan_port_flush(app->fan);
	report_now(app->report);
	ev_break(app->loop, EVBREAK_ALL);
}

static const struct signal_events signal_events = {.terminate = on_terminate};

/* ---- the whole ---- */

static void
open_state(struct app *app)
{
	const struct settings *settings = app->settings;

	app->store = store_sqlite_open(settings->state_dir);
	app->ledger = ledger_new(app->store);
	if (app->ledger != NULL)
		app->forms = forms_new(&(struct forms_config){.store = app->store,
		    .ledger = app->ledger,
		    .zone = app->zone,
		    .max = (size_t)settings->max_forms_in_memory});
	if (app->forms != NULL)
		app->apply = apply_new(&(struct apply_config){.store = app->store,
		    .ledger = app->ledger,
		    .forms = app->forms,
		    .changed = on_changed,
		    .owner = app});
	if (app->apply == NULL)
		die_system("unable to read %s/analytics.db", settings->state_dir);
}

static void
open_ports(struct app *app)
{
	const struct settings *settings = app->settings;

	app->fan = fan_port_new(app->loop,
	    &(struct fan_config){.frames_to = settings->frames_to,
		.max_frame_bytes = (size_t)settings->max_frame_bytes,
		.update_interval_ms = (unsigned)settings->update_interval_ms,
		.forms = app->forms});
	app->committer = committer_new(app->loop,
	    &(struct committer_config){.apply = app->apply,
		.store = app->store,
		.interval_ms = (unsigned)settings->commit_interval_ms,
		.events = &committer_events,
		.owner = app});
	app->ingest = ingest_port_new(app->loop, settings->run_dir, &ingest_events, app);
	app->report = report_new(app->loop,
	    &(struct report_config){.daemon = "analyticsd",
		.instance = "analyticsd",
		.run_dir = settings->run_dir,
		.schema = counters_schema,
		.values = counters,
		.count = COUNTER_COUNT},
	    &report_events, app);
}

struct app *
app_new(struct ev_loop *loop, const struct settings *settings)
{
	struct app *app = mem_zalloc(sizeof(*app));
	double metrics_s = (double)settings->metrics_interval_ms / 1e3;
	int64_t now = clock_wall_ms();

	app->settings = settings;
	app->loop = loop;
	app->zone = zone_open(settings->timezone);
	if (app->zone == NULL)
		die_usage("DUNE_TIMEZONE: tzdata does not know %s", settings->timezone);
	app->hour_start = zone_hour_start(app->zone, now);
	open_state(app);
	open_ports(app);
	ev_timer_init(&app->metrics, on_metrics, metrics_s, metrics_s);
	ev_timer_start(loop, &app->metrics);
	ev_timer_init(&app->hour, on_hour, 0, 0);
	start_hour(app, now);
	signals_init(loop, &signal_events, app);
	return app;
}

int
app_run(struct app *app)
{
	ev_run(app->loop, 0);
	return app->exit_code;
}

void
app_free(struct app **pointer)
{
	struct app *app = *pointer;

	signals_free(app->loop);
	ev_timer_stop(app->loop, &app->hour);
	ev_timer_stop(app->loop, &app->metrics);
	report_free(&app->report);
	ingest_port_free(&app->ingest);
	committer_free(&app->committer);
	fan_port_free(&app->fan);
	apply_free(&app->apply);
	forms_free(&app->forms);
	ledger_free(&app->ledger);
	app->store->ops->free(&app->store);
	zone_close(&app->zone);
	MEM_FREE(pointer);
}
