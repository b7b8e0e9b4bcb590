/* SPDX-License-Identifier: MIT */
/* close_reason: why a connection ends, one table (close_reasons.def). */
#ifndef WSFAND_CLOSE_REASON_H
#define WSFAND_CLOSE_REASON_H

#include <stdint.h>

enum close_reason {
	CLOSE_NONE,
#define REASON(name, counter, code, text) CLOSE_##name,
#include "wsfand/close_reasons.def"
#undef REASON
};

/* The code of the Close frame (RFC 6455, 7.4.1), or 0: none is sent. */
uint16_t close_reason_code(enum close_reason reason);
const char *close_reason_text(enum close_reason reason);
/* Adds one to its counter. */
void close_reason_count(enum close_reason reason);

#endif
