/* SPDX-License-Identifier: MIT */
#include "analyticsd/state.h"

#include <errno.h>

static void
on_changed(void *owner, struct hot_form *hot, int64_t at_ms)
{
	struct state *state = owner;

	state->config->events->changed(state->config->owner, state, hot, at_ms);
}

static void
on_blocked(void *owner, bool blocked)
{
	struct state *state = owner;

	state->config->events->blocked(state->config->owner, state, blocked);
}

static void
on_moved(void *owner)
{
	struct state *state = owner;

	state->config->events->moved(state->config->owner, state);
}

static const struct committer_events committer_events = {.blocked = on_blocked, .moved = on_moved};

int
state_open(struct state *state, const struct state_config *config)
{
	state->config = config;
	state->ledger = ledger_new(state->store);
	if (state->ledger != NULL)
		state->forms = forms_new(&(struct forms_config){.store = state->store,
		    .ledger = state->ledger,
		    .zone = config->zone,
		    .max = config->max_forms});
	if (state->forms != NULL)
		state->apply = apply_new(&(struct apply_config){.store = state->store,
		    .ledger = state->ledger,
		    .forms = state->forms,
		    .changed = on_changed,
		    .owner = state});
	if (state->apply == NULL) {
		int error = errno;
		state_close(state);
		errno = error;
		return -1;
	}
	state->committer = committer_new(config->loop,
	    &(struct committer_config){.name = state->name,
		.apply = state->apply,
		.store = state->store,
		.interval_ms = config->commit_interval_ms,
		.events = &committer_events,
		.owner = state});
	return 0;
}

void
state_close(struct state *state)
{
	if (state->committer != NULL)
		committer_free(&state->committer);
	if (state->apply != NULL)
		apply_free(&state->apply);
	if (state->forms != NULL)
		forms_free(&state->forms);
	if (state->ledger != NULL)
		ledger_free(&state->ledger);
}
