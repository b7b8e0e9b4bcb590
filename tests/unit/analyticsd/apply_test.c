/* SPDX-License-Identifier: MIT */
#include "analyticsd/apply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyticsd/counters.h"
#include "analyticsd/hot_definition.h"
#include "analyticsd/forms_recount.h"
#include "analyticsd/store_memory.h"
#include "tests/unit/analyticsd/world.h"
#include "tests/unit/unit.h"

TEST(apply_counts_a_response_once)
{
	struct world w;

	world_begin(&w, 100);
	world_put(&w, 1, 7, 5);
	world_put(&w, 1, 7, 5);
	CHECK_INT(world_total(&w, 7), 1);
	CHECK_INT(w.changes, 1);
	CHECK_INT(counters[COUNTER_unchanged], 1);
	world_commit(&w);
	world_put(&w, 1, 7, 5);
	CHECK_INT(world_total(&w, 7), 1);
	CHECK_INT(w.changes, 1);
	world_end(&w);
}

TEST(apply_measures_what_tells_its_time)
{
	static const char event[] =
	    "{\"op\":\"response\",\"at\":{\"$date\":{\"$numberLong\":\"%lld\"}},\"doc\":{\"_id\":"
	    "{\"$oid\":\"%024d\"},\"formId\":{\"$oid\":\"%024d\"},\"answers\":[]}}";
	struct world w;

	world_begin(&w, 100);
	world_put(&w, 1, 7, 5);
	CHECK_INT(w.at_ms, -1);
	CHECK_INT(apply_lag(w.apply, WORLD_NOW), 0);
	world_take(&w, event, (long long)WORLD_NOW - 20000, 2, 7);
	CHECK_INT(w.at_ms, WORLD_NOW - 20000);
	CHECK_INT(apply_lag(w.apply, WORLD_NOW + APPLY_LAG_AGE_MS), 20000);
	CHECK_INT(apply_lag(w.apply, WORLD_NOW + APPLY_LAG_AGE_MS + 1), 0);
	/* The same again is no change. */
	world_take(&w, event, (long long)WORLD_NOW - 20000, 2, 7);
	CHECK_INT(histogram_applied.counts[histogram_bucket(20000000)], 1);
	CHECK_INT(histogram_applied.sum_us, 20000000);
	/* The source's clock is ahead. */
	world_take(&w, event, (long long)WORLD_NOW + 5000, 3, 7);
	CHECK_INT(histogram_applied.counts[0], 1);
	CHECK_INT(apply_lag(w.apply, WORLD_NOW), 0);
	world_end(&w);
}

TEST(apply_replaces_moves_and_deletes)
{
	struct world w;

	world_begin(&w, 100);
	for (int committed = 0; committed < 2; committed++) {
		world_put(&w, 1, 7, 5);
		world_put(&w, 2, 7, 3);
		if (committed)
			world_commit(&w);
		world_put(&w, 1, 7, 1);
		CHECK_INT(world_total(&w, 7), 2);
		world_put(&w, 1, 8, 1);
		CHECK_INT(world_total(&w, 7), 1);
		CHECK_INT(world_total(&w, 8), 1);
		world_take_away(&w, 1);
		CHECK_INT(world_total(&w, 8), 0);
		world_take_away(&w, 1);
		world_take_away(&w, 2);
		CHECK_INT(world_total(&w, 7), 0);
		world_put(&w, 1, 8, 2);
		CHECK_INT(world_total(&w, 8), 1);
		world_take_away(&w, 1);
		world_commit(&w);
	}
	world_end(&w);
}

TEST(apply_malformed_takes_the_old_one_back)
{
	struct world w;

	world_begin(&w, 100);
	world_put(&w, 1, 7, 5);
	world_put(&w, 2, 7, 5);
	world_take(
	    &w, "{\"op\":\"response\",\"doc\":{\"_id\":{\"$oid\":\"%024d\"},\"formId\":7}}", 1);
	CHECK_INT(world_total(&w, 7), 1);
	world_take(&w, "{\"op\":\"response\",\"doc\":{\"formId\":{\"$oid\":\"%024d\"}}}", 7);
	world_take(&w, "{\"op\":\"response\"}");
	world_take(&w, "{\"op\":\"dance\",\"position\":{\"p\":4}}");
	world_take(&w, "{\"neither\":1}");
	CHECK_INT(world_total(&w, 7), 1);
	CHECK_INT(counters[COUNTER_malformed], 4);
	CHECK_INT(counters[COUNTER_unknown_ops], 1);
	world_commit(&w);
	CHECK(buf_length(apply_position(w.apply)) > 0);
	world_end(&w);
}

