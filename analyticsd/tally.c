/* SPDX-License-Identifier: MIT */
#include "analyticsd/tally.h"

#include <stdbool.h>

#include "lib/base.h"
#include "lib/mem.h"

/* By half as much again, and four fifths of the last are TALLY_MAX. */
static const uint16_t sizes[] = {
    5, 8, 13, 20, 30, 45, 67, 101, 152, 228, 341, 512, 768, 1137, 1706, 2560};

static uint32_t
room(uint32_t size)
{
	return size * 4 / 5;
}

static uint32_t
next_slot(const struct tally *tally, uint32_t slot)
{
	return slot + 1 == tally->size ? 0 : slot + 1;
}

/* How far it is, going up and around. */
static uint32_t
distance(const struct tally *tally, uint32_t from, uint32_t to)
{
	return to >= from ? to - from : to + tally->size - from;
}

void
tally_free(struct tally *tally)
{
	for (uint32_t i = 0; i < tally->size; i++)
		if (tally_count(tally, i) != 0)
			lexicon_release(tally_id(tally, i));
	MEM_FREE(&tally->slots);
	*tally = (struct tally){0};
}

/* What stands in a slot; count 0: nothing. */
struct taken {
	uint64_t count;
	uint32_t id;
};

static struct taken
get(const struct tally *tally, uint32_t slot)
{
	return (struct taken){tally_count(tally, slot), tally_id(tally, slot)};
}

/* What fits. */
static void
set(struct tally *tally, uint32_t slot, struct taken taken)
{
	if (tally->is_wide)
		tally->slots.wide[slot] = taken.count << TALLY_ID_BITS | taken.id;
	else
		tally->slots.narrow[slot] = (uint32_t)taken.count << TALLY_NARROW_ID_BITS |
		    taken.id;
}

static void
make_slots(struct tally *tally, bool wide)
{
	tally->is_wide = wide;
	if (wide)
		tally->slots.wide = mem_zalloc(tally->size * sizeof(tally->slots.wide[0]));
	else
		tally->slots.narrow = mem_zalloc(tally->size * sizeof(tally->slots.narrow[0]));
}

/* Each stays in its slot. */
static void
fit(struct tally *tally, struct taken taken)
{
	struct tally old = *tally;

	if (old.is_wide ||
	    (taken.id >> TALLY_NARROW_ID_BITS == 0 && taken.count <= TALLY_NARROW_MAX_COUNT))
		return;
	make_slots(tally, true);
	for (uint32_t i = 0; i < old.size; i++)
		set(tally, i, get(&old, i));
	MEM_FREE(&old.slots);
}

/* Whether `a` is to stand in this slot and `b` behind it: the one that comes from farther away. */
static bool
is_before(const struct tally *tally, uint32_t a, uint32_t b, uint32_t slot)
{
	uint32_t a_way = distance(tally, tally_home(tally, a), slot);
	uint32_t b_way = distance(tally, tally_home(tally, b), slot);

	return a_way != b_way ? a_way > b_way : tally_rank(a) < tally_rank(b);
}

/* Whoever stands where it is to stand moves on, and so on up to the next gap. */
static void
place(struct tally *tally, struct taken taken)
{
	uint32_t slot = tally_home(tally, taken.id);

	for (; tally_count(tally, slot) != 0; slot = next_slot(tally, slot)) {
		struct taken there = get(tally, slot);

		if (is_before(tally, taken.id, there.id, slot)) {
			set(tally, slot, taken);
			taken = there;
		}
	}
	set(tally, slot, taken);
}

void
tally_reserve(struct tally *tally, uint32_t count)
{
	struct tally old = *tally;
	unsigned which = 0;

	if (count <= room(old.size))
		return;
	while (room(sizes[which]) < count)
		which++;
	tally->size = sizes[which];
	make_slots(tally, old.is_wide);
	for (uint32_t i = 0; i < old.size; i++)
		if (tally_count(&old, i) != 0)
			place(tally, get(&old, i));
	MEM_FREE(&old.slots);
}

int
tally_find(const struct tally *tally, uint32_t id)
{
	if (tally->size == 0 || id == LEXICON_NONE)
		return -1;
	for (uint32_t slot = tally_home(tally, id);; slot = next_slot(tally, slot)) {
		uint32_t there = tally_id(tally, slot);

		if (there == id)
			return (int)slot;
		if (there == LEXICON_NONE)
			return -1;
	}
}

void
tally_insert(struct tally *tally, uint32_t id, uint64_t count)
{
	struct taken taken = {count, id};

	tally_reserve(tally, tally->count + 1);
	fit(tally, taken);
	place(tally, taken);
	tally->count++;
}

void
tally_up(struct tally *tally, uint32_t slot)
{
	struct taken taken = get(tally, slot);

	taken.count++;
	fit(tally, taken);
	set(tally, slot, taken);
}

void
tally_down(struct tally *tally, uint32_t slot)
{
	struct taken taken = get(tally, slot);

	taken.count--;
	set(tally, slot, taken);
}

void
tally_remove(struct tally *tally, uint32_t slot)
{
	uint32_t next = next_slot(tally, slot);

	lexicon_release(tally_id(tally, slot));
	tally->count--;
	while (tally_count(tally, next) != 0 && tally_home(tally, tally_id(tally, next)) != next) {
		set(tally, slot, get(tally, next));
		slot = next;
		next = next_slot(tally, next);
	}
	set(tally, slot, (struct taken){0});
}

/* Behind those that have come around the end. */
uint32_t
tally_start(const struct tally *tally)
{
	uint32_t slot = 0;

	while (slot < tally->size && tally_count(tally, slot) != 0 &&
	    tally_home(tally, tally_id(tally, slot)) > slot)
		slot++;
	return slot;
}

size_t
tally_memory(const struct tally *tally)
{
	return tally->size *
	    (tally->is_wide ? sizeof(tally->slots.wide[0]) : sizeof(tally->slots.narrow[0]));
}
