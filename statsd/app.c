/* SPDX-License-Identifier: MIT */
#include "statsd/app.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/jwt_load.h"
#include "lib/mem.h"
#include "lib/process.h"
#include "lib/report.h"
#include "lib/sock.h"
#include "lib/version.h"
#include "statsd/collect.h"
#include "statsd/counters.h"
#include "statsd/handover.h"
#include "statsd/http.h"
#include "statsd/listen.h"
#include "statsd/queries.h"
#include "statsd/routes.h"

#define BACKLOG 64
#define SOCKET_MODE 0660
/* What statsd tells of itself. */
#define SELF_ROWS (COUNTER_COUNT + PROCESS_ROWS)

struct app {
	const struct settings *settings;
	struct registry *registry;
	struct reporter *self; /* statsd's own rows */
	struct process process;
	struct site site;
	struct door *own, *handed;
	struct collect *collect;
	struct queries *queries;
	struct handover *handover;
	struct listen *listen;
	char *stats_path, *http_path;
};

/* Whom /readyz waits for. */
static const char *const expected[] = {"ingestd", "analyticsd", "wsfand"};

static const struct door_counters own_rows = {
    .requests = COUNTER_requests_own,
    .full = COUNTER_full_own,
    .overdue = COUNTER_overdue_own,
    .connections = COUNTER_connections_own,
};

static const struct door_counters handed_rows = {
    .requests = COUNTER_requests_handed,
    .full = COUNTER_full_handed,
    .overdue = COUNTER_overdue_handed,
    .connections = COUNTER_connections_handed,
};

/* Just before a page shows numbers: our own are brought up to date. */
static void
refresh(void *owner)
{
	struct app *app = owner;
	uint64_t values[SELF_ROWS];
	counters[COUNTER_reporters] = registry_reporters(app->registry) - 1;
	counters[COUNTER_rooms] = rooms_count(registry_rooms(app->registry));
	memcpy(values, counters, sizeof(counters));
	process_values(values + COUNTER_COUNT);
	reporter_report(app->self, values, NULL, moment_now());
	process_read(&app->process);
}

static const void *
query_out(void *owner, const char *json, size_t length)
{
	struct app *app = owner;
	return collect_ask(app->collect, json, length);
}

static void
query_answered(void *owner, const void *whom, const struct query_answer *got)
{
	struct app *app = owner;
	queries_answered(app->queries, whom, got);
}

static void
query_gone(void *owner, const void *whom)
{
	struct app *app = owner;
	queries_gone(app->queries, whom);
}

static const struct collect_events collect_events = {
    .answered = query_answered, .gone = query_gone};

static void
answer(void *owner, const struct request *request, struct answer *out)
{
	struct app *app = owner;
	routes_answer(&app->site, request, moment_now(), out);
}

static struct reporter *
register_self(struct registry *registry, struct moment now)
{
	struct row rows[SELF_ROWS];
	struct identity identity = {.pid = getpid(), .started_ms = now.wall_ms};
	size_t conflicts;
	const char *why = NULL;
	snprintf(identity.daemon, sizeof(identity.daemon), "statsd");
	snprintf(identity.instance, sizeof(identity.instance), "statsd");
	snprintf(identity.version, sizeof(identity.version), "%s", DUNE_VERSION);
	for (size_t i = 0; i < SELF_ROWS; i++) {
		const struct counter *counter = i < COUNTER_COUNT
		    ? &counters_schema[i]
		    : &process_schema[i - COUNTER_COUNT];
		rows[i] = (struct row){
		    .name = counter->name,
		    .labels = counter->labels,
		    .help = counter->help,
		    .kind = counter->kind,
		};
	}
	struct reporter *self = registry_add(
	    registry, &identity, rows, SELF_ROWS, now, &conflicts, &why);
	if (!self)
		die_system("unable to count for itself: %s", why);
	return self;
}

static int
bind_in_run_dir(const char *path)
{
	int fd = sock_listen_unix(path, SOCKET_MODE, BACKLOG);
	if (fd < 0)
		die_system("unable to bind %s", path);
	return fd;
}

static struct door *
open_door(struct ev_loop *loop, struct app *app, bool handed_over)
{
	struct door *door = door_new(
	    loop, handed_over, handed_over ? &handed_rows : &own_rows, app->queries, answer, app);
	if (!door)
		die_system("unable to start libmicrohttpd");
	return door;
}

struct app *
app_new(struct ev_loop *loop, const struct settings *settings)
{
	struct app *app = mem_zalloc(sizeof(*app));
	struct moment now = moment_now();
	const struct jwt_config tokens = JWT_CONFIG(settings);
	app->settings = settings;
	app->registry = registry_new();
	app->process.started_ms = now.wall_ms;
	app->site = (struct site){
	    .registry = app->registry,
	    .process = &app->process,
	    .keys = jwt_load(&tokens),
	    .public_metrics = settings->public_metrics != 0,
	    .before = refresh,
	    .owner = app,
	};
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		registry_expect(app->registry, expected[i], now);
	app->self = register_self(app->registry, now);
	app->stats_path = mem_printf("%s/stats.sock", settings->run_dir);
	app->http_path = mem_printf("%s/http.sock", settings->run_dir);
	app->queries = queries_new(loop, query_out, app);
	app->own = open_door(loop, app, false);
	app->handed = open_door(loop, app, true);
	app->collect = collect_new(loop, bind_in_run_dir(app->stats_path), app->registry,
	    MAX((size_t)settings->max_frame_bytes, REPORT_MAX_FRAME), &collect_events, app);
	app->handover = handover_new(loop, bind_in_run_dir(app->http_path), app->handed);
	app->listen = listen_new(loop, settings->stats_listen, app->own);
	return app;
}

void
app_check(const void *settings)
{
	const struct jwt_config tokens = JWT_CONFIG((const struct settings *)settings);
	jwt_check(&tokens);
}

void
app_reload(struct app *app)
{
	const struct jwt_config tokens = JWT_CONFIG(app->settings);
	counters[COUNTER_key_reloads_failed] += jwt_load_again(&app->site.keys, &tokens) < 0;
}

void
app_free(struct app **app_pointer)
{
	struct app *app = *app_pointer;
	if (!app)
		return;
	listen_free(&app->listen);
	handover_free(&app->handover);
	collect_free(&app->collect);
	sock_unlink(app->http_path);
	sock_unlink(app->stats_path);
	door_free(&app->handed);
	door_free(&app->own);
	queries_free(&app->queries);
	jwt_keys_free(&app->site.keys);
	registry_remove(app->registry, &app->self, moment_now());
	registry_free(&app->registry);
	process_free();
	MEM_FREE(&app->stats_path);
	MEM_FREE(&app->http_path);
	MEM_FREE(app_pointer);
}
