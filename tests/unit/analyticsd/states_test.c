/* SPDX-License-Identifier: MIT */
/* The old state and the one that is being made beside it, over real files: what viewers see in each
 * phase, and what is left of a death between any two steps. */
#include "analyticsd/states.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyticsd/zone.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "tests/unit/unit.h"

#define NOW INT64_C(1772357400000)

struct world {
	struct ev_loop *loop;
	struct zone *zone;
	struct states *states;
	unsigned stale, turning, turned, moved, changed;
	bool blocked;
};

static void
on_changed(void *owner, struct hot_form *hot UNUSED, int64_t at_ms UNUSED)
{
	((struct world *)owner)->changed++;
}

static void
on_blocked(void *owner, bool blocked)
{
	((struct world *)owner)->blocked = blocked;
}

static void
on_moved(void *owner)
{
	((struct world *)owner)->moved++;
}

static void
on_stale(void *owner)
{
	((struct world *)owner)->stale++;
}

static void
on_turning(void *owner)
{
	((struct world *)owner)->turning++;
}

static void
on_turned(void *owner)
{
	((struct world *)owner)->turned++;
}

static const struct states_events events = {
    on_changed, on_blocked, on_moved, on_stale, on_turning, on_turned};

static void
up(struct world *w)
{
	w->states = states_new(w->loop,
	    &(struct states_config){.directory = unit_directory(),
		.zone = w->zone,
		.max_forms = 100,
		.commit_interval_ms = 100,
		.events = &events,
		.owner = w});
}

static void
begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	log_init("test", LOG_ERROR, LOG_TEXT);
	w->loop = ev_loop_new(0);
	w->zone = zone_open("UTC");
	up(w);
}

static void
end(struct world *w)
{
	states_free(&w->states);
	zone_close(&w->zone);
	ev_loop_destroy(w->loop);
}

/* As a SIGKILL, but for the WAL, which SQLite empties. */
static void
restart(struct world *w)
{
	states_free(&w->states);
	up(w);
}

static void
put(struct world *w, int position, int id)
{
	static struct event event; /* for the alignment of its bson_t */
	char json[400];
	bson_error_t error;

	snprintf(json, sizeof(json),
	    "{\"op\":\"response\",\"position\":{\"n\":%d},\"doc\":{\"_id\":%d,\"formId\":"
	    "{\"$oid\":\"000000000000000000000007\"},\"answers\":[]}}",
	    position, id);
	bson_t *doc = bson_new_from_json((const uint8_t *)json, -1, &error);
	CHECK(doc != NULL);
	CHECK(event_read(&event, doc));
	CHECK_INT(apply_document(states_active(w->states)->apply, &event, NOW), 0);
	bson_destroy(doc);
}

static void
commit(struct world *w)
{
	CHECK_INT(committer_commit(states_active(w->states)->committer), 0);
}

static uint64_t
total(struct state *state)
{
	struct form_id id = {{0}};
	struct hot_form *hot;

	id.bytes[11] = 7;
	int found = forms_find(state->forms, &id, NOW, &hot);
	CHECK(found >= 0);
	return found > 0 ? form_total(hot->form) : 0;
}

/* What viewers see, and what stands where events go. */
static void
check(struct world *w, bool rebuilding, unsigned served, unsigned active)
{
	CHECK_INT(states_rebuilding(w->states), rebuilding);
	CHECK_INT(total(states_served(w->states)), served);
	CHECK_INT(total(states_active(w->states)), active);
}

static int
position(struct world *w)
{
	const struct buf *bytes = apply_position(states_active(w->states)->apply);
	bson_iter_t iter;
	bson_t doc;

	if (buf_length(bytes) == 0)
		return 0;
	CHECK(bson_init_static(&doc, buf_bytes(bytes), buf_length(bytes)));
	CHECK(bson_iter_init_find(&iter, &doc, "n"));
	return bson_iter_int32(&iter);
}

