/* SPDX-License-Identifier: MIT */
#include "analyticsd/app.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "analyticsd/counters.h"
#include "analyticsd/disk.h"
#include "analyticsd/fan_port.h"
#include "analyticsd/form_queries.h"
#include "analyticsd/forms_recount.h"
#include "analyticsd/ingest_port.h"
#include "analyticsd/states.h"
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
	struct states *states;
	struct ingest_port *ingest;
	struct fan_port *fan;
	struct report *report;
	ev_timer metrics, hour;
	int64_t hour_start; /* of the hour that the rooms were told of */
	bool stale; /* as viewers were told */
	int exit_code;
	char unwell[UNWELL_SIZE];
};

/* ---- what viewers see is all that there is, or not ---- */

static void
refresh_stale(struct app *app)
{
	bool stale = states_stale(app->states);

	counters[COUNTER_partial] = apply_partial(states_served(app->states)->apply);
	if (stale == app->stale)
		return;
	app->stale = stale;
	fan_port_set_stale(app->fan, stale);
}

/* ---- events in ---- */

/* Before the event itself, whose position belongs to the state that is active then. */
static int
turn(struct app *app, const struct event *event)
{
	switch (event->turn) {
	case TURN_REBUILD:
		return states_rebuild(app->states);
	case TURN_REBUILT:
		return states_rebuilt(app->states);
	case TURN_NONE:
		break;
	}
	return 0;
}

static int
on_document(void *owner, const struct event *event)
{
	struct app *app = owner;

	if (turn(app, event) < 0)
		return -1;
	struct state *state = states_active(app->states);
	if (apply_document(state->apply, event, clock_wall_ms()) < 0) {
		committer_stall(state->committer, errno);
		return -1;
	}
	refresh_stale(app);
	committer_note(state->committer);
	return 0;
}

static int
on_settle(void *owner)
{
	struct app *app = owner;

	return committer_commit(states_active(app->states)->committer);
}

static const struct buf *
on_position(void *owner)
{
	struct app *app = owner;

	return apply_position(states_active(app->states)->apply);
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
on_committed(void *owner)
{
	struct app *app = owner;

	ingest_port_committed(app->ingest);
}

static void
on_unreadable(void *owner)
{
	static struct log_limit limit = LOG_LIMIT(3, 10000);
	struct app *app = owner;
	int error = errno;

	log_limited(&limit, LOG_ERROR, "a form that is watched cannot be read: %m");
	committer_read_failed(states_served(app->states)->committer, error);
}

static void
on_stale(void *owner)
{
	refresh_stale(owner);
}

static void
on_turning(void *owner)
{
	struct app *app = owner;

	fan_port_detach(app->fan);
}

static void
on_turned(void *owner)
{
	struct app *app = owner;

	app->stale = states_stale(app->states);
	fan_port_attach(app->fan, states_served(app->states)->forms, app->stale);
}

static const struct states_events states_events = {.changed = on_changed,
    .blocked = on_blocked,
    .committed = on_committed,
    .stale = on_stale,
    .turning = on_turning,
    .turned = on_turned};
static const struct ingest_events ingest_events = {
    .document = on_document, .settle = on_settle, .position = on_position};

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
		states_set_now(app->states, now);
		fan_port_metrics(app->fan);
	}
	start_hour(app, now);
}

/* ---- reports and signals ---- */

static void
on_refresh(void *owner)
{
	struct app *app = owner;

	/* What nobody's event has led to: forms of which nothing is left. */
	committer_note(states_active(app->states)->committer);
	fan_port_refresh(app->fan);
	counters[COUNTER_pending_rows] = ledger_pending(states_active(app->states)->ledger);
	counters[COUNTER_forms_in_memory] = forms_count(states_served(app->states)->forms);
	counters[COUNTER_form_recounts] = forms_recounts(states_served(app->states)->forms);
	counters[COUNTER_forms] = forms_known(states_served(app->states)->forms);
	counters[COUNTER_database_bytes] = disk_database_bytes(app->settings->state_dir);
	counters[COUNTER_disk_free_bytes] = disk_free_bytes(app->settings->state_dir);
}

static const char *
on_unwell(void *owner)
{
	struct app *app = owner;
	const struct state *state = states_active(app->states);
	const char *unwell = committer_unwell(state->committer);

	if (unwell != NULL)
		return unwell;
	if (states_rebuilding(app->states))
		return "everything is being counted anew, the numbers are stale until then";
	if (ingest_port_alone_ms(app->ingest) > ALONE_MS)
		return "ingestd is not connected";
	if (apply_partial(state->apply))
		return "the source is read for the first time, the numbers are stale until then";
	if (!apply_placed(state->apply))
		return "nothing of the source has been read yet";
	int64_t lag_ms = apply_lag(state->apply, clock_wall_ms());
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

static void
on_query(void *owner, struct report *report, const struct report_query *query)
{
	struct app *app = owner;

	form_query_answer(states_served(app->states), states_stale(app->states), report, query);
}

static const struct report_events report_events = {
    .refresh = on_refresh, .unwell = on_unwell, .query = on_query};

static void
on_terminate(void *owner)
{
	struct app *app = owner;

	ingest_port_stop(app->ingest);
	if (committer_commit(states_active(app->states)->committer) < 0) {
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
open_states(struct app *app)
{
	const struct settings *settings = app->settings;

	app->states = states_new(app->loop,
	    &(struct states_config){.directory = settings->state_dir,
		.zone = app->zone,
		.max_forms = (size_t)settings->max_forms_in_memory,
		.max_forms_bytes = (size_t)settings->max_forms_bytes,
		.commit_interval_ms = (unsigned)settings->commit_interval_ms,
		.events = &states_events,
		.owner = app});
}

static void
open_ports(struct app *app)
{
	const struct settings *settings = app->settings;

	app->fan = fan_port_new(app->loop,
	    &(struct fan_config){.frames_to = settings->frames_to,
		.max_frame_bytes = (size_t)settings->max_frame_bytes,
		.update_interval_ms = (unsigned)settings->update_interval_ms,
		.forms = states_served(app->states)->forms,
		.unreadable = on_unreadable,
		.owner = app});
	refresh_stale(app);
	app->ingest = ingest_port_new(app->loop, settings->run_dir, &ingest_events, app);
	app->report = report_new(app->loop,
	    &(struct report_config){.daemon = "analyticsd",
		.instance = "analyticsd",
		.run_dir = settings->run_dir,
		.schema = counters_schema,
		.values = counters,
		.count = COUNTER_COUNT,
		.serves = "forms"},
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
	open_states(app);
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
	fan_port_free(&app->fan);
	states_free(&app->states);
	zone_close(&app->zone);
	MEM_FREE(pointer);
}
