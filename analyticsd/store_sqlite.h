/* SPDX-License-Identifier: MIT */
/* store_sqlite: the inside of the store on disk, for store_*.c alone. */
#ifndef ANALYTICSD_STORE_SQLITE_H
#define ANALYTICSD_STORE_SQLITE_H

#include <sqlite3.h>

#include "analyticsd/database.h"
#include "analyticsd/store.h"

#define STATEMENT(name, sql) NAME_##name,
enum statement {
#include "analyticsd/store_sqlite.def"
	STATEMENT_COUNT
};
#undef STATEMENT

struct store_sqlite {
	struct store store;
	struct database database;
	sqlite3_stmt *statements[STATEMENT_COUNT]; /* NULL while the database is closed */
	struct buf scratch; /* the bytes that are lent */
	const char *fail_commit;
	store_next_row *next_fresh; /* what INSERT_ROWS inserts */
	void *fresh_owner;
};

/* For DIRECTORY/NAME, which is not opened yet. */
struct store_sqlite *store_sqlite_new(const char *directory, const char *name);
/* Opens it. -1 with errno (database_open()). */
MUST_CHECK int store_sqlite_start(struct store_sqlite *self);
/* Finalizes all statements, as must be done before the database is closed. */
void store_sqlite_shut(struct store_sqlite *self);
/* Runs to the end a statement that gives no rows. 0 or -1. */
MUST_CHECK int store_sqlite_run(struct store_sqlite *self, enum statement which);

/* 1: a row is there to be read, and the statement to be reset afterwards; 0: none; -1. Opens the
 * transaction that the next commit ends. */
MUST_CHECK int store_sqlite_first_row(struct store_sqlite *self, enum statement which);
/* NULL bytes: NULL. They are not copied. */
void store_sqlite_bind_bytes(sqlite3_stmt *statement, int index, const void *bytes, size_t length);
/* The bytes of a column take the place of what is in `out`. 0, or -1: more than it may hold. */
MUST_CHECK int store_sqlite_copy(sqlite3_stmt *statement, int column, struct buf *out);

/* store_rows.c: operations of the store. */
int store_sqlite_row_by_id(
    struct store *store, const void *id, size_t length, struct store_row *row);
int store_sqlite_row_by_seq(struct store *store, int64_t seq, struct store_row *row);
int store_sqlite_rows_after(struct store *store, int64_t seq, store_visited *visit, void *owner);
int store_sqlite_update_row(struct store *store, const struct store_row *row);
int store_sqlite_delete_row(struct store *store, int64_t seq);

/* store_fresh.c: an operation of the store; and the table it reads, which is to be declared before
 * the statements are prepared. */
int store_sqlite_insert_rows(struct store *store, store_next_row *next, void *owner);
MUST_CHECK int store_fresh_declare(struct store_sqlite *self);

/* store_forms.c: operations of the store. */
int store_sqlite_form(
    struct store *store, const struct form_id *id, struct store_form *form, struct buf *state);
int store_sqlite_form_by_number(struct store *store, int64_t number, struct store_form *form);
int store_sqlite_next_bare(struct store *store, int64_t after, int64_t *number);
int store_sqlite_put_form(
    struct store *store, const struct store_form *form, const struct buf *state);
int store_sqlite_extend_form(struct store *store, const struct store_form *form);
int store_sqlite_remove_form(struct store *store, int64_t number);
int store_sqlite_put_forms_end(struct store *store, int64_t count, int64_t seq);

/* store_listing.c: operations of the store; and what PUT_FORM says of the list. */
void store_sqlite_bind_listed(sqlite3_stmt *statement, const struct store_form *form);
int store_sqlite_definition(struct store *store, int64_t number, struct buf *json);
int store_sqlite_put_definition(
    struct store *store, int64_t number, const void *json, size_t length);
int store_sqlite_list(struct store *store, const struct form_id *after, size_t limit,
    store_listed *visit, void *owner);

/* store_rebuild.c: a rebuild that is whole is put in the place of DIRECTORY/analytics.db, which
 * must be locked and not open. Dies (111) when it cannot be. */
void store_rebuild_settle(const char *directory);

#endif
