/* SPDX-License-Identifier: MIT */
/* source_file: lines of a file that is followed as it grows. inotify(7) wakes us, and so does a
 * slow timer, for file systems that tell nothing. A file that is replaced by another (rotation) is
 * read to its end before the new one is begun, also when that happened while we were away; one
 * that has shrunk, or whose first bytes have
 * changed, is begun anew. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "ingestd/counters.h"
#include "ingestd/event.h"
#include "ingestd/source_file_state.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#define POLL_INTERVAL 1.0

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
		source_file_leave(file);
		return true;
	}
	if (source_file_rewritten(file)) {
		log_info("%s: truncated after %llu lines; reading it from its beginning",
		    file->path, (unsigned long long)file->feed.lines.number);
		source_file_begin(file, 0, 0);
		return true;
	}
	/* It may have grown between our last read and its replacement. */
	file->replaced = source_file_replaced(file);
	return file->replaced;
}

static void
on_more(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct source_file *file = container_of(timer, struct source_file, more);
	ssize_t got;

	if (!line_feed_give(&file->feed))
		return;
	if (file->fd < 0 && source_file_open(file) < 0)
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
	if (got > 0 && source_file_read_head(file))
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
	source_file_leave(file);
	source_file_begin(file, 0, 0);
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
	source_file_leave(file);
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
