/* SPDX-License-Identifier: MIT */
/* sketch: the buckets of a DDSketch (Masson, Rim, Lee: "DDSketch: A Fast and Fully-Mergeable
 * Quantile Sketch with Relative-Error Guarantees", VLDB 2019).
 *
 * Bucket i holds the values in (g^(i-1), g^i], g = (1 + a) / (1 - a), a = 1 %; the point 2 g^i
 * / (g + 1) is within 1 % of each of them. Negative values mirror the positive ones, zero has a
 * bucket of its own. A value's point stands for its bucket, so that a table of (value, count)
 * becomes a sketch by rounding its values. */
#ifndef ANALYTICSD_SKETCH_H
#define ANALYTICSD_SKETCH_H

#define SKETCH_ERROR 0.01
/* All buckets that the doubles reach, of both signs, and zero; rounded up. */
#define SKETCH_MAX_BUCKETS 150000

/* The point that stands for the bucket of `value` (finite). */
double sketch_round(double value);

#endif
