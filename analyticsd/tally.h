/* SPDX-License-Identifier: MIT */
/* tally: up to TALLY_MAX words, as ids of the lexicon, with a count each, in a table of open
 * addressing that is up to four fifths full. As long as all counts and ids are small, which most
 * are, a word takes 4 bytes, else 8: so 5 to 8, or 10 to 15. It holds a reference to each of its
 * words. */
#ifndef ANALYTICSD_TALLY_H
#define ANALYTICSD_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyticsd/lexicon.h"

#define TALLY_MAX 2048
#define TALLY_ID_BITS LEXICON_ID_BITS
/* Of one word: 17 thousand millions, more than any store has responses. */
#define TALLY_MAX_COUNT (UINT64_MAX >> TALLY_ID_BITS)
/* What fits into 4 bytes. */
#define TALLY_NARROW_ID_BITS 20
#define TALLY_NARROW_MAX_COUNT (UINT32_MAX >> TALLY_NARROW_ID_BITS)
#define TALLY_ID_FACTOR UINT32_C(0x9e3779b1) /* 2^32 / golden ratio, odd */

/* There are `size` places, narrow ones until something does not fit there; 0 is empty, else count
 * << bits of an id | id, where the count is above 0. They stand in the order of their ranks, begun
 * at tally_start() and going around, each in its home or behind others without a gap (linear
 * probing, sorted). So the order is the same whatever the size, and whoever came first. All zero is
 * an empty tally. */
struct tally {
	union {
		uint32_t *narrow;
		uint64_t *wide;
	} slots;
	bool is_wide;
	uint32_t size, count;
};

/* 0: the slot is empty. */
static inline uint64_t
tally_count(const struct tally *tally, uint32_t slot)
{
	return tally->is_wide ? tally->slots.wide[slot] >> TALLY_ID_BITS
			      : tally->slots.narrow[slot] >> TALLY_NARROW_ID_BITS;
}

/* LEXICON_NONE: the slot is empty. */
static inline uint32_t
tally_id(const struct tally *tally, uint32_t slot)
{
	return tally->is_wide ? (uint32_t)tally->slots.wide[slot] & ((1U << TALLY_ID_BITS) - 1)
			      : tally->slots.narrow[slot] & ((1U << TALLY_NARROW_ID_BITS) - 1);
}

/* By this they are sorted in the table. */
static inline uint32_t
tally_rank(uint32_t id)
{
	return id * TALLY_ID_FACTOR;
}

/* Where an id is looked for first: the size need not be a power of 2 (Lemire, "Fast Random Integer
 * Generation in an Interval", 2019). */
static inline uint32_t
tally_home(const struct tally *tally, uint32_t id)
{
	return (uint32_t)((uint64_t)tally_rank(id) * tally->size >> 32);
}

/* tally_find() of this id comes soon: what it reads first is fetched meanwhile. */
static inline void
tally_expect(const struct tally *tally, uint32_t id)
{
	if (tally->is_wide)
		__builtin_prefetch(&tally->slots.wide[tally_home(tally, id)]);
	else if (tally->slots.narrow != NULL)
		__builtin_prefetch(&tally->slots.narrow[tally_home(tally, id)]);
}

void tally_free(struct tally *tally);
/* Room for so many, TALLY_MAX at most, at once. */
void tally_reserve(struct tally *tally, uint32_t count);
/* The slot of an id, or -1 (as for LEXICON_NONE). */
int tally_find(const struct tally *tally, uint32_t id);
/* Puts in an id that is not there, with a count above 0; the reference goes over. There are less
 * than TALLY_MAX. The slots of others may be other ones afterwards. */
void tally_insert(struct tally *tally, uint32_t id, uint64_t count);
/* The count goes up by one, or down; it stays above 0. */
void tally_up(struct tally *tally, uint32_t slot);
void tally_down(struct tally *tally, uint32_t slot);
/* Those that stand behind it move forward, one into its slot maybe, none past it. */
void tally_remove(struct tally *tally, uint32_t slot);
/* The slot from which on, all around, they stand in the order of their ranks. */
uint32_t tally_start(const struct tally *tally);
size_t tally_memory(const struct tally *tally);

#endif
