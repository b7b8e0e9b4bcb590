/* SPDX-License-Identifier: MIT */
#include "analyticsd/tally.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/analyticsd/support.h"
#include "tests/unit/unit.h"

#define MODEL 4000

static uint32_t
take(unsigned n)
{
	char word[16];
	size_t length = (size_t)snprintf(word, sizeof(word), "word%u", n);

	return lexicon_take(word, length, lexicon_hash(word, length));
}

static uint32_t
lexicon_at(unsigned n)
{
	char word[16];
	size_t length = (size_t)snprintf(word, sizeof(word), "word%u", n);

	return lexicon_find(word, length, lexicon_hash(word, length));
}

/* Each is found, and they stand in the order of their ranks. */
static void
check_order(const struct tally *tally)
{
	uint32_t start = tally_start(tally), count = 0, rank = 0;

	for (uint32_t i = 0; i < tally->size; i++) {
		uint32_t slot = (start + i) % tally->size;

		if (tally_count(tally, slot) == 0)
			continue;
		uint32_t id = tally_id(tally, slot);
		CHECK_INT(tally_find(tally, id), slot);
		CHECK(count == 0 || tally_rank(id) > rank);
		rank = tally_rank(id);
		count++;
	}
	CHECK_INT(tally->count, count);
}

/* Any order of what can be done, against a plain array. */
static void
count(uint64_t max_count)
{
	static uint64_t model[MODEL];
	static uint32_t ids[MODEL];
	struct dice dice = dice_new();
	struct tally tally = {0};

	memset(model, 0, sizeof(model));
	for (unsigned n = 0; n < MODEL; n++)
		ids[n] = take(n);
	for (int step = 0; step < 400000; step++) {
		unsigned n = dice_roll(&dice, step / 100000 % 2 == 0 ? MODEL : MODEL / 100);
		int found = tally_find(&tally, ids[n]);

		CHECK((found >= 0) == (model[n] > 0));
		if (step % 1000 == 0)
			check_order(&tally);
		if (found < 0 && tally.count < TALLY_MAX) {
			model[n] = 1 + dice_next(&dice) % max_count;
			tally_insert(&tally, take(n), model[n]);
			continue;
		}
		if (found < 0)
			continue;
		uint32_t slot = (uint32_t)found;
		CHECK_INT(tally_count(&tally, slot), model[n]);
		CHECK_INT(tally_id(&tally, slot), ids[n]);
		if (dice_roll(&dice, 3) == 0) {
			tally_remove(&tally, slot);
			model[n] = 0;
		} else if (dice_roll(&dice, 2) == 0 && model[n] > 1) {
			tally_down(&tally, slot);
			model[n]--;
		} else {
			tally_up(&tally, slot);
			model[n]++;
		}
	}
	check_order(&tally);
	tally_free(&tally);
	CHECK_INT(tally.count, 0);
	for (unsigned n = 0; n < MODEL; n++)
		lexicon_release(ids[n]);
	CHECK_INT(lexicon_memory(), 0);
}

TEST(tally_counts)
{
	count(3);
	/* Some grow out of 4 bytes on the way. */
	count(TALLY_NARROW_MAX_COUNT);
	count(TALLY_MAX_COUNT / 2);
}

/* Wide from the first that does not fit on: a count that grows, one that comes, an id. */
TEST(tally_widens)
{
	struct tally grows = {0}, comes = {0}, far = {0};
	uint32_t id;

	for (unsigned n = 0; n < 100; n++) {
		tally_insert(&grows, take(n), TALLY_NARROW_MAX_COUNT - n % 2);
		tally_insert(&comes, take(n), 1);
	}
	CHECK_INT(tally_memory(&grows), 152 * sizeof(uint32_t));
	tally_up(&grows, (uint32_t)tally_find(&grows, id = take(7)));
	CHECK_INT(tally_memory(&grows), 152 * sizeof(uint32_t));
	tally_up(&grows, (uint32_t)tally_find(&grows, id));
	CHECK_INT(tally_memory(&grows), 152 * sizeof(uint64_t));
	CHECK_INT(
	    tally_count(&grows, (uint32_t)tally_find(&grows, id)), TALLY_NARROW_MAX_COUNT + 1);
	lexicon_release(id);
	check_order(&grows);
	tally_insert(&comes, id = take(100), TALLY_NARROW_MAX_COUNT + 1);
	CHECK_INT(tally_memory(&comes), 152 * sizeof(uint64_t));
	CHECK_INT(
	    tally_count(&comes, (uint32_t)tally_find(&comes, id)), TALLY_NARROW_MAX_COUNT + 1);
	check_order(&comes);
	tally_free(&grows);
	tally_free(&comes);
	/* So many words that ids do not fit. */
	unsigned words = 0;
	do
		id = take(1000000 + words++);
	while (id >> TALLY_NARROW_ID_BITS == 0);
	tally_insert(&far, take(1000000), 1);
	CHECK(!far.is_wide);
	tally_insert(&far, id, 1);
	CHECK(far.is_wide);
	check_order(&far);
	tally_free(&far);
	for (unsigned n = 0; n + 1 < words; n++)
		lexicon_release(lexicon_at(1000000 + n));
	CHECK_INT(lexicon_memory(), 0);
}

TEST(tally_grows_by_half)
{
	struct tally tally = {0}, at_once = {0};

	CHECK_INT(tally_find(&tally, 7), -1);
	CHECK_INT(tally_memory(&tally), 0);
	for (unsigned n = 0; n < TALLY_MAX; n++) {
		tally_insert(&tally, take(n), TALLY_MAX_COUNT);
		CHECK(n < 10 || tally_memory(&tally) < (n + 1) * (size_t)17);
	}
	CHECK_INT(tally_memory(&tally), TALLY_MAX / 4 * 5 * sizeof(uint64_t));
	for (uint32_t i = 0; i < tally.size; i++)
		CHECK(tally_count(&tally, i) == 0 || tally_count(&tally, i) == TALLY_MAX_COUNT);
	tally_reserve(&at_once, TALLY_MAX);
	CHECK_INT(at_once.size, tally.size);
	CHECK_INT(at_once.count, 0);
	CHECK_INT(lexicon_count(), TALLY_MAX);
	tally_free(&tally);
	tally_free(&at_once);
	CHECK_INT(lexicon_memory(), 0);
}
