/* SPDX-License-Identifier: MIT */
#include "lib/buf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define FIRST_CAPACITY 256
#define KEEP_CAPACITY (16 * 1024)

void
buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){.max = max};
}

void
buf_free(struct buf *buf)
{
	free(buf->data);
	buf_init(buf, buf->max);
}

static void
buf_compact(struct buf *buf)
{
	size_t length = buf_length(buf);
	memmove(buf->data, buf->data + buf->start, length);
	buf->start = 0;
	buf->end = length;
}

static void
buf_grow(struct buf *buf, size_t needed)
{
	size_t capacity = MAX(buf->capacity, FIRST_CAPACITY);
	while (capacity < needed)
		capacity = capacity > buf->max / 2 ? buf->max : capacity * 2;
	capacity = MIN(capacity, buf->max);
	uint8_t *data = mem_alloc(capacity);
	size_t length = buf_length(buf);
	if (buf->data != NULL)
		memcpy(data, buf->data + buf->start, length);
	free(buf->data);
	*buf = (struct buf){.data = data, .end = length, .capacity = capacity, .max = buf->max};
}

uint8_t *
buf_make_room(struct buf *buf, size_t length)
{
	if (length > buf_room(buf)) {
		errno = ENOBUFS;
		return NULL;
	}
	if (buf->data == NULL || length > buf->capacity - buf->end) {
		size_t needed = buf_length(buf) + length;
		/* Moving costs no more than has been consumed since the last move,
		 * unless the buffer is as large as it may be. */
		bool cheap = buf->start >= buf_length(buf) || buf->capacity == buf->max;
		if (buf->data != NULL && needed <= buf->capacity && cheap)
			buf_compact(buf);
		else
			buf_grow(buf,
			    needed > buf->capacity ? needed : MIN(2 * buf->capacity, buf->max));
	}
	return buf->data + buf->end;
}

int
buf_append(struct buf *buf, const void *data, size_t length)
{
	uint8_t *place = buf_reserve(buf, length);
	if (place == NULL)
		return -1;
	if (length > 0)
		memcpy(place, data, length);
	buf->end += length;
	return 0;
}

void
buf_consume(struct buf *buf, size_t length)
{
	buf->start += length;
	if (buf->start == buf->end)
		buf_clear(buf);
}

void
buf_clear(struct buf *buf)
{
	if (buf->capacity > KEEP_CAPACITY)
		buf_free(buf);
	buf->start = buf->end = 0;
}