TEST(apply_bare_documents_have_no_position)
{
	struct world w;

	world_begin(&w, 100);
	world_take(&w,
	    "{\"_id\":{\"$oid\":\"%024d\"},\"formId\":{\"$oid\":\"%024d\"},\"answers\":[],"
	    "\"submittedAt\":{\"$date\":0}}",
	    1, 7);
	world_take(&w, "{\"_id\":{\"$oid\":\"%024d\"},\"title\":\"T\",\"fields\":[]}", 8);
	CHECK_INT(world_total(&w, 7), 1);
	CHECK(form_known(world_find(&w, 8)->form));
	world_commit(&w);
	CHECK_INT(buf_length(apply_position(w.apply)), 0);
	world_end(&w);
}

TEST(apply_partial_goes_with_the_position)
{
	struct world w;

	world_begin(&w, 100);
	CHECK(!apply_partial(w.apply));
	CHECK(!apply_placed(w.apply));
	world_take(&w, "{\"op\":\"position\",\"position\":{\"p\":1},\"partial\":true}");
	CHECK(apply_placed(w.apply));
	CHECK(apply_partial(w.apply));
	world_commit(&w);
	world_down(&w);
	world_up(&w);
	CHECK(apply_placed(w.apply));
	CHECK(apply_partial(w.apply));
	/* What has no position says nothing of it. */
	world_take(
	    &w, "{\"_id\":1,\"formId\":{\"$oid\":\"000000000000000000000007\"},\"answers\":[]}");
	world_take(&w, "{\"op\":\"position\"}");
	CHECK(apply_partial(w.apply));
	world_take(&w, "{\"op\":\"position\",\"position\":{\"p\":2}}");
	CHECK(!apply_partial(w.apply));
	world_commit(&w);
	world_down(&w);
	world_up(&w);
	CHECK(!apply_partial(w.apply));
	world_end(&w);
}

TEST(apply_position_goes_with_the_commit)
{
	struct world w;
	bson_t position;
	bson_iter_t iter;

	world_begin(&w, 100);
	world_take(&w, "{\"op\":\"position\",\"position\":{\"p\":41}}");
	world_take(&w, "{\"op\":\"position\",\"position\":{\"p\":42}}");
	CHECK(apply_pending(w.apply));
	CHECK_INT(buf_length(apply_position(w.apply)), 0);
	world_commit(&w);
	world_down(&w);
	world_up(&w);
	const struct buf *bytes = apply_position(w.apply);
	CHECK(bson_init_static(&position, buf_bytes(bytes), buf_length(bytes)));
	CHECK(bson_iter_init_find(&iter, &position, "p"));
	CHECK_INT(bson_iter_as_int64(&iter), 42);
	world_end(&w);
}

TEST(apply_keeps_all_through_failing_commits)
{
	struct world w;

	world_begin(&w, 100);
	world_put(&w, 1, 7, 5);
	store_memory_fail(w.store, ENOSPC);
	for (int i = 0; i < 3; i++) {
		CHECK(apply_commit(w.apply, true, WORLD_NOW) == -1 && errno == ENOSPC);
		CHECK_INT(world_total(&w, 7), 1);
	}
	store_memory_fail(w.store, 0);
	world_commit(&w);
	world_down(&w);
	world_up(&w);
	CHECK_INT(world_total(&w, 7), 1);
	world_end(&w);
}

TEST(apply_is_full_after_many_events)
{
	struct world w;
	int n = 0;

	world_begin(&w, 100);
	while (!apply_full(w.apply))
		world_put(&w, ++n, 7, 5);
	CHECK_INT(n, 20000);
	world_commit(&w);
	CHECK(!apply_full(w.apply));
	world_end(&w);
}

static void
define_empty(struct world *w, int form)
{
	world_take(
	    w, "{\"op\":\"form\",\"doc\":{\"_id\":{\"$oid\":\"%024d\"},\"fields\":[]}}", form);
}

