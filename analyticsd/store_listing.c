/* SPDX-License-Identifier: MIT */
/* What /api/forms shows, out of the store on disk: definitions, and the forms in the order of their
 * newest submission, by an index: a page costs what is on it. */
#include <errno.h>
#include <string.h>

#include "analyticsd/store_sqlite.h"

static struct store_sqlite *
sqlite_of(struct store *store)
{
	return container_of(store, struct store_sqlite, store);
}

void
store_sqlite_bind_listed(sqlite3_stmt *statement, const struct store_form *form)
{
	sqlite3_bind_text(statement, 6, form->title, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 7, (int64_t)form->total);
	if (form->listed || !form->whole)
		sqlite3_bind_int64(statement, 8, form->last_ms);
	else
		sqlite3_bind_null(statement, 8);
}

int
store_sqlite_definition(struct store *store, int64_t number, struct buf *json)
{
	struct store_sqlite *self = sqlite_of(store);
	sqlite3_stmt *statement = self->statements[NAME_DEFINITION];
	int result;

	buf_clear(json);
	sqlite3_bind_int64(statement, 1, number);
	int code = sqlite3_step(statement);
	if (code == SQLITE_ROW) {
		size_t length = (size_t)sqlite3_column_bytes(statement, 0);
		result = length > 0;
		if (length > 0 && buf_append(json, sqlite3_column_blob(statement, 0), length) < 0)
			result = -1;
	} else {
		result = code == SQLITE_DONE ? 0 : database_failed(&self->database, code);
	}
	sqlite3_reset(statement);
	return result;
}

int
store_sqlite_put_definition(struct store *store, int64_t number, const void *json, size_t length)
{
	struct store_sqlite *self = sqlite_of(store);
	sqlite3_stmt *statement = self->statements[NAME_PUT_DEFINITION];

	sqlite3_bind_int64(statement, 1, number);
	sqlite3_bind_blob64(statement, 2, json, length, SQLITE_STATIC);
	return store_sqlite_run(self, NAME_PUT_DEFINITION);
}

/* The place of a listed form in the order: 1; 0: it is not listed; -1. */
static int
place_of(struct store_sqlite *self, const struct form_id *id, int64_t *last)
{
	sqlite3_stmt *statement = self->statements[NAME_FORM_LAST];

	sqlite3_bind_blob(statement, 1, id->bytes, FORM_ID_BYTES, SQLITE_STATIC);
	int code = sqlite3_step(statement);
	int result = code == SQLITE_ROW || code == SQLITE_DONE
	    ? code == SQLITE_ROW
	    : database_failed(&self->database, code);
	if (result > 0)
		*last = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return result;
}

static int
visit_all(struct store_sqlite *self, sqlite3_stmt *statement, store_listed *visit, void *owner)
{
	int code, result = 1;

	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		struct store_form form = {
		    .listed = true,
		    .title = (const char *)sqlite3_column_text(statement, 1),
		    .total = (uint64_t)sqlite3_column_int64(statement, 2),
		    .last_ms = sqlite3_column_int64(statement, 3),
		};
		if (sqlite3_column_bytes(statement, 0) != FORM_ID_BYTES) {
			errno = EBADMSG;
			result = -1;
			break;
		}
		memcpy(form.id.bytes, sqlite3_column_blob(statement, 0), FORM_ID_BYTES);
		if (form.title == NULL)
			form.title = "";
		visit(owner, &form);
	}
	if (result > 0 && code != SQLITE_DONE)
		result = database_failed(&self->database, code);
	sqlite3_reset(statement);
	return result;
}

int
store_sqlite_list(struct store *store, const struct form_id *after, size_t limit,
    store_listed *visit, void *owner)
{
	struct store_sqlite *self = sqlite_of(store);
	sqlite3_stmt *statement = self->statements[after ? NAME_FORMS_AFTER : NAME_FORMS_FIRST];
	int64_t last;

	sqlite3_bind_int64(statement, 1, (int64_t)limit);
	if (after != NULL) {
		int found = place_of(self, after, &last);
		if (found <= 0)
			return found;
		sqlite3_bind_int64(statement, 2, last);
		sqlite3_bind_blob(statement, 3, after->bytes, FORM_ID_BYTES, SQLITE_STATIC);
	}
	return visit_all(self, statement, visit, owner);
}
