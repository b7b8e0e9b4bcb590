/* SPDX-License-Identifier: MIT */
/* source_file: lines of a file that is followed as it grows. inotify(7) wakes us, and so does a
 * slow timer, for file systems that tell nothing. A file that is replaced by another (rotation) is
 * read to its end before the new one is begun, also when that happened while we were away; one
 * that has shrunk, or whose first bytes have
 * changed, is begun anew. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ingestd/counters.h"
#include "ingestd/file_find.h"
#include "ingestd/file_position.h"
#include "ingestd/line_feed.h"
#include "ingestd/source.h"
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
	int fd, inotify, file_watch;
	ev_io changed;
	ev_timer poll, more;
	struct file_position wanted; /* where to begin in the next file that is opened */
	bool has_wanted;
	uint64_t inode, offset;
	uint8_t head[FILE_HEAD];
	size_t head_length;
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
	if (file->file_watch >= 0)
		inotify_rm_watch(file->inotify, file->file_watch);
	file->file_watch = -1;
	fd_close(&file->fd);
	file->replaced = false;
}

static void
begin_at(struct source_file *file, uint64_t offset, uint64_t line)
{
	file->offset = offset;
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

/* By the descriptor: the name may be another file's by now. */
static void
watch_file(struct source_file *file)
{
	char *name = mem_printf("/proc/self/fd/%d", file->fd);

	if (file->inotify >= 0)
		file->file_watch = inotify_add_watch(file->inotify, name, IN_MODIFY);
	MEM_FREE(&name);
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
	watch_file(file);
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
	watch_file(file);
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
	got = line_feed_read(&file->feed, file->fd, (off_t)file->offset);
	if (got < 0) {
		counters[COUNTER_source_errors]++;
		log_error("unable to read %s: %s", file->path, strerror(errno));
		return;
	}
	file->offset += (uint64_t)got;
	if (got > 0 && read_head(file))
		line_feed_give(&file->feed);
	if (got > 0 || at_end(file))
		do_more(file);
	else
		line_feed_at_end(&file->feed);
}

static void
on_poll(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	do_more(container_of(timer, struct source_file, poll));
}

static bool
is_about_us(const struct source_file *file, const struct inotify_event *event)
{
	const char *slash = strrchr(file->path, '/');

	return event->len == 0 || strcmp(event->name, slash ? slash + 1 : file->path) == 0;
}

static void
on_changed(struct ev_loop *loop UNUSED, ev_io *io, int events UNUSED)
{
	struct source_file *file = container_of(io, struct source_file, changed);
	_Alignas(struct inotify_event) char told[4096];
	ssize_t got = read(file->inotify, told, sizeof(told));

	for (char *at = told; got > 0 && at < told + got;) {
		const struct inotify_event *event = (const void *)at;

		if (is_about_us(file, event))
			do_more(file);
		at += sizeof(*event) + event->len;
	}
}

/* ---- the table ---- */

static void
watch_directory(struct source_file *file)
{
	const char *slash = strrchr(file->path, '/');
	char *directory = slash ? mem_printf("%.*s", (int)MAX(slash - file->path, 1), file->path)
				: mem_strdup(".");

	file->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (file->inotify >= 0) {
		ev_io_init(&file->changed, on_changed, file->inotify, EV_READ);
		ev_io_start(file->base.loop, &file->changed);
	}
	if (file->inotify < 0 ||
	    inotify_add_watch(file->inotify, directory, IN_CREATE | IN_MOVED_TO) < 0)
		log_info("%s is looked at once a second only: %s", file->path, strerror(errno));
	MEM_FREE(&directory);
}

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
		watch_directory(file);
		ev_timer_start(source->loop, &file->poll);
	}
	file->started = true;
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
	if (file->inotify >= 0)
		ev_io_stop(source->loop, &file->changed);
	file_leave(file);
	fd_close(&file->inotify);
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
	file->fd = file->inotify = file->file_watch = -1;
	line_feed_init(&file->feed, &file->base, line_position);
	ev_timer_init(&file->more, on_more, 0, 0);
	ev_timer_init(&file->poll, on_poll, POLL_INTERVAL, POLL_INTERVAL);
	return &file->base;
}
