/* SPDX-License-Identifier: MIT */
#include "wsfand/deadlines.h"

#include "lib/base.h"

/* Timers are not so exact that a wake-up for less would pay. */
#define GRAIN 0.001

static void
arm(struct deadlines *deadlines)
{
	struct deadline *first;
	ev_tstamp wait;

	if (list_empty(&deadlines->list))
		return;
	first = LIST_FIRST(&deadlines->list, struct deadline, node);
	wait = first->due - ev_now(deadlines->loop);
	ev_timer_set(&deadlines->timer, MAX(wait, GRAIN), 0);
	ev_timer_start(deadlines->loop, &deadlines->timer);
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events UNUSED)
{
	struct deadlines *deadlines = container_of(timer, struct deadlines, timer);

	while (!list_empty(&deadlines->list)) {
		struct deadline *first = LIST_FIRST(&deadlines->list, struct deadline, node);

		if (first->due > ev_now(loop))
			break;
		list_remove(&first->node);
		deadlines->expired(deadlines, first);
	}
	/* `expired` may have started it. */
	if (!ev_is_active(&deadlines->timer))
		arm(deadlines);
}

void
deadlines_init(struct deadlines *deadlines, struct ev_loop *loop, ev_tstamp after,
    void (*expired)(struct deadlines *, struct deadline *))
{
	deadlines->loop = loop;
	deadlines->after = after;
	deadlines->expired = expired;
	list_init(&deadlines->list);
	ev_timer_init(&deadlines->timer, on_timer, 0, 0);
}

void
deadlines_stop(struct deadlines *deadlines)
{
	ev_timer_stop(deadlines->loop, &deadlines->timer);
}

void
deadline_init(struct deadline *deadline)
{
	list_init(&deadline->node);
	deadline->due = 0;
}

void
deadline_set(struct deadlines *deadlines, struct deadline *deadline)
{
	list_remove(&deadline->node);
	deadline->due = ev_now(deadlines->loop) + deadlines->after;
	list_append(&deadlines->list, &deadline->node);
	if (!ev_is_active(&deadlines->timer))
		arm(deadlines);
}

void
deadline_lift(struct deadline *deadline)
{
	list_remove(&deadline->node);
}

double
deadlines_age(const struct deadlines *deadlines)
{
	const struct deadline *first;

	if (list_empty(&deadlines->list))
		return 0;
	first = LIST_FIRST(&deadlines->list, struct deadline, node);
	return MAX(deadlines->after - (first->due - ev_now(deadlines->loop)), 0);
}
