/* SPDX-License-Identifier: MIT */
/* http: a door through which HTTP comes: libmicrohttpd inside our own loop
 * (epoll, no thread, no listening socket of its own: connected sockets are given
 * to it). Each door has limits of its own, so a crowd at wsfand's port does
 * not shut the operator's.
 *
 * Limits: HTTP_MAX_CONNECTIONS at once (more are answered 503), HTTP_MEMORY bytes for
 * a request's head (more is 414 or 431), HTTP_IDLE_S of silence, and HTTP_DUE_S from a
 * connection's begin, or the end of its last answer, to the end of the next answer.
 * Answers that wait to be read hold at most HTTP_PENDING bytes; over it one that is longer
 * than HTTP_SMALL becomes a 503. Answers that are streams (stream.h) have limits of their own. */
#ifndef STATSD_HTTP_H
#define STATSD_HTTP_H

#include <ev.h>
#include <stdbool.h>

#include "statsd/answer.h"
#include "statsd/queries.h"

#define HTTP_MAX_CONNECTIONS 256
#define HTTP_MEMORY 16384
#define HTTP_IDLE_S 10
#define HTTP_DUE_S 15
/* A request's body is read and thrown away up to here; over it the connection is cut. */
#define HTTP_BODY_MAX 65536
#define HTTP_PENDING (64U << 20)
#define HTTP_SMALL 65536

struct door;

typedef void http_answer(void *owner, const struct request *request, struct answer *answer);

/* Where the door's rows stand in counters[]. */
struct door_counters {
	int requests, full, overdue, connections;
};

/* `handed_over` is what its requests say, and has answers close the connection. `queries` takes the
 * questions in answers; all are over before the door is freed. NULL with errno: no descriptors or
 * memory. */
struct door *door_new(struct ev_loop *loop, bool handed_over, const struct door_counters *rows,
    struct queries *queries, http_answer *answer, void *owner);
/* Takes over a connected socket (TCP or Unix) from which nothing has been read. */
void door_take(struct door *door, int fd);
/* Cuts what is open. */
void door_free(struct door **door);

#endif
