/* SPDX-License-Identifier: MIT */
#include "ingestd/file_find.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/mem.h"
#include "lib/sock.h"

static int
open_regular(int directory, const char *name, uint64_t inode)
{
	struct stat found;
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);

	if (fd >= 0 && (fstat(fd, &found) < 0 || !S_ISREG(found.st_mode) || found.st_ino != inode))
		fd_close(&fd);
	return fd;
}

int
file_find(const char *path, uint64_t inode)
{
	const char *slash = strrchr(path, '/');
	char *name = slash ? mem_printf("%.*s", (int)MAX(slash - path, 1), path) : mem_strdup(".");
	DIR *directory = opendir(name);
	struct dirent *entry;
	int fd = -1;

	MEM_FREE(&name);
	if (!directory)
		return -1;
	while (fd < 0 && (entry = readdir(directory)) != NULL) {
		if (entry->d_ino == inode)
			fd = open_regular(dirfd(directory), entry->d_name, inode);
	}
	closedir(directory);
	return fd;
}