static void
delete_form(struct world *w, int form)
{
	world_take(w, "{\"op\":\"formDeleted\",\"doc\":{\"_id\":{\"$oid\":\"%024d\"}}}", form);
}

TEST(apply_hides_a_deleted_form_until_it_is_defined)
{
	struct world w;
	struct buf text;

	world_begin(&w, 100);
	world_put(&w, 1, 7, 5);
	define_empty(&w, 7);
	buf_init(&text, 1000);
	CHECK_INT(hot_definition(w.store, world_find(&w, 7), &text), 1);
	delete_form(&w, 7);
	CHECK_INT(hot_definition(w.store, world_find(&w, 7), &text), 0);
	CHECK(!form_known(world_find(&w, 7)->form));
	world_put(&w, 2, 7, 5);
	world_commit(&w);
	world_down(&w);
	world_up(&w);
	CHECK(!form_known(world_find(&w, 7)->form));
	define_empty(&w, 7);
	CHECK_INT(world_total(&w, 7), 2);
	/* One that a scan passed by, whose responses come only now. */
	delete_form(&w, 9);
	world_commit(&w);
	world_put(&w, 3, 9, 5);
	CHECK(!form_known(world_find(&w, 9)->form));
	buf_free(&text);
	world_end(&w);
}

static bool
is_stored(struct world *w, int form)
{
	struct store_form row;
	struct form_id id;
	char hex[25];

	snprintf(hex, sizeof(hex), "%024d", form);
	CHECK(form_id_parse(&id, hex, FORM_ID_HEX) == 0);
	return w->store->ops->form(w->store, &id, &row, NULL) > 0;
}

static int64_t
rows_left(struct world *w, int64_t most)
{
	struct store_row row;
	int64_t count = 0;

	for (int64_t seq = 1; seq <= most; seq++)
		count += w->store->ops->row_by_seq(w->store, seq, &row) > 0;
	return count;
}

TEST(apply_nothing_is_kept_of_a_form_of_which_nothing_is_left)
{
	struct world w;

	world_begin(&w, 100);
	world_put(&w, 1, 7, 5);
	world_put(&w, 2, 8, 5);
	define_empty(&w, 9);
	world_commit(&w);
	CHECK_INT(forms_known(w.forms), 3);
	world_take_away(&w, 1);
	delete_form(&w, 9);
	/* One that comes and goes between two commits. */
	world_put(&w, 3, 6, 5);
	world_take_away(&w, 3);
	store_memory_fail(w.store, ENOSPC);
	CHECK_INT(apply_commit(w.apply, true, WORLD_NOW), -1);
	store_memory_fail(w.store, 0);
	world_commit(&w);
	/* That 9 was deleted is remembered. */
	CHECK(!is_stored(&w, 6) && !is_stored(&w, 7) && is_stored(&w, 8) && is_stored(&w, 9));
	CHECK_INT(rows_left(&w, 10), 1);
	CHECK_INT(forms_known(w.forms), 2);
	CHECK(world_find(&w, 7) == NULL);
	world_down(&w);
	world_up(&w);
	CHECK_INT(forms_known(w.forms), 2);
	world_put(&w, 1, 7, 4);
	world_commit(&w);
	CHECK_INT(world_total(&w, 7), 1);
	CHECK_INT(forms_known(w.forms), 3);
	world_end(&w);
}

TEST(apply_a_watched_form_may_begin_again)
{
	struct world w;
	struct room *room = (struct room *)&w; /* only compared with NULL */

	world_begin(&w, 100);
	world_put(&w, 1, 7, 5);
	struct hot_form *hot = world_find(&w, 7);
	forms_watch(w.forms, hot, room);
	world_take_away(&w, 1);
	world_commit(&w);
	CHECK(!is_stored(&w, 7));
	CHECK(world_find(&w, 7) == hot);
	CHECK(!forms_is_known(hot));
	world_put(&w, 1, 7, 5);
	world_commit(&w);
	CHECK(is_stored(&w, 7));
	world_take_away(&w, 1);
	world_commit(&w);
	forms_watch(w.forms, hot, NULL);
	world_put(&w, 1, 7, 5);
	world_commit(&w);
	world_down(&w);
	world_up(&w);
	CHECK_INT(world_total(&w, 7), 1);
	world_end(&w);
}

