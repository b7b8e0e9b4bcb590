/* SPDX-License-Identifier: MIT */
/* Rows are appended: seq grows, and ObjectIds nearly do, so a commit writes few pages whatever the
 * number of forms. Tombstones have no id and are not in the index.
 *
 * While the file that the environment variable DUNE_TEST_FAIL_COMMIT names exists, commits fail as
 * on a full disk: a hook for the tests. */
#include "analyticsd/store_sqlite.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/log.h"
#include "lib/mem.h"

#define SCRATCH_MAX (64U << 20)

#define STATEMENT(name, sql) sql,
static const char *const statement_sql[] = {
#include "analyticsd/store_sqlite.def"
};
#undef STATEMENT

static struct store_sqlite *
sqlite_of(struct store *store)
{
	return container_of(store, struct store_sqlite, store);
}

int
store_sqlite_run(struct store_sqlite *self, enum statement which)
{
	sqlite3_stmt *statement = self->statements[which];
	int code = sqlite3_step(statement);
	int result = code == SQLITE_DONE ? 0 : database_failed(&self->database, code);

	sqlite3_reset(statement);
	return result;
}

/* The first read after a commit opens the transaction that the next commit ends, so that not every
 * look-up has to take and leave SQLite's locks; nobody else writes. */
int
store_sqlite_first_row(struct store_sqlite *self, enum statement which)
{
	if (sqlite3_get_autocommit(self->database.handle) && store_sqlite_run(self, NAME_BEGIN) < 0)
		return -1;
	int code = sqlite3_step(self->statements[which]);

	if (code == SQLITE_ROW)
		return 1;
	int result = code == SQLITE_DONE ? 0 : database_failed(&self->database, code);
	sqlite3_reset(self->statements[which]);
	return result;
}

void
store_sqlite_bind_bytes(sqlite3_stmt *statement, int index, const void *bytes, size_t length)
{
	if (bytes == NULL)
		sqlite3_bind_null(statement, index);
	else
		sqlite3_bind_blob64(statement, index, bytes, length, SQLITE_STATIC);
}

int
store_sqlite_copy(sqlite3_stmt *statement, int column, struct buf *out)
{
	const void *bytes = sqlite3_column_blob(statement, column);
	size_t length = (size_t)sqlite3_column_bytes(statement, column);

	buf_clear(out);
	return length > 0 ? buf_append(out, bytes, length) : 0;
}

static int
sqlite_position(struct store *store, struct buf *position, bool *partial)
{
	struct store_sqlite *self = sqlite_of(store);
	int found = store_sqlite_first_row(self, NAME_POSITION);

	if (found <= 0)
		return found;
	found = store_sqlite_copy(self->statements[NAME_POSITION], 0, position) < 0 ? -1 : 1;
	*partial = sqlite3_column_int(self->statements[NAME_POSITION], 1) != 0;
	sqlite3_reset(self->statements[NAME_POSITION]);
	return found;
}

static int
count_forms(struct store_sqlite *self, int64_t *count)
{
	if (store_sqlite_first_row(self, NAME_COUNT_FORMS) < 0)
		return -1;
	*count = sqlite3_column_int64(self->statements[NAME_COUNT_FORMS], 0);
	sqlite3_reset(self->statements[NAME_COUNT_FORMS]);
	return 0;
}

static int
sqlite_ends(struct store *store, struct store_ends *ends)
{
	struct store_sqlite *self = sqlite_of(store);
	sqlite3_stmt *statement = self->statements[NAME_ENDS];

	if (store_sqlite_first_row(self, NAME_ENDS) < 0)
		return -1;
	ends->last_seq = sqlite3_column_int64(statement, 0);
	ends->last_form = sqlite3_column_int64(statement, 1);
	bool counted = sqlite3_column_type(statement, 2) != SQLITE_NULL;
	ends->forms = sqlite3_column_int64(statement, 2);
	ends->forms_seq = sqlite3_column_int64(statement, 3);
	/* The newest rows may have been deleted: their numbers do not come again. */
	ends->last_seq = MAX(ends->last_seq, ends->forms_seq);
	sqlite3_reset(statement);
	/* Older ones did not keep the count. */
	return counted ? 0 : count_forms(self, &ends->forms);
}

static int
sqlite_greatest_id(struct store *store, struct buf *id)
{
	struct store_sqlite *self = sqlite_of(store);
	sqlite3_stmt *statement = self->statements[NAME_GREATEST_ID];

	if (store_sqlite_first_row(self, NAME_GREATEST_ID) < 0)
		return -1;
	int found = sqlite3_column_type(statement, 0) != SQLITE_NULL;
	if (store_sqlite_copy(statement, 0, id) < 0)
		found = -1;
	sqlite3_reset(statement);
	return found;
}

static int
sqlite_begin(struct store *store)
{
	struct store_sqlite *self = sqlite_of(store);

	if (!sqlite3_get_autocommit(self->database.handle))
		return 0;
	return store_sqlite_run(self, NAME_BEGIN);
}

static int
sqlite_put_position(struct store *store, const void *position, size_t length, bool partial)
{
	struct store_sqlite *self = sqlite_of(store);

	store_sqlite_bind_bytes(self->statements[NAME_PUT_POSITION], 1, position, length);
	sqlite3_bind_int(self->statements[NAME_PUT_POSITION], 2, partial);
	return store_sqlite_run(self, NAME_PUT_POSITION);
}

