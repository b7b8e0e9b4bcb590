/* SPDX-License-Identifier: MIT */
/* page_check: a SQLite VFS under which each page of a database bears a checksum, so that a page
 * that a disk, a torn write or somebody has damaged is refused when it is read, whatever stands in
 * it. SQLite by itself sees only what breaks the shape of its trees.
 *
 * The checksum stands in the last PAGE_CHECK_BYTES of each page, which the database has reserved
 * (sqlite.org, "Database File Format", 1.3.4); it is made when a page is written to the file, that
 * is, by a checkpoint, and looked at and wiped when it is read from there. What stands in the WAL
 * has the WAL's own checksums. A page without one (all zero) is taken as it is: so are those that
 * sqlite3's .backup and other programs have copied out of a WAL. One that is wholly zero is not.
 *
 * A database that has reserved no such bytes is read without checks. */
#ifndef ANALYTICSD_PAGE_CHECK_H
#define ANALYTICSD_PAGE_CHECK_H

#include <sqlite3.h>
#include <stdbool.h>

#define PAGE_CHECK_BYTES 8
/* What a damaged page gives, also one that the file ends before. */
#define PAGE_CHECK_FAILED SQLITE_IOERR_DATA

/* The name to open a database with; the VFS is there after the first call. */
const char *page_check_vfs(void);
/* Are the pages of this database, which was opened so and read from, looked at? */
bool page_check_is_on(sqlite3 *handle);

#endif
