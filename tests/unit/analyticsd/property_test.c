/* SPDX-License-Identifier: MIT */
/* Random responses come, are replaced and go, definitions change, states and records are
 * written and read back: at every moment the numbers are those of a batch computation. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/mem.h"
#include "tests/unit/analyticsd/batch.h"
#include "tests/unit/unit.h"

#define MAX_LIVE 400
#define DAY_MS INT64_C(86400000)
#define NOW INT64_C(1774742400000) /* 2026-03-29T00:00:00Z: the day Berlin's clocks go forward */

struct world {
	struct dice dice;
	struct zone *zone;
	struct form *form;
	struct batch_definition definition;
	struct batch_response *live[MAX_LIVE];
	struct buf records[MAX_LIVE];
	size_t count;
	unsigned days; /* over which the responses are spread */
	unsigned churn; /* new definitions per 1,000 steps */
	int64_t now;
	unsigned rebuilds;
};

static void
read_record(const struct world *world, size_t index, struct response *response)
{
	CHECK(response_from_record(response, buf_bytes(&world->records[index]),
		  buf_length(&world->records[index])) == 0);
}

static void
rebuild(struct world *world)
{
	struct response response = {0};

	world->rebuilds++;
	form_reset(world->form);
	for (size_t i = 0; i < world->count; i++) {
		read_record(world, i, &response);
		form_add(world->form, &response, world->zone);
	}
	response_free(&response);
}

static void
act_add(struct world *world)
{
	struct batch_response *model = mem_zalloc(sizeof(*model));
	struct response response = {0};
	const char *why;

	if (world->count == MAX_LIVE) {
		free(model);
		return;
	}
	batch_roll_response(model, &world->dice, world->now, world->days);
	bson_t *doc = batch_response_bson(model);
	CHECK(response_from_bson(&response, doc, &why) == 0);
	form_add(world->form, &response, world->zone);
	buf_init(&world->records[world->count], 1 << 20);
	CHECK(response_to_record(&response, &world->records[world->count]) == 0);
	world->live[world->count++] = model;
	response_free(&response);
	bson_destroy(doc);
}

static void
act_remove(struct world *world)
{
	struct response response = {0};

	if (world->count == 0)
		return;
	size_t index = dice_roll(&world->dice, (unsigned)world->count);
	read_record(world, index, &response);
	enum form_result result = form_remove(world->form, &response, world->zone);
	response_free(&response);
	free(world->live[index]);
	buf_free(&world->records[index]);
	world->count--;
	world->live[index] = world->live[world->count];
	world->records[index] = world->records[world->count];
	if (result == FORM_REBUILD)
		rebuild(world);
}

static void
act_define(struct world *world)
{
	const char *why;

	if (dice_roll(&world->dice, 2) == 0 && world->definition.count > 0) {
		/* A small change: the order of fields, or one less. */
		unsigned i = dice_roll(&world->dice, world->definition.count);
		struct batch_field *last = &world->definition.fields[world->definition.count - 1];
		struct batch_field field = world->definition.fields[i];

		world->definition.fields[i] = *last;
		*last = field;
		world->definition.count -= dice_roll(&world->dice, 2);
	} else {
		batch_roll_definition(&world->definition, &world->dice);
	}
	bson_t *doc = batch_definition_bson(&world->definition);
	if (dice_roll(&world->dice, 4) == 0)
		form_undefine(world->form);
	if (form_define(world->form, doc, &why) == FORM_REBUILD)
		rebuild(world);
	CHECK(why == NULL);
	CHECK(form_define(world->form, doc, &why) == FORM_UNCHANGED);
	bson_destroy(doc);
}

static void
act_encode(struct world *world)
{
	struct buf buf, again;

	buf_init(&buf, 1 << 24);
	buf_init(&again, 1 << 24);
	CHECK(form_encode(world->form, &buf) == 0);
	struct form *back = form_decode(form_id_of(world->form), buf_bytes(&buf), buf_length(&buf));
	CHECK(back != NULL);
	CHECK(form_encode(back, &again) == 0);
	CHECK_BYTES(buf_bytes(&again), buf_length(&again), buf_bytes(&buf), buf_length(&buf));
	form_free(&world->form);
	world->form = back;
	buf_free(&buf);
	buf_free(&again);
}

static void
act_time(struct world *world)
{
	int64_t quarter = 900000;

	world->now += dice_roll(&world->dice, 10) * 3 * 3600 * INT64_C(1000);
	if (form_set_now(world->form, world->now) == FORM_REBUILD)
		rebuild(world);
	int64_t until = (world->now / quarter + 1 - dice_roll(&world->dice, 60)) * quarter;
	int64_t since = until - (int64_t)dice_roll(&world->dice, 97) * quarter;
	uint64_t want = 0;
	for (size_t i = 0; i < world->count; i++)
		want += world->live[i]->timed && world->live[i]->submitted_ms >= since &&
		    world->live[i]->submitted_ms < until;
	CHECK_INT(form_count_between(world->form, since, until), want);
}

static void
check(const struct world *world)
{
	int64_t newest = RESPONSE_NO_TIME;
	char *got = data_of(world->form);
	char *want = batch_data(
	    &world->definition, (const struct batch_response *const *)world->live, world->count);

	CHECK_STRING(got, want);
	MEM_FREE(&got);
	MEM_FREE(&want);
	for (size_t i = 0; i < world->count; i++)
		if (world->live[i]->timed)
			newest = MAX(newest, world->live[i]->submitted_ms);
	CHECK_INT(form_last_submission(world->form), newest);
	CHECK_INT(form_total(world->form), world->count);
}

static void
live_a_life(struct world *world, unsigned steps)
{
	/* How much comes and goes, in turns: it grows full, shrinks to nothing, grows again. */
	for (unsigned step = 0; step < steps; step++) {
		unsigned growing = step * 4 / steps % 2 == 0 ? 780 : 200;
		unsigned what = dice_roll(&world->dice, 1000);

		if (what < world->churn || step == 50)
			act_define(world);
		else if (what < growing)
			act_add(world);
		else if (what < 940)
			act_remove(world);
		else if (what < 960)
			act_encode(world);
		else if (what < 980)
			act_time(world);
		else
			check(world);
	}
	check(world);
}

TEST(property_numbers_are_those_of_a_batch)
{
	static const char *const zones[] = {
	    "UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Los_Angeles"};
	struct dice dice = dice_new();

	for (unsigned round = 0; round < 24; round++) {
		struct world world = {.dice = {dice_next(&dice)}, .now = NOW};

		world.churn = round % 2 == 0 ? 30 : 0;
		world.days = 1 + dice_roll(&dice, round % 3 == 0 ? 3 : round % 3 == 1 ? 60 : 300);
		world.zone = zone_open(zones[round % 4]);
		world.form = form_empty();
		CHECK(form_set_now(world.form, world.now) == FORM_OK);
		live_a_life(&world, 3000);
		while (world.count > 0)
			act_remove(&world);
		check(&world);
		form_free(&world.form);
		zone_close(&world.zone);
	}
}
