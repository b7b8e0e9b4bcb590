/* SPDX-License-Identifier: MIT */
/* report: a daemon's counters to statsd, each second (docs/protocol.md, "Reports").
 * Never blocks and never grows: while statsd is away or behind, reports are
 * dropped. On each connection the schema (names, help, kinds) goes first, so statsd knows no
 * daemon by name. Behind the daemon's own rows stand those of its process (lib/process.h). */
#ifndef LIB_REPORT_H
#define LIB_REPORT_H

#include <ev.h>

#include "lib/counters.h"
#include "lib/json_read.h"
#include "lib/json_write.h"

struct report;

/* A frame with a report, a schema or an answer is no longer than this. */
#define REPORT_MAX_FRAME 1048576

struct report_query {
	uint64_t id;
	const struct json_doc *doc; /* the whole object */
};

struct report_events {
	/* Just before each report: bring gauges up to date. May be NULL. */
	void (*refresh)(void *owner);
	/* NULL: the daemon is well; else why /readyz has to say 503 ("not connected
	 * to mongodb://…"). The text need only live until the next call. May be NULL. */
	const char *(*unwell)(void *owner);
	/* Connected anew, the schema is sent: forget what statsd was told (rooms). May be NULL. */
	void (*connected)(void *owner);
	/* Further frames of the daemon's own, sent behind each report by
	 * report_frame(). May be NULL. */
	void (*extra)(void *owner, struct report *report);
	/* statsd asks something (docs/protocol.md, "Queries"); lent. It is answered with
	 * report_answer(), at once or soon. NULL where the config serves nothing. */
	void (*query)(void *owner, struct report *report, const struct report_query *query);
};

struct report_config {
	const char *daemon; /* "wsfand" */
	const char *instance; /* "wsfand", or "wsfand.2" where there are several */
	const char *run_dir;
	const struct counter *schema;
	const uint64_t *values; /* as many as the schema has rows */
	size_t count;
	int64_t started_ms; /* when the process began, where that is not now; wall clock, or 0 */
	const char *serves; /* what queries it answers ("forms"), or NULL */
};

/* `config` is copied but for what its pointers name. */
struct report *report_new(struct ev_loop *loop, const struct report_config *config,
    const struct report_events *events, void *owner);
/* One frame with this JSON object. -1: statsd is away or behind, it was dropped. */
MUST_CHECK int report_frame(struct report *report, const void *json, size_t length);
/* Answers a query: an HTTP status and a body that is JSON. What is too long is answered with 500
 * instead. -1: statsd is away or behind; it finds that out by itself. */
MUST_CHECK int report_answer(
    struct report *report, uint64_t id, unsigned status, const void *json, size_t length);
/* Sends a report now (at the end, for the last counts). */
void report_now(struct report *report);
/* Sends one that says, too, that another process image is about to go on under this name: what was
 * told holds until that has connected, for as long as a report is not stale. */
void report_hand_on(struct report *report);
/* When the process began; wall clock. */
int64_t report_started_ms(const struct report *report);
void report_free(struct report **pointer);

#endif
