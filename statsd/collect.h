/* SPDX-License-Identifier: MIT */
/* collect: stats.sock. Takes the daemons' connections and puts their reports
 * into the registry. A daemon that sends what is no report is cut off, counted and
 * logged (limited); it connects again by itself. */
#ifndef STATSD_COLLECT_H
#define STATSD_COLLECT_H

#include <ev.h>

#include "statsd/answer_read.h"
#include "statsd/registry.h"

struct collect;

struct collect_events {
	/* An answer to what collect_ask() gave to `whom`. */
	void (*answered)(void *owner, const void *whom, const struct query_answer *answer);
	/* He will not answer any more. */
	void (*gone)(void *owner, const void *whom);
};

/* Takes over `listener`, a listening Unix socket. `registry` must outlive it. */
struct collect *collect_new(struct ev_loop *loop, int listener, struct registry *registry,
    size_t max_frame, const struct collect_events *events, void *owner);
/* Closes all; the reporters leave the registry. */
void collect_free(struct collect **collect);

/* Sends a query to the daemon that serves forms. Who it is, or NULL: there is none, or it is
 * behind. */
const void *collect_ask(struct collect *collect, const char *json, size_t length);

/* Now, by both clocks. */
struct moment moment_now(void);

#endif
