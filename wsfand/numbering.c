/* SPDX-License-Identifier: MIT */
#include "wsfand/numbering.h"

#include "lib/mem.h"

#define FIRST_SLOTS 256

/* Where the object stands, or the empty slot where it would. Fibonacci hashing (Knuth, volume 3,
 * 6.4): addresses differ in their middle bits. */
static size_t
slot_of(const struct numbering *numbering, const void *object)
{
	uint64_t hash = (uint64_t)(uintptr_t)object * UINT64_C(0x9e3779b97f4a7c15);
	size_t at = (size_t)(hash >> 20) & (numbering->slots - 1);

	while (numbering->objects[at] && numbering->objects[at] != object)
		at = (at + 1) & (numbering->slots - 1);
	return at;
}

uint32_t
numbering_of(const struct numbering *numbering, const void *object)
{
	return numbering->slots > 0 ? numbering->numbers[slot_of(numbering, object)] : 0;
}

static void
put(struct numbering *numbering, const void *object, uint32_t number)
{
	size_t at = slot_of(numbering, object);

	numbering->objects[at] = object;
	numbering->numbers[at] = number;
}

static void
grow(struct numbering *numbering)
{
	struct numbering old = *numbering;

	numbering->slots = old.slots > 0 ? 2 * old.slots : FIRST_SLOTS;
	numbering->objects = mem_zalloc(numbering->slots * sizeof(*numbering->objects));
	numbering->numbers = mem_zalloc(numbering->slots * sizeof(*numbering->numbers));
	for (size_t i = 0; i < old.slots; i++)
		if (old.objects[i])
			put(numbering, old.objects[i], old.numbers[i]);
	numbering_free(&old);
}

uint32_t
numbering_add(struct numbering *numbering, const void *object)
{
	if (2 * ((size_t)numbering->count + 1) > numbering->slots)
		grow(numbering);
	put(numbering, object, ++numbering->count);
	return numbering->count;
}

void
numbering_free(struct numbering *numbering)
{
	MEM_FREE(&numbering->objects);
	MEM_FREE(&numbering->numbers);
	*numbering = (struct numbering){.count = 0};
}
