/* SPDX-License-Identifier: MIT */
#include "analyticsd/page_check.h"

#include <stdint.h>
#include <string.h>

#include "lib/base.h"
#include "lib/die.h"

#define PAGE 4096
#define CHECKED (PAGE - PAGE_CHECK_BYTES)
/* Reads from this size on are whole pages. */
#define PAGE_MIN 512
/* Where the header says how many bytes of each page are reserved. */
#define RESERVED_AT 20
#define HEADER 100
#define HEAD 104 /* whole words of the checksum */

/* The real file stands behind it. */
struct checked_file {
	sqlite3_file base;
	bool checks; /* its header says that pages have room for a checksum */
};

static sqlite3_vfs *real;

static sqlite3_file *
real_of(sqlite3_file *file)
{
	return (sqlite3_file *)(void *)((struct checked_file *)(void *)file + 1);
}

/* ---- the checksum: the sums of the WAL's ("Database File Format", 4.2), from the number of the
 * page on, so that a page in another's place is noticed, too; never 0 ---- */

static void
add(uint32_t sum[2], const uint8_t *bytes, size_t length)
{
	uint32_t word[2];

	for (size_t i = 0; i < length; i += sizeof(word)) {
		memcpy(word, bytes + i, sizeof(word));
		sum[0] += word[0] + sum[1];
		sum[1] += word[1] + sum[0];
	}
}

/* The head of the first page without what sqlite3's .backup changes in what it has copied: the
 * change counter and the size, the schema cookie, and who has written it. SQLite
 * notices itself when these do not agree with the rest. */
static void
mask_head(const uint8_t *page, uint8_t head[HEAD])
{
	memcpy(head, page, HEAD);
	memset(head + 24, 0, 8);
	memset(head + 40, 0, 4);
	memset(head + 92, 0, 8);
}

static void
checksum(const uint8_t *page, sqlite3_int64 offset, uint8_t out[PAGE_CHECK_BYTES])
{
	uint32_t sum[2] = {(uint32_t)(offset / PAGE) + 1, 0};
	uint8_t head[HEAD];

	if (offset == 0)
		mask_head(page, head);
	add(sum, offset == 0 ? head : page, HEAD);
	add(sum, page + HEAD, CHECKED - HEAD);
	if (sum[0] == 0 && sum[1] == 0)
		sum[1] = 1;
	memcpy(out, sum, sizeof(sum));
}

static bool
is_zero(const uint8_t *bytes, size_t length)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

static bool
is_sound(const uint8_t *page, sqlite3_int64 offset)
{
	uint8_t expected[PAGE_CHECK_BYTES];

	if (is_zero(page + CHECKED, PAGE_CHECK_BYTES))
		return !is_zero(page, CHECKED);
	checksum(page, offset, expected);
	return memcmp(page + CHECKED, expected, sizeof(expected)) == 0;
}

/* ---- what is looked at ---- */

static int
read_short(sqlite3_file *file, int amount)
{
	sqlite3_int64 size = 0;

	if (amount < PAGE_MIN || real_of(file)->pMethods->xFileSize(real_of(file), &size) != 0)
		return SQLITE_IOERR_SHORT_READ;
	/* Nothing is where a database is made. */
	return size == 0 ? SQLITE_IOERR_SHORT_READ : PAGE_CHECK_FAILED;
}

static int
checked_read(sqlite3_file *file, void *buffer, int amount, sqlite3_int64 offset)
{
	struct checked_file *checked = (struct checked_file *)(void *)file;
	int code = real_of(file)->pMethods->xRead(real_of(file), buffer, amount, offset);

	if (offset == 0 && amount >= HEADER && code == SQLITE_OK)
		checked->checks = ((uint8_t *)buffer)[RESERVED_AT] == PAGE_CHECK_BYTES;
	if (code == SQLITE_IOERR_SHORT_READ && checked->checks)
		return read_short(file, amount);
	if (code != SQLITE_OK || !checked->checks || amount < PAGE_MIN)
		return code;
	if (amount != PAGE || offset % PAGE != 0 || !is_sound(buffer, offset))
		return PAGE_CHECK_FAILED;
	memset((uint8_t *)buffer + CHECKED, 0, PAGE_CHECK_BYTES);
	return SQLITE_OK;
}

