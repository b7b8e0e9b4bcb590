/* SPDX-License-Identifier: MIT */
/* slab: small pieces of memory that are named by a number instead of a pointer, cut out of blocks
 * of SLAB_BLOCK bytes, each block for pieces of one size. A piece costs its own size, and its name
 * half a pointer; a block of which nothing is used is given back. Pure. */
#ifndef ANALYTICSD_SLAB_H
#define ANALYTICSD_SLAB_H

#include <stddef.h>
#include <stdint.h>

#include "lib/list.h"

#define SLAB_UNIT 8
#define SLAB_BLOCK_UNITS 512
#define SLAB_BLOCK ((size_t)SLAB_UNIT * SLAB_BLOCK_UNITS)
#define SLAB_SIZES 5
#define SLAB_MAX_SIZE 72
/* Names are below 2^SLAB_NAME_BITS, so that pieces are 8 GiB at most. */
#define SLAB_NAME_BITS 30

/* The pieces of a block stand behind its head; `free` and `fresh` are numbers of units in it. */
struct slab_head {
	struct list link; /* of its size's open blocks; on no list: it is full */
	uint32_t index; /* in the slab's blocks[] */
	uint16_t size; /* which of the sizes */
	uint16_t used; /* pieces */
	uint16_t free; /* the first of those that were given back, chained; 0: none */
	uint16_t fresh; /* from here on nothing was ever used */
};

union slab_block {
	struct slab_head head;
	uint64_t units[SLAB_BLOCK_UNITS];
};

/* A place in blocks[] without a block holds the next such one's. */
union slab_place {
	union slab_block *block;
	uintptr_t next;
};

/* blocks[0 .. known) have or had a block; `live` of them have one. Without any, there is no
 * blocks[] either. */
struct slab {
	union slab_place *blocks;
	uint32_t known, capacity, live;
	uint32_t vacant; /* the first place without a block; `known`: there is none */
	struct list open[SLAB_SIZES];
};

void slab_init(struct slab *slab);
/* A piece of at least `size` bytes (1 to SLAB_MAX_SIZE), aligned to SLAB_UNIT; its name is never
 * 0. Dies (111) when there are no names left. */
uint32_t slab_alloc(struct slab *slab, size_t size);
void slab_free(struct slab *slab, uint32_t name);

static inline void *
slab_at(const struct slab *slab, uint32_t name)
{
	return &slab->blocks[name / SLAB_BLOCK_UNITS].block->units[name % SLAB_BLOCK_UNITS];
}

/* Of all blocks, whatever of them is used. */
size_t slab_memory(const struct slab *slab);

#endif