static bool
exists(const char *name)
{
	char *path = mem_printf("%s/%s", unit_directory(), name);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

/* Three responses, committed at position 3; then a rebuild that has one, not committed. */
static void
begin_rebuild(struct world *w)
{
	begin(w);
	put(w, 1, 1);
	put(w, 2, 2);
	put(w, 3, 3);
	CHECK_INT(states_rebuild(w->states), 0);
	put(w, 4, 1);
	check(w, true, 3, 1);
}

TEST(states_rebuild_beside_the_old_and_replace_it)
{
	struct world w;

	begin_rebuild(&w);
	CHECK_INT(w.stale, 1);
	CHECK_INT(w.changed, 3); /* viewers hear nothing of what the new one counts */
	CHECK_INT(w.moved, 1);
	put(&w, 5, 2);
	CHECK_INT(states_rebuilt(w.states), 0);
	CHECK_INT(w.turning, 1);
	CHECK_INT(w.turned, 1);
	check(&w, false, 2, 2);
	CHECK_INT(position(&w), 5);
	CHECK(!exists("analytics.db.rebuild"));
	put(&w, 6, 9);
	CHECK_INT(w.changed, 4);
	commit(&w);
	restart(&w);
	check(&w, false, 3, 3);
	CHECK_INT(position(&w), 6);
	end(&w);
}

TEST(states_forget_a_rebuild_that_has_committed_nothing)
{
	struct world w;

	begin_rebuild(&w);
	restart(&w);
	check(&w, false, 3, 3);
	CHECK_INT(position(&w), 3);
	CHECK(!exists("analytics.db.rebuild"));
	end(&w);
}

TEST(states_go_on_with_a_rebuild_that_has_committed)
{
	struct world w;

	begin_rebuild(&w);
	commit(&w);
	restart(&w);
	check(&w, true, 3, 1);
	CHECK_INT(position(&w), 4);
	put(&w, 5, 2);
	CHECK_INT(states_rebuilt(w.states), 0);
	check(&w, false, 2, 2);
	end(&w);
}

TEST(states_begin_a_rebuild_over)
{
	struct world w;

	begin_rebuild(&w);
	commit(&w);
	CHECK_INT(states_rebuild(w.states), 0);
	CHECK_INT(w.stale, 2);
	check(&w, true, 3, 0);
	put(&w, 7, 5);
	CHECK_INT(states_rebuilt(w.states), 0);
	check(&w, false, 1, 1);
	end(&w);
}

TEST(states_take_rebuilt_without_a_rebuild_for_nothing)
{
	struct world w;

	begin(&w);
	put(&w, 1, 1);
	CHECK_INT(states_rebuilt(w.states), 0);
	CHECK_INT(w.turned, 0);
	check(&w, false, 1, 1);
	end(&w);
}

/* A death behind the mark: the next start puts the new one in place. */
TEST(states_put_a_finished_rebuild_in_place)
{
	struct world w;

	begin_rebuild(&w);
	commit(&w);
	CHECK_INT(store_rebuild_finish(states_active(w.states)->store), 0);
	restart(&w);
	check(&w, false, 1, 1);
	CHECK_INT(position(&w), 4);
	CHECK(!exists("analytics.db.rebuild"));
	end(&w);
}

static void
copy(const char *from, const char *to)
{
	char *command = mem_printf("cp %s/%s %s/%s", unit_directory(), from, unit_directory(), to);

	CHECK_INT(system(command), 0);
	free(command);
}

/* A death between the mark and the removal of the old WAL, which belongs to no new state. */
TEST(states_do_not_play_an_old_wal_into_the_new_state)
{
	struct world w;

	begin_rebuild(&w);
	commit(&w);
	CHECK_INT(store_rebuild_finish(states_active(w.states)->store), 0);
	CHECK(exists("analytics.db-wal"));
	copy("analytics.db-wal", "kept-wal");
	states_free(&w.states);
	copy("kept-wal", "analytics.db-wal");
	up(&w);
	check(&w, false, 1, 1);
	restart(&w);
	check(&w, false, 1, 1);
	end(&w);
}

TEST(states_throw_a_corrupt_rebuild_away)
{
	struct world w;

	begin_rebuild(&w);
	commit(&w);
	states_free(&w.states);
	char *path = mem_printf("%s/analytics.db.rebuild", unit_directory());
	FILE *file = fopen(path, "r+");
	CHECK(file != NULL && fputs("this is no database at all", file) >= 0);
	fclose(file);
	free(path);
	log_init("test", LOG_ERROR, LOG_TEXT);
	up(&w);
	check(&w, false, 3, 3);
	CHECK_INT(position(&w), 3);
	end(&w);
}

static char *
full_disk(void)
{
	char *file = mem_printf("%s/full", unit_directory());

	setenv("DUNE_TEST_FAIL_COMMIT", file, 1);
	return file;
}

TEST(states_wait_for_room_before_they_turn)
{
	char *full = full_disk();
	struct world w;

	begin_rebuild(&w);
	fclose(fopen(full, "w"));
	CHECK_INT(states_rebuilt(w.states), -1);
	CHECK(w.blocked);
	check(&w, true, 3, 1);
	unlink(full);
	commit(&w);
	CHECK(!w.blocked);
	CHECK_INT(states_rebuilt(w.states), 0);
	check(&w, false, 1, 1);
	end(&w);
	free(full);
}

TEST(states_begin_no_rebuild_before_the_old_one_is_committed)
{
	char *full = full_disk();
	struct world w;

	begin(&w);
	put(&w, 1, 1);
	fclose(fopen(full, "w"));
	CHECK_INT(states_rebuild(w.states), -1);
	CHECK(w.blocked);
	check(&w, false, 1, 1);
	CHECK_INT(w.stale, 0);
	unlink(full);
	commit(&w);
	CHECK_INT(states_rebuild(w.states), 0);
	check(&w, true, 1, 0);
	end(&w);
	free(full);
}
