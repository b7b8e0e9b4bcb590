/* SPDX-License-Identifier: MIT */
#include "analyticsd/disk.h"

#include <stddef.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "lib/base.h"
#include "lib/mem.h"

uint64_t
disk_database_bytes(const char *directory)
{
	static const char *const names[] = {"analytics.db", "analytics.db-wal"};
	uint64_t bytes = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *path = mem_printf("%s/%s", directory, names[i]);
		struct stat status;

		if (stat(path, &status) == 0)
			bytes += (uint64_t)status.st_size;
		MEM_FREE(&path);
	}
	return bytes;
}

uint64_t
disk_free_bytes(const char *directory)
{
	struct statvfs disk;

	if (statvfs(directory, &disk) < 0)
		return 0;
	return (uint64_t)disk.f_bavail * disk.f_frsize;
}
