/* SPDX-License-Identifier: MIT */
#include "wsfand/wire.h"

#include <string.h>
#include <wslay/wslay.h>

#include "lib/buf.h"
#include "lib/die.h"
#include "lib/json_scan.h"
#include "lib/mem.h"
#include "wsfand/message.h"

#define MAX_HEADER 14 /* RFC 6455, 5.2: with the longest length and a mask */

struct wire {
	struct buf frame; /* the first bytes of an unfinished frame */
	struct buf message; /* the fragments of an unfinished message */
	uint8_t opcode; /* of that message; 0: none is under way */
};

/* One frame, decoded. */
struct frame {
	uint8_t opcode;
	bool final;
	const uint8_t *payload;
	size_t length;
};

/* What a header says, as far as it is there. */
struct header {
	size_t length; /* of the header itself; 0: more is needed */
	uint64_t payload;
	uint8_t opcode;
	bool masked;
};

/* One call of wire_feed(). */
struct feed {
	struct wire **wire;
	size_t max_message;
	const struct wire_events *events;
	void *owner;
	bool stopped;
};

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

static void
header_read(struct header *header, const uint8_t *data, size_t length)
{
	size_t extended;

	header->length = 0;
	if (length < 2)
		return;
	header->opcode = data[0] & 0x0f;
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

/* `data` is exactly one whole frame. -1: it breaks a rule. */
static int
decode(struct frame *frame, const uint8_t *data, size_t length)
{
	struct wslay_frame_iocb io;
	ssize_t got;

	if (!decoder)
		decoder_reset();
	source.data = data;
	source.length = length;
	buf_clear(&joined);
	do {
		memset(&io, 0, sizeof(io));
		got = wslay_frame_recv(decoder, &io);
		if (got < 0 || io.rsv != 0 || !io.mask) {
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
	frame->length = (size_t)io.payload_length;
	if (frame->length == 0)
		frame->payload = (const uint8_t *)"";
	return 0;
}

bool
wire_close_code_valid(uint16_t code)
{
	if (code >= 3000 && code <= 4999)
		return true;
	return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

static enum close_reason
take_close(struct feed *feed, const struct frame *frame)
{
	uint16_t code = 0;

	if (frame->length == 1)
		return CLOSE_PROTOCOL;
	if (frame->length >= 2) {
		code = (uint16_t)(frame->payload[0] << 8 | frame->payload[1]);
		if (!wire_close_code_valid(code))
			return CLOSE_PROTOCOL;
		if (!utf8_valid((const char *)frame->payload + 2, frame->length - 2))
			return CLOSE_UTF8;
	}
	feed->stopped = true;
	feed->events->close(feed->owner, code);
	return CLOSE_NONE;
}

static enum close_reason
take_control(struct feed *feed, const struct frame *frame)
{
	switch (frame->opcode) {
	case OPCODE_PING:
		feed->stopped = !feed->events->ping(feed->owner, frame->payload, frame->length);
		return CLOSE_NONE;
	case OPCODE_PONG:
		feed->stopped = !feed->events->pong(feed->owner);
		return CLOSE_NONE;
	case OPCODE_CLOSE:
		return take_close(feed, frame);
	default:
		return CLOSE_PROTOCOL;
	}
}

static enum close_reason
take_message(struct feed *feed, uint8_t opcode, const uint8_t *payload, size_t length)
{
	if (opcode == OPCODE_BINARY)
		return CLOSE_BINARY;
	if (!utf8_valid((const char *)payload, length))
		return CLOSE_UTF8;
	feed->stopped = !feed->events->text(feed->owner, (const char *)payload, length);
	return CLOSE_NONE;
}

static struct wire *
wire_of(struct feed *feed)
{
	struct wire *wire = *feed->wire;

	if (!wire) {
		wire = mem_zalloc(sizeof(*wire));
		buf_init(&wire->frame, feed->max_message + MAX_HEADER);
		buf_init(&wire->message, feed->max_message);
		*feed->wire = wire;
	}
	return wire;
}

/* A fragment of a message (RFC 6455, 5.4); check_header() has seen that it fits. */
static enum close_reason
take_fragment(struct feed *feed, const struct frame *frame)
{
	struct wire *wire = wire_of(feed);
	enum close_reason reason;

	if (frame->length > 0 && buf_append(&wire->message, frame->payload, frame->length) < 0)
		return CLOSE_TOO_LONG;
	if (frame->opcode != OPCODE_CONTINUATION)
		wire->opcode = frame->opcode;
	if (!frame->final)
		return CLOSE_NONE;
	reason = take_message(feed, wire->opcode,
	    buf_length(&wire->message) > 0 ? buf_bytes(&wire->message) : (const uint8_t *)"",
	    buf_length(&wire->message));
	buf_free(&wire->message);
	wire->opcode = 0;
	return reason;
}

static enum close_reason
take_frame(struct feed *feed, const uint8_t *data, size_t length)
{
	struct frame frame;
	const struct wire *wire = *feed->wire;

	if (decode(&frame, data, length) < 0)
		return CLOSE_PROTOCOL;
	if (frame.opcode >= OPCODE_CLOSE)
		return take_control(feed, &frame);
	if (!frame.final || (wire && wire->opcode != 0))
		return take_fragment(feed, &frame);
	return take_message(feed, frame.opcode, frame.payload, frame.length);
}

/* What can be said before the payload is there. */
static enum close_reason
check_header(const struct feed *feed, const struct header *header)
{
	const struct wire *wire = *feed->wire;
	bool under_way = wire && wire->opcode != 0;
	size_t before = under_way ? buf_length(&wire->message) : 0;

	if (!header->masked)
		return CLOSE_PROTOCOL;
	if (header->opcode >= OPCODE_CLOSE)
		return header->opcode > OPCODE_PONG || header->payload > CONTROL_MAX_PAYLOAD
		    ? CLOSE_PROTOCOL
		    : CLOSE_NONE;
	if (header->opcode > OPCODE_BINARY || (header->opcode == OPCODE_CONTINUATION) != under_way)
		return CLOSE_PROTOCOL;
	if (header->payload >> 63)
		return CLOSE_PROTOCOL;
	if (header->payload > feed->max_message - before)
		return CLOSE_TOO_LONG;
	return CLOSE_NONE;
}

/* The frame that `data` begins with. `*used` is 0 while it is not whole. */
static enum close_reason
take_next(struct feed *feed, const uint8_t *data, size_t length, size_t *used)
{
	struct header header;
	enum close_reason reason;

	*used = 0;
	if (length > 0 && data[0] & 0x70)
		return CLOSE_PROTOCOL;
	header_read(&header, data, length);
	if (header.length == 0)
		return CLOSE_NONE;
	reason = check_header(feed, &header);
	if (reason != CLOSE_NONE || length < header.length ||
	    length - header.length < header.payload)
		return reason;
	*used = header.length + (size_t)header.payload;
	return take_frame(feed, data, *used);
}

/* As many frames as `data` holds; the bytes used. */
static size_t
take_all(struct feed *feed, const uint8_t *data, size_t length, enum close_reason *reason)
{
	size_t at = 0, used;

	do {
		*reason = take_next(feed, data + at, length - at, &used);
		at += used;
	} while (*reason == CLOSE_NONE && used > 0 && !feed->stopped && at < length);
	return at;
}

/* Goes on with the frame of which the first bytes are kept; how much of `data` that took. */
static size_t
finish_kept(struct feed *feed, const uint8_t *data, size_t length, enum close_reason *reason)
{
	struct buf *kept = &(*feed->wire)->frame;
	size_t at = 0, used = 0;

	*reason = CLOSE_NONE;
	while (at < length && used == 0 && *reason == CLOSE_NONE) {
		struct header header;
		size_t want = 1;

		/* Byte by byte through the header, then the rest at once. */
		header_read(&header, buf_bytes(kept), buf_length(kept));
		if (header.length > 0 && buf_length(kept) >= header.length)
			want = header.length + (size_t)header.payload - buf_length(kept);
		want = MIN(want, length - at);
		if (buf_append(kept, data + at, want) < 0)
			die_system("unable to keep a frame");
		at += want;
		*reason = take_next(feed, buf_bytes(kept), buf_length(kept), &used);
	}
	if (used > 0)
		buf_free(kept);
	return at;
}

enum close_reason
wire_feed(struct wire **wire, size_t max_message, const uint8_t *data, size_t length,
    const struct wire_events *events, void *owner)
{
	struct feed feed = {
	    .wire = wire, .max_message = max_message, .events = events, .owner = owner};
	enum close_reason reason = CLOSE_NONE;
	size_t at = 0;

	joined.max = max_message;
	if (*wire && buf_length(&(*wire)->frame) > 0)
		at = finish_kept(&feed, data, length, &reason);
	if (reason == CLOSE_NONE && !feed.stopped && at < length)
		at += take_all(&feed, data + at, length - at, &reason);
	if (reason != CLOSE_NONE || feed.stopped) {
		wire_free(wire);
		return reason;
	}
	if (at < length && buf_append(&wire_of(&feed)->frame, data + at, length - at) < 0)
		die_system("unable to keep a frame");
	if (*wire && (*wire)->opcode == 0 && buf_length(&(*wire)->frame) == 0)
		wire_free(wire);
	return CLOSE_NONE;
}

void
wire_free(struct wire **pointer)
{
	struct wire *wire = *pointer;

	*pointer = NULL;
	if (!wire)
		return;
	buf_free(&wire->frame);
	buf_free(&wire->message);
	MEM_FREE(&wire);
}
