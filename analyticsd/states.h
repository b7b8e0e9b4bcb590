/* SPDX-License-Identifier: MIT */
/* states: the state that viewers see, and, while everything is counted anew, the one that is being
 * made beside it (docs/architecture.md, "Counted anew").
 *
 *   served ── viewers                      served ── viewers, "stale": true
 *   active ── events         rebuild()     active ── events        rebuilt()
 *   (the same)                  ──▶        (the new one)              ──▶    (the new one is both)
 *
 * At the start a rebuild that was left unfinished is gone on with, one that was finished has been
 * put in place by store_sqlite_open(). */
#ifndef ANALYTICSD_STATES_H
#define ANALYTICSD_STATES_H

#include <ev.h>
#include <stdbool.h>

#include "analyticsd/state.h"

struct states;

struct states_events {
	/* Of the state that viewers see: a form is another than before. */
	void (*changed)(void *owner, struct hot_form *hot, int64_t at_ms);
	/* Of the one that takes events: as committer.h's. */
	void (*blocked)(void *owner, bool blocked);
	void (*committed)(void *owner);
	/* A rebuild has begun: what viewers see is stale. */
	void (*stale)(void *owner);
	/* What viewers see ends: let go of its forms. turned() follows, with the new one there. */
	void (*turning)(void *owner);
	void (*turned)(void *owner);
};

struct states_config {
	const char *directory;
	const struct zone *zone;
	size_t max_forms, max_forms_bytes;
	unsigned commit_interval_ms;
	const struct states_events *events;
	void *owner;
};

/* Dies with 100 or 111 when the store cannot be opened. */
struct states *states_new(struct ev_loop *loop, const struct states_config *config);
void states_free(struct states **states);

struct state *states_served(struct states *states);
struct state *states_active(struct states *states);
/* They are not the same. */
bool states_rebuilding(const struct states *states);
/* What viewers see is not all that there is: of before a rebuild, or of a first scan that runs. */
bool states_stale(const struct states *states);

/* Begins to count anew, or begins that again. 0; -1: not now, it is to be offered again once
 * blocked(false) has come. */
MUST_CHECK int states_rebuild(struct states *states);
/* All that there is has been applied to the new one: viewers see it from now on. The same -1.
 * Nothing happens when nothing is being rebuilt. */
MUST_CHECK int states_rebuilt(struct states *states);

/* An hour has turned: form_set_now() for all forms. */
void states_set_now(struct states *states, int64_t now_ms);

#endif
