/* SPDX-License-Identifier: MIT */
#include "wsfand/inflate.h"

#include <stdbool.h>
#include <zlib.h>

#include "lib/die.h"
#include "lib/mem.h"

#define WINDOW_BITS 15
#define BETWEEN_BLOCKS 128 /* zlib.h: data_type after inflate() */

static z_stream stream;
static bool started;
/* The inflated message; with one byte more, which tells of one that is too long. */
static uint8_t *output;
static size_t output_size;

static void
start(size_t max)
{
	int result = started ? inflateReset(&stream) : inflateInit2(&stream, -WINDOW_BITS);

	if (result != Z_OK)
		die_system("unable to start inflating");
	started = true;
	if (output_size < max + 1) {
		output = mem_array(output, max + 1, 1);
		output_size = max + 1;
	}
	stream.next_out = output;
	stream.avail_out = (uInt)(max + 1);
}

/* Uses all of `data`, if it is good. */
static enum inflated
feed(const uint8_t *data, size_t length)
{
	stream.next_in = (Bytef *)data;
	stream.avail_in = (uInt)length;
	while (stream.avail_in > 0) {
		int result = inflate(&stream, Z_SYNC_FLUSH);

		if (stream.avail_out == 0)
			return INFLATED_TOO_LONG;
		/* A final block does not end the message (RFC 7692, 7.2.3.4). */
		if (result == Z_STREAM_END)
			result = inflateReset(&stream);
		if (result != Z_OK)
			return INFLATED_BAD;
	}
	return INFLATED;
}

enum inflated
inflate_message(const uint8_t **data, size_t *length, size_t max)
{
	static const uint8_t tail[] = {0x00, 0x00, 0xff, 0xff};
	enum inflated result;

	start(max);
	result = feed(*data, *length);
	if (result == INFLATED)
		result = feed(tail, sizeof(tail));
	if (result == INFLATED && !(stream.data_type & BETWEEN_BLOCKS))
		result = INFLATED_BAD;
	*data = output;
	*length = max + 1 - stream.avail_out;
	return result;
}
