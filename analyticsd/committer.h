/* SPDX-License-Identifier: MIT */
/* committer: when to commit, and what to do when it does not work.
 *
 *   clean ──note()──▶ waiting (DUNE_COMMIT_INTERVAL_MS) ──▶ clean
 *                        │ fails                              ▲
 *                        ▼                                    │ works
 *                     blocked: nothing more is read, what is there stays in memory and is tried
 *                     again, 100 ms to 5 s later
 *
 * A store that turns out to be corrupt is set aside and the process ends with 111: the next one
 * starts empty and reads the source anew. */
#ifndef ANALYTICSD_COMMITTER_H
#define ANALYTICSD_COMMITTER_H

#include <ev.h>
#include <stdbool.h>

#include "analyticsd/apply.h"

struct committer;

struct committer_events {
	/* Stop applying (true), or go on. */
	void (*blocked)(void *owner, bool blocked);
	/* After each commit; the state stands at apply_position(). */
	void (*committed)(void *owner);
};

struct committer_config {
	const char *name; /* of the store, for people */
	struct apply *apply;
	struct store *store;
	unsigned interval_ms;
	const struct committer_events *events;
	void *owner;
};

struct committer *committer_new(struct ev_loop *loop, const struct committer_config *config);
void committer_free(struct committer **committer);

/* Something was applied: it is committed in time, or now when it is much. */
void committer_note(struct committer *committer);
/* Commits now. 0; -1: blocked. */
MUST_CHECK int committer_commit(struct committer *committer);
/* Applying failed with this errno: as if a commit had. */
void committer_stall(struct committer *committer, int error);
/* Something else could not be read, with this errno: a corrupt store is set aside and the process
 * ends, as after a failed commit; the rest is tried again by whoever wanted to read. */
void committer_read_failed(struct committer *committer, int error);
bool committer_is_blocked(const struct committer *committer);
/* NULL, or why nothing can be committed, in words. */
const char *committer_unwell(struct committer *committer);

#endif
