/* SPDX-License-Identifier: MIT */
#include "analyticsd/forms.h"

#include <stdio.h>

#include "analyticsd/counters.h"
#include "analyticsd/forms_recount.h"
#include "analyticsd/hash.h"
#include "analyticsd/lexicon.h"
#include "analyticsd/store_memory.h"
#include "tests/unit/analyticsd/world.h"
#include "tests/unit/unit.h"

/* So many forms with a response each, of both the same id, committed. */
static void
begin_with(struct world *w, size_t max, int forms)
{
	world_begin(w, max);
	for (int form = 1; form <= forms; form++)
		world_put(w, form, form, 4);
	world_commit(w);
}

TEST(forms_are_crowded_by_their_bytes_too)
{
	struct world w;
	int form = 0;

	world_begin(&w, 100000);
	world_down(&w);
	w.max_bytes = 65536;
	world_up(&w);
	while (!forms_crowded(w.forms) && form < 1000) {
		form++;
		world_put(&w, form, form, 4);
	}
	CHECK(apply_full(w.apply));
	CHECK(form > 8 && form < 1000);
	world_commit(&w);
	CHECK(!forms_crowded(w.forms));
	CHECK(forms_count(w.forms) > 0 && forms_count(w.forms) < (size_t)form);
	world_end(&w);
}

#define TEXT_WORDS 160

/* A response with words that no other has. */
static void
put_words(struct world *w, int id, int form)
{
	char text[TEXT_WORDS * 16] = "";
	size_t length = 0;

	for (int i = 0; i < TEXT_WORDS; i++)
		length += (size_t)sprintf(text + length, "word%dn%d ", id, i);
	world_take(w,
	    "{\"op\":\"response\",\"doc\":{\"_id\":{\"$oid\":\"%024d\"},"
	    "\"formId\":{\"$oid\":\"%024d\"},\"answers\":[{\"fieldId\":\"t\",\"value\":\"%s\"}]}}",
	    id, form, text);
}

/* The words of a single form are more than all may be: it goes, and they with it. */
TEST(forms_words_count_too)
{
	struct world w;
	int id = 0;

	world_begin(&w, 100000);
	world_down(&w);
	w.max_bytes = 65536;
	world_up(&w);
	while (lexicon_memory() <= w.max_bytes)
		put_words(&w, ++id, 1);
	CHECK(form_memory(world_find(&w, 1)->form) < w.max_bytes);
	forms_trim(w.forms);
	CHECK_INT(forms_count(w.forms), 1);
	world_commit(&w);
	CHECK_INT(forms_count(w.forms), 0);
	CHECK_INT(lexicon_memory(), 0);
	CHECK(!forms_crowded(w.forms));
	CHECK_INT(world_total(&w, 1), id);
	forms_trim(w.forms);
	world_commit(&w);
	CHECK_INT(forms_count(w.forms), 0);
	world_end(&w);
	CHECK_INT(lexicon_memory(), 0);
}

TEST(forms_are_crowded_by_their_words)
{
	struct world w;
	int form = 0;

	world_begin(&w, 100000);
	world_down(&w);
	w.max_bytes = 65536;
	world_up(&w);
	for (int round = 0; round < 5; round++) {
		while (!forms_crowded(w.forms) && form < 1000) {
			form++;
			put_words(&w, form, form);
		}
		CHECK(lexicon_memory() > w.max_bytes / 2);
		world_commit(&w);
		CHECK(!forms_crowded(w.forms));
		CHECK(lexicon_memory() < w.max_bytes);
	}
	CHECK(form < 1000);
	for (int n = 1; n <= form; n++)
		CHECK_INT(world_total(&w, n), 1);
	world_end(&w);
	CHECK_INT(lexicon_memory(), 0);
}

TEST(forms_evicts_idle_ones_only)
{
	struct world w;

	world_begin(&w, 3);
	for (int form = 1; form <= 5; form++)
		world_put(&w, form, form, 4);
	/* None may go before a commit. */
	CHECK_INT(forms_count(w.forms), 5);
	CHECK(forms_crowded(w.forms));
	CHECK(apply_full(w.apply));
	struct room *room = (struct room *)&w; /* only compared with NULL */
	forms_watch(w.forms, world_find(&w, 1), room);
	world_commit(&w);
	CHECK_INT(forms_count(w.forms), 3);
	CHECK(!forms_crowded(w.forms));
	uint64_t loads = counters[COUNTER_form_loads];
	CHECK_INT(world_total(&w, 1), 1);
	CHECK_INT(counters[COUNTER_form_loads], loads);
	CHECK_INT(world_total(&w, 2), 1);
	CHECK_INT(counters[COUNTER_form_loads], loads + 1);
	forms_trim(w.forms);
	CHECK_INT(forms_count(w.forms), 3);
	forms_watch(w.forms, world_find(&w, 1), NULL);
	world_end(&w);
}

