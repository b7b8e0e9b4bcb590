/* SPDX-License-Identifier: MIT */
#include "wsfand/app.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/signals.h"
#include "lib/sock.h"
#include "wsfand/app_estate.h"
#include "wsfand/app_parts.h"
#include "wsfand/counters.h"

/* Descriptors that are not for clients: listeners, producers, links, log, newcomers. */
#define RESERVED_FILES 64
#define MOST_CLIENTS 10000000UL
/* The totals are told so often, and so are frames that pile up. */
#define TOTALS_INTERVAL_MS 300000
#define BROADCAST_WARNING 200

static void
room_changed(void *owner, const struct form_id *id, uint32_t clients)
{
	struct app *app = owner;

	upstream_room_changed(app->upstream, id, clients);
	room_report_changed(&app->room_report, id, clients);
}

static void
admitted(void *owner, const struct arrival *arrival)
{
	struct app *app = owner;

	session_start(&app->session, arrival);
}

static uint32_t
connections(void *owner)
{
	const struct app *app = owner;

	return app->session.clients.open + app->session.clients.ended;
}

static void
refresh_gauges(void *owner)
{
	struct app *app = owner;

	counters[COUNTER_connections] = app->session.clients.open;
	counters[COUNTER_rooms] = rooms_count(app->rooms);
	counters[COUNTER_producers] = upstream_producers(app->upstream);
	counters[COUNTER_channel_broadcast] = rooms_pending(app->rooms);
	counters[COUNTER_channel_register] = door_newcomers(app->door);
	counters[COUNTER_channel_unregister] = app->session.clients.ended;
	counters[COUNTER_max_clients] = app->admit.max_clients;
	counters[COUNTER_stalled] = (uint64_t)(deadlines_age(&app->session.clients.stall) * 1000);
	counters[COUNTER_accept_exhausted] = app->exhausted_before + door_exhausted(app->door);
}

static void
statsd_connected(void *owner)
{
	struct app *app = owner;

	room_report_anew(&app->room_report, app->rooms);
}

static void
report_rooms(void *owner, struct report *report)
{
	struct app *app = owner;

	room_report_send(&app->room_report, report);
}

/* What waits in the middle of a turn is none; this is what the turn's sending has left. */
static void
warn_of_broadcast(const struct app *app)
{
	static struct log_limit limit = LOG_LIMIT(1, TOTALS_INTERVAL_MS);
	uint32_t pending = rooms_pending(app->rooms);

	if (pending > BROADCAST_WARNING)
		log_limited(
		    &limit, LOG_WARN, "%" PRIu32 " frames are read but not yet broadcast", pending);
}

static void
on_turn_end(struct ev_loop *loop UNUSED, ev_prepare *prepare, int events UNUSED)
{
	struct app *app = container_of(prepare, struct app, turn_end);

	bool left = session_turn(&app->session);

	if (upstream_go_on(app->upstream) || left)
		ev_idle_start(app->loop, &app->unfinished);
	else
		ev_idle_stop(app->loop, &app->unfinished);
	warn_of_broadcast(app);
}

static void
on_unfinished(struct ev_loop *loop UNUSED, ev_idle *idle UNUSED, int events UNUSED)
{
}

static void
on_totals(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct app *app = container_of(timer, struct app, totals);
	uint64_t frames;

	refresh_gauges(app);
	frames = counters[COUNTER_frames_analytics] + counters[COUNTER_frames_metrics] +
	    counters[COUNTER_frames_other];
	log_info("%" PRIu64 " clients in %" PRIu64 " rooms, %" PRIu64 " producers; since the start "
		 "%" PRIu64 " frames, %" PRIu64 " messages sent, %" PRIu64 " connects",
	    counters[COUNTER_connections], counters[COUNTER_rooms], counters[COUNTER_producers],
	    frames, counters[COUNTER_messages_out], counters[COUNTER_connects]);
}

/* A hook for the tests: the totals are told so often, in ms. */
static double
totals_interval(void)
{
	const char *text = getenv("DUNE_TEST_TOTALS_MS");

	return (double)(text ? strtol(text, NULL, 10) : TOTALS_INTERVAL_MS) / 1000;
}

static void
drained(void *owner)
{
	struct app *app = owner;

	log_info("all clients are gone, leaving");
	ev_break(app->loop, EVBREAK_ALL);
}

static void
on_terminate(void *owner)
{
	struct app *app = owner;

	succession_abort(app->succession, "it is to end");
	app->admit.draining = true;
	if (app->settings->instance > 0)
		door_leave_ports(app->door);
	app->drain = drain_start(
	    app->loop, &app->session, (double)app->settings->drain_ms / 1000, drained, app);
}

static void
on_reload(void *owner)
{
	struct app *app = owner;

	admit_reload(&app->admit, app->settings);
}

static void
on_upgrade(void *owner)
{
	struct app *app = owner;

	if (app->drain)
		log_warn("USR2: no upgrade in place, since all is coming to its end");
	else
		succession_start(app->succession);
}

static uint32_t
client_limit(const struct settings *settings)
{
	unsigned long files = sock_raise_file_limit();
	uint32_t room = files > RESERVED_FILES ? (uint32_t)MIN(files - RESERVED_FILES, MOST_CLIENTS)
					       : 1;

	if (settings->max_clients <= (int64_t)room)
		return settings->max_clients > 0 ? (uint32_t)settings->max_clients : room;
	log_warn("DUNE_MAX_CLIENTS is %" PRId64
		 ", but the limit of open files, %lu, leaves room for %" PRIu32,
	    settings->max_clients, files, room);
	return room;
}

