/* SPDX-License-Identifier: MIT */
/* What goes over at an upgrade in place: bytes that are not a whole frame yet, and the fragments
 * of a message. All the rest is found anew by reading them once more. */
#include "wsfand/wire_state.h"

void
wire_save(const struct wire *wire, struct wire_half *half)
{
	static const uint8_t none[1];

	*half = (struct wire_half){.frame = none, .fragments = none};
	if (!wire)
		return;
	half->frame_length = buf_length(&wire->frame);
	if (half->frame_length > 0)
		half->frame = buf_bytes(&wire->frame);
	half->fragments_length = buf_length(&wire->message);
	if (half->fragments_length > 0)
		half->fragments = buf_bytes(&wire->message);
	half->opcode = wire->opcode;
	half->deflated = wire->deflated;
}

static bool
is_whole(void *owner)
{
	*(bool *)owner = true;
	return false;
}

static bool
text_is_whole(void *owner, const char *text UNUSED, size_t length UNUSED)
{
	return is_whole(owner);
}

static bool
ping_is_whole(void *owner, const uint8_t *payload UNUSED, size_t length UNUSED)
{
	return is_whole(owner);
}

static void
close_is_whole(void *owner, uint16_t code UNUSED)
{
	is_whole(owner);
}

/* The fragments of a message; wire_feed() finds all the rest anew. */
static enum close_reason
resume_message(struct feed *feed, const struct wire_half *half)
{
	struct wire *wire = wire_of(feed);

	wire->opcode = half->opcode;
	wire->deflated = half->deflated;
	if (half->deflated && !feed->terms->deflate)
		return CLOSE_PROTOCOL;
	if (buf_append(&wire->message, half->fragments, half->fragments_length) < 0)
		return CLOSE_TOO_LONG;
	return !half->deflated && !utf8_feed(&wire->text, half->fragments, half->fragments_length)
	    ? CLOSE_UTF8
	    : CLOSE_NONE;
}

enum close_reason
wire_resume(struct wire **wire, const struct wire_terms *terms, const struct wire_half *half)
{
	static const struct wire_events events = {.text = text_is_whole,
	    .ping = ping_is_whole,
	    .pong = is_whole,
	    .close = close_is_whole};
	struct feed feed = {.wire = wire, .terms = terms};
	enum close_reason reason = CLOSE_NONE;
	bool whole = false;

	*wire = NULL;
	if (half->opcode != 0)
		reason = resume_message(&feed, half);
	if (reason == CLOSE_NONE)
		reason = wire_feed(wire, terms, half->frame, half->frame_length, &events, &whole);
	else
		wire_free(wire);
	return whole ? CLOSE_FAULT : reason;
}
