/* SPDX-License-Identifier: MIT */
#include "lib/counters.h"

const char *const counter_kind_names[COUNTER_KINDS] = {
    [KIND_COUNTER] = "counter",
    [KIND_COUNTER_US] = "counter_us",
    [KIND_GAUGE] = "gauge",
    [KIND_GAUGE_MS] = "gauge_ms",
    [KIND_HISTOGRAM] = "histogram",
};
