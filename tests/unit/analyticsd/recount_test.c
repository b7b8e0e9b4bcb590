/* SPDX-License-Identifier: MIT */
/* Forms that are counted anew in steps: whatever comes between the steps, and wherever a death
 * cuts them, the numbers are those of a batch computation in the end, and those from before until
 * then. */
#include "analyticsd/forms_recount.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "analyticsd/counters.h"
#include "lib/mem.h"
#include "tests/unit/analyticsd/batch.h"
#include "tests/unit/analyticsd/world.h"
#include "tests/unit/unit.h"

#define STEP 3

static void
begin(struct world *w)
{
	world_begin(w, 3);
	world_down(w);
	w->step_rows = STEP;
	world_up(w);
}

static void
put_number(struct world *w, int id, int form, int value)
{
	world_take(w,
	    "{\"_id\":%d,\"formId\":{\"$oid\":\"%024d\"},"
	    "\"answers\":[{\"fieldId\":\"r\",\"value\":%d}]}",
	    id, form, value);
}

static void
define_as(struct world *w, int form, const char *type)
{
	world_take(w,
	    "{\"_id\":{\"$oid\":\"%024d\"},\"title\":\"T\",\"fields\":[{\"id\":\"r\","
	    "\"type\":\"%s\"}]}",
	    form, type);
}

static void
check_shown(const struct hot_form *hot, uint64_t total, uint64_t counted)
{
	const struct form *shown = forms_shown(hot);

	CHECK(shown != NULL);
	CHECK_INT(form_total(shown), total);
	char *field = field_of(shown, "r");
	char *count = mem_printf("\"count\":%llu,", (unsigned long long)counted);
	if (strstr(field, count) == NULL)
		unit_fail(__FILE__, __LINE__, "no %s in %s", count, field);
	MEM_FREE(&count);
	MEM_FREE(&field);
}

/* Steps until something is done. */
static struct hot_form *
finish(struct world *w)
{
	struct hot_form *done;
	int result;

	while ((result = forms_step(w->forms, WORLD_NOW, &done)) == 0)
		CHECK(forms_recounting(w->forms));
	CHECK_INT(result, 1);
	return done;
}

static void
finish_all(struct world *w)
{
	struct hot_form *done;

	while (forms_recounting(w->forms))
		CHECK(forms_step(w->forms, WORLD_NOW, &done) >= 0);
}

TEST(recount_shows_the_numbers_from_before_until_it_is_done)
{
	struct world w;

	begin(&w);
	define_as(&w, 7, "text");
	define_as(&w, 7, "rating");
	for (int id = 1; id <= 20; id++)
		put_number(&w, id, 7, id);
	define_as(&w, 7, "text");
	struct hot_form *hot = world_find(&w, 7);
	CHECK_INT(forms_recounts(w.forms), 1);
	CHECK(forms_settling(hot) && forms_is_known(hot));
	check_shown(hot, 20, 20);
	/* One that is counted, one that is not, one more; and a commit. */
	put_number(&w, 20, 7, 1);
	put_number(&w, 1, 7, 2);
	put_number(&w, 21, 7, 3);
	world_take(&w, "{\"op\":\"responseDeleted\",\"doc\":{\"_id\":%d}}", 2);
	world_commit(&w);
	check_shown(hot, 20, 20);
	CHECK(finish(&w) == hot);
	CHECK_INT(forms_recounts(w.forms), 0);
	check_shown(hot, 20, 0);
	world_commit(&w);
	world_down(&w);
	world_up(&w);
	check_shown(world_find(&w, 7), 20, 0);
	CHECK_INT(forms_recounts(w.forms), 0);
	world_end(&w);
}

TEST(recount_goes_on_after_a_death)
{
	struct world w;

	begin(&w);
	define_as(&w, 7, "text");
	for (int id = 1; id <= 20; id++)
		put_number(&w, id, 7, id);
	define_as(&w, 7, "rating");
	world_commit(&w);
	world_down(&w);
	world_up(&w);
	/* Nobody asks for it. */
	CHECK(forms_recounting(w.forms));
	struct hot_form *hot = finish(&w);
	check_shown(hot, 20, 20);
	world_commit(&w);
	define_as(&w, 7, "text");
	world_commit(&w);
	world_down(&w);
	world_up(&w);
	/* Somebody does: until it is done there is nothing to be shown. */
	hot = world_find(&w, 7);
	CHECK(forms_shown(hot) == NULL);
	finish_all(&w);
	check_shown(hot, 20, 0);
	world_end(&w);
}

