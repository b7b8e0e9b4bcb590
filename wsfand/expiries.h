/* SPDX-License-Identifier: MIT */
/* expiries: whose token ends when. A binary heap: 16 bytes for each who has a token, nothing for
 * others, and setting or lifting one costs O(log n). Pure. */
#ifndef WSFAND_EXPIRIES_H
#define WSFAND_EXPIRIES_H

#include <stddef.h>
#include <stdint.h>

/* Embedded in what expires; found again with container_of. Zero-initialised: not set. */
struct expiry {
	uint32_t place; /* in the heap, from 1; 0: none */
};

struct expiry_item {
	int64_t due_ms;
	struct expiry *who;
};

/* Zero-initialised: empty.
 * items[i] is due no later than items[2i + 1] and items[2i + 2]; items[i].who->place is i + 1. */
struct expiries {
	struct expiry_item *items;
	uint32_t count, capacity;
};

/* One that is set already gets the new time. */
void expiries_set(struct expiries *expiries, struct expiry *who, int64_t due_ms);
/* Also when it is not set. */
void expiries_lift(struct expiries *expiries, struct expiry *who);
/* When this one is due; 0: it is not set. */
int64_t expiries_due(const struct expiries *expiries, const struct expiry *who);
/* When the first is due; INT64_MAX where there is none. */
int64_t expiries_next(const struct expiries *expiries);
/* Takes out the first that is due by `now_ms`, or NULL. */
struct expiry *expiries_take(struct expiries *expiries, int64_t now_ms);
void expiries_free(struct expiries *expiries);

#endif
