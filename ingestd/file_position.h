/* SPDX-License-Identifier: MIT */
/* file_position: where in a file of lines we are, as a document and back. Pure.
 *
 *     {v: 1, source: "file", inode, offset, line, head, scan: true, rebuild: true}
 *
 * `head` is a hash (FNV-1a, 64 bits) of the first min(offset, 256) bytes of the file: with the
 * inode it tells whether a file is still the one that the position speaks of. */
#ifndef INGESTD_FILE_POSITION_H
#define INGESTD_FILE_POSITION_H

#include <bson/bson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base.h"

#define FILE_HEAD 256

struct file_position {
	uint64_t inode;
	uint64_t offset; /* behind the last line that was given */
	uint64_t line; /* how many lines lie before the offset */
	uint64_t head;
	bool scan; /* the end has not been reached yet since it was first begun */
	bool rebuild; /* the end has not been reached since a rebuild began */
};

uint64_t file_head_hash(const uint8_t *head, size_t length);

/* Initialises `out`, which the caller destroys. */
void file_position_encode(const struct file_position *position, bson_t *out);
/* NULL, or why this is no position in a file. */
MUST_CHECK const char *file_position_decode(const bson_t *doc, struct file_position *position);

/* What kind of source a position is of ("mongodb", "file", "stdin"), or NULL. */
const char *position_kind(const bson_t *doc);

#endif
