/* SPDX-License-Identifier: MIT */
#include "statsd/queries.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/list.h"
#include "lib/mem.h"
#include "statsd/counters.h"

/* A query is short: two ids and two numbers. */
#define QUERY_BYTES 512

struct queries {
	struct ev_loop *loop;
	query_send *send;
	void *owner;
	struct list open; /* the oldest first */
	size_t count;
	uint64_t last_id;
};

struct query {
	struct list node;
	struct queries *queries;
	uint64_t id;
	const void *whom;
	ev_timer due;
	query_done *done;
	void *owner;
};

#define QUERY_OF(place) container_of(place, struct query, node)

static void
query_end(struct query *query, const struct query_answer *answer, const char *why)
{
	struct query ended = *query;
	ev_timer_stop(query->queries->loop, &query->due);
	list_remove(&query->node);
	query->queries->count--;
	MEM_FREE(&query);
	counters[answer ? COUNTER_queries_answered : COUNTER_queries_lost]++;
	ended.done(ended.owner, answer, why);
}

static void
query_overdue(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	query_end(
	    container_of(timer, struct query, due), NULL, "analyticsd has not answered in time");
}

struct queries *
queries_new(struct ev_loop *loop, query_send *send, void *owner)
{
	struct queries *queries = mem_zalloc(sizeof(*queries));
	queries->loop = loop;
	queries->send = send;
	queries->owner = owner;
	list_init(&queries->open);
	return queries;
}

void
queries_free(struct queries **queries)
{
	MEM_FREE(queries);
}

const char *
queries_ask(
    struct queries *queries, const char *members, size_t length, query_done *done, void *done_owner)
{
	char json[QUERY_BYTES];
	if (queries->count == QUERIES_MAX)
		return "too many questions are open";
	int used = snprintf(json, sizeof(json), "{\"type\":\"query\",\"id\":%" PRIu64 ",%.*s}",
	    ++queries->last_id, (int)length, members);
	if (used < 0 || (size_t)used >= sizeof(json))
		return "the question is too long";
	const void *whom = queries->send(queries->owner, json, (size_t)used);
	if (!whom)
		return "analyticsd is not connected";
	struct query *query = mem_zalloc(sizeof(*query));
	query->queries = queries;
	query->id = queries->last_id;
	query->whom = whom;
	query->done = done;
	query->owner = done_owner;
	ev_timer_init(&query->due, query_overdue, QUERY_DUE_S, 0.);
	ev_timer_start(queries->loop, &query->due);
	list_append(&queries->open, &query->node);
	queries->count++;
	return NULL;
}

void
queries_answered(struct queries *queries, const void *whom, const struct query_answer *answer)
{
	LIST_FOR_EACH (place, &queries->open) {
		struct query *query = QUERY_OF(place);
		if (query->id != answer->id || query->whom != whom)
			continue;
		query_end(query, answer, NULL);
		return;
	}
}

/* From the start again each time: who is told may ask anew. */
void
queries_gone(struct queries *queries, const void *whom)
{
	for (;;) {
		struct query *found = NULL;
		LIST_FOR_EACH (place, &queries->open) {
			if (QUERY_OF(place)->whom == whom) {
				found = QUERY_OF(place);
				break;
			}
		}
		if (!found)
			return;
		query_end(found, NULL, "analyticsd has left");
	}
}
