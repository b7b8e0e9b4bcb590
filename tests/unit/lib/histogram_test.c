/* SPDX-License-Identifier: MIT */
#include "lib/histogram.h"

#include "tests/unit/unit.h"

static size_t
bucket_by_search(uint64_t us)
{
	size_t bucket = 0;

	while (bucket < HISTOGRAM_BOUNDS && us > histogram_bounds[bucket])
		bucket++;
	return bucket;
}

TEST(histogram_bounds_double_at_least)
{
	CHECK_INT(histogram_bounds[0], 100);
	CHECK_INT(histogram_bounds[HISTOGRAM_BOUNDS - 1], 60000000);
	for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++)
		CHECK(histogram_bounds[i] >= 2 * histogram_bounds[i - 1]);
}

TEST(histogram_bucket_is_what_a_search_finds)
{
	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		CHECK_INT(histogram_bucket(histogram_bounds[i] - 1), i);
		CHECK_INT(histogram_bucket(histogram_bounds[i]), i);
		CHECK_INT(histogram_bucket(histogram_bounds[i] + 1), i + 1);
	}
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t power = UINT64_C(1) << bit;

		CHECK_INT(histogram_bucket(power - 1), bucket_by_search(power - 1));
		CHECK_INT(histogram_bucket(power), bucket_by_search(power));
	}
	CHECK_INT(histogram_bucket(0), 0);
	CHECK_INT(histogram_bucket(UINT64_MAX), HISTOGRAM_BOUNDS);
}

TEST(histogram_counts_and_adds_up)
{
	struct histogram histogram = {0};
	uint64_t count = 0;

	histogram_observe(&histogram, 100);
	histogram_observe(&histogram, 101);
	histogram_observe(&histogram, 61000000);
	histogram_observe(&histogram, -5);
	CHECK_INT(histogram.counts[0], 2);
	CHECK_INT(histogram.counts[1], 1);
	CHECK_INT(histogram.counts[HISTOGRAM_BOUNDS], 1);
	CHECK_INT(histogram.sum_us, 61000201);
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		count += histogram.counts[i];
	CHECK_INT(count, 4);
}
