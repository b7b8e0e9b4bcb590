/* SPDX-License-Identifier: MIT */
#include "analyticsd/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base.h"
#include "lib/mem.h"

#define CHUNK_SIZE 262144

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	alignas(max_align_t) unsigned char bytes[];
};

void *
arena_take(struct arena *arena, size_t size)
{
	size_t rounded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct arena_chunk *chunk = arena->chunks;

	if (chunk == NULL || chunk->size - chunk->used < rounded) {
		size_t room = MAX(rounded, (size_t)CHUNK_SIZE);
		chunk = mem_alloc(sizeof(*chunk) + room);
		chunk->next = arena->chunks;
		chunk->used = 0;
		chunk->size = room;
		arena->chunks = chunk;
	}
	void *start = chunk->bytes + chunk->used;
	chunk->used += rounded;
	return start;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	return memset(arena_take(arena, size), 0, size);
}

void *
arena_dup(struct arena *arena, const void *data, size_t size)
{
	void *copy = arena_take(arena, size);

	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

void
arena_reset(struct arena *arena)
{
	struct arena_chunk *kept = NULL;

	while (arena->chunks != NULL) {
		struct arena_chunk *chunk = arena->chunks;
		arena->chunks = chunk->next;
		if (kept == NULL && chunk->size == CHUNK_SIZE)
			kept = chunk;
		else
			free(chunk);
	}
	if (kept != NULL) {
		kept->next = NULL;
		kept->used = 0;
	}
	arena->chunks = kept;
}

void
arena_free(struct arena *arena)
{
	while (arena->chunks != NULL) {
		struct arena_chunk *chunk = arena->chunks;
		arena->chunks = chunk->next;
		free(chunk);
	}
}
