/* SPDX-License-Identifier: MIT */
/* line_feed: what source_file and source_stdin share: lines of Extended JSON (relaxed or
 * canonical, what mongoexport writes) become events. A line that is no JSON object, or neither a
 * form nor a response, is counted, logged at a limited rate with its number, and skipped; an
 * empty one is nothing. */
#ifndef INGESTD_LINE_FEED_H
#define INGESTD_LINE_FEED_H

#include <bson/bson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "ingestd/lines.h"
#include "ingestd/source.h"
#include "lib/buf.h"

/* 16 MiB is the longest document in MongoDB; what JSON needs more of is granted. */
#define LINE_FEED_MAX (17u << 20)

struct line_feed {
	struct source *source;
	struct lines lines;
	bool paused;
	struct buf event; /* the event under construction */
	/* The position behind `line`; initialises `out`. */
	void (*position)(struct source *source, const struct line *line, bson_t *out);
	/* Until line_feed_at_end(): the owner's first reading; what line_feed_rebuild() began. */
	bool scan, rebuild;
	int64_t at; /* what the lines that were read tell as their time; EVENT_NO_TIME: none */
};

void line_feed_init(struct line_feed *feed, struct source *source,
    void (*position)(struct source *source, const struct line *line, bson_t *out));
void line_feed_free(struct line_feed *feed);

/* Reads some bytes from `fd` at `offset` (negative: from a stream). As read(2). */
ssize_t line_feed_read(struct line_feed *feed, int fd, off_t offset);
/* The stream has ended: what stands unfinished is a line too. */
void line_feed_finish(struct line_feed *feed);
/* Gives all whole lines as events. False when it was paused meanwhile: call it again
 * before anything is read. */
bool line_feed_give(struct line_feed *feed);

/* The lines from here on are everything, anew: EVENT_REBUILD. */
void line_feed_rebuild(struct line_feed *feed);
/* There are no more for now: that a rebuild or the first reading is done is said now, if that is
 * still to be done. */
void line_feed_at_end(struct line_feed *feed);
/* Where we are, without a line: EVENT_POSITION. */
void line_feed_here(struct line_feed *feed);

#endif
