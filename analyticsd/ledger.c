/* SPDX-License-Identifier: MIT */
#include "analyticsd/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "analyticsd/arena.h"
#include "analyticsd/hash.h"
#include "lib/mem.h"

#define ID_MAX 4096
#define FIRST_CAPACITY 256

/* One row as it shall be. */
struct entry {
	struct store_row row;
	bool deleted;
};

/* One that the store has already. */
struct old_entry {
	struct entry entry;
	UT_hash_handle hh;
};

/* Where the response of an id stands now: in the pending row `seq`, or nowhere (0). */
struct mark {
	const uint8_t *id;
	uint32_t length, hash;
	int64_t seq;
};

/* By id: slots[] holds 1 + the index of a mark, 0 is empty (open addressing; a power of 2, twice
 * the capacity). */
struct marks {
	struct mark *marks;
	uint32_t *slots;
	uint32_t count, capacity;
};

struct ledger {
	struct store *store;
	struct arena arena; /* old entries, and the bytes of ids and records */
	struct entry *fresh; /* that of seq first_fresh + i */
	size_t fresh_count, fresh_capacity;
	int64_t first_fresh;
	struct old_entry *old; /* by seq; iterated in the order of their first change */
	struct marks marks;
	/* So many of fresh[] have had their marks; the others get theirs when a mark is asked for,
	 * which it is not while ids grow. */
	size_t fresh_marked;
	int64_t last_seq;
	/* No id, pending or in the store, is above this one, so whatever is greater is new without
	 * asking: ObjectIds grow, and most responses need no look-up. */
	struct buf greatest;
	bool unbounded; /* the greatest is too long to be kept: all are looked up */
};

struct ledger *
ledger_new(struct store *store)
{
	struct ledger *ledger = mem_zalloc(sizeof(*ledger));
	struct store_ends ends;

	ledger->store = store;
	buf_init(&ledger->greatest, ID_MAX);
	if (store->ops->ends(store, &ends) < 0 ||
	    store->ops->greatest_id(store, &ledger->greatest) < 0) {
		ledger_free(&ledger);
		return NULL;
	}
	ledger->last_seq = ends.last_seq;
	ledger->first_fresh = ends.last_seq + 1;
	return ledger;
}

static void
forget(struct ledger *ledger)
{
	struct marks *marks = &ledger->marks;

	HASH_CLEAR(hh, ledger->old);
	ledger->fresh_count = ledger->fresh_marked = 0;
	ledger->first_fresh = ledger->last_seq + 1;
	if (marks->count > 0)
		memset(marks->slots, 0, 2 * marks->capacity * sizeof(marks->slots[0]));
	marks->count = 0;
}

void
ledger_free(struct ledger **pointer)
{
	struct ledger *ledger = *pointer;

	forget(ledger);
	MEM_FREE(&ledger->fresh);
	MEM_FREE(&ledger->marks.marks);
	MEM_FREE(&ledger->marks.slots);
	arena_free(&ledger->arena);
	buf_free(&ledger->greatest);
	MEM_FREE(pointer);
}

static struct entry *
entry_find(struct ledger *ledger, int64_t seq)
{
	struct old_entry *old;

	if (seq >= ledger->first_fresh)
		return (uint64_t)(seq - ledger->first_fresh) < ledger->fresh_count
		    ? &ledger->fresh[seq - ledger->first_fresh]
		    : NULL;
	HASH_FIND(hh, ledger->old, &seq, sizeof(seq), old);
	return old != NULL ? &old->entry : NULL;
}

/* The slot of an id, or the empty one where it belongs. */
static uint32_t *
slot_of(const struct marks *marks, const void *id, size_t length, uint32_t hash)
{
	uint32_t mask = 2 * marks->capacity - 1;

	for (uint32_t slot = hash & mask;; slot = (slot + 1) & mask) {
		uint32_t taken = marks->slots[slot];

		if (taken == 0)
			return &marks->slots[slot];
		const struct mark *mark = &marks->marks[taken - 1];
		if (mark->hash == hash && mark->length == length &&
		    memcmp(mark->id, id, length) == 0)
			return &marks->slots[slot];
	}
}

