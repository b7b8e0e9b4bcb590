/* SPDX-License-Identifier: MIT */
/* crowd: who stands at the door and has not said yet what it wants, by network. Where there is no
 * room for one more, it says who has to give way: the eldest of the network that has most there. So
 * one address can wait for as long as it likes with as many connections as it likes: it only turns
 * out its own. Pure.
 *
 * Networks are sorted by the power of two of how many they have, which makes every step one of
 * constant cost, and "most" true within a factor of two. */
#ifndef WSFAND_CROWD_H
#define WSFAND_CROWD_H

#include <stdint.h>

#include "lib/list.h"

#define CROWD_LEVELS 32

struct crowd_group;

struct crowd {
	struct crowd_group *table;
	/* Groups of 2^n to 2^(n+1) - 1 members, by n; the one that has been there longest first. */
	struct list levels[CROWD_LEVELS];
};

/* Embedded in who stands there; found again with container_of. */
struct crowd_member {
	struct list node;
	struct crowd_group *group; /* NULL: it is not in the crowd */
};

/* Needs no end: when all have left, nothing is held. */
void crowd_init(struct crowd *crowd);

/* `network`: see address_network(); 0: it belongs to no network, and counts by itself. */
void crowd_enter(struct crowd *crowd, struct crowd_member *member, uint64_t network);
/* Also when it is not there. */
void crowd_leave(struct crowd *crowd, struct crowd_member *member);
/* Who is to give way; NULL: nobody is there. */
struct crowd_member *crowd_eldest(const struct crowd *crowd);

#endif
