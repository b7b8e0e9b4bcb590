/* SPDX-License-Identifier: MIT */
/* reaper: close now, free later. What may be freed inside one of its own
 * callbacks is handed here instead, and is freed when no callback is on the
 * stack: by an event of the lowest priority, still in the same turn of the loop. */
#ifndef LIB_REAPER_H
#define LIB_REAPER_H

#include <ev.h>

/* Embedded in what is to be freed. */
struct reap {
	struct reap *next;
	void (*free)(struct reap *reap);
};

/* All of one process use one loop. An object is added once. */
void reaper_add(struct ev_loop *loop, struct reap *reap, void (*free_object)(struct reap *reap));

/* Frees what waits, now: at the end of main(), after the loop has returned and
 * before the loop is destroyed. */
void reaper_drain(void);

#endif
