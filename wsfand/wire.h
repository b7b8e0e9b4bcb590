/* SPDX-License-Identifier: MIT */
/* wire: what a client sends, from bytes to messages (RFC 6455, 5 and 7). Pure.
 *
 * wslay's frame layer decodes: header forms, masking, the rules for control
 * frames. It is only ever given whole frames, so one context serves all clients, none has
 * state inside the library, and an idle client has no state at all: a struct wire
 * exists only while a frame or a fragmented message is half there, and all that it
 * holds is plain bytes.
 *
 * What stands above frames is ours, since wslay's event layer is not exact: it tells of
 * a length only behind the first byte of payload, takes 1012 to 1014 for errors, a Close
 * of one byte for an empty one, and checks the UTF-8 of a reason wrongly when it comes in
 * pieces. */
#ifndef WSFAND_WIRE_H
#define WSFAND_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"
#include "wsfand/close_reason.h"

struct wire;

/* What comes out. Each returns false to stop: nothing more is wanted of this client. */
struct wire_events {
	bool (*text)(void *owner, const char *text, size_t length); /* valid UTF-8 */
	bool (*ping)(void *owner, const uint8_t *payload, size_t length);
	bool (*pong)(void *owner);
	/* code 0: the Close frame was empty. The last event of a connection. */
	void (*close)(void *owner, uint16_t code);
};

struct wire_terms {
	size_t max_message; /* bytes, of a compressed message also once it is inflated */
	bool deflate; /* permessage-deflate was agreed on: RSV1 may be set (RFC 7692, 6) */
};

/* Gives the bytes that came to the client's `*wire` (NULL: nothing half there).
 * CLOSE_NONE, or what the client did wrong; then nothing more may be fed. All of
 * `data` is used or kept. What can be known early is told early: a message over `max_message`
 * or a binary one by its headers alone, bad UTF-8 (RFC 6455, 8.1) with its first bad byte. */
MUST_CHECK enum close_reason wire_feed(struct wire **wire, const struct wire_terms *terms,
    const uint8_t *data, size_t length, const struct wire_events *events, void *owner);

/* What is half there, for an upgrade in place: bytes as they came (a frame) and unmasked
 * (fragments of a message); neither is NULL. Points into the wire. */
struct wire_half {
	const uint8_t *frame, *fragments;
	size_t frame_length, fragments_length;
	uint8_t opcode; /* of the message; 0: none is under way */
	bool deflated;
};

void wire_save(const struct wire *wire, struct wire_half *half);
/* A wire that stands where that one stood; NULL when it was NULL. A reason other than CLOSE_NONE:
 * what is there breaks the terms, or is not half of anything. */
MUST_CHECK enum close_reason wire_resume(
    struct wire **wire, const struct wire_terms *terms, const struct wire_half *half);

void wire_free(struct wire **pointer);

/* Whether a client may send this close code (RFC 6455, 7.4; IANA's registry up to 1014). */
bool wire_close_code_valid(uint16_t code);

#endif
