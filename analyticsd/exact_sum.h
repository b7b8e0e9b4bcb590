/* SPDX-License-Identifier: MIT */
/* exact_sum: a sum of doubles and 64-bit integers without any rounding, so that what is added
 * can be taken away again and no order of events shows in the result.
 *
 * Whole numbers are summed in 64 bits. Everything else goes into a fixed-point number wide
 * enough for every double (Kulisch; Neal, "Fast Exact Summation Using Small and Large
 * Superaccumulators", 2015), of which only the 32-bit digits that are in use are held: a few,
 * as a rule, never over 70. */
#ifndef ANALYTICSD_EXACT_SUM_H
#define ANALYTICSD_EXACT_SUM_H

#include <stddef.h>
#include <stdint.h>

#include "analyticsd/codec.h"

struct exact_wide;

/* All zero is the sum of nothing. */
struct exact_sum {
	int64_t whole;
	struct exact_wide *wide;
};

void exact_sum_free(struct exact_sum *sum);

/* `value` is finite. */
void exact_sum_add(struct exact_sum *sum, double value);
void exact_sum_subtract(struct exact_sum *sum, double value);
void exact_sum_add_whole(struct exact_sum *sum, int64_t value);
void exact_sum_subtract_whole(struct exact_sum *sum, int64_t value);

/* The double nearest to the true sum (ties to even), as Python's math.fsum; infinite when it is
 * too large for one. */
double exact_sum_value(const struct exact_sum *sum);
/* That divided by `count` (> 0); finite even where the sum alone is not. */
double exact_sum_mean(const struct exact_sum *sum, uint64_t count);

size_t exact_sum_memory(const struct exact_sum *sum);
void exact_sum_encode(const struct exact_sum *sum, struct encoder *e);
/* Into a zero sum. */
void exact_sum_decode(struct exact_sum *sum, struct decoder *d);

#endif
