/* SPDX-License-Identifier: MIT */
/* rooms: how many clients watch which form, by each wsfand that says so. Pure.
 * A room is there while somebody says more than 0 of it; a form watched through
 * two wsfands is one room. Bounded: at most ROOMS_MAX rooms. */
#ifndef STATSD_ROOMS_H
#define STATSD_ROOMS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"
#include "lib/form_id.h"

#define ROOMS_MAX 1000000

struct rooms;

struct rooms *rooms_new(void);
void rooms_free(struct rooms **rooms);

/* `source` (any address that stands for one reporter) has `clients` in the room
 * now. -1 with ENOBUFS: there are ROOMS_MAX rooms already. */
MUST_CHECK int rooms_set(
    struct rooms *rooms, const void *source, const struct form_id *form, uint64_t clients);
/* What `source` said does not hold any more. */
void rooms_forget(struct rooms *rooms, const void *source);

size_t rooms_count(const struct rooms *rooms);
/* Clients of the form by all sources, 0 where there is no such room. */
uint64_t rooms_clients(const struct rooms *rooms, const struct form_id *form);
/* Each room, in no order that means anything. */
void rooms_each(const struct rooms *rooms,
    void (*visit)(void *context, const struct form_id *form, uint64_t clients), void *context);

#endif
