/* SPDX-License-Identifier: MIT */
#include "ingestd/lines.h"

#include <string.h>

#include "lib/die.h"

void
lines_init(struct lines *lines, size_t max)
{
	memset(lines, 0, sizeof(*lines));
	buf_init(&lines->buf, max);
}

void
lines_free(struct lines *lines)
{
	buf_free(&lines->buf);
}

void
lines_reset(struct lines *lines, uint64_t offset, uint64_t number)
{
	buf_free(&lines->buf);
	lines->offset = offset;
	lines->number = number;
	lines->given = 0;
	lines->scanned = 0;
	lines->skipping = false;
}

/* The line that was given last is not needed any more. */
static void
settle(struct lines *lines)
{
	if (lines->given > 0)
		buf_consume(&lines->buf, lines->given);
	lines->given = 0;
}

uint8_t *
lines_room(struct lines *lines, size_t want, size_t *got)
{
	uint8_t *room;

	settle(lines);
	*got = MIN(want, buf_room(&lines->buf));
	room = *got > 0 ? buf_reserve(&lines->buf, *got) : NULL;
	if (!room)
		die_system("no room for a line, though the lines before it were not taken");
	return room;
}

void
lines_commit(struct lines *lines, size_t length)
{
	buf_commit(&lines->buf, length);
}

/* Everything that stands in the buffer belongs to a line that is too long. */
static void
pass_over(struct lines *lines)
{
	lines->offset += buf_length(&lines->buf);
	lines->scanned = 0;
	lines->skipping = true;
	buf_clear(&lines->buf);
}

enum lines_result
lines_next(struct lines *lines, struct line *line)
{
	const uint8_t *start, *newline;
	bool was_skipping = lines->skipping;
	size_t length;

	settle(lines);
	length = buf_length(&lines->buf);
	if (length == 0)
		return LINES_MORE;
	start = buf_bytes(&lines->buf);
	newline = memchr(start + lines->scanned, '\n', length - lines->scanned);
	if (!newline) {
		lines->scanned = length;
		if (was_skipping || buf_room(&lines->buf) == 0)
			pass_over(lines);
		return LINES_MORE;
	}
	lines->given = (size_t)(newline - start) + 1;
	lines->offset += lines->given;
	lines->number++;
	lines->scanned = 0;
	lines->skipping = false;
	*line = (struct line){
	    .text = was_skipping ? NULL : (const char *)start,
	    .length = was_skipping ? 0 : lines->given - 1,
	    .number = lines->number,
	    .end_offset = lines->offset,
	};
	return was_skipping ? LINES_LONG : LINES_ONE;
}

bool
lines_unfinished(const struct lines *lines)
{
	return lines->skipping || buf_length(&lines->buf) > lines->given;
}
