/* SPDX-License-Identifier: MIT */
#include "wsfand/app_estate.h"

#include <errno.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/version.h"
#include "wsfand/app_parts.h"
#include "wsfand/client_estate.h"
#include "wsfand/counters.h"
#include "wsfand/counters_estate.h"
#include "wsfand/heir.h"
#include "wsfand/room_estate.h"

static void
save_origin(const struct app *app, struct saver *saver, const struct occasion *occasion)
{
	saver_put(saver,
	    &(struct estate_record){
		.kind = ESTATE_origin,
		.origin =
		    {
			.program = {(const uint8_t *)DUNE_VERSION, strlen(DUNE_VERSION)},
			.began_ns = occasion->began_ns,
			.rehearsed_ns = occasion->rehearsed_ns,
			.started_ms = (uint64_t)MAX(report_started_ms(app->report), 0),
			.last_producer = upstream_last_producer(app->upstream),
		    },
	    });
}

static void
save_bucket(void *owner, uint64_t network, uint64_t ahead_ns)
{
	saver_put(owner,
	    &(struct estate_record){
		.kind = ESTATE_bucket, .bucket = {.network = network, .ahead_ns = ahead_ns}});
}

void
app_save(void *owner, struct saver *saver, const struct occasion *occasion)
{
	struct app *app = owner;

	if (!occasion->rehearsal) {
		session_flush(&app->session);
		report_hand_on(app->report);
	}
	save_origin(app, saver, occasion);
	counters_save(saver);
	ratelimit_each(app->admit.rate, clock_monotonic_ms(), save_bucket, saver);
	rooms_save(app->rooms, saver);
	clients_save(&app->session, saver);
	upstream_save(app->upstream, saver);
	door_save(app->door, saver);
}

/* The estate has been checked: nothing in it is broken. */
static bool
next(struct estate_bytes *rest, struct estate_record *record)
{
	const char *problem = NULL;

	errno = 0;
	if (estate_read_record(rest, record, &problem) > 0)
		return true;
	if (problem)
		die_system("unable to take the state over: %s", problem);
	return false;
}

void
app_adopt_first(
    const struct estate_summary *estate, struct listeners *listeners, struct origin *origin)
{
	struct estate_bytes rest = estate->body;
	struct estate_record record;

	while (next(&rest, &record)) {
		if (record.kind == ESTATE_listener)
			listeners_adopt(listeners, &record.listener);
		else if (record.kind == ESTATE_counter)
			counter_adopt(&record.counter);
		else if (record.kind == ESTATE_origin)
			*origin = (struct origin){(int64_t)record.origin.started_ms,
			    record.origin.began_ns, record.origin.rehearsed_ns,
			    record.origin.last_producer};
	}
}

static void
adopt(struct app *app, struct heir *heir, const struct estate_record *record)
{
	switch (record->kind) {
	case ESTATE_bucket:
		ratelimit_put(app->admit.rate, record->bucket.network, record->bucket.ahead_ns,
		    clock_monotonic_ms());
		break;
	case ESTATE_message:
		heir_take_message(heir, &record->message);
		break;
	case ESTATE_room:
		room_adopt(app->rooms, heir, &record->room);
		break;
	case ESTATE_client:
		client_adopt(&app->session, heir, &record->client);
		break;
	case ESTATE_producer:
		upstream_adopt_producer(app->upstream, heir, &record->producer);
		break;
	case ESTATE_interest:
		upstream_adopt_interest(heir, &record->interest);
		break;
	case ESTATE_newcomer:
		door_adopt_newcomer(app->door, &record->newcomer);
		break;
	case ESTATE_origin:
	case ESTATE_counter:
	case ESTATE_listener:
	case ESTATE_KINDS:
		break;
	}
}

/* First in the first turn, in which all descriptors were given to the kernel's poll: now things
 * go on. */
static void
on_adopted(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct app *app = container_of(timer, struct app, adopted);
	uint64_t pause_us = (clock_monotonic_ns() - app->began_ns) / 1000;

	counters[COUNTER_upgrades]++;
	counters[COUNTER_upgrade_time] += pause_us + app->rehearsed_ns / 1000;
	log_info(
	    "upgraded in place: %u clients in %u rooms, %u producers; all waited for %.1f ms, and "
	    "for the rehearsal %.1f ms",
	    app->session.clients.open, rooms_count(app->rooms), upstream_producers(app->upstream),
	    (double)pause_us / 1000, (double)app->rehearsed_ns / 1e6);
}

void
app_adopt_rest(struct app *app, const struct estate_summary *estate, const struct origin *origin)
{
	struct estate_bytes rest = estate->body;
	struct estate_record record;
	struct heir heir;

	log_info("taking over from wsfand %.*s", (int)estate->program.length,
	    (const char *)estate->program.data);
	ev_now_update(app->loop);
	heir_init(&heir, estate->messages, estate->rooms);
	while (next(&rest, &record))
		adopt(app, &heir, &record);
	heir_free(&heir);
	rooms_settle(app->rooms);
	clients_settle(&app->session);
	upstream_settle(app->upstream, origin->last_producer);
	door_settle(app->door);
	app->began_ns = origin->began_ns;
	app->rehearsed_ns = origin->rehearsed_ns;
	ev_timer_init(&app->adopted, on_adopted, 0, 0);
	ev_set_priority(&app->adopted, EV_MAXPRI);
	ev_timer_start(app->loop, &app->adopted);
}
