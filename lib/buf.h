/* SPDX-License-Identifier: MIT */
/* buf: a byte queue that was born with a maximum.
 *
 *   data ──▶ |--consumed--|====== unread ======|---- room ----|
 *            0          start                 end          capacity <= max
 *   start <= end <= capacity <= max
 *
 * Appends go to the end, readers consume at the start; the storage grows by
 * doubling up to `max` and is released when the buffer runs empty and had grown
 * over 16 KiB. The owner embeds the struct; no storage is held before the first byte. */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"

struct buf {
	uint8_t *data;
	size_t start, end, capacity, max;
};

void buf_init(struct buf *buf, size_t max);
/* Frees the storage; the buffer is empty afterwards and may be used again. */
void buf_free(struct buf *buf);

static inline size_t
buf_length(const struct buf *buf)
{
	return buf->end - buf->start;
}

/* Bytes that may still be appended. */
static inline size_t
buf_room(const struct buf *buf)
{
	return buf->max - buf_length(buf);
}

/* The unread bytes; NULL may come when there are none. */
static inline const uint8_t *
buf_bytes(const struct buf *buf)
{
	return buf->data == NULL ? NULL : buf->data + buf->start;
}

/* All or nothing; -1 with errno ENOBUFS when it would pass the maximum. */
MUST_CHECK int buf_append(struct buf *buf, const void *data, size_t length);

/* For buf_reserve() alone: moves or grows the storage. */
MUST_CHECK uint8_t *buf_make_room(struct buf *buf, size_t length);

/* At least `length` bytes of room at the returned place (to read(2) into), then
 * buf_commit() what was written there. NULL with ENOBUFS over the maximum. */
MUST_CHECK static inline uint8_t *
buf_reserve(struct buf *buf, size_t length)
{
	return length < buf->capacity - buf->end ? buf->data + buf->end
						 : buf_make_room(buf, length);
}

static inline void
buf_commit(struct buf *buf, size_t length)
{
	buf->end += length;
}

/* `length` <= buf_length(). */
void buf_consume(struct buf *buf, size_t length);
void buf_clear(struct buf *buf);

#endif
