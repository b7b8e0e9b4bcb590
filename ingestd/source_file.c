/* SPDX-License-Identifier: MIT */
/* source_file: lines of a file that is followed as it grows. inotify(7) wakes us, and so does a
 * slow timer, for file systems that tell nothing. A file that is replaced by another (rotation) is
 * read to its end before the new one is begun, also when that happened while we were away; one
 * that has shrunk, or whose first bytes have
 * changed, is begun anew. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ingestd/counters.h"
#include "ingestd/event.h"
#include "ingestd/file_find.h"
#include "ingestd/file_position.h"
#include "ingestd/file_watch.h"
#include "ingestd/line_feed.h"
#include "ingestd/source.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sock.h"

#define POLL_INTERVAL 1.0

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

static struct source_file *
of(struct source *source)
{
	return container_of(source, struct source_file, base);
}

static void
line_position(struct source *source, const struct line *line, bson_t *out)
{
	struct source_file *file = of(source);
	size_t head = (size_t)MIN(line->end_offset, (uint64_t)file->head_length);
	struct file_position position = {
	    .inode = file->inode,
	    .offset = line->end_offset,
	    .line = line->number,
	    .head = file_head_hash(file->head, head),
	    .scan = file->feed.scan,
	    .rebuild = file->feed.rebuild,
	};

	file_position_encode(&position, out);
}

static void
do_more(struct source_file *file)
{
	if (file->started && !file->feed.paused)
		ev_timer_start(file->base.loop, &file->more);
}

/* ---- one file: opened, looked at, closed ---- */

static void
file_leave(struct source_file *file)
{
	file_watch_leave(&file->watch);
	fd_close(&file->fd);
	file->replaced = false;
}

static void
begin_at(struct source_file *file, uint64_t offset, uint64_t line)
{
	file->offset = file->found_to = offset;
	file->head_length = 0;
	lines_reset(&file->feed.lines, offset, line);
}

/* Fills `head` with the first bytes of what was read so far. False when the file has
 * fewer: it has shrunk. */
static bool
read_head(struct source_file *file)
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
	begin_at(file, wanted->offset, wanted->line);
	return read_head(file) && file_head_hash(file->head, file->head_length) == wanted->head;
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

static int
file_open(struct source_file *file)
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
		begin_at(file, 0, 0);
		log_info(file->has_wanted
			? "%s: not the file of our position any more; reading it from its beginning"
			: "%s: reading it from its beginning",
		    file->path);
	}
	file->has_wanted = false;
	return 0;
}

/* ---- looking for changes, with all read that there was ---- */

/* What stood there when we came may be of any age, and tells no time; what comes while we follow
 * is as old as our finding it, also where it must wait to be read. */
static void
note_found(struct source_file *file)
{
	struct stat found;

	if (!file->following || file->fd < 0 || file->offset < file->found_to ||
	    fstat(file->fd, &found) < 0)
		return;
	file->found_to = (uint64_t)found.st_size;
	file->found_ms = clock_wall_ms();
}

static bool
is_rewritten(struct source_file *file)
{
	uint8_t now[FILE_HEAD];
	struct stat found;

	if (fstat(file->fd, &found) == 0 && (uint64_t)found.st_size < file->offset)
		return true;
	return pread(file->fd, now, file->head_length, 0) != (ssize_t)file->head_length ||
	    memcmp(now, file->head, file->head_length) != 0;
}

static bool
is_replaced(const struct source_file *file)
{
	struct stat at_path;

	return stat(file->path, &at_path) == 0 && at_path.st_ino != file->inode;
}

/* At the end of the file. True when there is more to do at once. */
static bool
at_end(struct source_file *file)
{
	if (file->replaced) {
		if (lines_unfinished(&file->feed.lines))
			log_warn("%s: rotated in the middle of line %llu, which is left out",
			    file->path, (unsigned long long)file->feed.lines.number + 1);
		log_info("%s: rotated after %llu lines", file->path,
		    (unsigned long long)file->feed.lines.number);
		file_leave(file);
		return true;
	}
	if (is_rewritten(file)) {
		log_info("%s: truncated after %llu lines; reading it from its beginning",
		    file->path, (unsigned long long)file->feed.lines.number);
		begin_at(file, 0, 0);
		return true;
	}
	/* It may have grown between our last read and its replacement. */
	file->replaced = is_replaced(file);
	return file->replaced;
}

