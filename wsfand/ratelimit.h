/* SPDX-License-Identifier: MIT */
/* ratelimit: how fast one network may connect: a token bucket for each, in a table of a fixed
 * size. Pure: time, settings and the hash's key are arguments.
 *
 * A bucket that is full is the same as none (wsfand/gcra.h) and may be forgotten. The table has
 * 65,536 entries (1 MiB) in sets of 4; a network may stand in either of two sets that a keyed hash
 * names (Azar et al., "Balanced Allocations"). Where both are taken, the entry that is full for
 * the longest time makes room, and only where none is full the fullest one: for that, a flood must
 * bring more than 65,536 connections from different networks within the time that one token takes
 * to come back. */
#ifndef WSFAND_RATELIMIT_H
#define WSFAND_RATELIMIT_H

#include <stdint.h>

#include "lib/siphash.h"

#define RATELIMIT_ENTRIES 65536

struct ratelimit;

/* `rate`: connections per second; `burst`: at once. Either 0: no limit, and no table. */
struct ratelimit *ratelimit_new(uint32_t rate, uint32_t burst, struct siphash_key key);
void ratelimit_free(struct ratelimit **pointer);

/* 0: it may connect, and a token is gone. Else nothing was taken, and so many seconds (at least
 * 1) have to pass: Retry-After. `network`: see address_network(); 0 is never limited.
 * `now_ms`: of a clock that never goes back. */
uint32_t ratelimit_take(struct ratelimit *limit, uint64_t network, uint64_t now_ms);

/* For an upgrade in place: the buckets that are not full, by how far ahead that is; and the
 * reverse. */
void ratelimit_each(const struct ratelimit *limit, uint64_t now_ms,
    void (*visit)(void *owner, uint64_t network, uint64_t ahead_ns), void *owner);
void ratelimit_put(struct ratelimit *limit, uint64_t network, uint64_t ahead_ns, uint64_t now_ms);

#endif
