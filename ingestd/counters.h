/* SPDX-License-Identifier: MIT */
/* counters: ingestd's own numbers, made from counters.def. Bump them directly, in the
 * main thread only: counters[COUNTER_connects]++. */
#ifndef INGESTD_COUNTERS_H
#define INGESTD_COUNTERS_H

#include "lib/counters.h"

enum counter_index {
#define COUNTER(name, metric, labels, help) COUNTER_##name,
#define GAUGE(name, metric, labels, help) COUNTER_##name,
#define GAUGE_MS(name, metric, labels, help) COUNTER_##name,
#include "ingestd/counters.def"
#undef COUNTER
#undef GAUGE
#undef GAUGE_MS
	COUNTERS
};

extern uint64_t counters[COUNTERS];
extern const struct counter counters_schema[COUNTERS];

#endif