static struct client_settings
client_settings(const struct settings *settings)
{
	return (struct client_settings){
	    .read_bytes = (size_t)settings->read_bytes,
	    .max_message = (size_t)settings->max_message_bytes,
	    .behind_bytes = (int)settings->notsent_bytes,
	    .limits = {.messages = (uint32_t)settings->queue_messages,
		.bytes = (uint64_t)settings->queue_bytes},
	    .ping_interval = (double)settings->ping_interval_ms / 1000,
	    .pong_timeout = (double)settings->pong_timeout_ms / 1000,
	    .write_timeout = (double)settings->write_timeout_ms / 1000,
	};
}

static void
start_watchers(struct app *app)
{
	static const struct signal_events signals = {
	    .terminate = on_terminate, .reload = on_reload, .upgrade = on_upgrade};

	ev_idle_init(&app->unfinished, on_unfinished);
	ev_prepare_init(&app->turn_end, on_turn_end);
	/* Behind whatever else the turn has to do before the loop sleeps. */
	ev_set_priority(&app->turn_end, EV_MINPRI);
	ev_prepare_start(app->loop, &app->turn_end);
	ev_timer_init(&app->totals, on_totals, totals_interval(), totals_interval());
	ev_timer_start(app->loop, &app->totals);
	signals_init(app->loop, &signals, app);
	/* Held back since main() began, or while one image gave way to the other. */
	signals_release();
}

static struct report *
start_report(struct app *app, int64_t started_ms)
{
	static const struct report_events events = {
	    .refresh = refresh_gauges, .connected = statsd_connected, .extra = report_rooms};
	const struct report_config config = {
	    .daemon = "wsfand",
	    .instance = app->name,
	    .run_dir = app->settings->run_dir,
	    .schema = counters_schema,
	    .values = counters,
	    .count = COUNTERS,
	    .started_ms = started_ms,
	};

	return report_new(app->loop, &config, &events, app);
}

static void
open_sockets(struct app *app, struct listeners *listeners)
{
	static const struct door_events events = {.admitted = admitted, .connections = connections};
	const struct settings *settings = app->settings;
	const struct door_config config = {
	    .listen = settings->listen,
	    .shared = settings->instance > 0,
	    .notsent_bytes = (int)settings->notsent_bytes,
	    .listeners = listeners,
	};

	app->upstream = upstream_new(app->loop, settings->run_dir, (int)settings->instance,
	    (size_t)settings->max_frame_bytes, app->rooms, listeners);
	app->handoff = handoff_new(settings->run_dir);
	app->door = door_new(app->loop, &config, &app->admit, app->handoff, &events, app);
	listeners_free(listeners);
}

struct app *
app_new(
    struct ev_loop *loop, const struct settings *settings, const struct inheritance *inheritance)
{
	static const struct rooms_events rooms_events = {.changed = room_changed};
	struct app *app = mem_zalloc(sizeof(*app));
	struct client_settings clients = client_settings(settings);
	struct listeners listeners;
	struct origin origin = {.started_ms = 0};

	app->loop = loop;
	app->settings = settings;
	admit_init(&app->admit, settings);
	app->admit.deflate = settings->deflate;
	message_compress_from((size_t)settings->deflate_min_bytes);
	app->admit.max_clients = client_limit(settings);
	room_report_init(&app->room_report);
	app->rooms = rooms_new(loop, &rooms_events, app);
	session_init(&app->session, loop, &clients, app->rooms, &app->admit,
	    (uint32_t)settings->message_rate, (uint16_t)settings->message_burst);
	listeners_init(&listeners);
	if (inheritance)
		app_adopt_first(&inheritance->summary, &listeners, &origin);
	app->exhausted_before = counters[COUNTER_accept_exhausted];
	open_sockets(app, &listeners);
	app->name = settings->instance > 0 ? mem_printf("wsfand.%" PRId64, settings->instance)
					   : mem_strdup("wsfand");
	app->report = start_report(app, origin.started_ms);
	if (inheritance)
		app_adopt_rest(app, &inheritance->summary, &origin);
	app->succession = succession_new(loop, app_save, app);
	start_watchers(app);
	return app;
}

void
app_free(struct app **pointer)
{
	struct app *app = *pointer;
	struct client *client;

	*pointer = NULL;
	report_now(app->report);
	signals_free(app->loop);
	ev_timer_stop(app->loop, &app->totals);
	ev_prepare_stop(app->loop, &app->turn_end);
	ev_idle_stop(app->loop, &app->unfinished);
	ev_timer_stop(app->loop, &app->adopted);
	succession_free(&app->succession);
	drain_free(&app->drain);
	door_free(&app->door);
	while ((client = rooms_any_client(app->rooms)))
		client_drop(client, CLOSE_GONE);
	handoff_free(&app->handoff);
	report_free(&app->report);
	MEM_FREE(&app->name);
	upstream_free(&app->upstream);
	session_free(&app->session);
	rooms_free(&app->rooms);
	room_report_free(&app->room_report);
	admit_free(&app->admit);
	MEM_FREE(&app);
}
