/* SPDX-License-Identifier: MIT */
#include "lib/link.h"

#include <errno.h>
#include <string.h>

#include "lib/backoff.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/reaper.h"
#include "lib/sock.h"

#define MIN_MS 50
#define MAX_MS 2000

/* `retry` is active exactly while `conn` is NULL. */
struct link {
	struct ev_loop *loop;
	char *path, *name;
	const struct link_events *events;
	void *owner;
	size_t in_max, out_max;
	struct conn *conn;
	ev_timer retry;
	struct backoff backoff;
	ev_tstamp up_since;
	bool failing; /* the first failure was said */
	struct log_limit limit; /* a peer that takes us and drops us, again and again */
	struct reap reap;
};

/* A peer that takes us and drops us at once is not yet a success: only a link
 * that has lived for MAX_MS starts small again. */
static void
retry_later(struct link *link)
{
	if (link->up_since > 0 && ev_now(link->loop) - link->up_since > MAX_MS / 1e3)
		backoff_reset(&link->backoff);
	link->up_since = 0;
	ev_timer_stop(link->loop, &link->retry);
	/* ev_now() may be old: the wait is counted from the real now. */
	ev_now_update(link->loop);
	ev_timer_set(&link->retry, backoff_next(&link->backoff) / 1e3, 0);
	ev_timer_start(link->loop, &link->retry);
}

static size_t
on_data(void *owner, const uint8_t *data, size_t length)
{
	struct link *link = owner;

	return link->events->data(link->owner, data, length);
}

static void
on_drained(void *owner)
{
	struct link *link = owner;

	if (link->events->drained)
		link->events->drained(link->owner);
}

static void
on_down(void *owner, int error)
{
	struct link *link = owner;

	link->conn = NULL;
	log_limited(&link->limit, LOG_WARN, "lost %s: %s", link->name,
	    error ? strerror(error) : "it has closed");
	link->failing = true;
	retry_later(link);
	link->events->down(link->owner, error);
}

static const struct conn_events conn_events = {on_data, on_drained, on_down};

static void
on_retry(struct ev_loop *loop, ev_timer *timer, int events UNUSED)
{
	struct link *link = container_of(timer, struct link, retry);
	int fd = sock_connect_unix(link->path);

	if (fd < 0) {
		log_at(link->failing ? LOG_DEBUG : LOG_WARN, "unable to connect to %s: %s",
		    link->name, strerror(errno));
		link->failing = true;
		retry_later(link);
		return;
	}
	if (link->failing)
		log_limited(&link->limit, LOG_INFO, "connected to %s", link->name);
	else
		log_debug("connected to %s", link->name);
	link->failing = false;
	link->up_since = ev_now(loop);
	link->conn = conn_new(loop, fd, &conn_events, link, link->in_max, link->out_max);
	link->events->up(link->owner);
}

struct link *
link_new(struct ev_loop *loop, const char *path, const char *name, const struct link_events *events,
    void *owner, size_t in_max, size_t out_max)
{
	struct link *link = mem_zalloc(sizeof(*link));

	link->loop = loop;
	link->path = mem_strdup(path);
	link->name = mem_strdup(name);
	link->events = events;
	link->owner = owner;
	link->in_max = in_max;
	link->out_max = out_max;
	link->backoff = (struct backoff)BACKOFF(MIN_MS, MAX_MS);
	link->limit = (struct log_limit)LOG_LIMIT(6, 10000);
	/* From the loop, not from here: the owner has no pointer to us yet. */
	ev_timer_init(&link->retry, on_retry, 0, 0);
	ev_timer_start(loop, &link->retry);
	return link;
}

bool
link_is_up(const struct link *link)
{
	return link->conn != NULL;
}

struct conn *
link_conn(const struct link *link)
{
	return link->conn;
}

void
link_reset(struct link *link)
{
	if (!link->conn)
		return;
	conn_close(&link->conn);
	link->failing = true;
	retry_later(link);
}

static void
link_reap(struct reap *reap)
{
	struct link *link = container_of(reap, struct link, reap);

	MEM_FREE(&link->path);
	MEM_FREE(&link->name);
	MEM_FREE(&link);
}

void
link_free(struct link **pointer)
{
	struct link *link = *pointer;

	if (!link)
		return;
	*pointer = NULL;
	conn_close(&link->conn);
	ev_timer_stop(link->loop, &link->retry);
	reaper_add(link->loop, &link->reap, link_reap);
}
