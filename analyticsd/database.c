/* SPDX-License-Identifier: MIT */
#include "analyticsd/database.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "analyticsd/counters.h"
#include "analyticsd/page_check.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sock.h"

#define APPLICATION_ID 0x64756e65 /* "dune" */
#define SCHEMA_VERSION 4
/* In one of version 3 the rows of forms are of the last commit; all else is the same. Older ones
 * have pages without checksums. */
#define SCHEMA_VERSION_BEFORE 3
/* From so many pages on the WAL is moved into the database: 16 MiB. */
#define WAL_PAGES 4000
#define BUSY_MS 2000
#define PAGE_BYTES 4096

static const char schema_sql[] =
    "BEGIN;"
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;"
    "CREATE TABLE forms (n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, head INTEGER NOT NULL, "
    "state_seq INTEGER NOT NULL, updated INTEGER NOT NULL, title TEXT, total INTEGER NOT NULL, "
    "last INTEGER);"
    "CREATE INDEX forms_last ON forms (last, id) WHERE last IS NOT NULL;"
    /* Of the few forms that are being counted anew. */
    "CREATE INDEX forms_bare ON forms (n) WHERE state_seq = -2;"
    "CREATE TABLE definitions (n INTEGER PRIMARY KEY, json BLOB);"
    "CREATE TABLE states (n INTEGER PRIMARY KEY, state BLOB NOT NULL);"
    "CREATE TABLE responses (seq INTEGER PRIMARY KEY, id BLOB, form INTEGER NOT NULL, "
    "prev INTEGER NOT NULL, record BLOB);"
    "CREATE UNIQUE INDEX responses_id ON responses (id) WHERE id IS NOT NULL;"
    "PRAGMA application_id = 0x64756e65;"
    "PRAGMA user_version = 4;"
    "COMMIT;";

static const char upgrade_sql[] =
    "BEGIN;"
    "INSERT OR REPLACE INTO meta (key, value) SELECT 'forms_seq', coalesce(max(seq), 0) "
    "FROM responses;"
    "PRAGMA user_version = 4;"
    "COMMIT;";

int
database_failed(struct database *database, int code)
{
	bool damaged = (code & 0xff) == SQLITE_IOERR &&
	    sqlite3_extended_errcode(database->handle) == PAGE_CHECK_FAILED;

	snprintf(database->failure, sizeof(database->failure), "%s",
	    damaged ? "a page is damaged" : sqlite3_errmsg(database->handle));
	if (damaged)
		code = SQLITE_CORRUPT;
	switch (code & 0xff) {
	case SQLITE_FULL:
		errno = ENOSPC;
		break;
	case SQLITE_BUSY:
		errno = EBUSY;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		errno = EBADMSG;
		break;
	default:
		errno = sqlite3_system_errno(database->handle) == ENOSPC ? ENOSPC : EIO;
	}
	return -1;
}

static int
rename_aside(const char *path, char *where, size_t size)
{
	static const char *const suffixes[] = {"-wal", "-shm", ""};
	char from[PATH_MAX], to[PATH_MAX];

	snprintf(where, size, "%s.corrupt-%lld", path, (long long)time(NULL));
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		snprintf(from, sizeof(from), "%s%s", path, suffixes[i]);
		snprintf(to, sizeof(to), "%s%s", where, suffixes[i]);
		if (rename(from, to) < 0 && errno != ENOENT)
			return -1;
	}
	return 0;
}

static int
unlink_if_there(const char *path, const char *suffix)
{
	char whole[PATH_MAX];

	snprintf(whole, sizeof(whole), "%s%s", path, suffix);
	return unlink(whole) < 0 && errno != ENOENT ? -1 : 0;
}

/* The database first: a WAL without one is nothing, one without its WAL is something else. */
int
database_remove(const char *path)
{
	if (unlink_if_there(path, "") < 0 || unlink_if_there(path, "-wal") < 0)
		return -1;
	return unlink_if_there(path, "-shm");
}

