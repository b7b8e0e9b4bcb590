/* SPDX-License-Identifier: MIT */
#include "analyticsd/bag.h"

#include <string.h>

#include "lib/mem.h"

#define FIRST_CAPACITY 4
#define FIRST_BYTES 32

void
bag_free(struct bag *bag)
{
	MEM_FREE(&bag->entries);
	MEM_FREE(&bag->slots);
	MEM_FREE(&bag->bytes);
	*bag = (struct bag){0};
}

int
bag_find(const struct bag *bag, const char *data, size_t length, uint32_t hash)
{
	if (bag->count == 0)
		return -1;
	for (uint32_t slot = hash;; slot++) {
		uint16_t taken = bag->slots[slot & (bag->slot_count - 1)];

		if (taken == 0)
			return -1;
		const struct bag_entry *entry = &bag->entries[taken - 1];
		if (entry->hash == hash && (entry->place & 0xff) == length &&
		    memcmp(bag->bytes + (entry->place >> 8), data, length) == 0)
			return taken - 1;
	}
}

static void
bag_place(struct bag *bag, unsigned index)
{
	uint32_t mask = bag->slot_count - 1, slot = bag->entries[index].hash & mask;

	while (bag->slots[slot] != 0)
		slot = (slot + 1) & mask;
	bag->slots[slot] = (uint16_t)(index + 1);
}

static void
bag_grow_entries(struct bag *bag)
{
	bag->capacity = bag->capacity == 0 ? FIRST_CAPACITY : 2 * bag->capacity;
	bag->entries = mem_array(bag->entries, bag->capacity, sizeof(bag->entries[0]));
	MEM_FREE(&bag->slots);
	bag->slot_count = 2 * bag->capacity;
	bag->slots = mem_zalloc(bag->slot_count * sizeof(bag->slots[0]));
	for (unsigned i = 0; i < bag->count; i++)
		bag_place(bag, i);
}

/* Room for `length` more bytes; what is wasted goes on the way. */
static void
bag_grow_bytes(struct bag *bag, size_t length)
{
	uint32_t live = bag->bytes_end - bag->bytes_wasted, end = 0;

	while (bag->bytes_capacity < live + length || bag->bytes_capacity < FIRST_BYTES)
		bag->bytes_capacity = MAX(2 * bag->bytes_capacity, FIRST_BYTES);
	/* A block that would be nearly full again at once is worth doubling. */
	if (live + length > bag->bytes_capacity / 8 * 7)
		bag->bytes_capacity *= 2;

	char *bytes = mem_alloc(bag->bytes_capacity);
	for (unsigned i = 0; bag->bytes != NULL && i < bag->count; i++) {
		struct bag_entry *entry = &bag->entries[i];
		uint32_t size = entry->place & 0xff;

		memcpy(bytes + end, bag->bytes + (entry->place >> 8), size);
		entry->place = end << 8 | size;
		end += size;
	}
	MEM_FREE(&bag->bytes);
	bag->bytes = bytes;
	bag->bytes_end = end;
	bag->bytes_wasted = 0;
}

unsigned
bag_insert(struct bag *bag, const char *data, size_t length, uint32_t hash)
{
	if (bag->count == bag->capacity)
		bag_grow_entries(bag);
	if (bag->bytes == NULL || bag->bytes_end + length > bag->bytes_capacity)
		bag_grow_bytes(bag, length);
	unsigned index = bag->count++;
	bag->entries[index] = (struct bag_entry){
	    .hash = hash,
	    .place = bag->bytes_end << 8 | (uint32_t)length,
	};
	memcpy(bag->bytes + bag->bytes_end, data, length);
	bag->bytes_end += (uint32_t)length;
	bag_place(bag, index);
	return index;
}

static uint32_t
bag_slot_of(const struct bag *bag, unsigned index)
{
	uint32_t mask = bag->slot_count - 1, slot = bag->entries[index].hash & mask;

	while (bag->slots[slot] != index + 1)
		slot = (slot + 1) & mask;
	return slot;
}

/* Closes the gap so that no probe ends early (Knuth, TAOCP 3, 6.4, algorithm R). */
static void
bag_clear_slot(struct bag *bag, uint32_t gap)
{
	uint32_t mask = bag->slot_count - 1;

	for (uint32_t slot = (gap + 1) & mask; bag->slots[slot] != 0; slot = (slot + 1) & mask) {
		uint32_t home = bag->entries[bag->slots[slot] - 1].hash & mask;

		if (((slot - home) & mask) >= ((slot - gap) & mask)) {
			bag->slots[gap] = bag->slots[slot];
			gap = slot;
		}
	}
	bag->slots[gap] = 0;
}

void
bag_remove(struct bag *bag, unsigned index)
{
	unsigned last = bag->count - 1;

	bag_clear_slot(bag, bag_slot_of(bag, index));
	bag->bytes_wasted += bag->entries[index].place & 0xff;
	if (index != last) {
		bag->slots[bag_slot_of(bag, last)] = (uint16_t)(index + 1);
		bag->entries[index] = bag->entries[last];
	}
	bag->count = last;
}

int
bag_compare(const struct bag *bag, unsigned a, unsigned b)
{
	size_t a_length, b_length;
	const char *a_bytes = bag_bytes(bag, a, &a_length), *b_bytes = bag_bytes(bag, b, &b_length);
	int order = memcmp(a_bytes, b_bytes, MIN(a_length, b_length));

	return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

size_t
bag_memory(const struct bag *bag)
{
	return bag->capacity * sizeof(bag->entries[0]) + bag->slot_count * sizeof(bag->slots[0]) +
	    bag->bytes_capacity;
}
