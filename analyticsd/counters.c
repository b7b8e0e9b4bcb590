/* SPDX-License-Identifier: MIT */
#include "analyticsd/counters.h"

uint64_t counters[COUNTER_COUNT];

#define COUNTER(field, name_, labels_, help_) {name_, labels_, KIND_COUNTER, help_},
#define COUNTER_US(field, name_, labels_, help_) {name_, labels_, KIND_COUNTER_US, help_},
#define GAUGE(field, name_, labels_, help_) {name_, labels_, KIND_GAUGE, help_},
#define GAUGE_MS(field, name_, labels_, help_) {name_, labels_, KIND_GAUGE_MS, help_},
const struct counter counters_schema[COUNTER_COUNT] = {
#include "analyticsd/counters.def"
};
