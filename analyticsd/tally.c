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
		if (tally->slots[i] != 0)
			lexicon_release(tally_id(tally, i));
	MEM_FREE(&tally->slots);
	*tally = (struct tally){0};
}

static uint32_t
id_of(uint64_t taken)
{
	return (uint32_t)taken & ((1U << TALLY_ID_BITS) - 1);
}

/* Whether `a` is to stand in this slot and `b` behind it: the one that comes from farther away. */
static bool
is_before(const struct tally *tally, uint64_t a, uint64_t b, uint32_t slot)
{
	uint32_t a_way = distance(tally, tally_home(tally, id_of(a)), slot);
	uint32_t b_way = distance(tally, tally_home(tally, id_of(b)), slot);

	return a_way != b_way ? a_way > b_way : tally_rank(id_of(a)) < tally_rank(id_of(b));
}

/* Whoever stands where it is to stand moves on, and so on up to the next gap. */
static void
place(struct tally *tally, uint64_t taken)
{
	uint32_t slot = tally_home(tally, id_of(taken));

	for (; tally->slots[slot] != 0; slot = next_slot(tally, slot)) {
		uint64_t there = tally->slots[slot];

		if (is_before(tally, taken, there, slot)) {
			tally->slots[slot] = taken;
			taken = there;
		}
	}
	tally->slots[slot] = taken;
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
	tally->slots = mem_zalloc(tally->size * sizeof(tally->slots[0]));
	for (uint32_t i = 0; i < old.size; i++)
		if (old.slots[i] != 0)
			place(tally, old.slots[i]);
	MEM_FREE(&old.slots);
}

int
tally_find(const struct tally *tally, uint32_t id)
{
	if (tally->size == 0 || id == LEXICON_NONE)
		return -1;
	for (uint32_t slot = tally_home(tally, id);; slot = next_slot(tally, slot)) {
		if (tally_id(tally, slot) == id)
			return (int)slot;
		if (tally->slots[slot] == 0)
			return -1;
	}
}

void
tally_insert(struct tally *tally, uint32_t id, uint64_t count)
{
	tally_reserve(tally, tally->count + 1);
	place(tally, count << TALLY_ID_BITS | id);
	tally->count++;
}

void
tally_remove(struct tally *tally, uint32_t slot)
{
	uint32_t next = next_slot(tally, slot);

	lexicon_release(tally_id(tally, slot));
	tally->count--;
	while (tally->slots[next] != 0 && tally_home(tally, tally_id(tally, next)) != next) {
		tally->slots[slot] = tally->slots[next];
		slot = next;
		next = next_slot(tally, next);
	}
	tally->slots[slot] = 0;
}

/* Behind those that have come around the end. */
uint32_t
tally_start(const struct tally *tally)
{
	uint32_t slot = 0;

	while (slot < tally->size && tally->slots[slot] != 0 &&
	    tally_home(tally, tally_id(tally, slot)) > slot)
		slot++;
	return slot;
}

size_t
tally_memory(const struct tally *tally)
{
	return tally->size * sizeof(tally->slots[0]);
}