TEST(forms_at_rest_are_few)
{
	struct world w;

	begin_with(&w, 16, 16);
	CHECK_INT(forms_count(w.forms), 16);
	forms_rest(w.forms);
	CHECK_INT(forms_count(w.forms), 2);
	for (int form = 1; form <= 16; form++)
		CHECK_INT(world_total(&w, form), 1);
	forms_trim(w.forms);
	CHECK_INT(forms_count(w.forms), 2);
	world_end(&w);
}

/* Beyond what fits, responses are appended to forms that stay unloaded, up to a lag. */
TEST(forms_are_appended_to_without_being_loaded)
{
	struct world w;

	begin_with(&w, 4, 8);
	uint64_t loads = counters[COUNTER_form_loads];
	for (int id = 1; id <= 50; id++) {
		world_put(&w, 100 + id, 1, 2);
		if (id % 20 == 0)
			world_commit(&w);
	}
	CHECK_INT(counters[COUNTER_form_loads], loads);
	world_commit(&w);
	world_down(&w);
	world_up(&w);
	for (int form = 5; form <= 8; form++)
		CHECK_INT(world_total(&w, form), 1);
	for (int id = 1; id <= 500; id++)
		world_put(&w, 200 + id, 1, 3);
	CHECK_INT(world_total(&w, 1), 551);
	world_take_away(&w, 201);
	CHECK_INT(world_total(&w, 1), 550);
	world_commit(&w);
	CHECK_INT(world_find(&w, 1)->rows_behind, 0);
	CHECK_INT(world_find(&w, 1)->row.state_seq, 558);
	world_end(&w);
}

static struct store_form
stored(struct world *w, int64_t number)
{
	struct store_form form;

	CHECK_INT(w->store->ops->form_by_number(w->store, number, &form), 1);
	return form;
}

static void
commit_responses(struct world *w)
{
	CHECK_INT(apply_commit(w->apply, false, WORLD_NOW), 0);
}

/* Commits that leave out the rows of forms, and deaths behind them. */
TEST(forms_tail_is_read_at_the_start)
{
	struct world w;

	begin_with(&w, 100, 3);
	for (int life = 0; life < 3; life++) {
		for (int i = 1; i <= 5; i++)
			world_put(&w, 100 * life + 10 + i, 1 + i % 2, 4);
		commit_responses(&w);
		CHECK(apply_pending(w.apply));
		CHECK_INT(stored(&w, 1).head, 1);
		CHECK_INT(stored(&w, 1).total, 1);
		world_down(&w);
		world_up(&w);
		CHECK(apply_pending(w.apply));
	}
	CHECK_INT(world_total(&w, 1), 7);
	CHECK_INT(world_total(&w, 2), 10);
	CHECK_INT(world_total(&w, 3), 1);
	world_commit(&w);
	CHECK_INT(stored(&w, 1).total, 7);
	CHECK_INT(stored(&w, 2).total, 10);
	CHECK_INT(stored(&w, 2).head, 18);
	world_down(&w);
	world_up(&w);
	CHECK(!apply_pending(w.apply));
	CHECK_INT(world_total(&w, 2), 10);
	world_end(&w);
}

/* What is written with its state meanwhile is not added twice. */
TEST(forms_tail_knows_what_was_written)
{
	struct world w;

	begin_with(&w, 100, 2);
	for (int id = 11; id <= 20; id++)
		world_put(&w, id, 1 + id % 2, 4);
	commit_responses(&w);
	world_take_away(&w, 20); /* form 1's newest */
	commit_responses(&w);
	CHECK_INT(stored(&w, 1).total, 5);
	world_put(&w, 21, 1, 4);
	world_put(&w, 22, 3, 4);
	world_put(&w, 23, 3, 4);
	commit_responses(&w);
	world_down(&w);
	world_up(&w);
	world_commit(&w);
	CHECK_INT(stored(&w, 1).total, 6);
	CHECK_INT(stored(&w, 2).total, 6);
	CHECK_INT(stored(&w, 3).total, 2);
	for (int form = 1; form <= 3; form++)
		CHECK_INT(world_total(&w, form), (int64_t)stored(&w, form).total);
	world_end(&w);
}

