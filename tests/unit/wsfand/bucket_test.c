/* SPDX-License-Identifier: MIT */
#include "wsfand/bucket.h"

#include "tests/unit/unit.h"

TEST(bucket_burst_and_refill)
{
	struct bucket bucket;

	bucket_init(&bucket, 3, 1000);
	for (int i = 0; i < 3; i++)
		CHECK(bucket_take(&bucket, 3, 500, 1000));
	CHECK(!bucket_take(&bucket, 3, 500, 1499));
	CHECK(bucket_take(&bucket, 3, 500, 1500));
	CHECK(!bucket_take(&bucket, 3, 500, 1999));
	/* The part of an interval that has passed is not lost. */
	CHECK(bucket_take(&bucket, 3, 500, 2400));
	CHECK(bucket_take(&bucket, 3, 500, 2500));
	CHECK(!bucket_take(&bucket, 3, 500, 2501));
	/* No more than the burst is ever saved. */
	for (int i = 0; i < 3; i++)
		CHECK(bucket_take(&bucket, 3, 500, 900000));
	CHECK(!bucket_take(&bucket, 3, 500, 900000));
}

TEST(bucket_survives_a_wrapping_clock)
{
	struct bucket bucket;

	bucket_init(&bucket, 1, UINT32_MAX - 100);
	CHECK(bucket_take(&bucket, 1, 500, UINT32_MAX - 100));
	CHECK(!bucket_take(&bucket, 1, 500, 100));
	CHECK(bucket_take(&bucket, 1, 500, 399));
}