static void
marks_grow(struct marks *marks)
{
	marks->capacity = MAX(2 * marks->capacity, FIRST_CAPACITY);
	marks->marks = mem_array(marks->marks, marks->capacity, sizeof(marks->marks[0]));
	MEM_FREE(&marks->slots);
	marks->slots = mem_zalloc(2 * marks->capacity * sizeof(marks->slots[0]));
	for (uint32_t i = 0; i < marks->count; i++) {
		const struct mark *mark = &marks->marks[i];
		*slot_of(marks, mark->id, mark->length, mark->hash) = i + 1;
	}
}

static void
marks_set(struct marks *marks, const uint8_t *id, size_t length, int64_t seq)
{
	uint32_t hash = hash_bytes(id, length);

	if (marks->count == marks->capacity)
		marks_grow(marks);
	uint32_t *slot = slot_of(marks, id, length, hash);
	if (*slot == 0) {
		marks->marks[marks->count++] = (struct mark){
		    .id = id, .length = (uint32_t)length, .hash = hash};
		*slot = marks->count;
	}
	marks->marks[*slot - 1].seq = seq;
}

/* All of them have their ids: before a row loses its own it is marked that it has. */
static void
mark_fresh(struct ledger *ledger)
{
	for (; ledger->fresh_marked < ledger->fresh_count; ledger->fresh_marked++) {
		const struct store_row *row = &ledger->fresh[ledger->fresh_marked].row;

		marks_set(&ledger->marks, row->id, row->id_length, row->seq);
	}
}

/* `id` must live as long as the arena. */
static void
mark_set(struct ledger *ledger, const uint8_t *id, size_t length, int64_t seq)
{
	mark_fresh(ledger);
	marks_set(&ledger->marks, id, length, seq);
}

static const struct mark *
mark_find(struct ledger *ledger, const void *id, size_t length)
{
	const struct marks *marks = &ledger->marks;

	mark_fresh(ledger);
	if (marks->count == 0)
		return NULL;
	uint32_t slot = *slot_of(marks, id, length, hash_bytes(id, length));
	return slot == 0 ? NULL : &marks->marks[slot - 1];
}

static int
compare_greatest(const struct ledger *ledger, const void *id, size_t length)
{
	size_t greatest = buf_length(&ledger->greatest);
	size_t common = MIN(length, greatest);
	int order = common == 0 ? 0 : memcmp(id, buf_bytes(&ledger->greatest), common);

	return order != 0 ? order : (length > greatest) - (length < greatest);
}

int
ledger_find(struct ledger *ledger, const void *id, size_t length, struct store_row *row)
{
	if (!ledger->unbounded && compare_greatest(ledger, id, length) > 0)
		return 0;
	const struct mark *mark = mark_find(ledger, id, length);
	if (mark != NULL) {
		if (mark->seq == 0)
			return 0;
		*row = entry_find(ledger, mark->seq)->row;
		return 1;
	}
	return ledger->store->ops->row_by_id(ledger->store, id, length, row);
}

int
ledger_get(struct ledger *ledger, int64_t seq, struct store_row *row)
{
	const struct entry *entry = entry_find(ledger, seq);

	if (entry != NULL && !entry->deleted) {
		*row = entry->row;
		return 0;
	}
	int found = entry != NULL ? 0 : ledger->store->ops->row_by_seq(ledger->store, seq, row);
	if (found == 0)
		errno = EBADMSG;
	return found > 0 ? 0 : -1;
}

static struct entry *
entry_make(struct ledger *ledger, int64_t seq)
{
	struct entry *entry = entry_find(ledger, seq);

	if (entry == NULL) {
		struct old_entry *old = arena_alloc(&ledger->arena, sizeof(*old));

		entry = &old->entry;
		entry->row.seq = seq;
		HASH_ADD(hh, ledger->old, entry.row.seq, sizeof(entry->row.seq), old);
	}
	return entry;
}

