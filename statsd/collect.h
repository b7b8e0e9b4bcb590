/* SPDX-License-Identifier: MIT */
/* collect: stats.sock. Takes the daemons' connections and puts their reports
 * into the registry. A daemon that sends what is no report is cut off, counted and
 * logged (limited); it connects again by itself. */
#ifndef STATSD_COLLECT_H
#define STATSD_COLLECT_H

#include <ev.h>

#include "statsd/registry.h"

struct collect;

/* Takes over `listener`, a listening Unix socket. `registry` must outlive it. */
struct collect *collect_new(
    struct ev_loop *loop, int listener, struct registry *registry, size_t max_frame);
/* Closes all; the reporters leave the registry. */
void collect_free(struct collect **collect);

/* Now, by both clocks. */
struct moment moment_now(void);

#endif
