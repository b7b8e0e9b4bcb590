/* SPDX-License-Identifier: MIT */
#include "analyticsd/recent.h"

#include <string.h>

#include "tests/unit/analyticsd/support.h"
#include "tests/unit/unit.h"

#define NONE INT64_MIN
#define DAY_MS INT64_C(86400000)
#define NOW (20000 * DAY_MS)

TEST(recent_counts_quarters)
{
	struct recent r;

	recent_init(&r);
	CHECK(recent_set_now(&r, NOW));
	CHECK_INT(recent_newest(&r, NONE), NONE);
	recent_add(&r, NOW);
	recent_add(&r, NOW - 1);
	recent_add(&r, NOW + QUARTER_MS - 1);
	recent_add(&r, NOW - 2 * DAY_MS);
	recent_add(&r, NOW - 2 * DAY_MS - 1);
	recent_add(&r, -1);
	CHECK_INT(recent_between(&r, NOW, NOW + QUARTER_MS), 2);
	CHECK_INT(recent_between(&r, NOW - QUARTER_MS, NOW), 1);
	CHECK_INT(recent_between(&r, NOW - 2 * DAY_MS, NOW + DAY_MS), 4);
	CHECK_INT(recent_between(&r, NOW, NOW), 0);
	CHECK_INT(recent_newest(&r, NONE), NOW + QUARTER_MS - 1);
	/* Time goes on: what is over two days old goes, and taking it back is no matter. */
	CHECK(recent_set_now(&r, NOW + DAY_MS));
	CHECK_INT(recent_between(&r, NOW - 2 * DAY_MS, NOW + DAY_MS), 3);
	CHECK(recent_remove(&r, NOW - 2 * DAY_MS));
	CHECK(recent_remove(&r, NOW + QUARTER_MS - 1));
	CHECK_INT(recent_newest(&r, NONE), NOW);
	CHECK(!recent_remove(&r, NOW + QUARTER_MS));
	recent_free(&r);
}

TEST(recent_clock_set_back)
{
	struct recent r;

	recent_init(&r);
	CHECK(recent_set_now(&r, NOW));
	recent_add(&r, NOW - DAY_MS);
	CHECK(recent_set_now(&r, NOW - DAY_MS / 2));
	CHECK_INT(recent_between(&r, NOW - 2 * DAY_MS, NOW), 1);
	CHECK(!recent_set_now(&r, NOW - 3 * DAY_MS));
	recent_reset(&r);
	recent_add(&r, NOW - 4 * DAY_MS);
	CHECK_INT(recent_between(&r, NOW - 5 * DAY_MS, NOW), 1);
	CHECK(recent_set_now(&r, NOW - 3 * DAY_MS));
	recent_free(&r);
}

TEST(recent_far_future)
{
	struct recent r;

	recent_init(&r);
	CHECK(recent_set_now(&r, NOW));
	/* 1,500 quarters ahead, the latest first: the earliest are kept. */
	for (int i = 1499; i >= 0; i--)
		recent_add(&r, NOW + i * QUARTER_MS);
	CHECK_INT(r.quarter_count, RECENT_QUARTERS);
	CHECK_INT(recent_between(&r, NOW, NOW + 1024 * QUARTER_MS), 1024);
	CHECK(recent_remove(&r, NOW + 1400 * QUARTER_MS));
	CHECK(recent_set_now(&r, NOW + 800 * QUARTER_MS));
	CHECK(!recent_set_now(&r, NOW + 900 * QUARTER_MS));
	recent_reset(&r);
	for (int i = 0; i < 1500; i++)
		recent_add(&r, NOW + i * QUARTER_MS);
	CHECK(recent_set_now(&r, NOW + 900 * QUARTER_MS));
	CHECK_INT(recent_between(&r, NOW + 900 * QUARTER_MS, NOW + 1500 * QUARTER_MS), 600);
	recent_add(&r, INT64_MAX);
	recent_add(&r, INT64_MIN + 1);
	CHECK_INT(recent_newest(&r, NONE), INT64_MAX);
	CHECK(recent_remove(&r, INT64_MAX));
	recent_free(&r);
}

TEST(recent_newest_after_many_removals)
{
	struct recent r;

	recent_init(&r);
	for (int i = 0; i < 1000; i++)
		recent_add(&r, i / 2);
	CHECK_INT(recent_newest(&r, NONE), 499);
	for (int i = 999; i > 1000 - RECENT_TIMES; i--)
		CHECK(recent_remove(&r, i / 2));
	CHECK_INT(recent_newest(&r, NONE), (1000 - RECENT_TIMES) / 2);
	/* Older than what is held, and some that were dropped may be newer: not to be held. */
	recent_add(&r, 3);
	CHECK_INT(recent_newest(&r, NONE), (1000 - RECENT_TIMES) / 2);
	CHECK(recent_remove(&r, 3));
	CHECK(!recent_remove(&r, (1000 - RECENT_TIMES) / 2));
	recent_free(&r);
}

TEST(recent_newest_at_random)
{
	struct dice dice = dice_new();

	for (int round = 0; round < 50; round++) {
		int64_t live[500];
		size_t count = 0;
		struct recent r;

		recent_init(&r);
		for (int step = 0; step < 3000; step++) {
			if (count < 500 &&
			    dice_roll(&dice, 100) < (step % 1500 < 750 ? 70u : 30u)) {
				live[count] = dice_roll(&dice, 300);
				recent_add(&r, live[count++]);
			} else if (count > 0) {
				size_t gone = dice_roll(&dice, (unsigned)count);
				bool exact = recent_remove(&r, live[gone]);

				live[gone] = live[--count];
				if (!exact) {
					recent_reset(&r);
					for (size_t i = 0; i < count; i++)
						recent_add(&r, live[i]);
				}
			}
			int64_t newest = NONE;
			for (size_t i = 0; i < count; i++)
				newest = MAX(newest, live[i]);
			CHECK_INT(recent_newest(&r, NONE), newest);
		}
		recent_free(&r);
	}
}
