/* SPDX-License-Identifier: MIT */
#include "wsfand/ratelimit.h"

#include <stdlib.h>

#include "lib/base.h"
#include "lib/mem.h"
#include "wsfand/gcra.h"

#define WAYS 4
#define SETS (RATELIMIT_ENTRIES / WAYS)
#define NS_PER_MS UINT64_C(1000000)

/* Zero-initialised: a full bucket of nobody. */
struct entry {
	uint64_t network;
	uint64_t full_ns; /* when it will be, or was, full again */
};

struct ratelimit {
	struct gcra gcra;
	struct siphash_key key;
	struct entry (*sets)[WAYS];
};

struct ratelimit *
ratelimit_new(uint32_t rate, uint32_t burst, struct siphash_key key)
{
	struct ratelimit *limit = mem_zalloc(sizeof(*limit));

	limit->gcra = gcra_make(rate, burst);
	if (limit->gcra.interval_ns == 0)
		return limit;
	limit->key = key;
	limit->sets = mem_zalloc(SETS * sizeof(*limit->sets));
	return limit;
}

void
ratelimit_free(struct ratelimit **pointer)
{
	struct ratelimit *limit = *pointer;

	*pointer = NULL;
	if (limit == NULL)
		return;
	free(limit->sets);
	free(limit);
}

/* The network's own entry, or the one that is to make room for it. */
static struct entry *
find_entry(struct ratelimit *limit, uint64_t network)
{
	uint64_t hash = siphash_number(&limit->key, network);
	struct entry *sets[] = {limit->sets[hash % SETS], limit->sets[(hash >> 32) % SETS]};
	struct entry *oldest = sets[0];

	for (size_t set = 0; set < ARRAY_SIZE(sets); set++) {
		for (size_t way = 0; way < WAYS; way++) {
			struct entry *entry = &sets[set][way];
			if (entry->network == network)
				return entry;
			if (entry->full_ns < oldest->full_ns)
				oldest = entry;
		}
	}
	return oldest;
}

uint32_t
ratelimit_take(struct ratelimit *limit, uint64_t network, uint64_t now_ms)
{
	uint64_t now_ns = now_ms * NS_PER_MS;

	if (limit->gcra.interval_ns == 0 || network == 0)
		return 0;
	struct entry *entry = find_entry(limit, network);
	uint64_t full_ns = entry->network == network ? entry->full_ns : 0;
	uint32_t wait_s = gcra_take(&limit->gcra, &full_ns, now_ns);
	if (wait_s == 0)
		*entry = (struct entry){.network = network, .full_ns = full_ns};
	return wait_s;
}

void
ratelimit_each(const struct ratelimit *limit, uint64_t now_ms,
    void (*visit)(void *owner, uint64_t network, uint64_t ahead_ns), void *owner)
{
	uint64_t now_ns = now_ms * NS_PER_MS;

	for (size_t i = 0; limit->sets != NULL && i < RATELIMIT_ENTRIES; i++) {
		const struct entry *entry = &limit->sets[i / WAYS][i % WAYS];
		if (entry->full_ns > now_ns)
			visit(owner, entry->network, entry->full_ns - now_ns);
	}
}

void
ratelimit_put(struct ratelimit *limit, uint64_t network, uint64_t ahead_ns, uint64_t now_ms)
{
	if (limit->gcra.interval_ns == 0 || network == 0)
		return;
	struct entry *entry = find_entry(limit, network);
	entry->network = network;
	entry->full_ns = now_ms * NS_PER_MS +
	    MIN(ahead_ns, limit->gcra.burst_ns + limit->gcra.interval_ns);
}
