/* SPDX-License-Identifier: MIT */
/* estate: what a wsfand leaves to its successor in an upgrade in place, as bytes
 * (docs/protocol.md, "The estate"). Pure; it knows elements, wsfand/estate_record.h knows what
 * they mean.
 *
 *   header    8 bytes of magic, version (4), CRC-32 of the body (4), length of the body (8)
 *   body      elements: tag (2), length (4), that many bytes; all little-endian
 *
 * A record is an element whose bytes are elements. A reader that does not know a tag refuses
 * the estate, unless the tag has ESTATE_OPTIONAL set: then it passes over it. */
#ifndef WSFAND_ESTATE_H
#define WSFAND_ESTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"
#include "lib/buf.h"

/* Tests build another version. */
#ifndef ESTATE_VERSION
#define ESTATE_VERSION 1
#endif
/* The oldest that is read, too. */
#define ESTATE_OLDEST 1

#define ESTATE_HEADER 24
/* No longer estate is written or read. */
#define ESTATE_MAX 1073741824
#define ESTATE_OPTIONAL 0x8000
#define ESTATE_ELEMENT 6 /* tag and length */

struct estate_bytes {
	const uint8_t *data;
	size_t length;
};

struct estate_element {
	uint16_t tag; /* with ESTATE_OPTIONAL, where it is set */
	struct estate_bytes value;
};

/* Takes the header off. 0, or -1 with what is wrong in *problem (a literal). */
MUST_CHECK int estate_open(
    struct estate_bytes *body, const uint8_t *data, size_t length, const char **problem);
/* What the header says; 0: `data` does not begin with one. For telling, before it is checked. */
uint32_t estate_version(const uint8_t *data, size_t length);

/* Takes the first element off. 1; 0: there is none; -1: what is there is cut off. */
MUST_CHECK int estate_next(struct estate_bytes *rest, struct estate_element *element);
/* Of 1 to 8 bytes. -1 for other lengths. */
MUST_CHECK int estate_number(const struct estate_bytes *value, uint64_t *number);

/* Where an element begins, so that its length can be set once it is whole. */
struct estate_mark {
	size_t at;
};

/* `buf` should have ESTATE_MAX as its maximum. Writing over it makes estate_seal() fail; until
 * then nobody has to ask. */
struct estate_writer {
	struct buf buf;
	bool failed;
};

/* The header, still without a sum. */
void estate_begin(struct estate_writer *writer);
void estate_put(struct estate_writer *writer, uint16_t tag, const void *data, size_t length);
/* In as few bytes as hold it. */
void estate_put_number(struct estate_writer *writer, uint16_t tag, uint64_t number);
struct estate_mark estate_enter(struct estate_writer *writer, uint16_t tag);
void estate_leave(struct estate_writer *writer, struct estate_mark mark);
/* Length and sum; the bytes are writer->buf's. -1: it would be too long. */
MUST_CHECK int estate_seal(struct estate_writer *writer);
void estate_free(struct estate_writer *writer);

#endif
