/* SPDX-License-Identifier: MIT */
/* bag: short strings of bytes with a count each, packed tightly: an array of
 * entries, their bytes end to end in one block, and a table of 16-bit slots over
 * both (open addressing, linear probing). A few dozen bytes an entry. */
#ifndef ANALYTICSD_BAG_H
#define ANALYTICSD_BAG_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"

#define BAG_MAX_ENTRIES 16384
#define BAG_MAX_BYTES 255 /* of one string */

struct bag_entry {
	uint64_t count;
	uint32_t hash;
	uint32_t place; /* offset of its bytes << 8 | their number */
};

/* entries[0 .. count) are in use, in the order of their coming until one is removed.
 * slots[] has slot_count (a power of 2, at least 2 * capacity) places; 0 is empty, else index + 1.
 * bytes[0 .. bytes_end) is taken, bytes_wasted of it by entries that are gone.
 * All zero is an empty bag. */
struct bag {
	struct bag_entry *entries;
	uint16_t *slots;
	char *bytes;
	uint32_t count, capacity, slot_count;
	uint32_t bytes_end, bytes_capacity, bytes_wasted;
};

void bag_free(struct bag *bag);
/* The index of these bytes, or -1. `hash` is a hash of theirs, always of the same kind. */
int bag_find(const struct bag *bag, const char *data, size_t length, uint32_t hash);

/* Puts in what bag_find() did not find, with a count of 0; the new index. The bag has less than
 * BAG_MAX_ENTRIES and `length` is at most BAG_MAX_BYTES. */
unsigned bag_insert(struct bag *bag, const char *data, size_t length, uint32_t hash);
/* The last entry takes the place of the removed one. */
void bag_remove(struct bag *bag, unsigned index);

static inline const char *
bag_bytes(const struct bag *bag, unsigned index, size_t *length)
{
	*length = bag->entries[index].place & 0xff;
	return bag->bytes + (bag->entries[index].place >> 8);
}

/* Which of two entries has the smaller bytes (memcmp(3), then the length): below, equal to or
 * above 0. */
int bag_compare(const struct bag *bag, unsigned a, unsigned b);
size_t bag_memory(const struct bag *bag);

#endif