/* As the loop does: steps of what is counted anew, and commits. */
static void
settle(struct world *w)
{
	struct hot_form *done;

	for (int turn = 0; turn < 100; turn++) {
		if (forms_recounting(w->forms))
			CHECK(forms_step(w->forms, WORLD_NOW, &done) >= 0);
		CHECK_INT(apply_commit(w->apply, true, WORLD_NOW), 0);
		if (!forms_recounting(w->forms) && !apply_pending(w->apply))
			return;
	}
	CHECK(false);
}

TEST(apply_a_long_chain_goes_by_parts)
{
	const int count = 5000;
	struct world w;

	for (int life = 0; life < 2; life++) {
		world_begin(&w, 100);
		for (int id = 1; id <= count; id++)
			world_put(&w, id, 7, 5);
		world_commit(&w);
		for (int id = 1; id <= count; id++)
			world_take_away(&w, id);
		CHECK_INT(apply_commit(w.apply, true, WORLD_NOW), 0);
		CHECK(is_stored(&w, 7));
		CHECK(rows_left(&w, count) > 0);
		/* A death in the middle leaves the rest for when it is next looked at. */
		if (life == 1) {
			world_down(&w);
			world_up(&w);
			CHECK(!forms_is_known(world_find(&w, 7)));
		}
		settle(&w);
		CHECK(!is_stored(&w, 7));
		CHECK_INT(rows_left(&w, count), 0);
		world_end(&w);
	}
}

/* ---- any sequence of events, commits and deaths gives what a plain run over the end gives ---- */

#define DOCUMENTS 60
#define FORMS 6

struct truth {
	int form, value; /* form 0: deleted */
};

static void
random_event(struct world *w, struct truth *truth, unsigned *seed)
{
	int id = 1 + rand_r(seed) % DOCUMENTS;
	struct truth *now = &truth[id - 1];

	switch (rand_r(seed) % 8) {
	case 0:
		now->form = 0;
		world_take_away(w, id);
		return;
	case 1:
		now->form = 0;
		world_take(w,
		    "{\"op\":\"response\",\"doc\":{\"_id\":{\"$oid\":\"%024d\"},\"formId\":null}}",
		    id);
		return;
	default:
		now->form = 1 + rand_r(seed) % FORMS;
		now->value = rand_r(seed) % 10;
		world_put(w, id, now->form, now->value);
	}
}

static void
compare(struct world *w, const struct truth *truth)
{
	struct world plain;

	world_begin(&plain, 100);
	for (int i = 0; i < DOCUMENTS; i++) {
		if (truth[i].form != 0)
			world_put(&plain, i + 1, truth[i].form, truth[i].value);
	}
	for (int form = 1; form <= FORMS; form++) {
		char *got = world_frame(w, form), *want = world_frame(&plain, form);
		CHECK_STRING(got, want);
		free(got);
		free(want);
	}
	world_end(&plain);
}

TEST(apply_random_events_commits_and_deaths)
{
	struct truth truth[DOCUMENTS] = {{0}}, committed[DOCUMENTS] = {{0}};
	unsigned seed = 20260301;
	struct world w;

	world_begin(&w, 2);
	for (int step = 0; step < 20000; step++) {
		random_event(&w, truth, &seed);
		int dice = rand_r(&seed) % 100;
		if (dice < 5) {
			store_memory_fail(w.store, dice == 0 ? ENOSPC : 0);
			int result = apply_commit(w.apply, dice > 2, WORLD_NOW);
			CHECK_INT(result, dice == 0 ? -1 : 0);
			store_memory_fail(w.store, 0);
			if (result == 0)
				memcpy(committed, truth, sizeof(truth));
		} else if (dice == 99) {
			world_down(&w);
			world_up(&w);
			memcpy(truth, committed, sizeof(truth));
		} else if (dice == 98) {
			struct hot_form *hot = world_find(&w, 1 + rand_r(&seed) % FORMS);
			if (hot != NULL)
				forms_stale(w.forms, hot, WORLD_NOW);
		}
		if (step % 1000 == 999)
			compare(&w, truth);
	}
	world_end(&w);
}
