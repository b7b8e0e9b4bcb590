/* SPDX-License-Identifier: MIT */
/* frame_read: what a producer's frame is (docs/protocol.md, "Towards wsfand"). Its payload goes to
 * the clients as it stands, so it must be valid JSON, whoever wrote it. Pure. */
#ifndef WSFAND_FRAME_READ_H
#define WSFAND_FRAME_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"
#include "lib/form_id.h"
#include "wsfand/message.h"

/* A frame that makes sense. */
struct frame {
	enum message_kind kind;
	struct form_id form;
	int64_t at_ms; /* when the source committed what it tells; 0: that is not told */
	bool others; /* it is no message, but the number of clients of other wsfands: */
	uint32_t viewers;
};

/* NULL, or a literal that says what is wrong with it. */
MUST_CHECK const char *frame_read(struct frame *frame, const uint8_t *payload, size_t length);

#endif
