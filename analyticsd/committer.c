/* SPDX-License-Identifier: MIT */
#include "analyticsd/committer.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "analyticsd/counters.h"
#include "analyticsd/store_corrupt.h"
#include "lib/backoff.h"
#include "lib/clock.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/mem.h"

#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 5000
/* A commit that is due in time writes the rows of all forms that were touched, beside those of the
 * responses; one that is due to the number of events only the latter. What the forms cost is paid
 * once for each of the former: the next one waits a few times as long as the last one took, within
 * a bound. */
#define PACE 8
#define PACE_MAX_MS 2000

struct committer {
	struct committer_config config;
	struct ev_loop *loop;
	ev_timer timer; /* the next commit or the next attempt */
	struct backoff backoff;
	bool blocked;
	uint64_t blocked_since_ms;
	uint64_t took_ms; /* the last one that wrote the forms */
	char why[160];
	char unwell[240];
};

static void
start_timer(struct committer *committer, unsigned ms)
{
	ev_timer_stop(committer->loop, &committer->timer);
	ev_now_update(committer->loop);
	ev_timer_set(&committer->timer, ms / 1e3, 0);
	ev_timer_start(committer->loop, &committer->timer);
}

static void
fail(struct committer *committer, int error)
{
	static struct log_limit limit = LOG_LIMIT(3, 10000);
	struct store *store = committer->config.store;

	if (error == EBADMSG)
		store_corrupt(committer->config.store, committer->config.name);
	snprintf(committer->why, sizeof(committer->why), "%s (%s)", strerror(error),
	    store->ops->failure(store));
	log_limited(&limit, LOG_ERROR, "unable to commit: %s; nothing is read until it works again",
	    committer->why);
	start_timer(committer, backoff_next(&committer->backoff));
	if (committer->blocked)
		return;
	committer->blocked = true;
	committer->blocked_since_ms = clock_monotonic_ms();
	committer->config.events->blocked(committer->config.owner, true);
}

static void
unblock(struct committer *committer)
{
	if (!committer->blocked) {
		backoff_reset(&committer->backoff);
		return;
	}
	/* The backoff stays: what made an event fail may be there still. */
	committer->blocked = false;
	log_info("committing again, after %.1f s",
	    (double)(clock_monotonic_ms() - committer->blocked_since_ms) / 1e3);
	committer->config.events->blocked(committer->config.owner, false);
}

static int
attempt(struct committer *committer, bool forms)
{
	struct apply *apply = committer->config.apply;
	uint64_t start = clock_monotonic_ns();
	int result = apply_commit(apply, forms, clock_wall_ms());

	uint64_t took_us = (clock_monotonic_ns() - start) / 1000;
	histogram_observe(&histogram_commit, (int64_t)took_us);
	if (forms)
		committer->took_ms = took_us / 1000;
	if (result < 0) {
		counters[COUNTER_commits_failed]++;
		fail(committer, errno);
		return -1;
	}
	counters[COUNTER_commits]++;
	if (!apply_pending(apply))
		ev_timer_stop(committer->loop, &committer->timer);
	committer->config.events->committed(committer->config.owner);
	unblock(committer);
	return 0;
}

int
committer_commit(struct committer *committer)
{
	if (committer->blocked || apply_pending(committer->config.apply))
		return attempt(committer, true);
	return 0;
}

static void
on_timer(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct committer *committer = container_of(timer, struct committer, timer);

	if (committer_commit(committer) < 0)
		log_debug("next attempt to commit follows");
}

struct committer *
committer_new(struct ev_loop *loop, const struct committer_config *config)
{
	struct committer *committer = mem_zalloc(sizeof(*committer));

	committer->loop = loop;
	committer->config = *config;
	committer->backoff = (struct backoff)BACKOFF(RETRY_MIN_MS, RETRY_MAX_MS);
	ev_timer_init(&committer->timer, on_timer, 0, 0);
	return committer;
}

void
committer_free(struct committer **committer)
{
	ev_timer_stop((*committer)->loop, &(*committer)->timer);
	MEM_FREE(committer);
}

void
committer_note(struct committer *committer)
{
	if (committer->blocked)
		return;
	if (apply_full(committer->config.apply) && attempt(committer, false) < 0) {
		log_debug("next attempt to commit follows");
		return;
	}
	if (ev_is_active(&committer->timer) || !apply_pending(committer->config.apply))
		return;
	uint64_t pace_ms = MIN(PACE * committer->took_ms, PACE_MAX_MS);
	start_timer(committer, MAX(committer->config.interval_ms, (unsigned)pace_ms));
}

void
committer_stall(struct committer *committer, int error)
{
	fail(committer, error);
}

void
committer_read_failed(struct committer *committer, int error)
{
	if (error == EBADMSG)
		store_corrupt(committer->config.store, committer->config.name);
}

bool
committer_is_blocked(const struct committer *committer)
{
	return committer->blocked;
}

const char *
committer_unwell(struct committer *committer)
{
	if (!committer->blocked)
		return NULL;
	snprintf(committer->unwell, sizeof(committer->unwell), "unable to commit for %.0f s: %s",
	    (double)(clock_monotonic_ms() - committer->blocked_since_ms) / 1e3, committer->why);
	return committer->unwell;
}
