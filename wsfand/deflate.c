/* SPDX-License-Identifier: MIT */
#include "wsfand/deflate.h"

#include <stdbool.h>
#include <zlib.h>

#include "lib/base.h"
#include "lib/die.h"
#include "lib/mem.h"

/* docs/performance.md: the levels above cost half as much again and save a twentieth. */
#define LEVEL 3
#define MEMORY_LEVEL 7
#define MAX_WINDOW 15
#define TAIL 4 /* 00 00 ff ff, which is not sent */

/* zlib has no window of 8 bits for raw streams. With one of 9 it never looks back further than
 * 512 - 262 bytes, which fits one of 8 too. */
#define MIN_WINDOW 9

static struct {
	z_stream stream;
	bool started;
} streams[MAX_WINDOW + 1];
static uint8_t *output;
static size_t output_size;

static z_stream *
start(unsigned window)
{
	z_stream *stream = &streams[window].stream;
	int result = streams[window].started ? deflateReset(stream)
					     : deflateInit2(stream, LEVEL, Z_DEFLATED, -(int)window,
						   MEMORY_LEVEL, Z_DEFAULT_STRATEGY);

	if (result != Z_OK)
		die_system("unable to start compressing");
	streams[window].started = true;
	return stream;
}

size_t
deflate_bytes(const uint8_t **out, const uint8_t *data, size_t length, unsigned window)
{
	z_stream *stream = start(MAX(window, (unsigned)MIN_WINDOW));

	if (output_size < length + TAIL) {
		output = mem_array(output, length + TAIL, 1);
		output_size = length + TAIL;
	}
	stream->next_in = (Bytef *)data;
	stream->avail_in = (uInt)length;
	stream->next_out = output;
	stream->avail_out = (uInt)(length + TAIL);
	*out = output;
	/* With room left over, all of it was written. */
	if (deflate(stream, Z_SYNC_FLUSH) != Z_OK || stream->avail_out == 0)
		return 0;
	return length - stream->avail_out;
}
