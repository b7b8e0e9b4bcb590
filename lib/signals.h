/* SPDX-License-Identifier: MIT */
/* signals: TERM, INT, HUP and USR2 as events of the loop. */
#ifndef LIB_SIGNALS_H
#define LIB_SIGNALS_H

#include <ev.h>

struct signal_events {
	/* TERM or INT, the first time; the daemon ends when it is done. The second one exits
	 * with 0 at once, whatever the process does. */
	void (*terminate)(void *owner);
	/* HUP; may be NULL (then it is ignored). */
	void (*reload)(void *owner);
	/* USR2; may be NULL (then it is not watched, and ends the process as ever). */
	void (*upgrade)(void *owner);
};

/* The first thing in main(), for who wants HUP and USR2: whoever sends them cannot know whether the
 * watchers stand yet, and without these one dies of both. They stay pending until
 * signals_release(). TERM and INT are not meant: they end what hangs in its start. */
void signals_hold_early(void);

/* One per process. The watchers do not keep the loop alive. */
void signals_init(struct ev_loop *loop, const struct signal_events *events, void *owner);
void signals_free(struct ev_loop *loop);

/* For executing another image in this process: what comes from now on stays pending, over
 * execve(2), until it is released there (or here, where that failed) with its watchers in place.
 * Those that came before are still events of the loop's next turn. */
void signals_hold(void);
void signals_release(void);

#endif
