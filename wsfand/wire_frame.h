/* SPDX-License-Identifier: MIT */
/* wire_frame: one frame from a client, from bytes to its parts (RFC 6455, 5.2), by
 * wslay's frame layer. Between it and wire.c only. Pure. */
#ifndef WSFAND_WIRE_FRAME_H
#define WSFAND_WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"

#define WIRE_MAX_HEADER 14 /* with the longest length and a mask */
#define WIRE_MASK 4 /* the last bytes of a client's header */
#define WIRE_RSV1 0x40
#define WIRE_RSV 0x70
#define WIRE_OPCODE 0x0f

/* What a header says, as far as it is there. */
struct wire_header {
	size_t length; /* of the header itself; 0: more is needed */
	uint64_t payload;
	uint8_t opcode;
	bool masked;
};

/* A whole frame; the payload is valid until the next is decoded. */
struct wire_frame {
	uint8_t opcode;
	bool final;
	bool deflated; /* RSV1 */
	const uint8_t *payload;
	size_t length;
};

void wire_header_read(struct wire_header *header, const uint8_t *data, size_t length);

/* `data` is exactly one whole frame. -1: it breaks a rule. */
MUST_CHECK int wire_frame_decode(struct wire_frame *frame, const uint8_t *data, size_t length);

#endif
