/* SPDX-License-Identifier: MIT */
/* hot_table: the hot forms (analyticsd/forms.h), found by id and by number: two tables of pointers
 * (open addressing, linear probing). A hundred thousand light forms are looked up once for each
 * response, so a look-up reads one slot and the form, and a form costs 16 to 32 bytes here.
 *
 * The forms stay the caller's. */
#ifndef ANALYTICSD_HOT_TABLE_H
#define ANALYTICSD_HOT_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/form_id.h"

struct hot_form;

/* slots[] has slot_count places, 0 or a power of 2; NULL is empty. */
struct hot_slots {
	struct hot_form **slots;
	size_t slot_count;
};

/* All zero is empty. */
struct hot_table {
	struct hot_slots by_id, by_number;
	size_t count;
};

void hot_table_free(struct hot_table *table);
/* NULL: there is none. */
struct hot_form *hot_table_find(const struct hot_table *table, const struct form_id *id);
struct hot_form *hot_table_find_number(const struct hot_table *table, int64_t number);
/* One that is not there; its row's id and number stay as they are while it is. */
void hot_table_add(struct hot_table *table, struct hot_form *hot);
/* One that is there. */
void hot_table_remove(struct hot_table *table, const struct hot_form *hot);
/* All, one after the other, from *at = 0 on; NULL: that was all. Nothing may be added or removed
 * meanwhile. */
struct hot_form *hot_table_next(const struct hot_table *table, size_t *at);

#endif
