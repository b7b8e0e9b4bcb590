/* SPDX-License-Identifier: MIT */
/* counters: wsfand's own numbers, made from counters.def. Bump them directly:
 * counters[COUNTER_connects]++. */
#ifndef WSFAND_COUNTERS_H
#define WSFAND_COUNTERS_H

#include "lib/counters.h"

enum counter_index {
#define COUNTER(name, metric, labels, help) COUNTER_##name,
#define COUNTER_US COUNTER
#define GAUGE COUNTER
#define GAUGE_MS COUNTER
#define HISTOGRAM COUNTER
#include "wsfand/counters.def"
#undef COUNTER
#undef HISTOGRAM
	COUNTERS
};

#define COUNTER(name, metric, labels, help)
#define HISTOGRAM(name, metric, labels, help) extern struct histogram histogram_##name;
#include "wsfand/counters.def"
#undef COUNTER
#undef COUNTER_US
#undef GAUGE
#undef GAUGE_MS
#undef HISTOGRAM

extern uint64_t counters[COUNTERS];
extern const struct counter counters_schema[COUNTERS];

#endif
