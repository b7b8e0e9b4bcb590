/* SPDX-License-Identifier: MIT */
/* lines: cuts a stream of bytes into lines, and knows at which offset and in which line of
 * it we are. Pure. A line over the maximum is passed over, in bounded memory. */
#ifndef INGESTD_LINES_H
#define INGESTD_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"
#include "lib/buf.h"

/*   buf: |-- given --|== line ==\n== line ==\n== the beginning of a line ==|
 *                    ^ offset                scanned: no newline up to here ^ */
struct lines {
	struct buf buf;
	size_t given; /* bytes of the last line, which is the caller's until the next call */
	size_t scanned; /* from the start of buf; 0 when nothing is known */
	uint64_t offset; /* in the stream, of what is not given yet */
	uint64_t number; /* of lines that ended before offset */
	bool skipping; /* in the middle of a line that is too long */
};

struct line {
	const char *text; /* without its newline; lives until the next call */
	size_t length;
	uint64_t number; /* from 1 */
	uint64_t end_offset; /* in the stream, behind the newline */
};

void lines_init(struct lines *lines, size_t max);
void lines_free(struct lines *lines);
/* Empty again, at this place of a stream. */
void lines_reset(struct lines *lines, uint64_t offset, uint64_t number);

/* Room to read up to `want` (> 0) bytes into; *got says how much it is (at least 1, since
 * lines_next() was called until it gave LINES_MORE). Then lines_commit() what was read. */
uint8_t *lines_room(struct lines *lines, size_t want, size_t *got);
void lines_commit(struct lines *lines, size_t length);

/* LINES_LONG: a line was passed over; only its number and end are told. */
enum lines_result { LINES_MORE, LINES_ONE, LINES_LONG };
enum lines_result lines_next(struct lines *lines, struct line *line);

/* Whether a line has begun that has not ended. */
bool lines_unfinished(const struct lines *lines);

#endif
