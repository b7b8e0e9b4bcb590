/* SPDX-License-Identifier: MIT */
/* counters: statsd's own numbers, one per row of counters.def, bumped directly:
 * counters[COUNTER_reports]++. */
#ifndef STATSD_COUNTERS_H
#define STATSD_COUNTERS_H

#include "lib/counters.h"

enum {
#define COUNTER(field, name, labels, help) COUNTER_##field,
#define GAUGE(field, name, labels, help) COUNTER_##field,
#include "statsd/counters.def"
#undef COUNTER
#undef GAUGE
	COUNTER_COUNT
};

extern uint64_t counters[COUNTER_COUNT];
extern const struct counter counters_schema[COUNTER_COUNT];

#endif
