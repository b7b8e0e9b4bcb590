/* SPDX-License-Identifier: MIT */
#include "wsfand/expiries.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

#define MANY 500

TEST(expiries_in_order)
{
	struct expiries expiries = {.count = 0};
	struct expiry a = {0}, b = {0}, c = {0};

	CHECK(expiries_next(&expiries) == INT64_MAX);
	CHECK(expiries_take(&expiries, INT64_MAX) == NULL);
	expiries_set(&expiries, &a, 300);
	expiries_set(&expiries, &b, 100);
	expiries_set(&expiries, &c, 200);
	CHECK_INT(expiries_next(&expiries), 100);
	CHECK(expiries_take(&expiries, 99) == NULL);
	/* Renewed, to later and to earlier. */
	expiries_set(&expiries, &b, 400);
	expiries_set(&expiries, &a, 150);
	CHECK(expiries_take(&expiries, 500) == &a);
	expiries_lift(&expiries, &a);
	expiries_lift(&expiries, &c);
	expiries_lift(&expiries, &c);
	CHECK(expiries_take(&expiries, 500) == &b);
	CHECK(expiries_take(&expiries, 500) == NULL);
	expiries_free(&expiries);
}

static void
check_heap(const struct expiries *expiries)
{
	for (uint32_t i = 0; i < expiries->count; i++) {
		CHECK_INT(expiries->items[i].who->place, i + 1);
		CHECK(i == 0 || expiries->items[(i - 1) / 2].due_ms <= expiries->items[i].due_ms);
	}
}

/* Against a plain array, in any order. */
TEST(expiries_at_random)
{
	struct expiries expiries = {.count = 0};
	struct expiry all[MANY] = {{0}};
	int64_t due[MANY] = {0}; /* 0: not set */
	uint32_t set = 0;

	srand(1);
	for (int step = 0; step < 20000; step++) {
		int i = rand() % MANY;

		if (rand() % 3 > 0) {
			set += due[i] == 0;
			due[i] = 1 + rand() % 1000;
			expiries_set(&expiries, &all[i], due[i]);
		} else {
			set -= due[i] != 0;
			due[i] = 0;
			expiries_lift(&expiries, &all[i]);
		}
		CHECK_INT(expiries.count, set);
		if (step % 100 == 0)
			check_heap(&expiries);
	}
	int64_t last = 0;
	for (struct expiry *who; (who = expiries_take(&expiries, INT64_MAX)); set--) {
		CHECK(due[who - all] >= last);
		last = due[who - all];
	}
	CHECK_INT(set, 0);
	expiries_free(&expiries);
}