TEST(recount_of_few_rows_is_done_at_once)
{
	struct world w;

	begin(&w);
	define_as(&w, 7, "rating");
	for (int id = 1; id <= STEP; id++)
		put_number(&w, id, 7, id);
	define_as(&w, 7, "text");
	check_shown(world_find(&w, 7), STEP, 0);
	CHECK_INT(forms_recounts(w.forms), 0);
	world_end(&w);
}

TEST(recount_begins_again_with_a_definition)
{
	struct world w;

	begin(&w);
	define_as(&w, 7, "rating");
	for (int id = 1; id <= 20; id++)
		put_number(&w, id, 7, id);
	define_as(&w, 7, "text");
	struct hot_form *hot = world_find(&w, 7);
	define_as(&w, 7, "mcq");
	define_as(&w, 7, "rating");
	check_shown(hot, 20, 20);
	CHECK(finish(&w) == hot);
	check_shown(hot, 20, 20);
	/* Deleted in the middle, it is gone at once. */
	define_as(&w, 7, "text");
	CHECK(forms_shown(world_find(&w, 7)) != hot->form);
	world_take(&w, "{\"op\":\"formDeleted\",\"doc\":{\"_id\":{\"$oid\":\"%024d\"}}}", 7);
	CHECK(!forms_is_known(hot));
	finish_all(&w);
	CHECK(!forms_is_known(hot));
	world_end(&w);
}

TEST(recount_of_many_forms_is_bounded)
{
	struct world w;

	begin(&w);
	for (int form = 1; form <= 100; form++) {
		define_as(&w, form, "rating");
		for (int id = 1; id <= 8; id++)
			put_number(&w, 10 * form + id, form, id);
	}
	for (int form = 1; form <= 100; form++)
		define_as(&w, form, "text");
	CHECK_INT(forms_recounts(w.forms), 100);
	world_commit(&w);
	CHECK_INT(forms_recounts(w.forms), 64);
	finish_all(&w);
	world_commit(&w);
	for (int form = 1; form <= 100; form++)
		check_shown(world_find(&w, form), 8, 0);
	world_end(&w);
}

/* ---- at random ---- */

#define FORMS 3
#define DOCUMENTS 150

/* What the source holds. */
struct source {
	struct {
		int form; /* 0: there is no such document */
		struct batch_response response;
	} documents[DOCUMENTS];
	struct batch_definition definitions[FORMS];
	bool deleted[FORMS];
};

struct story {
	struct world w;
	struct dice dice;
	struct source *now, *committed;
};

static void
append_oid(bson_t *doc, const char *key, int number)
{
	char hex[25];
	bson_oid_t oid;

	snprintf(hex, sizeof(hex), "%024d", number);
	bson_oid_init_from_string(&oid, hex);
	bson_append_oid(doc, key, -1, &oid);
}

static void
act_put(struct story *s, int id)
{
	struct batch_response *response = &s->now->documents[id].response;
	bson_t doc = BSON_INITIALIZER;

	if (s->now->documents[id].form == 0 || dice_roll(&s->dice, 4) == 0)
		s->now->documents[id].form = 1 + (int)dice_roll(&s->dice, FORMS);
	batch_roll_response(response, &s->dice, WORLD_NOW, 40);
	bson_t *rolled = batch_response_bson(response);
	bson_append_int32(&doc, "_id", -1, id);
	append_oid(&doc, "formId", s->now->documents[id].form);
	bson_copy_to_excluding_noinit(rolled, &doc, "formId", NULL);
	world_take_bson(&s->w, &doc);
	bson_destroy(rolled);
	bson_destroy(&doc);
}

static void
act_delete(struct story *s, int id)
{
	s->now->documents[id].form = 0;
	world_take(&s->w, "{\"op\":\"responseDeleted\",\"doc\":{\"_id\":%d}}", id);
}

