/* SPDX-License-Identifier: MIT */
#include "analyticsd/state.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "analyticsd/forms_recount.h"
#include "lib/clock.h"

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
on_committed(void *owner)
{
	struct state *state = owner;

	state->config->events->committed(state->config->owner, state);
}

static const struct committer_events committer_events = {
    .blocked = on_blocked, .committed = on_committed};

/* Only keeps the loop from waiting. */
static void
on_busy(struct ev_loop *loop UNUSED, ev_idle *watcher UNUSED, int events UNUSED)
{
}

static void
on_turn_end(struct ev_loop *loop, ev_prepare *watcher, int events UNUSED)
{
	struct state *state = container_of(watcher, struct state, turn_end);
	struct hot_form *done;

	if (!forms_recounting(state->forms) || committer_is_blocked(state->committer)) {
		ev_idle_stop(loop, &state->busy);
		return;
	}
	ev_idle_start(loop, &state->busy);
	int result = forms_step(state->forms, clock_wall_ms(), &done);
	if (result < 0) {
		committer_stall(state->committer, errno);
		return;
	}
	if (result > 0)
		on_changed(state, done, -1);
	committer_note(state->committer);
}

static void
start_steps(struct state *state)
{
	ev_idle_init(&state->busy, on_busy);
	ev_prepare_init(&state->turn_end, on_turn_end);
	ev_prepare_start(state->config->loop, &state->turn_end);
}

/* Hooks for the tests: DUNE_TEST_STEP_ROWS, so many rows at once of a form that is counted anew;
 * DUNE_TEST_FULL_EVENTS, so many events do not wait for a commit, which leaves out the rows of
 * forms then. */
static size_t
test_number(const char *name)
{
	const char *text = getenv(name);

	return text != NULL ? strtoul(text, NULL, 10) : 0;
}

int
state_open(struct state *state, const struct state_config *config)
{
	state->config = config;
	state->ledger = ledger_new(state->store);
	if (state->ledger != NULL)
		state->forms = forms_new(&(struct forms_config){.store = state->store,
					     .ledger = state->ledger,
					     .zone = config->zone,
					     .max = config->max_forms,
					     .max_bytes = config->max_forms_bytes,
					     .step_rows = test_number("DUNE_TEST_STEP_ROWS")},
		    clock_wall_ms());
	if (state->forms != NULL)
		state->apply = apply_new(&(struct apply_config){.store = state->store,
		    .ledger = state->ledger,
		    .forms = state->forms,
		    .full_events = test_number("DUNE_TEST_FULL_EVENTS"),
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
	start_steps(state);
	/* What a death has left to be written. */
	committer_note(state->committer);
	return 0;
}

void
state_rest(struct state *state)
{
	forms_rest(state->forms);
	state->store->ops->rest(state->store);
	malloc_trim(0);
}

void
state_close(struct state *state)
{
	if (state->committer != NULL) {
		ev_prepare_stop(state->config->loop, &state->turn_end);
		ev_idle_stop(state->config->loop, &state->busy);
		committer_free(&state->committer);
	}
	if (state->apply != NULL)
		apply_free(&state->apply);
	if (state->forms != NULL)
		forms_free(&state->forms);
	if (state->ledger != NULL)
		ledger_free(&state->ledger);
}
