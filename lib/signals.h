/* SPDX-License-Identifier: MIT */
/* signals: TERM, INT and HUP as events of the loop. */
#ifndef LIB_SIGNALS_H
#define LIB_SIGNALS_H

#include <ev.h>

struct signal_events {
	/* TERM or INT, the first time; the daemon ends when it is done. The second one exits
	 * with 0 at once. */
	void (*terminate)(void *owner);
	/* HUP; may be NULL (then it is ignored). */
	void (*reload)(void *owner);
};

/* One per process. The watchers do not keep the loop alive. */
void signals_init(struct ev_loop *loop, const struct signal_events *events, void *owner);
void signals_free(struct ev_loop *loop);

#endif
