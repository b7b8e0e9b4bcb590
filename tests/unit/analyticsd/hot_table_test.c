/* SPDX-License-Identifier: MIT */
#include "analyticsd/hot_table.h"

#include <string.h>

#include "analyticsd/forms.h"
#include "lib/mem.h"
#include "tests/unit/analyticsd/support.h"
#include "tests/unit/unit.h"

#define FORMS 2000

static void
name(struct hot_form *hot, int64_t number)
{
	hot->row.number = number;
	memcpy(hot->row.id.bytes, &number, sizeof(number));
}

static void
check_all(const struct hot_table *table, struct hot_form *forms, const bool *there)
{
	size_t at = 0, seen = 0, count = 0;

	for (int i = 0; i < FORMS; i++) {
		struct hot_form *want = there[i] ? &forms[i] : NULL;

		CHECK(hot_table_find(table, &forms[i].row.id) == want);
		CHECK(hot_table_find_number(table, forms[i].row.number) == want);
		count += there[i];
	}
	while (hot_table_next(table, &at) != NULL)
		seen++;
	CHECK_INT(table->count, count);
	CHECK_INT(seen, count);
}

TEST(hot_table_finds_what_is_there)
{
	struct hot_form *forms = mem_zalloc(FORMS * sizeof(*forms));
	struct dice dice = dice_new();
	struct hot_table table = {0};
	bool there[FORMS] = {false};

	for (int i = 0; i < FORMS; i++)
		name(&forms[i], 1 + i * 7);
	check_all(&table, forms, there);
	for (int step = 0; step < 100000; step++) {
		unsigned i = dice_roll(&dice, FORMS);
		/* It fills, and is emptied again. */
		bool add = dice_roll(&dice, 100) < (step / 20000 % 2 == 0 ? 70 : 30);

		if (add && !there[i])
			hot_table_add(&table, &forms[i]);
		else if (!add && there[i])
			hot_table_remove(&table, &forms[i]);
		there[i] = add;
		if (step % 5000 == 4999)
			check_all(&table, forms, there);
	}
	hot_table_free(&table);
	MEM_FREE(&forms);
}
