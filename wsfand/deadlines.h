/* SPDX-License-Identifier: MIT */
/* deadlines: any number of objects that share one length of time. Since all wait
 * equally long, the list is in order by itself: setting and lifting a deadline costs a
 * few pointers, and one timer serves all. It does not run while the list is empty. */
#ifndef WSFAND_DEADLINES_H
#define WSFAND_DEADLINES_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"

/* Embedded in what waits; found again with container_of. */
struct deadline {
	struct list node;
	ev_tstamp due;
};

struct deadlines {
	struct ev_loop *loop;
	ev_timer timer;
	struct list list; /* the next due is first */
	ev_tstamp after;
	/* It stands on no list any more; it may be set again, and others may be lifted. */
	void (*expired)(struct deadlines *deadlines, struct deadline *deadline);
};

/* `after` in seconds. */
void deadlines_init(struct deadlines *deadlines, struct ev_loop *loop, ev_tstamp after,
    void (*expired)(struct deadlines *, struct deadline *));
void deadlines_stop(struct deadlines *deadlines);

void deadline_init(struct deadline *deadline);
/* From now on; one that is set already starts anew. */
void deadline_set(struct deadlines *deadlines, struct deadline *deadline);
/* Also when it is not set. */
void deadline_lift(struct deadline *deadline);
/* The one that is next due; NULL: none is set. */
struct deadline *deadlines_first(const struct deadlines *deadlines);
/* Seconds since the one that is next due was set; 0 when none is. */
double deadlines_age(const struct deadlines *deadlines);

/* For an upgrade in place: how long it still waits, as estates have it (microseconds and 1 more;
 * 0: it is not set), and the reverse, for one that is not set: at most `after` from now on. Those
 * that were put come in any order; deadlines_settle() puts them into theirs, once, before the
 * loop goes on. */
uint64_t deadline_left_us(const struct deadlines *deadlines, const struct deadline *deadline);
void deadline_put(struct deadlines *deadlines, struct deadline *deadline, uint64_t left_us);
void deadlines_settle(struct deadlines *deadlines);

static inline bool
deadline_is_set(const struct deadline *deadline)
{
	return !list_empty(&deadline->node);
}

#endif
