/* SPDX-License-Identifier: MIT */
#include "analyticsd/states.h"

#include <errno.h>
#include <stdlib.h>

#include "analyticsd/counters.h"
#include "analyticsd/store_corrupt.h"
#include "lib/clock.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/mem.h"

struct states {
	struct states_config config;
	struct state_config each;
	struct state *served;
	struct state *next; /* NULL: nothing is being rebuilt */
	uint64_t begun_ms; /* when `next` was, in this process */
};

struct state *
states_served(struct states *states)
{
	return states->served;
}

struct state *
states_active(struct states *states)
{
	return states->next != NULL ? states->next : states->served;
}

bool
states_rebuilding(const struct states *states)
{
	return states->next != NULL;
}

bool
states_stale(const struct states *states)
{
	return states->next != NULL || apply_partial(states->served->apply);
}

static void
on_changed(void *owner, struct state *state, struct hot_form *hot, int64_t at_ms)
{
	struct states *states = owner;

	if (state == states->served)
		states->config.events->changed(states->config.owner, hot, at_ms);
}

static void
on_blocked(void *owner, struct state *state, bool blocked)
{
	struct states *states = owner;

	if (state == states_active(states))
		states->config.events->blocked(states->config.owner, blocked);
}

static void
on_committed(void *owner, struct state *state)
{
	struct states *states = owner;

	if (state == states_active(states))
		states->config.events->committed(states->config.owner);
}

static const struct state_events state_events = {
    .changed = on_changed, .blocked = on_blocked, .committed = on_committed};

/* NULL with errno. */
static struct state *
make(struct states *states, struct store *store, const char *name)
{
	struct state *state = mem_zalloc(sizeof(*state));

	state->name = name;
	state->store = store;
	if (state_open(state, &states->each) == 0)
		return state;
	int error = errno;
	free(state);
	errno = error;
	return NULL;
}

NORETURN static void
cannot_read(struct states *states, struct store *store, const char *name)
{
	if (errno == EBADMSG)
		store_corrupt(store, name);
	die_system("unable to read %s/%s", states->config.directory, name);
}

static struct state *
make_or_die(struct states *states, struct store *store, const char *name)
{
	struct state *state = make(states, store, name);

	if (state == NULL)
		cannot_read(states, store, name);
	return state;
}

static void
drop(struct state **state)
{
	if (*state == NULL)
		return;
	state_close(*state);
	(*state)->store->ops->free(&(*state)->store);
	MEM_FREE(state);
}

static void
set_next(struct states *states, struct state *next)
{
	states->next = next;
	states->begun_ms = clock_monotonic_ms();
	counters[COUNTER_rebuilding] = next != NULL;
	if (next != NULL)
		state_rest(states->served);
}

static void
resume(struct states *states)
{
	struct store *store = store_rebuild_resume(states->config.directory);

	if (store == NULL)
		return;
	set_next(states, make_or_die(states, store, "analytics.db.rebuild"));
	log_warn("everything is being counted anew, beside the old numbers: going on with it");
}

struct states *
states_new(struct ev_loop *loop, const struct states_config *config)
{
	struct states *states = mem_zalloc(sizeof(*states));

	states->config = *config;
	states->each = (struct state_config){.loop = loop,
	    .zone = config->zone,
	    .max_forms = config->max_forms,
	    .max_forms_bytes = config->max_forms_bytes,
	    .commit_interval_ms = config->commit_interval_ms,
	    .events = &state_events,
	    .owner = states};
	states->served = make_or_die(states, store_sqlite_open(config->directory), "analytics.db");
	resume(states);
	return states;
}

void
states_free(struct states **states)
{
	drop(&(*states)->next);
	drop(&(*states)->served);
	MEM_FREE(states);
}

/* A fresh one is never corrupt; what it says must not be taken for a fault of the old one. */
static int
fail_to_begin(struct states *states, const char *why)
{
	static struct log_limit limit = LOG_LIMIT(3, 10000);
	int error = errno == EBADMSG ? EIO : errno;

	log_limited(&limit, LOG_ERROR, "unable to begin analytics.db.rebuild: %s", why);
	committer_stall(states->served->committer, error);
	return -1;
}

int
states_rebuild(struct states *states)
{
	bool again = states->next != NULL;
	const char *why = "it cannot be read";

	/* So that the greeting after a death names where the old one really stands. */
	if (!again && committer_commit(states->served->committer) < 0)
		return -1;
	drop(&states->next);
	set_next(states, NULL);
	struct store *store = store_rebuild_begin(states->config.directory, &why);
	if (store != NULL)
		set_next(states, make(states, store, "analytics.db.rebuild"));
	if (states->next == NULL) {
		int error = errno;
		if (store != NULL)
			store->ops->free(&store);
		errno = error;
		return fail_to_begin(states, why);
	}
	counters[COUNTER_rebuilds_begun]++;
	log_warn(
	    "everything is counted anew from the source%s; viewers keep the old numbers, marked "
	    "as stale, until that is done",
	    again ? ", from its beginning once more" : "");
	states->config.events->stale(states->config.owner);
	return 0;
}

int
states_rebuilt(struct states *states)
{
	struct state *next = states->next;

	if (next == NULL)
		return 0;
	if (committer_commit(next->committer) < 0)
		return -1;
	if (store_rebuild_finish(next->store) < 0) {
		committer_stall(next->committer, errno);
		return -1;
	}
	states->config.events->turning(states->config.owner);
	state_close(states->served);
	state_close(next);
	store_rebuild_replace(states->served->store, &next->store);
	MEM_FREE(&states->next);
	if (state_open(states->served, &states->each) < 0)
		cannot_read(states, states->served->store, "analytics.db");
	counters[COUNTER_rebuilds_finished]++;
	log_info("everything is counted anew, after %.1f s: viewers see the new numbers",
	    (double)(clock_monotonic_ms() - states->begun_ms) / 1e3);
	set_next(states, NULL);
	states->config.events->turned(states->config.owner);
	return 0;
}

void
states_set_now(struct states *states, int64_t now_ms)
{
	struct state *const both[] = {states->served, states->next};

	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		if (both[i] == NULL)
			continue;
		forms_set_now(both[i]->forms, now_ms);
		committer_note(both[i]->committer);
	}
}
