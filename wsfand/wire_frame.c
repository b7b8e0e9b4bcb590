/* SPDX-License-Identifier: MIT */
#include "wsfand/wire_frame.h"

#include <string.h>
#include <wslay/wslay.h>

#include "lib/buf.h"
#include "lib/die.h"

/* The whole frame that wslay reads from, and how far it has. */
static struct {
	const uint8_t *data;
	size_t length;
} source;
static wslay_frame_context_ptr decoder;
/* Payloads of more than one of wslay's chunks are put together here. */
static struct buf joined;

static ssize_t
read_source(uint8_t *out, size_t size, int flags UNUSED, void *unused UNUSED)
{
	size_t n = MIN(size, source.length);

	if (n == 0)
		return -1;
	memcpy(out, source.data, n);
	source.data += n;
	source.length -= n;
	return (ssize_t)n;
}

static void
decoder_reset(void)
{
	static const struct wslay_frame_callbacks callbacks = {.recv_callback = read_source};

	if (decoder)
		wslay_frame_context_free(decoder);
	if (wslay_frame_context_init(&decoder, &callbacks, NULL) != 0)
		die_system("unable to allocate memory");
}

void
wire_header_read(struct wire_header *header, const uint8_t *data, size_t length)
{
	size_t extended;

	header->length = 0;
	if (length < 2)
		return;
	header->opcode = data[0] & WIRE_OPCODE;
	header->masked = data[1] & 0x80;
	header->payload = data[1] & 0x7f;
	extended = header->payload == 126 ? 2 : header->payload == 127 ? 8 : 0;
	if (length < 2 + extended)
		return;
	if (extended > 0)
		header->payload = 0;
	for (size_t i = 0; i < extended; i++)
		header->payload = header->payload << 8 | data[2 + i];
	header->length = 2 + extended + (header->masked ? 4 : 0);
}

int
wire_frame_decode(struct wire_frame *frame, const uint8_t *data, size_t length)
{
	struct wslay_frame_iocb io;
	ssize_t got;

	if (!decoder)
		decoder_reset();
	source.data = data;
	source.length = length;
	buf_clear(&joined);
	joined.max = MAX(joined.max, length);
	do {
		memset(&io, 0, sizeof(io));
		got = wslay_frame_recv(decoder, &io);
		if (got < 0 || !io.mask) {
			decoder_reset();
			return -1;
		}
		if (io.data_length == io.payload_length) {
			frame->payload = io.data;
		} else if (buf_append(&joined, io.data, io.data_length) < 0) {
			die_system("unable to hold a frame");
		} else {
			frame->payload = buf_bytes(&joined);
		}
	} while (buf_length(&joined) > 0 && buf_length(&joined) < io.payload_length);
	frame->opcode = io.opcode;
	frame->final = io.fin;
	frame->deflated = data[0] & WIRE_RSV1;
	frame->length = (size_t)io.payload_length;
	if (frame->length == 0)
		frame->payload = (const uint8_t *)"";
	return 0;
}
