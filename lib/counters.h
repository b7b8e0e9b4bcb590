/* SPDX-License-Identifier: MIT */
/* counters: a daemon's own numbers, each from one line of <daemon>/counters.def:
 *
 *     COUNTER(frames, "dune_wsfand_frames_total", "", "Frames read from producers.")
 *     COUNTER(closes_1001, "dune_wsfand_closes_total", "code=\"1001\"", "Closed, by close code.")
 *     GAUGE(rooms, "dune_wsfand_rooms", "", "Rooms that have clients.")
 *     GAUGE_MS(lag, "dune_ingestd_lag_seconds", "", "…")     kept in ms, shown in seconds
 *     COUNTER_US(commit_time, "dune_analyticsd_commit_seconds_total", "", "…")  kept in µs
 *     HISTOGRAM(applied, "dune_freshness_seconds", "stage=\"applied\"", "…")  lib/histogram.h
 *
 * Names follow Prometheus: base units, _total on counters. Rows of one metric that differ in
 * labels stand together and have one HELP text. The values are one array of uint64_t per daemon
 * (<daemon>/counters.h), bumped directly; a histogram is a struct of its own beside it,
 * histogram_<id>, and its place in the array stays 0. lib/report.h sends them to statsd, which
 * knows no daemon's names. */
#ifndef LIB_COUNTERS_H
#define LIB_COUNTERS_H

#include <stdint.h>

#include "lib/histogram.h"

enum counter_kind { KIND_COUNTER, KIND_COUNTER_US, KIND_GAUGE, KIND_GAUGE_MS, KIND_HISTOGRAM };
#define COUNTER_KINDS 5

/* As reports name them (docs/protocol.md, "Reports"). */
extern const char *const counter_kind_names[COUNTER_KINDS];

struct counter {
	const char *name;
	const char *labels; /* Prometheus text without braces, or "" */
	enum counter_kind kind;
	const char *help;
	const struct histogram *histogram; /* of KIND_HISTOGRAM, else NULL */
};

#endif
