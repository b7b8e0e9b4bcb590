/* SPDX-License-Identifier: MIT */
#include "analyticsd/lexicon.h"

#include <string.h>

#include "lib/base.h"
#include "lib/mem.h"

#define FIRST_SLOTS 64
#define HASH_SHIFT 32

struct entry {
	uint32_t references; /* one from each field of texts at most */
	uint8_t length;
	char bytes[];
};

_Static_assert(sizeof(struct entry) + LEXICON_MAX_BYTES <= SLAB_MAX_SIZE, "every word fits");

/* slots[] has slot_count (a power of 2, over count / 3 * 4) places; 0 is empty, else the id of a
 * word below its hash: that parts nearly all words, so that no other word's entry is read. */
static struct {
	struct slab entries;
	uint64_t *slots;
	uint32_t slot_count, count;
} lexicon;

struct siphash_key lexicon_key;

void
lexicon_make_key(void)
{
	lexicon_key = siphash_make_key();
	lexicon_key.low |= 1;
}

static struct entry *
entry_at(uint64_t slot)
{
	return slab_at(&lexicon.entries, (uint32_t)slot);
}

/* Where the word stands, or the empty place where it would. */
static uint32_t
find_slot(const char *bytes, size_t length, uint32_t hash)
{
	uint32_t mask = lexicon.slot_count - 1, at = hash & mask;

	for (; lexicon.slots[at] != 0; at = (at + 1) & mask) {
		if (lexicon.slots[at] >> HASH_SHIFT != hash)
			continue;
		const struct entry *entry = entry_at(lexicon.slots[at]);
		if (entry->length == length && memcmp(entry->bytes, bytes, length) == 0)
			break;
	}
	return at;
}

static void
resize(uint32_t slot_count)
{
	uint64_t *old = lexicon.slots;
	uint32_t old_count = lexicon.slot_count, mask = slot_count - 1;

	lexicon.slots = mem_zalloc(slot_count * sizeof(lexicon.slots[0]));
	lexicon.slot_count = slot_count;
	for (uint32_t i = 0; i < old_count; i++) {
		if (old[i] == 0)
			continue;
		uint32_t at = (uint32_t)(old[i] >> HASH_SHIFT) & mask;
		while (lexicon.slots[at] != 0)
			at = (at + 1) & mask;
		lexicon.slots[at] = old[i];
	}
	MEM_FREE(&old);
}

/* Room for one more. */
static void
make_room(void)
{
	if (lexicon.count == 0) {
		slab_init(&lexicon.entries);
		resize(FIRST_SLOTS);
	} else if (lexicon.count == lexicon.slot_count / 4 * 3) {
		resize(2 * lexicon.slot_count);
	}
}

uint32_t
lexicon_take(const char *bytes, size_t length, uint32_t hash)
{
	make_room();
	uint32_t at = find_slot(bytes, length, hash);
	if (lexicon.slots[at] != 0) {
		entry_at(lexicon.slots[at])->references++;
		return (uint32_t)lexicon.slots[at];
	}
	uint32_t id = slab_alloc(&lexicon.entries, offsetof(struct entry, bytes) + length);
	struct entry *entry = entry_at(id);
	entry->references = 1;
	entry->length = (uint8_t)length;
	memcpy(entry->bytes, bytes, length);
	lexicon.slots[at] = (uint64_t)hash << HASH_SHIFT | id;
	lexicon.count++;
	return id;
}

uint32_t
lexicon_find(const char *bytes, size_t length, uint32_t hash)
{
	if (lexicon.count == 0)
		return LEXICON_NONE;
	return (uint32_t)lexicon.slots[find_slot(bytes, length, hash)];
}

/* Closes the gap so that no probe ends early (Knuth, TAOCP 3, 6.4, algorithm R). */
static void
clear_slot(uint32_t gap)
{
	uint32_t mask = lexicon.slot_count - 1;

	for (uint32_t at = (gap + 1) & mask; lexicon.slots[at] != 0; at = (at + 1) & mask) {
		uint32_t home = (uint32_t)(lexicon.slots[at] >> HASH_SHIFT) & mask;

		if (((at - home) & mask) >= ((at - gap) & mask)) {
			lexicon.slots[gap] = lexicon.slots[at];
			gap = at;
		}
	}
	lexicon.slots[gap] = 0;
}

void
lexicon_release(uint32_t id)
{
	struct entry *entry = entry_at(id);

	if (--entry->references > 0)
		return;
	uint32_t hash = lexicon_hash(entry->bytes, entry->length);
	clear_slot(find_slot(entry->bytes, entry->length, hash));
	slab_free(&lexicon.entries, id);
	if (--lexicon.count == 0) {
		MEM_FREE(&lexicon.slots);
		lexicon.slot_count = 0;
	} else if (lexicon.slot_count > FIRST_SLOTS && lexicon.count < lexicon.slot_count / 8) {
		resize(lexicon.slot_count / 2);
	}
}

const char *
lexicon_bytes(uint32_t id, size_t *length)
{
	const struct entry *entry = entry_at(id);

	*length = entry->length;
	return entry->bytes;
}

size_t
lexicon_count(void)
{
	return lexicon.count;
}

size_t
lexicon_memory(void)
{
	return slab_memory(&lexicon.entries) + lexicon.slot_count * sizeof(lexicon.slots[0]);
}
