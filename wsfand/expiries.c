/* SPDX-License-Identifier: MIT */
#include "wsfand/expiries.h"

#include "lib/mem.h"

#define FIRST_CAPACITY 64

static void
put(struct expiries *expiries, uint32_t at, struct expiry_item item)
{
	expiries->items[at] = item;
	item.who->place = at + 1;
}

/* Puts the item where it belongs, between the hole at `at` and the root. */
static void
rise(struct expiries *expiries, uint32_t at, struct expiry_item item)
{
	while (at > 0 && expiries->items[(at - 1) / 2].due_ms > item.due_ms) {
		put(expiries, at, expiries->items[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(expiries, at, item);
}

/* The same, between the hole and the leaves, or further up. */
static void
settle(struct expiries *expiries, uint32_t at, struct expiry_item item)
{
	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= expiries->count)
			break;
		if (child + 1 < expiries->count &&
		    expiries->items[child + 1].due_ms < expiries->items[child].due_ms)
			child++;
		if (expiries->items[child].due_ms >= item.due_ms)
			break;
		put(expiries, at, expiries->items[child]);
		at = child;
	}
	rise(expiries, at, item);
}

void
expiries_set(struct expiries *expiries, struct expiry *who, int64_t due_ms)
{
	struct expiry_item item = {due_ms, who};

	if (who->place > 0) {
		settle(expiries, who->place - 1, item);
		return;
	}
	if (expiries->count == expiries->capacity) {
		expiries->capacity = expiries->capacity > 0 ? 2 * expiries->capacity
							    : FIRST_CAPACITY;
		expiries->items = mem_array(
		    expiries->items, expiries->capacity, sizeof(*expiries->items));
	}
	rise(expiries, expiries->count++, item);
}

void
expiries_lift(struct expiries *expiries, struct expiry *who)
{
	uint32_t at;

	if (who->place == 0)
		return;
	at = who->place - 1;
	who->place = 0;
	expiries->count--;
	if (at < expiries->count)
		settle(expiries, at, expiries->items[expiries->count]);
}

int64_t
expiries_due(const struct expiries *expiries, const struct expiry *who)
{
	return who->place > 0 ? expiries->items[who->place - 1].due_ms : 0;
}

int64_t
expiries_next(const struct expiries *expiries)
{
	return expiries->count > 0 ? expiries->items[0].due_ms : INT64_MAX;
}

struct expiry *
expiries_take(struct expiries *expiries, int64_t now_ms)
{
	struct expiry *who;

	if (expiries_next(expiries) > now_ms || expiries->count == 0)
		return NULL;
	who = expiries->items[0].who;
	expiries_lift(expiries, who);
	return who;
}

void
expiries_free(struct expiries *expiries)
{
	MEM_FREE(&expiries->items);
	expiries->count = expiries->capacity = 0;
}