static void
on_more(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct source_file *file = container_of(timer, struct source_file, more);
	ssize_t got;

	if (!line_feed_give(&file->feed))
		return;
	if (file->fd < 0 && file_open(file) < 0)
		return;
	note_found(file);
	got = line_feed_read(&file->feed, file->fd, (off_t)file->offset);
	if (got < 0) {
		counters[COUNTER_source_errors]++;
		log_error("unable to read %s: %s", file->path, strerror(errno));
		return;
	}
	file->offset += (uint64_t)got;
	file->feed.at = file->found_ms;
	if (got > 0 && read_head(file))
		line_feed_give(&file->feed);
	if (got > 0 || at_end(file)) {
		do_more(file);
	} else {
		file->following = true;
		line_feed_at_end(&file->feed);
	}
}

static void
on_poll(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct source_file *file = container_of(timer, struct source_file, poll);

	note_found(file);
	do_more(file);
}

static void
on_changed(struct file_watch *watch)
{
	struct source_file *file = container_of(watch, struct source_file, watch);

	note_found(file);
	do_more(file);
}

/* ---- the table ---- */

static const char *
file_start(struct source *source, const bson_t *position)
{
	struct source_file *file = of(source);
	const char *wrong = position ? file_position_decode(position, &file->wanted) : NULL;

	if (wrong)
		return wrong;
	file->has_wanted = position != NULL;
	file->feed.scan = position == NULL || file->wanted.scan;
	file->feed.rebuild = position != NULL && file->wanted.rebuild;
	if (!file->started) {
		file_watch_start(&file->watch, source->loop);
		ev_timer_start(source->loop, &file->poll);
	}
	file->started = true;
	file->following = false;
	file->found_ms = EVENT_NO_TIME;
	file_leave(file);
	begin_at(file, 0, 0);
	do_more(file);
	return NULL;
}

static void
file_rebuild(struct source *source)
{
	struct source_file *file = of(source);

	if (!file_start(source, NULL)) {
		file->inode = 0;
		line_feed_rebuild(&file->feed);
	}
}

static const char *
file_scanning(struct source *source)
{
	struct source_file *file = of(source);

	if (!file->feed.rebuild && !file->feed.scan)
		return NULL;
	snprintf(file->text, sizeof(file->text), "%s, line %llu of %s",
	    file->feed.rebuild ? "rebuilding" : "scanning",
	    (unsigned long long)file->feed.lines.number, file->path);
	return file->text;
}

static void
file_pause(struct source *source)
{
	of(source)->feed.paused = true;
	ev_timer_stop(source->loop, &of(source)->more);
}

static void
file_resume(struct source *source)
{
	of(source)->feed.paused = false;
	do_more(of(source));
}

static const char *
file_unwell(struct source *source)
{
	struct source_file *file = of(source);

	if (file->fd >= 0 || !file->missing_said)
		return NULL;
	snprintf(file->text, sizeof(file->text), "waiting for %s: %s", file->path,
	    strerror(file->missing_said));
	return file->text;
}

static bool
file_free(struct source *source)
{
	struct source_file *file = of(source);

	ev_timer_stop(source->loop, &file->poll);
	ev_timer_stop(source->loop, &file->more);
	file_leave(file);
	file_watch_stop(&file->watch);
	line_feed_free(&file->feed);
	MEM_FREE(&source->name);
	MEM_FREE(&file);
	return true;
}

static const struct source_class file_class = {
    .rereadable = true,
    .start = file_start,
    .rebuild = file_rebuild,
    .scanning = file_scanning,
    .pause = file_pause,
    .resume = file_resume,
    .unwell = file_unwell,
    .free = file_free,
};

struct source *
source_file_new(const char *path)
{
	struct source_file *file = mem_zalloc(sizeof(*file));

	file->base.class = &file_class;
	file->base.name = mem_printf("file:%s", path);
	file->path = path;
	file->fd = -1;
	file_watch_init(&file->watch, path, on_changed);
	line_feed_init(&file->feed, &file->base, line_position);
	ev_timer_init(&file->more, on_more, 0, 0);
	ev_timer_init(&file->poll, on_poll, POLL_INTERVAL, POLL_INTERVAL);
	return &file->base;
}
