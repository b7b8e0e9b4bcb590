/* SPDX-License-Identifier: MIT */
/* deflate: compresses messages (RFC 7692, 7.2.1). Each stands for itself, so there is one stream
 * per window size in the whole process, made when it is first needed. Pure. */
#ifndef WSFAND_DEFLATE_H
#define WSFAND_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

/* Leaves the compressed bytes, valid until the next call, in *out. Their number, or 0 when they
 * would not be fewer than `length`. `window`: 8 to 15 bits. */
size_t deflate_bytes(const uint8_t **out, const uint8_t *data, size_t length, unsigned window);

#endif
