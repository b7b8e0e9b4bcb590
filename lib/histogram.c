/* SPDX-License-Identifier: MIT */
#include "lib/histogram.h"

const uint64_t histogram_bounds[HISTOGRAM_BOUNDS] = {
    100,
    250,
    500,
    1000,
    2500,
    5000,
    10000,
    25000,
    50000,
    100000,
    250000,
    500000,
    1000000,
    2500000,
    5000000,
    10000000,
    30000000,
    60000000,
};

/* For each length in bits, how many bounds are below all numbers of that length. Each bound is at
 * least twice the one before, so at most one more lies among them. */
static const uint8_t below[] = {
    0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 13, 14, 15, 16, 17};

size_t
histogram_bucket(uint64_t us)
{
	size_t bits = us == 0 ? 0 : 64 - (size_t)__builtin_clzll(us);

	if (bits >= sizeof(below))
		return HISTOGRAM_BOUNDS;
	return below[bits] + (size_t)(us > histogram_bounds[below[bits]]);
}
