/* SPDX-License-Identifier: MIT */
/* The steps, and what a death between two of them leaves:
 *
 *   begin     the file has no position: the next start removes it
 *   commits   it has one: the next start goes on with it
 *   finish    it bears the mark: the next start puts it in place, whether or not its WAL is empty
 *   replace   the WAL of the old one is gone, then its name is the new one's: as before, until
 *             rename(2), and behind that nothing is left to be done */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyticsd/store_sqlite.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/mem.h"

#define NAME "analytics.db.rebuild"

static struct store_sqlite *
sqlite_of(struct store *store)
{
	return container_of(store, struct store_sqlite, store);
}

static void
free_store(struct store_sqlite *self)
{
	struct store *store = &self->store;

	store->ops->free(&store);
}

static void
remove_files(const char *directory)
{
	char *path = mem_printf("%s/" NAME, directory);

	if (database_remove(path) < 0)
		die_system("unable to remove %s", path);
	free(path);
}

/* 1: it stands, 0, -1. */
static int
has_row(struct store_sqlite *self, enum statement which)
{
	int code = sqlite3_step(self->statements[which]);

	sqlite3_reset(self->statements[which]);
	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : database_failed(&self->database, code);
}

/* NULL: there is none, or none that is of any use; then its files are removed. */
static struct store_sqlite *
open_existing(const char *directory)
{
	struct store_sqlite *self = store_sqlite_new(directory, NAME);
	bool there = access(self->database.path, F_OK) == 0;

	if (there && store_sqlite_start(self) == 0 && has_row(self, NAME_POSITION) > 0)
		return self;
	if (there && self->database.failure[0] != '\0') {
		if (errno != EBADMSG)
			die_system(
			    "unable to open %s: %s", self->database.path, self->database.failure);
		log_error("%s is corrupt (%s): it is begun anew", self->database.path,
		    self->database.failure);
	}
	free_store(self);
	remove_files(directory);
	return NULL;
}

void
store_rebuild_settle(const char *directory)
{
	struct store_sqlite *rebuild = open_existing(directory);

	if (rebuild == NULL)
		return;
	int marked = has_row(rebuild, NAME_MARK);
	if (marked < 0 || (marked > 0 && store_rebuild_finish(&rebuild->store) < 0)) {
		if (errno != EBADMSG)
			die_system("unable to finish %s: %s", rebuild->database.path,
			    rebuild->database.failure);
		log_error("%s is corrupt (%s): it is begun anew", rebuild->database.path,
		    rebuild->database.failure);
		free_store(rebuild);
		remove_files(directory);
		return;
	}
	free_store(rebuild);
	if (marked == 0)
		return;
	char *from = mem_printf("%s/" NAME, directory),
	     *to = mem_printf("%s/analytics.db", directory);
	if (database_replace(from, to) < 0)
		die_system("unable to rename %s", from);
	log_info("%s was whole and is %s now", from, to);
	free(from);
	free(to);
}

struct store *
store_rebuild_resume(const char *directory)
{
	struct store_sqlite *rebuild = open_existing(directory);

	return rebuild != NULL ? &rebuild->store : NULL;
}

struct store *
store_rebuild_begin(const char *directory, const char **why)
{
	static char failure[256];
	struct store_sqlite *rebuild = store_sqlite_new(directory, NAME);

	*why = failure;
	snprintf(failure, sizeof(failure), "unable to remove %s", rebuild->database.path);
	if (database_remove(rebuild->database.path) == 0 && store_sqlite_start(rebuild) == 0)
		return &rebuild->store;
	int error = errno;
	if (rebuild->database.failure[0] != '\0')
		memcpy(failure, rebuild->database.failure, sizeof(failure));
	free_store(rebuild);
	errno = error;
	return NULL;
}

int
store_rebuild_finish(struct store *store)
{
	const struct store_ops *ops = store->ops;
	struct store_sqlite *rebuild = sqlite_of(store);

	if (ops->begin(store) < 0 || store_sqlite_run(rebuild, NAME_PUT_MARK) < 0 ||
	    ops->commit(store) < 0) {
		int error = errno;
		ops->rollback(store);
		errno = error;
		return -1;
	}
	return database_checkpoint(&rebuild->database);
}

void
store_rebuild_replace(struct store *store, struct store **pointer)
{
	struct store_sqlite *self = sqlite_of(store), *rebuild = sqlite_of(*pointer);
	char *from = mem_strdup(rebuild->database.path);

	store->ops->rollback(store);
	store_sqlite_shut(self);
	database_shut(&self->database);
	(*pointer)->ops->free(pointer);
	if (database_replace(from, self->database.path) < 0)
		die_system("unable to rename %s", from);
	if (store_sqlite_start(self) < 0)
		die_system("unable to open %s: %s", self->database.path, self->database.failure);
	free(from);
}