static int
sqlite_commit(struct store *store)
{
	struct store_sqlite *self = sqlite_of(store);

	if (self->fail_commit != NULL && access(self->fail_commit, F_OK) == 0) {
		snprintf(self->database.failure, sizeof(self->database.failure),
		    "database or disk is full (injected)");
		errno = ENOSPC;
		return -1;
	}
	return store_sqlite_run(self, NAME_COMMIT);
}

/* SQLite may have rolled back by itself (SQLITE_FULL, SQLITE_IOERR: "Response To Errors Within A
 * Transaction", lang_transaction.html). */
static void
sqlite_rollback(struct store *store)
{
	struct store_sqlite *self = sqlite_of(store);
	char failure[sizeof(self->database.failure)];

	if (sqlite3_get_autocommit(self->database.handle))
		return;
	memcpy(failure, self->database.failure, sizeof(failure));
	if (store_sqlite_run(self, NAME_ROLLBACK) < 0)
		log_warn("unable to roll back: %s", self->database.failure);
	memcpy(self->database.failure, failure, sizeof(failure));
}

static void
sqlite_rest(struct store *store)
{
	struct store_sqlite *self = sqlite_of(store);

	if (sqlite3_exec(self->database.handle, "PRAGMA cache_size = -1024; PRAGMA shrink_memory",
		NULL, NULL, NULL) != SQLITE_OK)
		log_debug("the cache stays: %s", sqlite3_errmsg(self->database.handle));
}

static const char *
sqlite_failure(const struct store *store)
{
	const struct store_sqlite *self =
	    (const struct store_sqlite *)(const void *)((const char *)store -
		offsetof(struct store_sqlite, store));

	return self->database.failure;
}

void
store_sqlite_shut(struct store_sqlite *self)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(self->statements[i]);
		self->statements[i] = NULL;
	}
}

static int
sqlite_set_aside(struct store *store, char *where, size_t size)
{
	struct store_sqlite *self = sqlite_of(store);

	store_sqlite_shut(self);
	return database_set_aside(&self->database, where, size);
}

static void
sqlite_free(struct store **store)
{
	struct store_sqlite *self = sqlite_of(*store);

	if (self->database.handle != NULL)
		sqlite_rollback(*store);
	store_sqlite_shut(self);
	database_close(&self->database);
	buf_free(&self->scratch);
	free(self);
	*store = NULL;
}

static const struct store_ops sqlite_ops = {
    .position = sqlite_position,
    .row_by_id = store_sqlite_row_by_id,
    .row_by_seq = store_sqlite_row_by_seq,
    .rows_after = store_sqlite_rows_after,
    .form = store_sqlite_form,
    .form_by_number = store_sqlite_form_by_number,
    .next_bare = store_sqlite_next_bare,
    .ends = sqlite_ends,
    .greatest_id = sqlite_greatest_id,
    .definition = store_sqlite_definition,
    .list = store_sqlite_list,
    .begin = sqlite_begin,
    .insert_rows = store_sqlite_insert_rows,
    .update_row = store_sqlite_update_row,
    .delete_row = store_sqlite_delete_row,
    .put_form = store_sqlite_put_form,
    .extend_form = store_sqlite_extend_form,
    .remove_form = store_sqlite_remove_form,
    .put_forms_end = store_sqlite_put_forms_end,
    .put_definition = store_sqlite_put_definition,
    .put_position = sqlite_put_position,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .rest = sqlite_rest,
    .failure = sqlite_failure,
    .set_aside = sqlite_set_aside,
    .free = sqlite_free,
};

static int
prepare_all(struct store_sqlite *self)
{
	struct store_ends ends;

	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		int code = sqlite3_prepare_v3(self->database.handle, statement_sql[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &self->statements[i], NULL);
		if (code != SQLITE_OK)
			return database_failed(&self->database, code);
	}
	/* A first look at both ends of the tables. */
	return sqlite_ends(&self->store, &ends);
}

struct store_sqlite *
store_sqlite_new(const char *directory, const char *name)
{
	struct store_sqlite *self = mem_zalloc(sizeof(*self));

	self->store.ops = &sqlite_ops;
	self->fail_commit = getenv("DUNE_TEST_FAIL_COMMIT");
	buf_init(&self->scratch, SCRATCH_MAX);
	database_init(&self->database, directory, name);
	return self;
}

int
store_sqlite_start(struct store_sqlite *self)
{
	if (database_open(&self->database) < 0 || store_fresh_declare(self) < 0)
		return -1;
	return prepare_all(self);
}

struct store *
store_sqlite_open(const char *directory)
{
	struct store_sqlite *self = store_sqlite_new(directory, "analytics.db");
	char where[PATH_MAX];

	database_lock(&self->database);
	store_rebuild_settle(directory);
	if (store_sqlite_start(self) == 0)
		return &self->store;
	if (errno == EBADMSG) {
		log_error("%s is corrupt (%s)", self->database.path, self->database.failure);
		if (sqlite_set_aside(&self->store, where, sizeof(where)) < 0)
			die_system("unable to set %s aside", self->database.path);
		log_error("it is kept as %s; starting empty, the source is read anew", where);
		if (store_sqlite_start(self) == 0)
			return &self->store;
	}
	errno = 0;
	die_system("unable to open %s: %s", self->database.path, self->database.failure);
}
