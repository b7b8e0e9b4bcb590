/* SPDX-License-Identifier: MIT */
/* address_count: how many clients each network has, exactly. Pure. A network is kept only while
 * it has clients, so the table never has more entries than there are clients (which
 * DUNE_MAX_CLIENTS bounds), and nothing is ever forgotten: it grows by doubling and shrinks by
 * halving, at 16 bytes a slot. */
#ifndef WSFAND_ADDRESS_COUNT_H
#define WSFAND_ADDRESS_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/siphash.h"

struct address_count;

/* `most`: clients per network; 0: no limit, and nothing is counted. */
struct address_count *address_count_new(uint32_t most, struct siphash_key key);
void address_count_free(struct address_count **pointer);

/* One more client of that network (see address_network(); 0 is never limited). false: it has as
 * many as it may have; then nothing was counted. */
bool address_count_enter(struct address_count *count, uint64_t network);
/* One of those who entered is gone. */
void address_count_leave(struct address_count *count, uint64_t network);

/* Of one network; and how many networks there are. */
uint32_t address_count_of(const struct address_count *count, uint64_t network);
size_t address_count_networks(const struct address_count *count);

#endif
