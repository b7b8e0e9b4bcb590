/* SPDX-License-Identifier: MIT */
/* source_file_state: what source_file.c (following) and source_file_open.c (which file it is that
 * is read) share. */
#ifndef INGESTD_SOURCE_FILE_STATE_H
#define INGESTD_SOURCE_FILE_STATE_H

#include "ingestd/file_position.h"
#include "ingestd/file_watch.h"
#include "ingestd/line_feed.h"
#include "ingestd/source.h"

/* `offset` is what was read; the lines know what was given. `more` runs while there is
 * something to do, one chunk a turn. */
struct source_file {
	struct source base;
	struct line_feed feed;
	const char *path;
	int fd;
	struct file_watch watch;
	ev_timer poll, more;
	struct file_position wanted; /* where to begin in the next file that is opened */
	bool has_wanted;
	uint64_t inode, offset;
	uint8_t head[FILE_HEAD];
	size_t head_length;
	/* Once the end was reached, all before found_to that is not read yet was found at
	 * found_ms. */
	bool following;
	uint64_t found_to;
	int64_t found_ms;
	bool started;
	bool replaced; /* another file stands at the path: one last read of this one */
	int missing_said; /* the errno that was logged, so that it is said once */
	char text[512]; /* of unwell() */
};

/* Opens the file that the position speaks of, or the one at the path: 0, or -1, which is logged
 * once for each errno. */
MUST_CHECK int source_file_open(struct source_file *file);
void source_file_leave(struct source_file *file);
/* Reading goes on there. */
void source_file_begin(struct source_file *file, uint64_t offset, uint64_t line);
/* Fills `head` with the first bytes of what was read so far. False when the file has
 * fewer: it has shrunk. */
MUST_CHECK bool source_file_read_head(struct source_file *file);
/* It is shorter than what was read, or begins otherwise. */
bool source_file_rewritten(const struct source_file *file);
/* Another file stands at the path. */
bool source_file_replaced(const struct source_file *file);

#endif