static int
sync_directory_of(const char *path)
{
	char *copy = mem_strdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd < 0 ? -1 : fsync(fd);

	fd_close(&fd);
	free(copy);
	return result;
}

/* A WAL that stayed would be played into the new database, so its removal must be on the disk
 * before the new one bears the name. */
int
database_replace(const char *from, const char *to)
{
	if (unlink_if_there(to, "-wal") < 0 || unlink_if_there(to, "-shm") < 0 ||
	    sync_directory_of(to) < 0 || rename(from, to) < 0)
		return -1;
	return sync_directory_of(to);
}

/* One process per state directory; the lock goes with the process, however it ends. */
void
database_lock(struct database *database)
{
	char *lock = mem_printf("%s.lock", database->path);
	int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0660);

	if (fd < 0)
		die_system("unable to open %s", lock);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK) {
			errno = 0;
			die_system("%s is in use by another analyticsd", database->path);
		}
		die_system("unable to lock %s", lock);
	}
	free(lock);
	database->lock_fd = fd;
}

static int
read_pragma(struct database *database, const char *sql, int64_t *value)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(database->handle, sql, -1, &statement, NULL);

	if (code != SQLITE_OK)
		return database_failed(database, code);
	code = sqlite3_step(statement);
	*value = sqlite3_column_int64(statement, 0);
	int result = code == SQLITE_ROW ? 0 : database_failed(database, code);
	sqlite3_finalize(statement);
	return result;
}

