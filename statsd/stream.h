/* SPDX-License-Identifier: MIT */
/* stream: answers that go on: server-sent events (HTML Living Standard, 9.2), one each second,
 * from the same page asked again. A client that has not yet taken an event misses the next ones,
 * so that what waits for it is one event at most; one that takes nothing for STREAM_STUCK_S is
 * cut off.
 *
 * libmicrohttpd suspends a connection that has nothing to say; nobody else may resume it. */
#ifndef STATSD_STREAM_H
#define STATSD_STREAM_H

#include <ev.h>
#include <microhttpd.h>
#include <stdbool.h>

#include "lib/buf.h"

#define STREAM_MAX 128
#define STREAM_INTERVAL_S 1.0
#define STREAM_STUCK_S 15

struct streams;

struct stream_events {
	/* The newest event of the stream that was opened for `path` is appended to `event`. */
	void (*ask)(void *owner, const char *path, struct buf *event);
	/* Connections were resumed: libmicrohttpd wants to be run. */
	void (*resumed)(void *owner);
};

struct streams *streams_new(struct ev_loop *loop, const struct stream_events *events, void *owner);
/* Ends all of them: libmicrohttpd can be stopped now. */
void streams_end(struct streams *streams);
/* All responses are destroyed. */
void streams_free(struct streams **streams);

bool streams_full(const struct streams *streams);
/* The response that begins with `first` and asks for `path`, a literal, again; NULL with errno: no
 * memory. */
struct MHD_Response *stream_open(struct streams *streams, struct MHD_Connection *connection,
    const char *path, const struct buf *first);

#endif
