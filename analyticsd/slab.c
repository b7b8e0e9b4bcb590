/* SPDX-License-Identifier: MIT */
#include "analyticsd/slab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base.h"
#include "lib/die.h"
#include "lib/mem.h"

#define HEAD_UNITS ((sizeof(struct slab_head) + SLAB_UNIT - 1) / SLAB_UNIT)
#define MAX_BLOCKS ((1U << SLAB_NAME_BITS) / SLAB_BLOCK_UNITS)
#define FIRST_BLOCKS 8

/* In units, the smallest first. */
static const uint8_t sizes[SLAB_SIZES] = {2, 3, 4, 6, 9};

void
slab_init(struct slab *slab)
{
	*slab = (struct slab){0};
	for (int i = 0; i < SLAB_SIZES; i++)
		list_init(&slab->open[i]);
}

static void
grow(struct slab *slab)
{
	if (slab->known == MAX_BLOCKS) {
		errno = ENOMEM;
		die_system(
		    "unable to name more than %zu bytes in small pieces", MAX_BLOCKS * SLAB_BLOCK);
	}
	slab->capacity = slab->capacity == 0 ? FIRST_BLOCKS : slab->capacity * 2;
	slab->blocks = mem_array(slab->blocks, slab->capacity, sizeof(slab->blocks[0]));
}

static union slab_block *
block_new(struct slab *slab, unsigned size)
{
	if (slab->vacant == slab->capacity)
		grow(slab);
	uint32_t index = slab->vacant;
	if (index == slab->known)
		slab->vacant = ++slab->known;
	else
		slab->vacant = (uint32_t)slab->blocks[index].next;

	union slab_block *block = mem_alloc(sizeof(*block));
	block->head = (struct slab_head){
	    .index = index,
	    .size = (uint16_t)size,
	    .fresh = HEAD_UNITS,
	};
	list_init(&block->head.link);
	list_insert(&slab->open[size], &block->head.link);
	slab->blocks[index].block = block;
	slab->live++;
	return block;
}

static void
block_free(struct slab *slab, union slab_block *block)
{
	uint32_t index = block->head.index;

	list_remove(&block->head.link);
	free(block);
	slab->blocks[index].next = slab->vacant;
	slab->vacant = index;
	if (--slab->live > 0)
		return;
	MEM_FREE(&slab->blocks);
	slab->known = slab->capacity = slab->vacant = 0;
}

uint32_t
slab_alloc(struct slab *slab, size_t size)
{
	unsigned which = 0;

	while (sizes[which] * (size_t)SLAB_UNIT < size)
		which++;
	union slab_block *block = list_empty(&slab->open[which])
	    ? block_new(slab, which)
	    : container_of(slab->open[which].next, union slab_block, head.link);
	struct slab_head *head = &block->head;
	uint32_t unit = head->free;

	if (unit != 0) {
		memcpy(&head->free, &block->units[unit], sizeof(head->free));
	} else {
		unit = head->fresh;
		head->fresh = (uint16_t)(head->fresh + sizes[which]);
	}
	head->used++;
	if (head->free == 0 && head->fresh + sizes[which] > SLAB_BLOCK_UNITS)
		list_remove(&head->link);
	return head->index * SLAB_BLOCK_UNITS + unit;
}

void
slab_free(struct slab *slab, uint32_t name)
{
	union slab_block *block = slab->blocks[name / SLAB_BLOCK_UNITS].block;
	struct slab_head *head = &block->head;
	uint16_t unit = name % SLAB_BLOCK_UNITS;

	/* The fullest come first, so that those that are nearly empty become so. */
	if (list_empty(&head->link))
		list_insert(&slab->open[head->size], &head->link);
	memcpy(&block->units[unit], &head->free, sizeof(head->free));
	head->free = unit;
	if (--head->used == 0)
		block_free(slab, block);
}

size_t
slab_memory(const struct slab *slab)
{
	return slab->live * SLAB_BLOCK + slab->capacity * sizeof(slab->blocks[0]);
}
