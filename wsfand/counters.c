/* SPDX-License-Identifier: MIT */
#include "wsfand/counters.h"

uint64_t counters[COUNTERS];

#define COUNTER(name_, metric, labels_, help_) \
	{.name = (metric), .labels = (labels_), .kind = KIND_COUNTER, .help = (help_)},
#define GAUGE(name_, metric, labels_, help_) \
	{.name = (metric), .labels = (labels_), .kind = KIND_GAUGE, .help = (help_)},

const struct counter counters_schema[COUNTERS] = {
#include "wsfand/counters.def"
};
