/* SPDX-License-Identifier: MIT */
/* The rows of forms, and their states, in the store on disk. */
#include <errno.h>
#include <string.h>

#include "analyticsd/store_sqlite.h"

static struct store_sqlite *
sqlite_of(struct store *store)
{
	return container_of(store, struct store_sqlite, store);
}

/* Columns n, head, state_seq, updated. */
static struct store_form
read_form(sqlite3_stmt *statement)
{
	return (struct store_form){
	    .number = sqlite3_column_int64(statement, 0),
	    .head = sqlite3_column_int64(statement, 1),
	    .state_seq = sqlite3_column_int64(statement, 2),
	    .updated_ms = sqlite3_column_int64(statement, 3),
	};
}

int
store_sqlite_form(
    struct store *store, const struct form_id *id, struct store_form *form, struct buf *state)
{
	struct store_sqlite *self = sqlite_of(store);
	enum statement which = state != NULL ? NAME_FORM : NAME_FORM_ROW;
	sqlite3_stmt *statement = self->statements[which];

	sqlite3_bind_blob(statement, 1, id->bytes, FORM_ID_BYTES, SQLITE_STATIC);
	int found = store_sqlite_first_row(self, which);
	if (found <= 0)
		return found;
	*form = read_form(statement);
	form->id = *id;
	if (state != NULL && store_sqlite_copy(statement, 4, state) < 0)
		found = -1;
	sqlite3_reset(statement);
	return found;
}

int
store_sqlite_form_by_number(struct store *store, int64_t number, struct store_form *form)
{
	struct store_sqlite *self = sqlite_of(store);
	sqlite3_stmt *statement = self->statements[NAME_FORM_BY_NUMBER];

	sqlite3_bind_int64(statement, 1, number);
	int found = store_sqlite_first_row(self, NAME_FORM_BY_NUMBER);
	if (found <= 0)
		return found;
	*form = read_form(statement);
	if (sqlite3_column_bytes(statement, 4) == FORM_ID_BYTES) {
		memcpy(form->id.bytes, sqlite3_column_blob(statement, 4), FORM_ID_BYTES);
	} else {
		errno = EBADMSG;
		found = -1;
	}
	sqlite3_reset(statement);
	return found;
}

int
store_sqlite_next_bare(struct store *store, int64_t after, int64_t *number)
{
	struct store_sqlite *self = sqlite_of(store);
	sqlite3_stmt *statement = self->statements[NAME_NEXT_BARE];

	sqlite3_bind_int64(statement, 1, after);
	int found = store_sqlite_first_row(self, NAME_NEXT_BARE);
	if (found <= 0)
		return found;
	*number = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return 1;
}

int
store_sqlite_put_form(struct store *store, const struct store_form *form, const struct buf *state)
{
	struct store_sqlite *self = sqlite_of(store);
	enum statement which = form->whole ? NAME_PUT_FORM : NAME_PUT_FORM_MORE;
	sqlite3_stmt *statement = self->statements[which];

	sqlite3_bind_int64(statement, 1, form->number);
	sqlite3_bind_blob(statement, 2, form->id.bytes, FORM_ID_BYTES, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, form->head);
	sqlite3_bind_int64(statement, 4, form->state_seq);
	sqlite3_bind_int64(statement, 5, form->updated_ms);
	store_sqlite_bind_listed(statement, form);
	if (store_sqlite_run(self, which) < 0)
		return -1;
	if (state == NULL)
		return 0;
	statement = self->statements[NAME_PUT_STATE];
	sqlite3_bind_int64(statement, 1, form->number);
	store_sqlite_bind_bytes(statement, 2, buf_bytes(state), buf_length(state));
	return store_sqlite_run(self, NAME_PUT_STATE);
}

int
store_sqlite_extend_form(struct store *store, const struct store_form *form)
{
	struct store_sqlite *self = sqlite_of(store);
	sqlite3_stmt *statement = self->statements[NAME_EXTEND_FORM];

	sqlite3_bind_int64(statement, 1, form->number);
	sqlite3_bind_int64(statement, 2, form->head);
	sqlite3_bind_int64(statement, 3, form->updated_ms);
	sqlite3_bind_int64(statement, 4, (int64_t)form->total);
	sqlite3_bind_int64(statement, 5, form->last_ms);
	return store_sqlite_run(self, NAME_EXTEND_FORM);
}

int
store_sqlite_remove_form(struct store *store, int64_t number)
{
	static const enum statement all[] = {
	    NAME_REMOVE_FORM, NAME_REMOVE_STATE, NAME_REMOVE_DEFINITION};
	struct store_sqlite *self = sqlite_of(store);

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		sqlite3_bind_int64(self->statements[all[i]], 1, number);
		if (store_sqlite_run(self, all[i]) < 0)
			return -1;
	}
	return 0;
}

int
store_sqlite_put_forms_end(struct store *store, int64_t count, int64_t seq)
{
	struct store_sqlite *self = sqlite_of(store);

	sqlite3_bind_int64(self->statements[NAME_PUT_FORMS_END], 1, count);
	sqlite3_bind_int64(self->statements[NAME_PUT_FORMS_END], 2, seq);
	return store_sqlite_run(self, NAME_PUT_FORMS_END);
}
