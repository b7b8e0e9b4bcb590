/* SPDX-License-Identifier: MIT */
/* histogram: how often a time was how long, in fixed buckets from 100 µs to 60 s, as Prometheus
 * wants it (its docs: "Histograms and summaries"). The bounds are 1, 2.5 and 5 times the powers of
 * ten, and 30 and 60 s: a quantile read off them is wrong by a factor of 2.5 at most, and the
 * limits that people set (5 ms, 100 ms, 1 s, 10 s) are bounds. Observing costs a look into a table
 * and one comparison. Pure; all zero is an empty one. */
#ifndef LIB_HISTOGRAM_H
#define LIB_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BOUNDS 18
/* One for each bound (times up to it and above the one before), and one for what is longer. */
#define HISTOGRAM_BUCKETS (HISTOGRAM_BOUNDS + 1)

struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS]; /* each its own, not cumulative */
	uint64_t sum_us;
};

/* Microseconds, ascending; a time that equals a bound belongs to its bucket. */
extern const uint64_t histogram_bounds[HISTOGRAM_BOUNDS];

/* Which bucket a time belongs to. */
size_t histogram_bucket(uint64_t us);

/* A negative time (two clocks that differ) counts as 0. */
static inline void
histogram_observe(struct histogram *histogram, int64_t us)
{
	uint64_t time = us > 0 ? (uint64_t)us : 0;

	histogram->counts[histogram_bucket(time)]++;
	histogram->sum_us += time;
}

#endif
