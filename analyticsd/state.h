/* SPDX-License-Identifier: MIT */
/* state: everything that is counted, as one: a store and what stands in front of it. There are
 * two of them while all is counted anew (analyticsd/states.h). */
#ifndef ANALYTICSD_STATE_H
#define ANALYTICSD_STATE_H

#include <ev.h>
#include <stdbool.h>

#include "analyticsd/apply.h"
#include "analyticsd/committer.h"

struct state;

struct state_events {
	/* apply.h's and committer.h's, with the state that they are about. */
	void (*changed)(void *owner, struct state *state, struct hot_form *hot, int64_t at_ms);
	void (*blocked)(void *owner, struct state *state, bool blocked);
	void (*committed)(void *owner, struct state *state);
};

struct state_config {
	struct ev_loop *loop;
	const struct zone *zone;
	size_t max_forms, max_forms_bytes;
	unsigned commit_interval_ms;
	const struct state_events *events;
	void *owner;
};

struct state {
	const struct state_config *config;
	const char *name; /* of its file, for people */
	struct store *store; /* the caller's */
	struct ledger *ledger;
	struct forms *forms;
	struct apply *apply;
	struct committer *committer;
	/* At the end of each turn of the loop one step for the forms that are being counted anew;
	 * while there are any the loop does not wait. */
	ev_prepare turn_end;
	ev_idle busy;
};

/* All but `name` and `store`, which stand in it. -1 with the store's errno: nothing was made. */
MUST_CHECK int state_open(struct state *state, const struct state_config *config);
/* All is committed, and no events come any more: it is only looked at, and gives memory back. */
void state_rest(struct state *state);
/* What is not committed is forgotten; the store stays. */
void state_close(struct state *state);

#endif
