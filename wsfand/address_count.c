/* SPDX-License-Identifier: MIT */
#include "wsfand/address_count.h"

#include <stdlib.h>

#include "lib/mem.h"

#define MIN_SLOTS 64

/* Empty where `clients` is 0. */
struct slot {
	uint64_t network;
	uint32_t clients;
};

/* Open addressing with linear probing (Knuth, volume 3, 6.4, algorithm L): between the slot that
 * its hash names and the one where a network stands no slot is empty.
 * networks <= slots / 2, and slots is a power of two. */
struct address_count {
	uint32_t most;
	struct siphash_key key;
	struct slot *slots;
	size_t slot_count, networks;
};

struct address_count *
address_count_new(uint32_t most, struct siphash_key key)
{
	struct address_count *count = mem_zalloc(sizeof(*count));

	count->most = most;
	count->key = key;
	return count;
}

void
address_count_free(struct address_count **pointer)
{
	struct address_count *count = *pointer;

	*pointer = NULL;
	if (count == NULL)
		return;
	free(count->slots);
	free(count);
}

static size_t
home_of(const struct address_count *count, uint64_t network)
{
	return siphash_number(&count->key, network) & (count->slot_count - 1);
}

static size_t
next_slot(const struct address_count *count, size_t at)
{
	return (at + 1) & (count->slot_count - 1);
}

/* Where the network stands, or the empty slot where it would. */
static size_t
find_slot(const struct address_count *count, uint64_t network)
{
	size_t at = home_of(count, network);

	while (count->slots[at].clients > 0 && count->slots[at].network != network)
		at = next_slot(count, at);
	return at;
}

static void
resize(struct address_count *count, size_t slot_count)
{
	struct slot *old = count->slots;
	size_t old_count = count->slot_count;

	count->slots = mem_array(NULL, slot_count, sizeof(*count->slots));
	count->slot_count = slot_count;
	for (size_t i = 0; i < slot_count; i++)
		count->slots[i] = (struct slot){.clients = 0};
	for (size_t i = 0; i < old_count; i++)
		if (old[i].clients > 0)
			count->slots[find_slot(count, old[i].network)] = old[i];
	free(old);
}

bool
address_count_enter(struct address_count *count, uint64_t network)
{
	if (count->most == 0 || network == 0)
		return true;
	if (2 * (count->networks + 1) > count->slot_count)
		resize(count, count->slot_count > 0 ? 2 * count->slot_count : MIN_SLOTS);
	struct slot *slot = &count->slots[find_slot(count, network)];
	if (slot->clients >= count->most)
		return false;
	if (slot->clients == 0) {
		slot->network = network;
		count->networks++;
	}
	slot->clients++;
	return true;
}

/* Whether `slot` lies within (from, to] on the ring. */
static bool
lies_between(size_t slot, size_t from, size_t to)
{
	return from <= to ? from < slot && slot <= to : from < slot || slot <= to;
}

/* Empties a slot and moves up those that had been pushed past it (algorithm R). */
static void
remove_slot(struct address_count *count, size_t hole)
{
	size_t at = hole;

	count->networks--;
	for (;;) {
		count->slots[hole].clients = 0;
		do {
			at = next_slot(count, at);
			if (count->slots[at].clients == 0)
				return;
		} while (lies_between(home_of(count, count->slots[at].network), hole, at));
		count->slots[hole] = count->slots[at];
		hole = at;
	}
}

void
address_count_leave(struct address_count *count, uint64_t network)
{
	if (count->most == 0 || network == 0 || count->slot_count == 0)
		return;
	size_t at = find_slot(count, network);
	if (count->slots[at].clients > 1) {
		count->slots[at].clients--;
	} else if (count->slots[at].clients == 1) {
		remove_slot(count, at);
		if (count->slot_count > MIN_SLOTS && count->networks < count->slot_count / 8)
			resize(count, count->slot_count / 2);
	}
}

uint32_t
address_count_of(const struct address_count *count, uint64_t network)
{
	return count->slot_count > 0 ? count->slots[find_slot(count, network)].clients : 0;
}

size_t
address_count_networks(const struct address_count *count)
{
	return count->networks;
}