/* What was added to it would be read again. */
TEST(forms_are_written_when_they_go)
{
	struct world w;

	world_begin(&w, 1);
	world_put(&w, 1, 1, 4);
	world_commit(&w);
	for (int id = 11; id <= 30; id++)
		world_put(&w, id, 1, 4);
	world_commit(&w);
	CHECK_INT(stored(&w, 1).state_seq, STORE_NO_STATE);
	world_put(&w, 2, 2, 4);
	world_put(&w, 3, 3, 4);
	/* Form 1 is to go, with the next commit. */
	CHECK_INT(forms_count(w.forms), 3);
	CHECK_INT(world_total(&w, 1), 21);
	commit_responses(&w);
	CHECK_INT(stored(&w, 1).state_seq, 21);
	uint64_t loads = counters[COUNTER_form_loads];
	CHECK_INT(world_total(&w, 1), 21);
	CHECK_INT(counters[COUNTER_form_loads], loads + 1);
	CHECK_INT(world_find(&w, 1)->rows_behind, 0);
	/* One that lags by a row or two goes at once. */
	world_put(&w, 31, 1, 4);
	world_commit(&w);
	CHECK_INT(world_total(&w, 2), 1);
	forms_trim(w.forms);
	CHECK_INT(forms_count(w.forms), 1);
	CHECK(!forms_dirty(w.forms));
	CHECK_INT(world_total(&w, 1), 22);
	world_end(&w);
}

/* A form whose row is not written must not be forgotten. */
TEST(forms_in_the_tail_stay)
{
	struct world w;

	begin_with(&w, 1, 20);
	for (int form = 1; form <= 20; form++)
		world_put(&w, 20 + form, form, 4);
	commit_responses(&w);
	forms_rest(w.forms);
	for (int form = 1; form <= 20; form++) {
		CHECK_INT(world_total(&w, form), 2);
		forms_trim(w.forms);
	}
	CHECK(!forms_tail_full(w.forms));
	world_commit(&w);
	for (int form = 1; form <= 20; form++)
		CHECK_INT(stored(&w, form).total, 2);
	world_end(&w);
}

TEST(forms_rebuild_unlinks_tombstones)
{
	struct world w;
	struct store_row row;

	world_begin(&w, 10);
	for (int id = 1; id <= 6; id++)
		world_put(&w, id, 7, id);
	world_commit(&w);
	world_take_away(&w, 6); /* the head */
	world_take_away(&w, 3);
	world_take_away(&w, 4);
	world_take_away(&w, 1); /* the end */
	forms_stale(w.forms, world_find(&w, 7), WORLD_NOW);
	world_commit(&w);
	CHECK_INT(world_total(&w, 7), 2);
	CHECK_INT(world_find(&w, 7)->row.head, 5);
	CHECK(ledger_get(w.ledger, 5, &row) == 0);
	CHECK_INT(row.prev, 2);
	CHECK(ledger_get(w.ledger, 2, &row) == 0);
	CHECK_INT(row.prev, 0);
	CHECK(ledger_get(w.ledger, 3, &row) == -1);
	world_down(&w);
	world_up(&w);
	world_put(&w, 9, 7, 1);
	CHECK_INT(world_total(&w, 7), 3);
	world_end(&w);
}

TEST(forms_of_another_zone_are_counted_anew)
{
	struct world w;

	world_begin(&w, 10);
	for (int id = 1; id <= 200; id++)
		world_put(&w, id, 7, 4);
	world_commit(&w);
	world_down(&w);
	zone_close(&w.zone);
	w.zone = zone_open("Asia/Tokyo");
	world_up(&w);
	uint64_t rebuilds = counters[COUNTER_form_rebuilds];
	CHECK_INT(world_total(&w, 7), 200);
	CHECK_INT(counters[COUNTER_form_rebuilds], rebuilds + 1);
	world_end(&w);
}

/* As if an older analyticsd had written it: its version is the first byte behind the zone. */
static void
age_state(struct world *w, int64_t number)
{
	struct buf *state =
	    &store_memory_form(container_of(w->store, struct store_memory, store), number)->state;
	uint8_t *bytes = state->data + state->start, *form = bytes + 1 + bytes[0];
	size_t length = (size_t)(bytes + buf_length(state) - form) - 8;

	form[0] = 1;
	uint64_t sum = hash_bytes64(form, length);
	for (int i = 0; i < 8; i++)
		form[length + (size_t)i] = (uint8_t)(sum >> 8 * i);
}

TEST(forms_of_older_rules_are_counted_anew)
{
	struct world w;

	world_begin(&w, 10);
	for (int id = 1; id <= 200; id++)
		world_put(&w, id, 7, 4);
	world_commit(&w);
	int64_t number = world_find(&w, 7)->row.number;
	world_down(&w);
	age_state(&w, number);
	world_up(&w);
	uint64_t rebuilds = counters[COUNTER_form_rebuilds];
	CHECK_INT(world_total(&w, 7), 200);
	CHECK_INT(counters[COUNTER_form_rebuilds], rebuilds + 1);
	world_put(&w, 201, 7, 4);
	world_commit(&w);
	world_down(&w);
	world_up(&w);
	CHECK_INT(world_total(&w, 7), 201);
	CHECK_INT(counters[COUNTER_form_rebuilds], rebuilds + 1);
	world_end(&w);
}
