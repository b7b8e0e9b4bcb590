/* SPDX-License-Identifier: MIT */
#include "ingestd/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ingestd/event.h"
#include "lib/list.h"
#include "lib/mem.h"

#define BLOCK_BYTES (1U << 20)

/* Events one behind the other, in bytes[start .. end), each whole. They never move, and what
 * is committed is given back a block at a time. */
struct block {
	struct list link;
	size_t start, end, capacity;
	uint8_t bytes[];
};

/* The position stands inside the event, at `position` from its start. */
struct entry {
	const uint8_t *event;
	uint32_t length, position, position_length;
	uint64_t added_ms;
};

/* `bytes` are in all blocks, the first `sent` of them sent. `entries` is a ring of `capacity`
 * places, a power of two: `count` from `first` on. */
struct outbox {
	size_t limit;
	struct list blocks;
	size_t bytes, sent;
	struct entry *entries;
	size_t first, count, capacity;
	uint8_t *base;
	size_t base_length;
};

struct outbox *
outbox_new(size_t limit)
{
	struct outbox *outbox = mem_zalloc(sizeof(*outbox));

	outbox->limit = limit;
	list_init(&outbox->blocks);
	return outbox;
}

static struct block *
block_of(struct list *link)
{
	return container_of(link, struct block, link);
}

static void
block_free(struct block *block)
{
	list_remove(&block->link);
	free(block);
}

static void
free_blocks(struct outbox *outbox)
{
	LIST_FOR_EACH_SAFE (node, &outbox->blocks)
		block_free(block_of(node));
	outbox->bytes = 0;
	outbox->sent = 0;
}

void
outbox_free(struct outbox **pointer)
{
	struct outbox *outbox = *pointer;

	if (!outbox)
		return;
	free_blocks(outbox);
	MEM_FREE(&outbox->entries);
	MEM_FREE(&outbox->base);
	MEM_FREE(pointer);
}

static struct entry *
entry_at(const struct outbox *outbox, size_t index)
{
	return &outbox->entries[(outbox->first + index) & (outbox->capacity - 1)];
}

static void
grow(struct outbox *outbox)
{
	size_t old = outbox->capacity;
	size_t wrapped = outbox->first + outbox->count > old ? outbox->first : 0;

	if (outbox->count < old)
		return;
	outbox->capacity = old ? old * 2 : 256;
	outbox->entries = mem_array(outbox->entries, outbox->capacity, sizeof(struct entry));
	/* What had wrapped round to the front now follows on behind the old end. */
	memcpy(outbox->entries + old, outbox->entries, wrapped * sizeof(struct entry));
}

/* The last block, when it has room for that much, or a new one. */
static struct block *
block_for(struct outbox *outbox, size_t length)
{
	struct block *block = block_of(outbox->blocks.prev);

	if (!list_empty(&outbox->blocks) && block->capacity - block->end >= length)
		return block;
	size_t capacity = MAX(length, BLOCK_BYTES);
	block = mem_alloc(sizeof(*block) + capacity);
	*block = (struct block){.capacity = capacity};
	list_init(&block->link);
	list_append(&outbox->blocks, &block->link);
	return block;
}

static const uint8_t *
store(struct outbox *outbox, const uint8_t *data, size_t length)
{
	struct block *block = block_for(outbox, length);
	uint8_t *place = block->bytes + block->end;

	memcpy(place, data, length);
	block->end += length;
	outbox->bytes += length;
	return place;
}

int
outbox_add(struct outbox *outbox, const uint8_t *data, size_t length, uint64_t now_ms)
{
	struct event_view view;

	if (event_view(data, length, &view) < 0) {
		errno = EINVAL;
		return -1;
	}
	if (length > outbox->limit + EVENT_MAX - outbox->bytes) {
		errno = ENOBUFS;
		return -1;
	}
	grow(outbox);
	*entry_at(outbox, outbox->count) = (struct entry){
	    .event = store(outbox, data, length),
	    .length = (uint32_t)length,
	    .position = (uint32_t)(view.position - data),
	    .position_length = view.position_length,
	    .added_ms = now_ms,
	};
	outbox->count++;
	return 0;
}

bool
outbox_full(const struct outbox *outbox)
{
	return outbox->bytes >= outbox->limit;
}

bool
outbox_drained(const struct outbox *outbox)
{
	return outbox->bytes <= outbox->limit / 2;
}

const uint8_t *
outbox_unsent(const struct outbox *outbox, size_t *length)
{
	size_t before = outbox->sent;

	LIST_FOR_EACH (node, &outbox->blocks) {
		const struct block *block = block_of(node);
		size_t held = block->end - block->start;

		if (before < held) {
			*length = held - before;
			return block->bytes + block->start + before;
		}
		before -= held;
	}
	*length = 0;
	return NULL;
}

void
outbox_sent(struct outbox *outbox, size_t length)
{
	outbox->sent += length;
}

void
outbox_rewind(struct outbox *outbox)
{
	outbox->sent = 0;
}

static void
set_base(struct outbox *outbox, const uint8_t *position, size_t length)
{
	uint8_t *base = length > 0 ? mem_dup(position, length) : NULL;

	MEM_FREE(&outbox->base);
	outbox->base = base;
	outbox->base_length = length;
}

/* Drops the first `count` entries, which are `bytes` long. */
static void
drop(struct outbox *outbox, size_t count, size_t bytes)
{
	outbox->bytes -= bytes;
	outbox->sent -= MIN(outbox->sent, bytes);
	outbox->count -= count;
	outbox->first = outbox->count ? (outbox->first + count) & (outbox->capacity - 1) : 0;
	while (bytes > 0) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not see list_remove() */
		struct block *block = block_of(outbox->blocks.next);
		size_t part = MIN(bytes, block->end - block->start);

		block->start += part;
		bytes -= part;
		if (block->start == block->end)
			block_free(block);
	}
}

/* An empty position is the beginning. */
static bool
is_same(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
	if (a_length != b_length)
		return false;
	return a_length == 0 || (a && b && memcmp(a, b, a_length) == 0);
}

long
outbox_commit(struct outbox *outbox, const uint8_t *position, size_t length)
{
	size_t bytes = 0;

	if (is_same(position, length, outbox->base, outbox->base_length))
		return 0;
	if (outbox->count == 0)
		return -1;
	for (size_t i = 0; i < outbox->count; i++) {
		const struct entry *entry = entry_at(outbox, i);

		bytes += entry->length;
		if (is_same(
			position, length, entry->event + entry->position, entry->position_length)) {
			set_base(outbox, position, length);
			drop(outbox, i + 1, bytes);
			return (long)i + 1;
		}
	}
	return -1;
}

void
outbox_reset(struct outbox *outbox, const uint8_t *position, size_t length)
{
	set_base(outbox, position, length);
	free_blocks(outbox);
	outbox->first = 0;
	outbox->count = 0;
}

size_t
outbox_count(const struct outbox *outbox)
{
	return outbox->count;
}

size_t
outbox_bytes(const struct outbox *outbox)
{
	return outbox->bytes;
}

uint64_t
outbox_oldest(const struct outbox *outbox, uint64_t now_ms)
{
	return outbox->count ? entry_at(outbox, 0)->added_ms : now_ms;
}
