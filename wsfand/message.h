/* SPDX-License-Identifier: MIT */
/* message: one WebSocket frame as it goes onto the wire, header and payload in
 * one allocation, made once and shared by all who are to get it. Immutable; the
 * last who lets go of it frees it. Servers do not mask (RFC 6455, 5.1).
 *
 * Its compressed forms (RFC 7692) are messages of their own, made when the first wants
 * them and kept as long as the plain one. Pure. */
#ifndef WSFAND_MESSAGE_H
#define WSFAND_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"

/* What a queue may do with it. Of each state only the newest counts. */
enum message_kind {
	MESSAGE_EVENT, /* queues in order */
	MESSAGE_ANALYTICS, /* states: a newer one replaces an unsent older one */
	MESSAGE_METRICS,
	MESSAGE_STATUS,
	MESSAGE_PING, /* control frames: go ahead of what is queued */
	MESSAGE_PONG,
	MESSAGE_CLOSE,
};

enum websocket_opcode { /* RFC 6455, 5.2 */
	OPCODE_CONTINUATION = 0,
	OPCODE_TEXT = 1,
	OPCODE_BINARY = 2,
	OPCODE_CLOSE = 8,
	OPCODE_PING = 9,
	OPCODE_PONG = 10,
};

#define CONTROL_MAX_PAYLOAD 125 /* RFC 6455, 5.5 */
#define MESSAGE_MAX_HEADER 10

struct message {
	uint32_t references;
	uint8_t kind; /* enum message_kind */
	uint8_t header_length;
	uint8_t window; /* compressed: bits of the window; 0: plain */
	uint8_t hopeless; /* bit w - 8: compressing with a window of w saves nothing */
	struct message *forms; /* a plain one's compressed forms, the next of them */
	size_t length; /* of bytes: header and payload */
	int64_t at_ms; /* set by its maker: when the source committed what it tells; or 0 */
	uint8_t bytes[];
};

static inline bool
message_is_state(enum message_kind kind)
{
	return kind >= MESSAGE_ANALYTICS && kind <= MESSAGE_STATUS;
}

static inline bool
message_is_control(enum message_kind kind)
{
	return kind >= MESSAGE_PING;
}

/* The header of an unfragmented, unmasked frame (RFC 6455, 5.2). Its length. */
size_t message_put_header(
    uint8_t out[static MESSAGE_MAX_HEADER], enum websocket_opcode opcode, size_t payload);

/* A text message (an event or a state) or, for the kinds of control frames, a
 * frame with that payload (at most CONTROL_MAX_PAYLOAD). The caller holds the one reference. */
struct message *message_new(enum message_kind kind, const void *payload, size_t length);
/* A Close frame; code 0: an empty one. The reason is cut to fit. */
struct message *message_new_close(uint16_t code, const char *reason);

/* Of a frame's own bytes, header and all, for an upgrade in place; a compressed one stands for
 * itself alone. `header_length` as it is. */
struct message *message_again(enum message_kind kind, const uint8_t *frame, size_t length,
    size_t header_length, uint8_t window);

static inline struct message *
message_ref(struct message *message)
{
	message->references++;
	return message;
}

/* The form for whoever agreed on permessage-deflate with that window (8 to 15; 0: did not):
 * the message's own, or the message itself where it is small, a control frame or does not get
 * smaller. No new reference. */
struct message *message_form(struct message *message, uint8_t window);
/* Payloads of fewer bytes are not compressed. */
void message_compress_from(size_t bytes);

/* Lets go, and leaves NULL. NULL is fine. */
void message_unref(struct message **pointer);

#endif
