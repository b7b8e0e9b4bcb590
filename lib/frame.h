/* SPDX-License-Identifier: MIT */
/* frame: 4 bytes of length, big-endian, then that many bytes of one JSON
 * object (docs/protocol.md, "Frames"). Pure. */
#ifndef LIB_FRAME_H
#define LIB_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"

#define FRAME_HEADER 4

void frame_put_header(uint8_t out[static FRAME_HEADER], uint32_t length);

/* Is a whole frame at `data`? Bytes used (header and payload; the payload is at
 * data + FRAME_HEADER and *payload long), 0: more is needed, -1: the length is 0
 * or over `max`, the framing is lost. */
MUST_CHECK long frame_parse(const uint8_t *data, size_t length, size_t max, size_t *payload);

#endif
