/* SPDX-License-Identifier: MIT */
#include "analyticsd/page_check.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mem.h"
#include "tests/unit/unit.h"

#define PAGE 4096

static sqlite3 *
opened(const char *vfs)
{
	char *path = mem_printf("%s/pages.db", unit_directory());
	sqlite3 *handle;

	CHECK_INT(
	    sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs), 0);
	sqlite3_extended_result_codes(handle, 1);
	free(path);
	return handle;
}

static void
do_sql(sqlite3 *handle, const char *sql)
{
	CHECK_INT(sqlite3_exec(handle, sql, NULL, NULL, NULL), 0);
}

/* Short rows, long ones (with pages behind their own), an index; all in the file. */
static void
fill(void)
{
	sqlite3 *handle = opened(page_check_vfs());
	int bytes = PAGE_CHECK_BYTES;

	CHECK_INT(sqlite3_file_control(handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes), 0);
	do_sql(handle,
	    "PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER PRIMARY KEY, x, y);"
	    "CREATE INDEX i ON t (x); BEGIN;"
	    "WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c LIMIT 400)"
	    " INSERT INTO t SELECT n, hex(n * 7919), CASE n % 50 WHEN 0 THEN hex(zeroblob(9000)) "
	    "ELSE n END FROM c; COMMIT");
	CHECK(page_check_is_on(handle));
	CHECK_INT(sqlite3_close(handle), 0);
}

/* Reads all there is: SQLite's code. */
static int
read_all(const char *vfs)
{
	sqlite3 *handle = opened(vfs);
	int code = sqlite3_exec(handle,
	    "SELECT sum(n), sum(length(x)), sum(length(y)) FROM t; SELECT count(x) FROM t INDEXED "
	    "BY i WHERE x > ''",
	    NULL, NULL, NULL);

	sqlite3_close(handle);
	return code;
}

static int
file_open(off_t *size)
{
	char *path = mem_printf("%s/pages.db", unit_directory());
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat status;

	CHECK(fd >= 0 && fstat(fd, &status) == 0);
	*size = status.st_size;
	free(path);
	return fd;
}

static void
flip(int fd, off_t at, int bit)
{
	uint8_t byte;

	CHECK_INT(pread(fd, &byte, 1, at), 1);
	byte ^= (uint8_t)(1 << bit);
	CHECK_INT(pwrite(fd, &byte, 1, at), 1);
}

TEST(page_check_sees_any_bit)
{
	off_t size;

	fill();
	CHECK_INT(read_all(page_check_vfs()), SQLITE_OK);
	CHECK_INT(read_all(NULL), SQLITE_OK);
	int fd = file_open(&size);
	CHECK(size > 20 * PAGE && size % PAGE == 0);
	for (off_t at = PAGE; at < size; at += 61) {
		flip(fd, at, (int)(at % 8));
		if (read_all(page_check_vfs()) == SQLITE_OK)
			CHECK_INT(at, 0); /* nobody saw it */
		flip(fd, at, (int)(at % 8));
	}
	CHECK_INT(read_all(page_check_vfs()), SQLITE_OK);
	close(fd);
}

TEST(page_check_sees_pages_that_are_not_there)
{
	uint8_t one[PAGE], other[PAGE], zero[PAGE] = {0};
	off_t size;

	fill();
	int fd = file_open(&size);
	CHECK_INT(pread(fd, one, PAGE, 4 * PAGE), PAGE);
	CHECK_INT(pread(fd, other, PAGE, 5 * PAGE), PAGE);
	CHECK_INT(pwrite(fd, other, PAGE, 4 * PAGE), PAGE);
	CHECK_INT(pwrite(fd, one, PAGE, 5 * PAGE), PAGE);
	CHECK_INT(read_all(page_check_vfs()), PAGE_CHECK_FAILED);
	CHECK_INT(pwrite(fd, one, PAGE, 4 * PAGE), PAGE);
	CHECK_INT(pwrite(fd, other, PAGE, 5 * PAGE), PAGE);
	CHECK_INT(read_all(page_check_vfs()), SQLITE_OK);
	/* Without a checksum as it is, but nothing at all is no page. */
	CHECK_INT(
	    pwrite(fd, zero, PAGE_CHECK_BYTES, 5 * PAGE - PAGE_CHECK_BYTES), PAGE_CHECK_BYTES);
	CHECK_INT(read_all(page_check_vfs()), SQLITE_OK);
	CHECK_INT(pwrite(fd, zero, PAGE, 4 * PAGE), PAGE);
	CHECK_INT(read_all(page_check_vfs()), PAGE_CHECK_FAILED);
	CHECK_INT(pwrite(fd, one, PAGE, 4 * PAGE), PAGE);
	CHECK_INT(ftruncate(fd, size - PAGE), 0);
	CHECK(read_all(page_check_vfs()) != SQLITE_OK);
	close(fd);
}

TEST(page_check_leaves_databases_without_room_alone)
{
	sqlite3 *handle = opened(page_check_vfs());

	do_sql(handle,
	    "CREATE TABLE t (n INTEGER PRIMARY KEY, x, y); CREATE INDEX i ON t (x);"
	    "INSERT INTO t VALUES (1, 2, 3)");
	CHECK(!page_check_is_on(handle));
	CHECK_INT(sqlite3_close(handle), 0);
	CHECK_INT(read_all(page_check_vfs()), SQLITE_OK);
	CHECK_INT(read_all(NULL), SQLITE_OK);
}
