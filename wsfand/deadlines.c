/* SPDX-License-Identifier: MIT */
#include "wsfand/deadlines.h"

#include <stdlib.h>

#include "lib/base.h"
#include "lib/clock.h"
#include "lib/mem.h"

/* Timers are not so exact that a wake-up for less would pay. */
#define GRAIN 0.001

/* Not ev_now(), which follows the wall clock when that is set. */
static ev_tstamp
now(void)
{
	return (ev_tstamp)clock_monotonic_ns() / 1e9;
}

static void
arm(struct deadlines *deadlines)
{
	struct deadline *first;
	ev_tstamp wait;

	if (list_empty(&deadlines->list))
		return;
	first = LIST_FIRST(&deadlines->list, struct deadline, node);
	wait = first->due - now();
	ev_timer_set(&deadlines->timer, MAX(wait, GRAIN), 0);
	ev_timer_start(deadlines->loop, &deadlines->timer);
}

static void
on_timer(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct deadlines *deadlines = container_of(timer, struct deadlines, timer);

	while (!list_empty(&deadlines->list)) {
		struct deadline *first = LIST_FIRST(&deadlines->list, struct deadline, node);

		if (first->due > now())
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
	deadline->due = now() + deadlines->after;
	list_append(&deadlines->list, &deadline->node);
	if (!ev_is_active(&deadlines->timer))
		arm(deadlines);
}

void
deadline_lift(struct deadline *deadline)
{
	list_remove(&deadline->node);
}

struct deadline *
deadlines_first(const struct deadlines *deadlines)
{
	return list_empty(&deadlines->list) ? NULL
					    : LIST_FIRST(&deadlines->list, struct deadline, node);
}

double
deadlines_age(const struct deadlines *deadlines)
{
	const struct deadline *first = deadlines_first(deadlines);

	return first == NULL ? 0 : MAX(deadlines->after - (first->due - now()), 0);
}

uint64_t
deadline_left_us(const struct deadlines *deadlines, const struct deadline *deadline)
{
	ev_tstamp left = deadline->due - now();

	if (!deadline_is_set(deadline))
		return 0;
	return 1 + (uint64_t)(MIN(MAX(left, 0), deadlines->after) * 1e6);
}

void
deadline_put(struct deadlines *deadlines, struct deadline *deadline, uint64_t left_us)
{
	if (left_us == 0)
		return;
	deadline->due = now() + MIN((ev_tstamp)(left_us - 1) / 1e6, deadlines->after);
	list_append(&deadlines->list, &deadline->node);
}

static int
compare_due(const void *a, const void *b)
{
	ev_tstamp left = (*(struct deadline *const *)a)->due;
	ev_tstamp right = (*(struct deadline *const *)b)->due;

	return (left > right) - (left < right);
}

void
deadlines_settle(struct deadlines *deadlines)
{
	struct deadline **all;
	size_t count = 0, i = 0;

	if (list_empty(&deadlines->list))
		return;
	LIST_FOR_EACH (node, &deadlines->list)
		count++;
	all = mem_array(NULL, count, sizeof(struct deadline *));
	LIST_FOR_EACH (node, &deadlines->list)
		all[i++] = container_of(node, struct deadline, node);
	qsort(all, count, sizeof(struct deadline *), compare_due);
	list_init(&deadlines->list);
	for (i = 0; i < count; i++)
		list_append(&deadlines->list, &all[i]->node);
	MEM_FREE(&all);
	ev_timer_stop(deadlines->loop, &deadlines->timer);
	arm(deadlines);
}
