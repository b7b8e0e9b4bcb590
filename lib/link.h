/* SPDX-License-Identifier: MIT */
/* link: a connection to a Unix socket that is made again for ever (50 ms to 2 s,
 * with jitter), so that daemons start in any order. */
#ifndef LIB_LINK_H
#define LIB_LINK_H

#include <ev.h>
#include <stdbool.h>

#include "lib/conn.h"

struct link;

struct link_events {
	/* Connected. */
	void (*up)(void *owner);
	size_t (*data)(void *owner, const uint8_t *data, size_t length);
	void (*drained)(void *owner); /* may be NULL */
	/* It was up and is not any more; trying again is under way. */
	void (*down)(void *owner, int error);
};

/* `name` is for the log ("wsfand at /run/dune/frames.sock"): the first failure is said at WARN,
 * later ones at DEBUG, a success after failures at INFO. Both strings are copied. */
struct link *link_new(struct ev_loop *loop, const char *path, const char *name,
    const struct link_events *events, void *owner, size_t in_max, size_t out_max);
bool link_is_up(const struct link *link);
/* The live conn, or NULL. */
struct conn *link_conn(const struct link *link);
/* The peer broke the protocol: drop it and try again (after at least the backoff). `down` is
 * not called. */
void link_reset(struct link *link);
void link_free(struct link **pointer);

#endif
