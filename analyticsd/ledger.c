/* SPDX-License-Identifier: MIT */
#include "analyticsd/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "analyticsd/arena.h"
#include "lib/mem.h"

#define ID_MAX 4096

/* One row as it shall be. */
struct entry {
	struct store_row row;
	bool fresh; /* the store has no such row yet */
	bool deleted;
	UT_hash_handle hh;
};

/* Where the response of an id stands now: in the pending row `seq`, or nowhere (0). */
struct mark {
	int64_t seq;
	UT_hash_handle hh;
};

struct ledger {
	struct store *store;
	struct arena arena; /* entries, marks and their bytes */
	struct entry *entries; /* by seq; iterated in the order of their first change */
	struct mark *marks; /* by id */
	int64_t last_seq;
	/* No id in the store is above this one, so whatever is greater is new without asking:
	 * ObjectIds grow, and most responses need no look-up. */
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
	return ledger;
}

static void
forget(struct ledger *ledger)
{
	HASH_CLEAR(hh, ledger->entries);
	HASH_CLEAR(hh, ledger->marks);
}

void
ledger_free(struct ledger **ledger)
{
	forget(*ledger);
	arena_free(&(*ledger)->arena);
	buf_free(&(*ledger)->greatest);
	MEM_FREE(ledger);
}

static struct entry *
entry_find(struct ledger *ledger, int64_t seq)
{
	struct entry *entry;

	HASH_FIND(hh, ledger->entries, &seq, sizeof(seq), entry);
	return entry;
}

static struct mark *
mark_find(struct ledger *ledger, const void *id, size_t length)
{
	struct mark *mark;

	HASH_FIND(hh, ledger->marks, id, length, mark);
	return mark;
}

/* `id` must live as long as the arena. */
static void
mark_set(struct ledger *ledger, const uint8_t *id, size_t length, int64_t seq)
{
	struct mark *mark = mark_find(ledger, id, length);

	if (mark == NULL) {
		mark = arena_alloc(&ledger->arena, sizeof(*mark));
		HASH_ADD_KEYPTR(hh, ledger->marks, id, length, mark);
	}
	mark->seq = seq;
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
	const struct mark *mark = mark_find(ledger, id, length);

	if (mark != NULL) {
		if (mark->seq == 0)
			return 0;
		*row = entry_find(ledger, mark->seq)->row;
		return 1;
	}
	if (!ledger->unbounded && compare_greatest(ledger, id, length) > 0)
		return 0;
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
		entry = arena_alloc(&ledger->arena, sizeof(*entry));
		entry->row.seq = seq;
		HASH_ADD(hh, ledger->entries, row.seq, sizeof(entry->row.seq), entry);
	}
	return entry;
}

static void
entry_fill(struct ledger *ledger, struct entry *entry, const struct store_row *row)
{
	int64_t seq = entry->row.seq;

	/* The bytes may be the entry's own, or lent by the store: copies are safe either way. */
	struct store_row copy = *row;
	copy.seq = seq;
	if (row->id != NULL) {
		copy.id = arena_dup(&ledger->arena, row->id, row->id_length);
		copy.record = arena_dup(&ledger->arena, row->record, row->record_length);
		mark_set(ledger, copy.id, copy.id_length, seq);
	}
	entry->row = copy;
}

int64_t
ledger_append(struct ledger *ledger, const struct store_row *row)
{
	struct entry *entry = entry_make(ledger, ++ledger->last_seq);

	entry->fresh = true;
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
	entry_fill(ledger, entry_make(ledger, row->seq), row);
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
	return HASH_COUNT(ledger->entries);
}

/* Old rows first: an id must be free before a new row may bear it. */
static int
write_old(struct ledger *ledger)
{
	struct store *store = ledger->store;

	for (struct entry *entry = ledger->entries; entry != NULL; entry = entry->hh.next) {
		if (entry->fresh)
			continue;
		int result = entry->deleted ? store->ops->delete_row(store, entry->row.seq)
					    : store->ops->update_row(store, &entry->row);
		if (result < 0)
			return -1;
	}
	return 0;
}

int
ledger_write(struct ledger *ledger)
{
	struct store *store = ledger->store;

	if (write_old(ledger) < 0)
		return -1;
	for (struct entry *entry = ledger->entries; entry != NULL; entry = entry->hh.next) {
		if (entry->fresh && !entry->deleted &&
		    store->ops->insert_row(store, &entry->row) < 0)
			return -1;
	}
	return 0;
}

void
ledger_committed(struct ledger *ledger)
{
	forget(ledger);
	arena_reset(&ledger->arena);
}