static int
execute(struct database *database, const char *sql)
{
	int code = sqlite3_exec(database->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : database_failed(database, code);
}

static int
corrupt(struct database *database, const char *why)
{
	snprintf(database->failure, sizeof(database->failure), "%s", why);
	errno = EBADMSG;
	return -1;
}

/* In a database that has pages already this changes nothing. */
static int
reserve(struct database *database)
{
	int bytes = PAGE_CHECK_BYTES;
	int code = sqlite3_file_control(
	    database->handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);

	return code == SQLITE_OK ? 0 : database_failed(database, code);
}

static int
check_version(struct database *database)
{
	int64_t application, version, tables;

	if (read_pragma(database, "PRAGMA application_id", &application) < 0 ||
	    read_pragma(database, "PRAGMA user_version", &version) < 0 ||
	    read_pragma(database, "SELECT count(*) FROM sqlite_schema", &tables) < 0)
		return -1;
	if (application == 0 && version == 0 && tables == 0)
		return execute(database, schema_sql);
	if (application != APPLICATION_ID)
		die_usage("%s is a database of some other program", database->path);
	if (version > SCHEMA_VERSION)
		die_usage("%s is of version %lld, and this analyticsd knows versions up to %d",
		    database->path, (long long)version, SCHEMA_VERSION);
	if (version < SCHEMA_VERSION_BEFORE)
		return corrupt(database, "of an older version");
	if (!page_check_is_on(database->handle))
		return corrupt(database, "its header is damaged");
	return version == SCHEMA_VERSION ? 0 : execute(database, upgrade_sql);
}

/* A WAL is either growing or empty: were it kept when all of it stands in the database, damage in
 * its middle would make SQLite take pages from its beginning for newer than those. A reader is not
 * waited for. */
static int
empty_wal(sqlite3 *handle)
{
	sqlite3_busy_timeout(handle, 0);
	int code = sqlite3_wal_checkpoint_v2(handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_timeout(handle, BUSY_MS);
	return code;
}

/* What cannot be done now is tried again with the next commit; the commit itself stands. */
static void
checkpoint(struct database *database, sqlite3 *handle)
{
	static struct log_limit limit = LOG_LIMIT(3, 60000);
	int code = empty_wal(handle) & 0xff;

	if (code == SQLITE_OK) {
		counters[COUNTER_checkpoints]++;
	} else if (code == SQLITE_BUSY) {
		counters[COUNTER_checkpoints_put_off]++;
	} else {
		counters[COUNTER_checkpoints_failed]++;
		log_limited(&limit, LOG_ERROR,
		    "unable to move the WAL into %s: %s; the WAL grows until it works again",
		    database->path, sqlite3_errmsg(handle));
	}
}

static int
on_commit(void *owner, sqlite3 *handle, const char *name UNUSED, int pages)
{
	struct database *database = owner;

	if (pages >= database->wal_pages)
		checkpoint(database, handle);
	return SQLITE_OK;
}

/* A hook for the tests: so few pages of cache and of WAL that a transaction is written in its
 * middle, and that the WAL is moved often. */
static int
set_test_pages(struct database *database)
{
	const char *text = getenv("DUNE_TEST_PAGES");
	char sql[64];

	if (text == NULL)
		return 0;
	database->wal_pages = (int)strtol(text, NULL, 10);
	snprintf(sql, sizeof(sql), "PRAGMA cache_size = %d", database->wal_pages);
	return execute(database, sql);
}

/* PRAGMA quick_check would read all of it, which takes as long as there are responses: damage
 * within the file is noticed when it is read. That there is too little of it is noticed here, once
 * the WAL has been moved into it (where that can be done now). */
static int
check_size(struct database *database)
{
	int64_t pages;
	struct stat status;

	int code = empty_wal(database->handle);

	if (code != SQLITE_OK)
		return database_failed(database, code) < 0 && errno == EBADMSG ? -1 : 0;
	if (read_pragma(database, "PRAGMA page_count", &pages) < 0)
		return -1;
	if (stat(database->path, &status) == 0 && status.st_size < pages * PAGE_BYTES)
		return corrupt(database, "its end is missing");
	return 0;
}

/* One without a whole page would be taken for a new one. */
static int
check_there(struct database *database)
{
	struct stat status;

	if (lstat(database->path, &status) < 0)
		return 0;
	if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
		snprintf(database->failure, sizeof(database->failure), "it is no file");
		errno = EIO;
		return -1;
	}
	if (status.st_size == 0)
		return corrupt(database, "it is empty");
	return status.st_size < PAGE_BYTES ? corrupt(database, "its end is missing") : 0;
}

int
database_open(struct database *database)
{
	int code;

	if (check_there(database) < 0)
		return -1;
	code = sqlite3_open_v2(database->path, &database->handle,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, page_check_vfs());
	if (code != SQLITE_OK)
		return database_failed(database, code);
	if (sqlite3_db_readonly(database->handle, "main") == 1) {
		snprintf(database->failure, sizeof(database->failure), "it may not be written");
		errno = EACCES;
		return -1;
	}
	sqlite3_extended_result_codes(database->handle, 1);
	sqlite3_busy_timeout(database->handle, BUSY_MS);
	sqlite3_wal_hook(database->handle, on_commit, database);
	if (reserve(database) < 0)
		return -1;
	if (execute(database,
		"PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
		"PRAGMA cache_size = -8192;"
		"PRAGMA journal_size_limit = 67108864; PRAGMA cell_size_check = ON;"
		"PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;") < 0)
		return -1;
	if (set_test_pages(database) < 0)
		return -1;
	return check_version(database) < 0 ? -1 : check_size(database);
}

void
database_init(struct database *database, const char *directory, const char *name)
{
	database->path = mem_printf("%s/%s", directory, name);
	database->lock_fd = -1;
	database->wal_pages = WAL_PAGES;
}

int
database_checkpoint(struct database *database)
{
	int code = sqlite3_wal_checkpoint_v2(
	    database->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

	return code == SQLITE_OK ? 0 : database_failed(database, code);
}

void
database_shut(struct database *database)
{
	sqlite3_close(database->handle);
	database->handle = NULL;
}

void
database_close(struct database *database)
{
	database_shut(database);
	fd_close(&database->lock_fd);
	MEM_FREE(&database->path);
}

int
database_set_aside(struct database *database, char *where, size_t size)
{
	/* What is corrupt is kept as it is: nothing is moved from the WAL into it. */
	if (database->handle != NULL)
		sqlite3_db_config(database->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(database->handle);
	database->handle = NULL;
	return rename_aside(database->path, where, size);
}
