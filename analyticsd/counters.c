/* SPDX-License-Identifier: MIT */
#include "analyticsd/counters.h"

uint64_t counters[COUNTER_COUNT];

#define COUNTER(field, name, labels, help)
#define GAUGE COUNTER
#define GAUGE_MS COUNTER
#define HISTOGRAM(field, name, labels, help) struct histogram histogram_##field;
#include "analyticsd/counters.def"
#undef COUNTER
#undef GAUGE
#undef GAUGE_MS
#undef HISTOGRAM

#define ROW(name_, labels_, kind_, help_) \
	{.name = (name_), .labels = (labels_), .kind = (kind_), .help = (help_)},
#define COUNTER(field, name, labels, help) ROW(name, labels, KIND_COUNTER, help)
#define GAUGE(field, name, labels, help) ROW(name, labels, KIND_GAUGE, help)
#define GAUGE_MS(field, name, labels, help) ROW(name, labels, KIND_GAUGE_MS, help)
#define HISTOGRAM(field, name_, labels_, help_) \
	{.name = (name_),                       \
	    .labels = (labels_),                \
	    .kind = KIND_HISTOGRAM,             \
	    .help = (help_),                    \
	    .histogram = &histogram_##field},
const struct counter counters_schema[COUNTER_COUNT] = {
#include "analyticsd/counters.def"
};
