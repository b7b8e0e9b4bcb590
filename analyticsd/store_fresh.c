/* SPDX-License-Identifier: MIT */
/* New rows go in with one statement, which reads them as if they were a table: a virtual one that
 * bears its module's name (vtab.html, "Eponymous-only virtual tables"). A statement for each would
 * be bound, begun and ended, and would look for the end of the table and of the index anew, where
 * this one stands already. It is an INSERT OR FAIL: whoever calls rolls the transaction back, so
 * SQLite need not keep what the pages were before the statement, which with ids in no order is most
 * of the index. */
#include "analyticsd/store_sqlite.h"

#include <stdlib.h>

#include "lib/mem.h"

enum column { COLUMN_SEQ, COLUMN_ID, COLUMN_FORM, COLUMN_PREV, COLUMN_RECORD };

struct fresh_table {
	sqlite3_vtab base;
	struct store_sqlite *store;
};

struct fresh_cursor {
	sqlite3_vtab_cursor base;
	const struct store_row *row; /* NULL behind the last one */
};

static int
fresh_connect(sqlite3 *handle, void *store, int argc UNUSED, const char *const *argv UNUSED,
    sqlite3_vtab **out, char **error UNUSED)
{
	int code = sqlite3_declare_vtab(handle, "CREATE TABLE fresh (seq, id, form, prev, record)");

	if (code != SQLITE_OK)
		return code;
	struct fresh_table *table = mem_zalloc(sizeof(*table));
	table->store = store;
	*out = &table->base;
	return SQLITE_OK;
}

static int
fresh_disconnect(sqlite3_vtab *table)
{
	free(table);
	return SQLITE_OK;
}

/* There is one way to read it. */
static int
fresh_best_index(sqlite3_vtab *table UNUSED, sqlite3_index_info *info UNUSED)
{
	return SQLITE_OK;
}

static int
fresh_open(sqlite3_vtab *table UNUSED, sqlite3_vtab_cursor **out)
{
	struct fresh_cursor *cursor = mem_zalloc(sizeof(*cursor));

	*out = &cursor->base;
	return SQLITE_OK;
}

static int
fresh_close(sqlite3_vtab_cursor *cursor)
{
	free(cursor);
	return SQLITE_OK;
}

static int
fresh_next(sqlite3_vtab_cursor *base)
{
	struct fresh_cursor *cursor = container_of(base, struct fresh_cursor, base);
	struct store_sqlite *store = container_of(base->pVtab, struct fresh_table, base)->store;

	cursor->row = store->next_fresh(store->fresh_owner);
	return SQLITE_OK;
}

static int
fresh_filter(sqlite3_vtab_cursor *cursor, int number UNUSED, const char *name UNUSED,
    int argc UNUSED, sqlite3_value **argv UNUSED)
{
	return fresh_next(cursor);
}

static int
fresh_eof(sqlite3_vtab_cursor *cursor)
{
	return container_of(cursor, struct fresh_cursor, base)->row == NULL;
}

/* NULL bytes: NULL, which is what a column is of which nothing is said. */
static void
give_bytes(sqlite3_context *context, const void *bytes, size_t length)
{
	if (bytes != NULL)
		sqlite3_result_blob64(context, bytes, length, SQLITE_STATIC);
}

static int
fresh_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int column)
{
	const struct store_row *row = container_of(cursor, struct fresh_cursor, base)->row;

	switch ((enum column)column) {
	case COLUMN_SEQ:
		sqlite3_result_int64(context, row->seq);
		break;
	case COLUMN_ID:
		give_bytes(context, row->id, row->id_length);
		break;
	case COLUMN_FORM:
		sqlite3_result_int64(context, row->form);
		break;
	case COLUMN_PREV:
		sqlite3_result_int64(context, row->prev);
		break;
	case COLUMN_RECORD:
		give_bytes(context, row->record, row->record_length);
		break;
	}
	return SQLITE_OK;
}

static int
fresh_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid)
{
	*rowid = container_of(cursor, struct fresh_cursor, base)->row->seq;
	return SQLITE_OK;
}

static const sqlite3_module module = {
    .xConnect = fresh_connect,
    .xBestIndex = fresh_best_index,
    .xDisconnect = fresh_disconnect,
    .xOpen = fresh_open,
    .xClose = fresh_close,
    .xFilter = fresh_filter,
    .xNext = fresh_next,
    .xEof = fresh_eof,
    .xColumn = fresh_column,
    .xRowid = fresh_rowid,
};

int
store_fresh_declare(struct store_sqlite *self)
{
	int code = sqlite3_create_module(self->database.handle, "fresh", &module, self);

	return code == SQLITE_OK ? 0 : database_failed(&self->database, code);
}

int
store_sqlite_insert_rows(struct store *store, store_next_row *next, void *owner)
{
	struct store_sqlite *self = container_of(store, struct store_sqlite, store);

	self->next_fresh = next;
	self->fresh_owner = owner;
	return store_sqlite_run(self, NAME_INSERT_ROWS);
}
