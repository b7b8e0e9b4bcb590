/* SPDX-License-Identifier: MIT */
/* database: one SQLite file, opened as analyticsd wants it: locked, of our version, with our
 * tables.
 *
 * - WAL with synchronous=NORMAL: a commit costs no fsync. When the machine itself goes down the
 *   last transactions may be undone, but state and position are undone together, and the source,
 *   which is the truth, is read again from that position.
 * - 8 MiB of page cache, and a checkpoint each 16 MiB of WAL: memory and the time that a restart
 *   spends on recovery stay small however large the file is.
 * - analytics.db belongs to one process, by a lock on analytics.db.lock that goes with the process;
 *   so does what lies beside it. */
#ifndef ANALYTICSD_DATABASE_H
#define ANALYTICSD_DATABASE_H

#include <sqlite3.h>
#include <stddef.h>

#include "lib/base.h"

struct database {
	sqlite3 *handle;
	char *path;
	int lock_fd;
	int wal_pages; /* the size from which on the WAL is moved into the database */
	char failure[256]; /* SQLite's words for the last error */
};

/* For DIRECTORY/NAME; neither locked nor opened. */
void database_init(struct database *database, const char *directory, const char *name);
/* Takes its lock; dies (111) when somebody else has it. */
void database_lock(struct database *database);
/* 0; -1 with errno: EBADMSG when what is there is no sound database. Dies (100) when it is of a
 * newer version or of another program. */
MUST_CHECK int database_open(struct database *database);
/* Nothing is left in the WAL, and all is on the disk. 0; -1 with errno: somebody reads it (EBUSY),
 * or the disk is full. */
MUST_CHECK int database_checkpoint(struct database *database);
/* All statements must be finalized. The lock is kept, and it may be opened again. */
void database_shut(struct database *database);
/* The same, and the lock is given back. */
void database_close(struct database *database);
/* Closes it and renames its files to NAME.corrupt-<seconds>; says in `where` to what. */
MUST_CHECK int database_set_aside(struct database *database, char *where, size_t size);

/* Removes PATH with its WAL. 0, or -1 with errno. */
MUST_CHECK int database_remove(const char *path);
/* Puts the database FROM, which is closed and has no WAL, in the place of TO, which is closed.
 * A death in the middle leaves FROM as it is, or the whole done. 0, or -1 with errno. */
MUST_CHECK int database_replace(const char *from, const char *to);

/* SQLite's result code as an errno (ENOSPC, EBADMSG, EIO), with its words kept. Always -1. */
int database_failed(struct database *database, int code);

#endif
