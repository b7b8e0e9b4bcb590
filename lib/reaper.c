/* SPDX-License-Identifier: MIT */
#include "lib/reaper.h"

#include <stddef.h>

#include "lib/base.h"

static struct ev_loop *reaper_loop;
static struct reap *waiting;
/* Never started, only fed. */
static ev_prepare turn_end;

static void
free_waiting(void)
{
	while (waiting) {
		struct reap *reap = waiting;

		waiting = reap->next;
		reap->free(reap);
	}
}

static void
turn_has_ended(struct ev_loop *loop UNUSED, ev_prepare *watcher UNUSED, int events UNUSED)
{
	free_waiting();
}

void
reaper_add(struct ev_loop *loop, struct reap *reap, void (*free_object)(struct reap *reap))
{
	if (!reaper_loop) {
		reaper_loop = loop;
		ev_prepare_init(&turn_end, turn_has_ended);
		ev_set_priority(&turn_end, EV_MINPRI);
	}
	reap->free = free_object;
	reap->next = waiting;
	waiting = reap;
	ev_feed_event(loop, &turn_end, EV_CUSTOM);
}

void
reaper_drain(void)
{
	free_waiting();
	if (reaper_loop)
		ev_clear_pending(reaper_loop, &turn_end);
	reaper_loop = NULL;
}
