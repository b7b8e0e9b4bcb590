/* SPDX-License-Identifier: MIT */
/* queries: what statsd asks other daemons (docs/protocol.md, "Queries"), and is answered, or not,
 * in time. Bounded: at most QUERIES_MAX are open at once, each for QUERY_DUE_S at most. */
#ifndef STATSD_QUERIES_H
#define STATSD_QUERIES_H

#include <ev.h>
#include <stddef.h>

#include "statsd/answer_read.h"

#define QUERIES_MAX 64
#define QUERY_DUE_S 2.0

struct queries;

/* Gives a frame's payload to a daemon that answers such queries. Who it is, or NULL: there is none,
 * or it is behind. */
typedef const void *query_send(void *owner, const char *json, size_t length);

/* The end of a query, which comes once: the answer, lent; NULL: there will be none, and `why`, a
 * literal, says so. Not called from within queries_ask(). */
typedef void query_done(void *owner, const struct query_answer *answer, const char *why);

struct queries *queries_new(struct ev_loop *loop, query_send *send, void *owner);
/* None is open any more: whom they went to are gone. */
void queries_free(struct queries **queries);

/* `members`: those of the query's object behind `type` and `id`, as text ("\"what\":\"forms\"").
 * NULL: it is asked. Else a literal that says why not. */
MUST_CHECK const char *queries_ask(struct queries *queries, const char *members, size_t length,
    query_done *done, void *done_owner);

/* Somebody has answered; nothing happens when that query is over or went to another. */
void queries_answered(struct queries *queries, const void *whom, const struct query_answer *answer);
/* He is gone, and with him all that he was asked. */
void queries_gone(struct queries *queries, const void *whom);

#endif
