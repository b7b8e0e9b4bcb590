/* SPDX-License-Identifier: MIT */
/* The rows of the store without a disk. */
#include <stdlib.h>
#include <string.h>

#include "analyticsd/store_memory.h"
#include "lib/mem.h"

static struct store_memory *
memory_of(struct store *store)
{
	return container_of(store, struct store_memory, store);
}

int
store_memory_copy(struct buf *to, const void *bytes, size_t length)
{
	buf_clear(to);
	return length > 0 ? buf_append(to, bytes, length) : 0;
}

void
store_memory_own(struct store_row *row)
{
	if (row->id != NULL)
		row->id = mem_dup(row->id, row->id_length);
	if (row->record != NULL)
		row->record = mem_dup(row->record, row->record_length);
}

void
store_memory_disown(struct store_row *row)
{
	free((void *)(uintptr_t)row->id);
	free((void *)(uintptr_t)row->record);
	row->id = row->record = NULL;
}

void
store_memory_remove_row(struct store_memory *self, int64_t seq)
{
	struct memory_row *row;

	HASH_FIND(by_seq, self->rows_by_seq, &seq, sizeof(seq), row);
	if (row == NULL)
		return;
	/* NOLINTBEGIN(clang-analyzer-core.NullDereference): it does not see into uthash's table */
	HASH_DELETE(by_seq, self->rows_by_seq, row);
	if (row->row.id != NULL)
		HASH_DELETE(by_id, self->rows_by_id, row);
	/* NOLINTEND(clang-analyzer-core.NullDereference) */
	store_memory_disown(&row->row);
	free(row);
}

void
store_memory_put_row(struct store_memory *self, const struct store_row *from)
{
	struct memory_row *row;

	store_memory_remove_row(self, from->seq);
	row = mem_zalloc(sizeof(*row));
	row->row = *from;
	store_memory_own(&row->row);
	HASH_ADD(by_seq, self->rows_by_seq, row.seq, sizeof(row->row.seq), row);
	if (row->row.id != NULL)
		HASH_ADD_KEYPTR(by_id, self->rows_by_id, row->row.id, row->row.id_length, row);
	self->ends.last_seq = MAX(self->ends.last_seq, from->seq);
}

int
store_memory_row_by_id(struct store *store, const void *id, size_t length, struct store_row *row)
{
	struct memory_row *found;

	HASH_FIND(by_id, memory_of(store)->rows_by_id, id, length, found);
	if (found == NULL)
		return 0;
	*row = found->row;
	return 1;
}

int
store_memory_row_by_seq(struct store *store, int64_t seq, struct store_row *row)
{
	struct memory_row *found;

	HASH_FIND(by_seq, memory_of(store)->rows_by_seq, &seq, sizeof(seq), found);
	if (found == NULL)
		return 0;
	*row = found->row;
	return 1;
}

int
store_memory_rows_after(struct store *store, int64_t seq, store_visited *visit, void *owner)
{
	struct store_memory *self = memory_of(store);
	struct store_row row;

	while (seq < self->ends.last_seq) {
		if (store_memory_row_by_seq(store, ++seq, &row) > 0 && visit(owner, &row) < 0)
			return -1;
	}
	return 0;
}

int
store_memory_greatest_id(struct store *store, struct buf *id)
{
	const struct store_row *greatest = NULL;

	for (struct memory_row *row = memory_of(store)->rows_by_id; row != NULL;
	     row = row->by_id.next) {
		size_t common = greatest == NULL ? 0 : MIN(greatest->id_length, row->row.id_length);
		int order = greatest == NULL ? -1 : memcmp(greatest->id, row->row.id, common);
		if (order < 0 || (order == 0 && greatest->id_length < row->row.id_length))
			greatest = &row->row;
	}
	if (greatest == NULL)
		return 0;
	return store_memory_copy(id, greatest->id, greatest->id_length) < 0 ? -1 : 1;
}
