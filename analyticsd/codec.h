/* SPDX-License-Identifier: MIT */
/* codec: compact bytes out of numbers and back, for records and saved states.
 *
 * Unsigned numbers as varints (7 bits a byte, lowest first, as in Protocol Buffers), signed
 * ones zigzagged first, doubles as 8 bytes, little-endian. Both sides remember a failure and go
 * on harmlessly (a failed decoder yields zeros), so that it is looked at once, in the end. */
#ifndef ANALYTICSD_CODEC_H
#define ANALYTICSD_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

struct encoder {
	struct buf *buf;
	bool failed; /* it did not fit */
};

void encode_byte(struct encoder *e, uint8_t value);
void encode_varint(struct encoder *e, uint64_t value);
void encode_signed(struct encoder *e, int64_t value);
void encode_double(struct encoder *e, double value);
/* The length as a varint, then the bytes. */
void encode_bytes(struct encoder *e, const void *data, size_t length);

struct decoder {
	const uint8_t *at, *end;
	bool failed; /* cut short, or a value out of its bounds */
};

uint8_t decode_byte(struct decoder *d);
uint64_t decode_varint(struct decoder *d);
int64_t decode_signed(struct decoder *d);
double decode_double(struct decoder *d);
/* A varint that must not be over `max`: for counts, before anything is allocated. */
uint64_t decode_bounded(struct decoder *d, uint64_t max);
/* A view; "" of length 0 on failure. */
const char *decode_bytes(struct decoder *d, size_t max, size_t *length);

#endif
