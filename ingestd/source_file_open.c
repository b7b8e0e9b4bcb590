/* SPDX-License-Identifier: MIT */
/* Which file it is: the one of the position, also where it has been renamed meanwhile, or the one
 * that stands at the path. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ingestd/counters.h"
#include "ingestd/file_find.h"
#include "ingestd/source_file_state.h"
#include "lib/log.h"
#include "lib/sock.h"

void
source_file_leave(struct source_file *file)
{
	file_watch_leave(&file->watch);
	fd_close(&file->fd);
	file->replaced = false;
}

void
source_file_begin(struct source_file *file, uint64_t offset, uint64_t line)
{
	file->offset = file->found_to = offset;
	file->head_length = 0;
	lines_reset(&file->feed.lines, offset, line);
}

bool
source_file_read_head(struct source_file *file)
{
	size_t want = (size_t)MIN(file->offset, (uint64_t)FILE_HEAD);

	while (file->head_length < want) {
		ssize_t got = pread(file->fd, file->head + file->head_length,
		    want - file->head_length, (off_t)file->head_length);

		if (got <= 0)
			return false;
		file->head_length += (size_t)got;
	}
	return true;
}

/* Whether the file is the one, and as long, as the position says. */
static bool
is_wanted(struct source_file *file, const struct stat *found)
{
	const struct file_position *wanted = &file->wanted;

	if (wanted->inode != found->st_ino || wanted->offset > (uint64_t)found->st_size)
		return false;
	source_file_begin(file, wanted->offset, wanted->line);
	return source_file_read_head(file) &&
	    file_head_hash(file->head, file->head_length) == wanted->head;
}

/* The file of our position, when it was rotated while nobody followed it; at its end the one that
 * stands at the path now is next. */
static int
open_rotated(struct source_file *file)
{
	struct stat found;

	if (!file->has_wanted ||
	    (stat(file->path, &found) == 0 && found.st_ino == file->wanted.inode))
		return -1;
	file->fd = file_find(file->path, file->wanted.inode);
	if (file->fd < 0)
		return -1;
	if (fstat(file->fd, &found) < 0 || !is_wanted(file, &found)) {
		fd_close(&file->fd);
		return -1;
	}
	file->inode = file->wanted.inode;
	file->has_wanted = false;
	file_watch_follow(&file->watch, file->fd);
	log_info("%s was rotated meanwhile: going on in line %llu of the file that it was",
	    file->path, (unsigned long long)file->wanted.line + 1);
	return 0;
}

int
source_file_open(struct source_file *file)
{
	struct stat found;

	if (open_rotated(file) == 0)
		return 0;
	file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd >= 0 && fstat(file->fd, &found) == 0 && !S_ISREG(found.st_mode)) {
		fd_close(&file->fd);
		errno = S_ISDIR(found.st_mode) ? EISDIR : ESPIPE;
	}
	if (file->fd < 0) {
		if (file->missing_said != errno)
			log_warn("waiting for %s: %s", file->path, strerror(errno));
		file->missing_said = errno;
		return -1;
	}
	file->missing_said = 0;
	file->inode = found.st_ino;
	counters[COUNTER_source_connects]++;
	file_watch_follow(&file->watch, file->fd);
	if (file->has_wanted && is_wanted(file, &found)) {
		log_info("%s: going on in line %llu", file->path,
		    (unsigned long long)file->wanted.line + 1);
	} else {
		source_file_begin(file, 0, 0);
		log_info(file->has_wanted
			? "%s: not the file of our position any more; reading it from its beginning"
			: "%s: reading it from its beginning",
		    file->path);
	}
	file->has_wanted = false;
	return 0;
}

bool
source_file_rewritten(const struct source_file *file)
{
	uint8_t now[FILE_HEAD];
	struct stat found;

	if (fstat(file->fd, &found) == 0 && (uint64_t)found.st_size < file->offset)
		return true;
	return pread(file->fd, now, file->head_length, 0) != (ssize_t)file->head_length ||
	    memcmp(now, file->head, file->head_length) != 0;
}

bool
source_file_replaced(const struct source_file *file)
{
	struct stat at_path;

	return stat(file->path, &at_path) == 0 && at_path.st_ino != file->inode;
}