static int
checked_write(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 offset)
{
	struct checked_file *checked = (struct checked_file *)(void *)file;
	uint8_t page[PAGE];

	if (offset == 0 && amount >= HEADER)
		checked->checks = ((const uint8_t *)bytes)[RESERVED_AT] == PAGE_CHECK_BYTES;
	if (!checked->checks || amount != PAGE || offset % PAGE != 0)
		return real_of(file)->pMethods->xWrite(real_of(file), bytes, amount, offset);
	memcpy(page, bytes, CHECKED);
	checksum(page, offset, page + CHECKED);
	return real_of(file)->pMethods->xWrite(real_of(file), page, PAGE, offset);
}

/* ---- what is only passed on ---- */

#define PASS(name, parameters, ...)                                                  \
	static int checked_##name parameters                                         \
	{                                                                            \
		return real_of(file)->pMethods->x##name(real_of(file), __VA_ARGS__); \
	}

PASS(Truncate, (sqlite3_file * file, sqlite3_int64 size), size)
PASS(Sync, (sqlite3_file * file, int flags), flags)
PASS(FileSize, (sqlite3_file * file, sqlite3_int64 *size), size)
PASS(Lock, (sqlite3_file * file, int lock), lock)
PASS(Unlock, (sqlite3_file * file, int lock), lock)
PASS(CheckReservedLock, (sqlite3_file * file, int *out), out)
PASS(FileControl, (sqlite3_file * file, int op, void *argument), op, argument)
PASS(ShmMap, (sqlite3_file * file, int page, int size, int extend, void volatile **out), page, size,
    extend, out)
PASS(ShmLock, (sqlite3_file * file, int offset, int n, int flags), offset, n, flags)
PASS(ShmUnmap, (sqlite3_file * file, int delete), delete)

static int
checked_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int
checked_sector_size(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int
checked_device_characteristics(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static void
checked_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

/* Version 2: with a WAL, and without memory-mapped reads, which nobody could look at. */
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = checked_close,
    .xRead = checked_read,
    .xWrite = checked_write,
    .xTruncate = checked_Truncate,
    .xSync = checked_Sync,
    .xFileSize = checked_FileSize,
    .xLock = checked_Lock,
    .xUnlock = checked_Unlock,
    .xCheckReservedLock = checked_CheckReservedLock,
    .xFileControl = checked_FileControl,
    .xSectorSize = checked_sector_size,
    .xDeviceCharacteristics = checked_device_characteristics,
    .xShmMap = checked_ShmMap,
    .xShmLock = checked_ShmLock,
    .xShmBarrier = checked_shm_barrier,
    .xShmUnmap = checked_ShmUnmap,
};

/* Only databases have pages; all other files are the real VFS's own. */
static int
checked_open(sqlite3_vfs *vfs UNUSED, const char *name, sqlite3_file *file, int flags, int *out)
{
	int code;

	if (!(flags & SQLITE_OPEN_MAIN_DB))
		return real->xOpen(real, name, file, flags, out);
	memset(file, 0, sizeof(struct checked_file));
	code = real->xOpen(real, name, real_of(file), flags, out);
	if (real_of(file)->pMethods != NULL)
		file->pMethods = &methods;
	return code;
}

const char *
page_check_vfs(void)
{
	static sqlite3_vfs vfs;

	if (vfs.zName == NULL) {
		real = sqlite3_vfs_find(NULL);
		/* All but xOpen is the real one's. */
		vfs = *real;
		vfs.pNext = NULL;
		vfs.zName = "dune-checked";
		vfs.szOsFile = (int)sizeof(struct checked_file) + real->szOsFile;
		vfs.xOpen = checked_open;
		if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
			die_system("unable to give SQLite a file system");
	}
	return vfs.zName;
}

bool
page_check_is_on(sqlite3 *handle)
{
	sqlite3_file *file = NULL;

	return sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) ==
	    SQLITE_OK &&
	    file->pMethods == &methods && ((struct checked_file *)(void *)file)->checks;
}
