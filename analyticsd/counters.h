/* SPDX-License-Identifier: MIT */
/* counters: analyticsd's own numbers, made from counters.def (lib/counters.h says how). */
#ifndef ANALYTICSD_COUNTERS_H
#define ANALYTICSD_COUNTERS_H

#include "lib/counters.h"

#define COUNTER(field, name, labels, help) COUNTER_##field,
#define GAUGE COUNTER
#define GAUGE_MS COUNTER
#define HISTOGRAM COUNTER
enum counter_index {
#include "analyticsd/counters.def"
	COUNTER_COUNT
};
#undef COUNTER
#undef HISTOGRAM

#define COUNTER(field, name, labels, help)
#define HISTOGRAM(field, name, labels, help) extern struct histogram histogram_##field;
#include "analyticsd/counters.def"
#undef COUNTER
#undef GAUGE
#undef GAUGE_MS
#undef HISTOGRAM

extern const struct counter counters_schema[COUNTER_COUNT];
extern uint64_t counters[COUNTER_COUNT];

#endif
