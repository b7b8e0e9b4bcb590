/* SPDX-License-Identifier: MIT */
/* source_stdin: lines on standard input. What was read once cannot be read again, so the
 * position says only how far we are: {v: 1, source: "stdin", run, line}, where `run` tells one
 * process's input from another's. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ingestd/counters.h"
#include "ingestd/file_position.h"
#include "ingestd/line_feed.h"
#include "ingestd/source.h"
#include "lib/log.h"
#include "lib/mem.h"

struct source_stdin {
	struct source base;
	struct line_feed feed;
	ev_io io;
	ev_timer again; /* gives what a pause has held back */
	bson_oid_t run;
	bool started, finished, ended;
};

static struct source_stdin *
of(struct source *source)
{
	return container_of(source, struct source_stdin, base);
}

static void
line_position(struct source *source, const struct line *line, bson_t *out)
{
	bson_init(out);
	BSON_APPEND_INT32(out, "v", 1);
	BSON_APPEND_UTF8(out, "source", "stdin");
	BSON_APPEND_OID(out, "run", &of(source)->run);
	BSON_APPEND_INT64(out, "line", (int64_t)line->number);
	if (of(source)->feed.rebuild)
		BSON_APPEND_BOOL(out, "rebuild", true);
}

/* Gives what is whole; at the end of the input says so, once. */
static void
go_on(struct source_stdin *in)
{
	if (!in->started || in->ended)
		return;
	if (!line_feed_give(&in->feed)) {
		ev_io_stop(in->base.loop, &in->io);
		return;
	}
	if (!in->finished) {
		ev_io_start(in->base.loop, &in->io);
		return;
	}
	in->ended = true;
	line_feed_at_end(&in->feed);
	log_info("%s: end of input after %llu lines", in->base.name,
	    (unsigned long long)in->feed.lines.number);
	in->base.events->end(in->base.owner);
}

static void
on_readable(struct ev_loop *loop, ev_io *io, int events UNUSED)
{
	struct source_stdin *in = container_of(io, struct source_stdin, io);
	ssize_t got = line_feed_read(&in->feed, STDIN_FILENO, -1);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < 0)
		log_error("unable to read %s: %s", in->base.name, strerror(errno));
	if (got <= 0) {
		in->finished = true;
		line_feed_finish(&in->feed);
		ev_io_stop(loop, &in->io);
	}
	go_on(in);
}

static void
on_again(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	go_on(container_of(timer, struct source_stdin, again));
}

static const char *
stdin_start(struct source *source, const bson_t *position)
{
	struct source_stdin *in = of(source);
	const char *kind = position ? position_kind(position) : NULL;

	if (position && (!kind || strcmp(kind, "stdin") != 0))
		return "its position is not one in standard input";
	if (!in->started) {
		ev_io_init(&in->io, on_readable, STDIN_FILENO, EV_READ);
		ev_timer_init(&in->again, on_again, 0, 0);
		counters[COUNTER_source_connects]++;
	}
	in->started = true;
	/* Whoever began it has left its end to us. */
	if (position && bson_has_field(position, "rebuild"))
		in->feed.rebuild = true;
	/* So that analyticsd knows that it has all that there is, though nothing has come yet. */
	if (!position && !in->feed.rebuild)
		line_feed_here(&in->feed);
	go_on(in);
	return NULL;
}

static void
stdin_rebuild(struct source *source)
{
	line_feed_rebuild(&of(source)->feed);
	if (stdin_start(source, NULL))
		log_error("%s cannot be started", source->name);
}

static void
stdin_pause(struct source *source)
{
	of(source)->feed.paused = true;
	if (of(source)->started)
		ev_io_stop(source->loop, &of(source)->io);
}

static void
stdin_resume(struct source *source)
{
	of(source)->feed.paused = false;
	if (of(source)->started)
		ev_timer_start(source->loop, &of(source)->again);
}

static const char *
stdin_unwell(struct source *source UNUSED)
{
	return NULL;
}

static bool
stdin_free(struct source *source)
{
	struct source_stdin *in = of(source);

	if (in->started) {
		ev_io_stop(source->loop, &in->io);
		ev_timer_stop(source->loop, &in->again);
	}
	line_feed_free(&in->feed);
	MEM_FREE(&source->name);
	MEM_FREE(&in);
	return true;
}

static const struct source_class stdin_class = {
    .rereadable = false,
    .start = stdin_start,
    .rebuild = stdin_rebuild,
    .pause = stdin_pause,
    .resume = stdin_resume,
    .unwell = stdin_unwell,
    .free = stdin_free,
};

struct source *
source_stdin_new(void)
{
	struct source_stdin *in = mem_zalloc(sizeof(*in));

	in->base.class = &stdin_class;
	in->base.name = mem_strdup("standard input");
	bson_oid_init(&in->run, NULL);
	line_feed_init(&in->feed, &in->base, line_position);
	return &in->base;
}