static void
entry_fill(struct ledger *ledger, struct entry *entry, const struct store_row *row)
{
	/* The bytes may be the entry's own, or lent by the store: copies are safe either way. */
	struct store_row copy = *row;

	copy.seq = entry->row.seq;
	if (row->id != NULL) {
		uint8_t *bytes = arena_take(&ledger->arena, row->id_length + row->record_length);

		copy.id = memcpy(bytes, row->id, row->id_length);
		bytes += row->id_length;
		copy.record = bytes;
		if (row->record_length > 0)
			memcpy(bytes, row->record, row->record_length);
	}
	entry->row = copy;
}

int64_t
ledger_append(struct ledger *ledger, const struct store_row *row)
{
	if (ledger->fresh_count == ledger->fresh_capacity) {
		ledger->fresh_capacity = MAX(2 * ledger->fresh_capacity, FIRST_CAPACITY);
		ledger->fresh = mem_array(
		    ledger->fresh, ledger->fresh_capacity, sizeof(*ledger->fresh));
	}
	struct entry *entry = &ledger->fresh[ledger->fresh_count++];
	*entry = (struct entry){.row.seq = ++ledger->last_seq};
	entry_fill(ledger, entry, row);
	if (compare_greatest(ledger, row->id, row->id_length) > 0) {
		buf_clear(&ledger->greatest);
		if (buf_append(&ledger->greatest, row->id, row->id_length) < 0)
			ledger->unbounded = true;
	}
	return entry->row.seq;
}

void
ledger_update(struct ledger *ledger, const struct store_row *row)
{
	struct entry *entry = entry_make(ledger, row->seq);

	entry_fill(ledger, entry, row);
	if (row->id != NULL)
		mark_set(ledger, entry->row.id, entry->row.id_length, row->seq);
}

void
ledger_bury(struct ledger *ledger, const struct store_row *was)
{
	const uint8_t *id = arena_dup(&ledger->arena, was->id, was->id_length);
	struct store_row tombstone = {.seq = was->seq, .form = was->form, .prev = was->prev};

	mark_set(ledger, id, was->id_length, 0);
	entry_fill(ledger, entry_make(ledger, tombstone.seq), &tombstone);
}

void
ledger_delete(struct ledger *ledger, int64_t seq)
{
	entry_make(ledger, seq)->deleted = true;
}

size_t
ledger_pending(const struct ledger *ledger)
{
	return ledger->fresh_count + HASH_COUNT(ledger->old);
}

/* Old rows first: an id must be free before a new row may bear it. */
static int
write_old(struct ledger *ledger)
{
	struct store *store = ledger->store;

	for (struct old_entry *old = ledger->old; old != NULL; old = old->hh.next) {
		const struct entry *entry = &old->entry;
		int result = entry->deleted ? store->ops->delete_row(store, entry->row.seq)
					    : store->ops->update_row(store, &entry->row);
		if (result < 0)
			return -1;
	}
	return 0;
}

/* Of the fresh rows, those that were not deleted since. */
struct fresh_walk {
	const struct ledger *ledger;
	size_t at;
};

static const struct store_row *
next_fresh(void *owner)
{
	struct fresh_walk *walk = owner;

	while (walk->at < walk->ledger->fresh_count) {
		const struct entry *entry = &walk->ledger->fresh[walk->at++];
		if (!entry->deleted)
			return &entry->row;
	}
	return NULL;
}

int
ledger_write(struct ledger *ledger)
{
	struct store *store = ledger->store;
	struct fresh_walk walk = {.ledger = ledger};

	return write_old(ledger) < 0 ? -1 : store->ops->insert_rows(store, next_fresh, &walk);
}

void
ledger_committed(struct ledger *ledger)
{
	forget(ledger);
	arena_reset(&ledger->arena);
}
