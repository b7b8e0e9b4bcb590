/* SPDX-License-Identifier: MIT */
#include "wsfand/counters.h"

uint64_t counters[COUNTERS];

#define COUNTER(name, metric, labels, help)
#define COUNTER_US COUNTER
#define GAUGE COUNTER
#define GAUGE_MS COUNTER
#define HISTOGRAM(name, metric, labels, help) struct histogram histogram_##name;
#include "wsfand/counters.def"
#undef COUNTER
#undef COUNTER_US
#undef GAUGE
#undef GAUGE_MS
#undef HISTOGRAM

#define COUNTER(name_, metric, labels_, help_) \
	{.name = (metric), .labels = (labels_), .kind = KIND_COUNTER, .help = (help_)},
#define COUNTER_US(name_, metric, labels_, help_) \
	{.name = (metric), .labels = (labels_), .kind = KIND_COUNTER_US, .help = (help_)},
#define GAUGE(name_, metric, labels_, help_) \
	{.name = (metric), .labels = (labels_), .kind = KIND_GAUGE, .help = (help_)},
#define GAUGE_MS(name_, metric, labels_, help_) \
	{.name = (metric), .labels = (labels_), .kind = KIND_GAUGE_MS, .help = (help_)},
#define HISTOGRAM(name_, metric, labels_, help_) \
	{.name = (metric),                       \
	    .labels = (labels_),                 \
	    .kind = KIND_HISTOGRAM,              \
	    .help = (help_),                     \
	    .histogram = &histogram_##name_},

const struct counter counters_schema[COUNTERS] = {
#include "wsfand/counters.def"
};
