/* SPDX-License-Identifier: MIT */
#include "ingestd/line_feed.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ingestd/counters.h"
#include "ingestd/event.h"
#include "ingestd/json_dates.h"
#include "lib/log.h"
#include "lib/mem.h"

#define READ_SIZE 262144

void
line_feed_init(struct line_feed *feed, struct source *source,
    void (*position)(struct source *source, const struct line *line, bson_t *out))
{
	feed->source = source;
	feed->position = position;
	feed->paused = feed->scan = feed->rebuild = false;
	feed->at = EVENT_NO_TIME;
	lines_init(&feed->lines, LINE_FEED_MAX);
	buf_init(&feed->event, EVENT_MAX);
}

void
line_feed_free(struct line_feed *feed)
{
	lines_free(&feed->lines);
	buf_free(&feed->event);
}

ssize_t
line_feed_read(struct line_feed *feed, int fd, off_t offset)
{
	size_t room;
	uint8_t *to = lines_room(&feed->lines, READ_SIZE, &room);
	ssize_t got = offset < 0 ? read(fd, to, room) : pread(fd, to, room, offset);

	if (got > 0)
		lines_commit(&feed->lines, (size_t)got);
	return got;
}

void
line_feed_finish(struct line_feed *feed)
{
	size_t room;

	if (!lines_unfinished(&feed->lines))
		return;
	*lines_room(&feed->lines, 1, &room) = '\n';
	lines_commit(&feed->lines, 1);
}

/* Exactly one JSON object and nothing behind it. NULL, or what is wrong. */
static const char *
parse_object(const char *text, size_t length, bson_t *doc, bson_error_t *error)
{
	bson_json_reader_t *reader = bson_json_data_reader_new(true, length);
	const char *wrong = NULL;
	bson_t more = BSON_INITIALIZER;
	int result;

	bson_json_data_reader_ingest(reader, (const uint8_t *)text, length);
	result = bson_json_reader_read(reader, doc, error);
	if (result < 0)
		wrong = error->message;
	else if (result == 0)
		wrong = "not a JSON object";
	else if (bson_json_reader_read(reader, &more, error) != 0)
		wrong = "more than one JSON object";
	bson_destroy(&more);
	bson_json_reader_destroy(reader);
	return wrong;
}

/* A line that is not understood may have dates that only libbson does not know. */
static const char *
parse_line(const struct line *line, bson_t *doc, bson_error_t *error)
{
	const char *wrong = parse_object(line->text, line->length, doc, error);

	if (wrong == NULL)
		return NULL;
	char *copy = mem_dup(line->text, line->length);
	if (json_dates_rewrite(copy, line->length)) {
		/* Not bson_reinit(): a child may still be open in it. */
		bson_destroy(doc);
		bson_init(doc);
		wrong = parse_object(copy, line->length, doc, error);
	}
	MEM_FREE(&copy);
	return wrong;
}

static void
skip_line(struct line_feed *feed, const struct line *line, const char *why)
{
	static struct log_limit limit = LOG_LIMIT(5, 1000);

	counters[COUNTER_bad_lines]++;
	log_limited(&limit, LOG_WARN, "%s: line %llu skipped: %s", feed->source->name,
	    (unsigned long long)line->number, why);
}

static bool
is_blank(const struct line *line)
{
	size_t i = 0;

	while (i < line->length && strchr(" \t\r", line->text[i]) && line->text[i])
		i++;
	return i == line->length;
}

static void
give_event(struct line_feed *feed, const struct line *line, enum event_op op, const bson_t *doc)
{
	struct event event = {
	    .op = op, .at = doc ? feed->at : EVENT_NO_TIME, .partial = feed->scan, .doc = doc};
	bson_t position;

	feed->position(feed->source, line, &position);
	event.position = &position;
	if (event_encode(&event, &feed->event) < 0) {
		skip_line(feed, line, strerror(errno));
	} else {
		feed->source->events->event(
		    feed->source->owner, buf_bytes(&feed->event), buf_length(&feed->event));
		buf_clear(&feed->event);
	}
	bson_destroy(&position);
}

static void
give_line(struct line_feed *feed, const struct line *line)
{
	bson_t doc = BSON_INITIALIZER;
	bson_error_t error;
	const char *wrong = parse_line(line, &doc, &error);
	int op = wrong ? -1 : event_shape(&doc);

	if (wrong)
		skip_line(feed, line, wrong);
	else if (op < 0)
		skip_line(feed, line, "neither a form (fields) nor a response (formId)");
	else if (!bson_has_field(&doc, "_id"))
		skip_line(feed, line, "no _id");
	else
		give_event(feed, line, (enum event_op)op, &doc);
	bson_destroy(&doc);
}

bool
line_feed_give(struct line_feed *feed)
{
	struct line line;

	while (!feed->paused) {
		switch (lines_next(&feed->lines, &line)) {
		case LINES_MORE:
			return true;
		case LINES_LONG:
			skip_line(feed, &line, "too long");
			break;
		case LINES_ONE:
			if (!is_blank(&line))
				give_line(feed, &line);
			break;
		}
	}
	return false;
}

/* The position is the one behind the last line, which differs by `scan` or `rebuild` alone. */
static void
give_here(struct line_feed *feed, enum event_op op)
{
	struct line here = {.number = feed->lines.number, .end_offset = feed->lines.offset};

	give_event(feed, &here, op, NULL);
}

void
line_feed_rebuild(struct line_feed *feed)
{
	feed->scan = false;
	feed->rebuild = true;
	give_here(feed, EVENT_REBUILD);
}

void
line_feed_at_end(struct line_feed *feed)
{
	bool rebuild = feed->rebuild, scan = feed->scan;

	feed->scan = feed->rebuild = false;
	if (rebuild)
		give_here(feed, EVENT_REBUILT);
	else if (scan)
		give_here(feed, EVENT_POSITION);
}

void
line_feed_here(struct line_feed *feed)
{
	give_here(feed, EVENT_POSITION);
}
