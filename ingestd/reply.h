/* SPDX-License-Identifier: MIT */
/* reply: what analyticsd says to us (docs/protocol.md, "Ingest"). Pure. */
#ifndef INGESTD_REPLY_H
#define INGESTD_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"

/* What analyticsd says is short: a position and a few words around it. */
#define REPLY_MAX 1048576

enum reply_kind { REPLY_HELLO, REPLY_COMMITTED, REPLY_ERROR, REPLY_UNKNOWN };

/* All pointers point into the bytes that were read. */
struct reply {
	enum reply_kind kind;
	const uint8_t *position; /* a BSON document; NULL: none, of REPLY_HELLO */
	uint32_t position_length;
	const char *text; /* of REPLY_ERROR */
};

/* Is a whole document at `data`? Bytes used, 0: more is needed, -1: no BSON. */
MUST_CHECK long reply_parse(const uint8_t *data, size_t length, struct reply *reply);

#endif