static void
act_define(struct story *s, int form)
{
	bson_t doc = BSON_INITIALIZER;

	if (s->now->definitions[form - 1].defined && dice_roll(&s->dice, 4) == 0) {
		s->now->deleted[form - 1] = true;
		world_take(
		    &s->w, "{\"op\":\"formDeleted\",\"doc\":{\"_id\":{\"$oid\":\"%024d\"}}}", form);
		return;
	}
	s->now->deleted[form - 1] = false;
	batch_roll_definition(&s->now->definitions[form - 1], &s->dice);
	bson_t *rolled = batch_definition_bson(&s->now->definitions[form - 1]);
	append_oid(&doc, "_id", form);
	bson_concat(&doc, rolled);
	world_take_bson(&s->w, &doc);
	bson_destroy(rolled);
	bson_destroy(&doc);
}

static void
act_commit(struct story *s)
{
	bool fails = dice_roll(&s->dice, 4) == 0, forms = dice_roll(&s->dice, 2) == 0;

	store_memory_fail(s->w.store, fails ? ENOSPC : 0);
	CHECK_INT(apply_commit(s->w.apply, forms, WORLD_NOW), fails ? -1 : 0);
	store_memory_fail(s->w.store, 0);
	if (!fails)
		*s->committed = *s->now;
}

static void
act_die(struct story *s)
{
	static const char *const zones[] = {"UTC", "Asia/Kathmandu"};

	world_down(&s->w);
	if (dice_roll(&s->dice, 3) == 0) {
		zone_close(&s->w.zone);
		s->w.zone = zone_open(zones[dice_roll(&s->dice, 2)]);
	}
	world_up(&s->w);
	*s->now = *s->committed;
}

static void
check_form(struct story *s, int form)
{
	const struct batch_response *live[DOCUMENTS];
	struct hot_form *hot = world_find(&s->w, form);
	size_t count = 0;

	for (int id = 0; id < DOCUMENTS; id++)
		if (s->now->documents[id].form == form)
			live[count++] = &s->now->documents[id].response;
	if (hot == NULL) {
		CHECK_INT(count, 0);
		return;
	}
	finish_all(&s->w);
	CHECK_INT(form_total(hot->form), count);
	if (s->now->deleted[form - 1]) {
		CHECK(!forms_is_known(hot));
		return;
	}
	/* updatedAt is left out then. */
	form_touch(hot->form, RESPONSE_NO_TIME);
	char *got = data_of(forms_shown(hot));
	char *want = batch_data(&s->now->definitions[form - 1], live, count);
	CHECK_STRING(got, want);
	MEM_FREE(&got);
	MEM_FREE(&want);
}

static void
act(struct story *s)
{
	int id = (int)dice_roll(&s->dice, DOCUMENTS);
	int form = 1 + (int)dice_roll(&s->dice, FORMS);
	unsigned what = dice_roll(&s->dice, 1000);
	struct hot_form *hot;

	if (what < 600)
		act_put(s, id);
	else if (what < 700)
		act_delete(s, id);
	else if (what < 730)
		act_define(s, form);
	else if (what < 780)
		act_commit(s);
	else if (what < 785)
		act_die(s);
	else if (what < 800 && (hot = world_find(&s->w, form)) != NULL)
		forms_stale(s->w.forms, hot, WORLD_NOW);
	else if (what < 820)
		check_form(s, form);
	else if (forms_recounting(s->w.forms))
		CHECK(forms_step(s->w.forms, WORLD_NOW, &hot) >= 0);
}

TEST(recount_at_random_is_as_a_batch)
{
	struct story s = {.dice = dice_new()};

	s.now = mem_zalloc(sizeof(*s.now));
	s.committed = mem_zalloc(sizeof(*s.committed));
	begin(&s.w);
	for (int step = 0; step < 30000; step++)
		act(&s);
	for (int form = 1; form <= FORMS; form++)
		check_form(&s, form);
	world_end(&s.w);
	MEM_FREE(&s.now);
	MEM_FREE(&s.committed);
}
