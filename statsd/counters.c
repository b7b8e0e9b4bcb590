/* SPDX-License-Identifier: MIT */
#include "statsd/counters.h"

uint64_t counters[COUNTER_COUNT];

const struct counter counters_schema[COUNTER_COUNT] = {
#define COUNTER(field, name_, labels_, help_) \
	{.name = (name_), .labels = (labels_), .kind = KIND_COUNTER, .help = (help_)},
#define GAUGE(field, name_, labels_, help_) \
	{.name = (name_), .labels = (labels_), .kind = KIND_GAUGE, .help = (help_)},
#include "statsd/counters.def"
};
