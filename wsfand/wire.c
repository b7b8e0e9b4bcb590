/* SPDX-License-Identifier: MIT */
#include "wsfand/wire.h"

#include "lib/die.h"
#include "lib/mem.h"
#include "wsfand/inflate.h"
#include "wsfand/message.h"
#include "wsfand/wire_frame.h"
#include "wsfand/wire_state.h"

bool
wire_close_code_valid(uint16_t code)
{
	if (code >= 3000 && code <= 4999)
		return true;
	return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

static enum close_reason
take_close(struct feed *feed, const struct wire_frame *frame)
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
take_control(struct feed *feed, const struct wire_frame *frame)
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
take_message(struct feed *feed, const uint8_t *payload, size_t length, bool deflated)
{
	if (deflated) {
		enum inflated result = inflate_message(&payload, &length, feed->terms->max_message);

		if (result != INFLATED)
			return result == INFLATED_TOO_LONG ? CLOSE_TOO_LONG : CLOSE_DEFLATE;
	}
	if (!utf8_valid((const char *)payload, length))
		return CLOSE_UTF8;
	feed->stopped = !feed->events->text(feed->owner, (const char *)payload, length);
	return CLOSE_NONE;
}

struct wire *
wire_of(struct feed *feed)
{
	struct wire *wire = *feed->wire;

	if (!wire) {
		wire = mem_zalloc(sizeof(*wire));
		buf_init(&wire->frame,
		    MAX(feed->terms->max_message, CONTROL_MAX_PAYLOAD) + WIRE_MAX_HEADER);
		buf_init(&wire->message, feed->terms->max_message);
		*feed->wire = wire;
	}
	return wire;
}

/* A fragment of a message (RFC 6455, 5.4); check_header() has seen that it fits. */
static enum close_reason
take_fragment(struct feed *feed, const struct wire_frame *frame)
{
	struct wire *wire = wire_of(feed);
	enum close_reason reason;

	if (frame->length > 0 && buf_append(&wire->message, frame->payload, frame->length) < 0)
		return CLOSE_TOO_LONG;
	if (frame->opcode != OPCODE_CONTINUATION) {
		wire->opcode = frame->opcode;
		wire->deflated = frame->deflated;
	}
	if (!wire->deflated &&
	    !utf8_feed(&wire->text, frame->payload + wire->checked, frame->length - wire->checked))
		return CLOSE_UTF8;
	wire->checked = 0;
	if (!frame->final)
		return CLOSE_NONE;
	reason = take_message(feed,
	    buf_length(&wire->message) > 0 ? buf_bytes(&wire->message) : (const uint8_t *)"",
	    buf_length(&wire->message), wire->deflated);
	buf_free(&wire->message);
	wire->opcode = 0;
	wire->text = (struct utf8_state){.missing = 0};
	return reason;
}

static enum close_reason
take_frame(struct feed *feed, const uint8_t *data, size_t length)
{
	struct wire_frame frame;
	struct wire *wire = *feed->wire;

	if (wire_frame_decode(&frame, data, length) < 0)
		return CLOSE_PROTOCOL;
	if (frame.opcode >= OPCODE_CLOSE)
		return take_control(feed, &frame);
	if (!frame.final || (wire && wire->opcode != 0))
		return take_fragment(feed, &frame);
	if (wire) {
		wire->text = (struct utf8_state){.missing = 0};
		wire->checked = 0;
	}
	return take_message(feed, frame.payload, frame.length, frame.deflated);
}

/* RFC 6455, 5.2: the shortest form that does. */
static bool
length_minimal(const struct wire_header *header)
{
	size_t without_mask = header->length - (header->masked ? WIRE_MASK : 0);

	return without_mask == 2 || header->payload > (without_mask == 4 ? 125 : UINT16_MAX);
}

/* What can be said before the payload is there. */
static enum close_reason
check_header(const struct feed *feed, const struct wire_header *header)
{
	const struct wire *wire = *feed->wire;
	bool under_way = wire && wire->opcode != 0;
	size_t before = under_way ? buf_length(&wire->message) : 0;

	if (!header->masked || !length_minimal(header))
		return CLOSE_PROTOCOL;
	if (header->opcode >= OPCODE_CLOSE)
		return header->opcode > OPCODE_PONG || header->payload > CONTROL_MAX_PAYLOAD
		    ? CLOSE_PROTOCOL
		    : CLOSE_NONE;
	if (header->opcode > OPCODE_BINARY || (header->opcode == OPCODE_CONTINUATION) != under_way)
		return CLOSE_PROTOCOL;
	if (header->payload >> 63)
		return CLOSE_PROTOCOL;
	if (header->opcode == OPCODE_BINARY)
		return CLOSE_BINARY;
	if (header->payload > feed->terms->max_message - before)
		return CLOSE_TOO_LONG;
	return CLOSE_NONE;
}

/* RFC 6455, 5.2; RFC 7692, 6.1: RSV1 only, and only where a message begins. */
static bool
reserved_bits_good(const struct feed *feed, uint8_t first)
{
	uint8_t opcode = first & WIRE_OPCODE;

	if ((first & WIRE_RSV) == 0)
		return true;
	return (first & WIRE_RSV) == WIRE_RSV1 && feed->terms->deflate &&
	    (opcode == OPCODE_TEXT || opcode == OPCODE_BINARY);
}

/* The frame that `data` begins with. `*used` is 0 while it is not whole. */
static enum close_reason
take_next(struct feed *feed, const uint8_t *data, size_t length, size_t *used)
{
	struct wire_header header;
	enum close_reason reason;

	*used = 0;
	if (length > 0 && !reserved_bits_good(feed, data[0]))
		return CLOSE_PROTOCOL;
	wire_header_read(&header, data, length);
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
		struct wire_header header;
		size_t want = 1;

		/* Byte by byte through the header, then the rest at once. */
		wire_header_read(&header, buf_bytes(kept), buf_length(kept));
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

/* The text of an unfinished frame, as far as it has come. */
static enum close_reason
check_kept(struct wire *wire)
{
	const uint8_t *data = buf_bytes(&wire->frame);
	size_t length = buf_length(&wire->frame);
	struct wire_header header;

	wire_header_read(&header, data, length);
	if (header.length == 0 || length <= header.length || header.opcode > OPCODE_TEXT)
		return CLOSE_NONE;
	if (header.opcode == OPCODE_TEXT ? data[0] & WIRE_RSV1 : wire->deflated)
		return CLOSE_NONE;
	for (; header.length + wire->checked < length; wire->checked++) {
		const uint8_t *mask = data + header.length - WIRE_MASK;
		uint8_t byte = data[header.length + wire->checked] ^
		    mask[wire->checked % WIRE_MASK];

		if (!utf8_feed(&wire->text, &byte, 1))
			return CLOSE_UTF8;
	}
	return CLOSE_NONE;
}

/* Behind all whole frames: what is left of `data` is kept. */
static enum close_reason
keep_rest(struct feed *feed, const uint8_t *data, size_t length)
{
	if (length > 0 && buf_append(&wire_of(feed)->frame, data, length) < 0)
		die_system("unable to keep a frame");
	if (!*feed->wire)
		return CLOSE_NONE;
	if (buf_length(&(*feed->wire)->frame) > 0)
		return check_kept(*feed->wire);
	if ((*feed->wire)->opcode == 0)
		wire_free(feed->wire);
	return CLOSE_NONE;
}

enum close_reason
wire_feed(struct wire **wire, const struct wire_terms *terms, const uint8_t *data, size_t length,
    const struct wire_events *events, void *owner)
{
	struct feed feed = {.wire = wire, .terms = terms, .events = events, .owner = owner};
	enum close_reason reason = CLOSE_NONE;
	size_t at = 0;

	if (*wire && buf_length(&(*wire)->frame) > 0)
		at = finish_kept(&feed, data, length, &reason);
	if (reason == CLOSE_NONE && !feed.stopped && at < length)
		at += take_all(&feed, data + at, length - at, &reason);
	if (reason == CLOSE_NONE && !feed.stopped)
		reason = keep_rest(&feed, data + at, length - at);
	if (reason != CLOSE_NONE || feed.stopped)
		wire_free(wire);
	return reason;
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
