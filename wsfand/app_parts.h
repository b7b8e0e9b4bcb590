/* SPDX-License-Identifier: MIT */
/* app_parts: what wsfand is made of. Between app.c and app_estate.c only. */
#ifndef WSFAND_APP_PARTS_H
#define WSFAND_APP_PARTS_H

#include "lib/report.h"
#include "wsfand/admit.h"
#include "wsfand/app.h"
#include "wsfand/door.h"
#include "wsfand/drain.h"
#include "wsfand/handoff.h"
#include "wsfand/room.h"
#include "wsfand/room_report.h"
#include "wsfand/session.h"
#include "wsfand/succession.h"
#include "wsfand/upstream.h"

struct app {
	struct ev_loop *loop;
	const struct settings *settings;
	struct admit admit;
	struct rooms *rooms;
	struct session session;
	struct upstream *upstream;
	struct handoff *handoff;
	struct door *door;
	char *name; /* towards statsd: "wsfand", or "wsfand.2" */
	struct report *report;
	struct room_report room_report;
	struct drain *drain;
	struct succession *succession;
	uint64_t exhausted_before; /* times when accepting rested, before the upgrade in place */
	uint64_t began_ns; /* when that began to hold all up */
	uint64_t rehearsed_ns; /* for how long its rehearsal did */
	ev_prepare turn_end; /* writes what the turn has queued before the loop sleeps */
	ev_idle unfinished; /* started: something is left to write, the loop does not sleep */
	ev_timer totals;
	ev_timer adopted; /* once, in the first turn after an upgrade in place */
};

#endif
