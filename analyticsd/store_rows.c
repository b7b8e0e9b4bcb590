/* SPDX-License-Identifier: MIT */
/* The rows of responses in the store on disk. */
#include <string.h>

#include "analyticsd/store_sqlite.h"

static struct store_sqlite *
sqlite_of(struct store *store)
{
	return container_of(store, struct store_sqlite, store);
}

/* The row's bytes are copied, so that no statement stays open and holds up a checkpoint. */
static int
read_row(struct store_sqlite *self, enum statement which, struct store_row *row)
{
	sqlite3_stmt *statement = self->statements[which];
	int found = store_sqlite_first_row(self, which);

	if (found <= 0)
		return found;
	memset(row, 0, sizeof(*row));
	row->seq = sqlite3_column_int64(statement, 0);
	row->form = sqlite3_column_int64(statement, 2);
	row->prev = sqlite3_column_int64(statement, 3);
	if (sqlite3_column_type(statement, 1) != SQLITE_NULL) {
		const void *id = sqlite3_column_blob(statement, 1);
		row->id_length = (size_t)sqlite3_column_bytes(statement, 1);
		const void *record = sqlite3_column_blob(statement, 4);
		row->record_length = (size_t)sqlite3_column_bytes(statement, 4);
		buf_clear(&self->scratch);
		uint8_t *bytes = buf_reserve(
		    &self->scratch, row->id_length + row->record_length + 1);
		if (bytes == NULL) {
			sqlite3_reset(statement);
			return -1;
		}
		memcpy(bytes, id, row->id_length);
		if (row->record_length > 0)
			memcpy(bytes + row->id_length, record, row->record_length);
		row->id = bytes;
		row->record = bytes + row->id_length;
	}
	sqlite3_reset(statement);
	return 1;
}

int
store_sqlite_row_by_id(struct store *store, const void *id, size_t length, struct store_row *row)
{
	struct store_sqlite *self = sqlite_of(store);

	sqlite3_bind_blob64(self->statements[NAME_ROW_BY_ID], 1, id, length, SQLITE_STATIC);
	return read_row(self, NAME_ROW_BY_ID, row);
}

int
store_sqlite_row_by_seq(struct store *store, int64_t seq, struct store_row *row)
{
	struct store_sqlite *self = sqlite_of(store);

	sqlite3_bind_int64(self->statements[NAME_ROW_BY_SEQ], 1, seq);
	return read_row(self, NAME_ROW_BY_SEQ, row);
}

/* Nothing is written meanwhile, so the bytes stay where SQLite has them. */
int
store_sqlite_rows_after(struct store *store, int64_t seq, store_visited *visit, void *owner)
{
	struct store_sqlite *self = sqlite_of(store);
	sqlite3_stmt *statement = self->statements[NAME_ROWS_AFTER];
	int result = 0, code;

	sqlite3_bind_int64(statement, 1, seq);
	while (result == 0 && (code = sqlite3_step(statement)) != SQLITE_DONE) {
		if (code != SQLITE_ROW) {
			result = database_failed(&self->database, code);
			break;
		}
		struct store_row row = {
		    .seq = sqlite3_column_int64(statement, 0),
		    .id = sqlite3_column_blob(statement, 1),
		    .id_length = (size_t)sqlite3_column_bytes(statement, 1),
		    .form = sqlite3_column_int64(statement, 2),
		    .prev = sqlite3_column_int64(statement, 3),
		    .record = sqlite3_column_blob(statement, 4),
		    .record_length = (size_t)sqlite3_column_bytes(statement, 4),
		};
		result = visit(owner, &row);
	}
	sqlite3_reset(statement);
	return result;
}

int
store_sqlite_update_row(struct store *store, const struct store_row *row)
{
	struct store_sqlite *self = sqlite_of(store);
	sqlite3_stmt *statement = self->statements[NAME_UPDATE_ROW];

	sqlite3_bind_int64(statement, 1, row->seq);
	store_sqlite_bind_bytes(statement, 2, row->id, row->id_length);
	sqlite3_bind_int64(statement, 3, row->form);
	sqlite3_bind_int64(statement, 4, row->prev);
	store_sqlite_bind_bytes(statement, 5, row->record, row->record_length);
	return store_sqlite_run(self, NAME_UPDATE_ROW);
}

int
store_sqlite_delete_row(struct store *store, int64_t seq)
{
	struct store_sqlite *self = sqlite_of(store);

	sqlite3_bind_int64(self->statements[NAME_DELETE_ROW], 1, seq);
	return store_sqlite_run(self, NAME_DELETE_ROW);
}
