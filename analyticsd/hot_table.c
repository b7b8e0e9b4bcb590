/* SPDX-License-Identifier: MIT */
#include "analyticsd/hot_table.h"

#include "analyticsd/forms.h"
#include "analyticsd/hash.h"
#include "lib/mem.h"
#include "lib/table.h"

#define FIRST_SLOTS 64

typedef size_t hot_hash(const struct hot_form *hot);

static size_t
hash_id(const struct form_id *id)
{
	return table_hash(id, sizeof(*id));
}

/* Numbers are ours, nobody chooses them. */
static size_t
hash_number(int64_t number)
{
	return (size_t)hash_fold((uint64_t)number);
}

static size_t
id_of(const struct hot_form *hot)
{
	return hash_id(&hot->row.id);
}

static size_t
number_of(const struct hot_form *hot)
{
	return hash_number(hot->row.number);
}

void
hot_table_free(struct hot_table *table)
{
	MEM_FREE(&table->by_id.slots);
	MEM_FREE(&table->by_number.slots);
	*table = (struct hot_table){0};
}

struct hot_form *
hot_table_find(const struct hot_table *table, const struct form_id *id)
{
	const struct hot_slots *slots = &table->by_id;
	size_t mask = slots->slot_count - 1;
	struct hot_form *hot;

	if (table->count == 0)
		return NULL;
	for (size_t slot = hash_id(id);; slot++) {
		hot = slots->slots[slot & mask];
		if (hot == NULL || form_id_equal(&hot->row.id, id))
			return hot;
	}
}

struct hot_form *
hot_table_find_number(const struct hot_table *table, int64_t number)
{
	const struct hot_slots *slots = &table->by_number;
	size_t mask = slots->slot_count - 1;
	struct hot_form *hot;

	if (table->count == 0)
		return NULL;
	for (size_t slot = hash_number(number);; slot++) {
		hot = slots->slots[slot & mask];
		if (hot == NULL || hot->row.number == number)
			return hot;
	}
}

static void
put(struct hot_slots *slots, struct hot_form *hot, hot_hash *hash)
{
	size_t mask = slots->slot_count - 1, slot = hash(hot) & mask;

	while (slots->slots[slot] != NULL)
		slot = (slot + 1) & mask;
	slots->slots[slot] = hot;
}

static void
grow(struct hot_slots *slots, hot_hash *hash)
{
	struct hot_slots old = *slots;

	slots->slot_count = MAX(2 * old.slot_count, FIRST_SLOTS);
	slots->slots = mem_zalloc(slots->slot_count * sizeof(slots->slots[0]));
	for (size_t i = 0; i < old.slot_count; i++) {
		if (old.slots[i] != NULL)
			put(slots, old.slots[i], hash);
	}
	MEM_FREE(&old.slots);
}

void
hot_table_add(struct hot_table *table, struct hot_form *hot)
{
	/* At most three quarters are taken. */
	if (4 * (table->count + 1) > 3 * table->by_id.slot_count) {
		grow(&table->by_id, id_of);
		grow(&table->by_number, number_of);
	}
	put(&table->by_id, hot, id_of);
	put(&table->by_number, hot, number_of);
	table->count++;
}

/* Closes the gap so that no probe ends early (Knuth, TAOCP 3, 6.4, algorithm R). */
static void
take(struct hot_slots *slots, const struct hot_form *hot, hot_hash *hash)
{
	size_t mask = slots->slot_count - 1, gap = hash(hot) & mask;

	while (slots->slots[gap] != hot)
		gap = (gap + 1) & mask;
	for (size_t slot = (gap + 1) & mask; slots->slots[slot] != NULL; slot = (slot + 1) & mask) {
		size_t home = hash(slots->slots[slot]);

		if (((slot - home) & mask) >= ((slot - gap) & mask)) {
			slots->slots[gap] = slots->slots[slot];
			gap = slot;
		}
	}
	slots->slots[gap] = NULL;
}

void
hot_table_remove(struct hot_table *table, const struct hot_form *hot)
{
	take(&table->by_id, hot, id_of);
	take(&table->by_number, hot, number_of);
	table->count--;
}

struct hot_form *
hot_table_next(const struct hot_table *table, size_t *at)
{
	while (*at < table->by_id.slot_count) {
		struct hot_form *hot = table->by_id.slots[(*at)++];

		if (hot != NULL)
			return hot;
	}
	return NULL;
}
