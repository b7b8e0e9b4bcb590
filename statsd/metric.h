/* SPDX-License-Identifier: MIT */
/* metric: what a row of a schema may look like. Pure.
 *
 * Sources: Prometheus, "Exposition formats" (text format 0.0.4) and "Data model". */
#ifndef STATSD_METRIC_H
#define STATSD_METRIC_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base.h"
#include "lib/buf.h"
#include "lib/counters.h"

#define METRIC_NAME_MAX 128
#define METRIC_LABELS_MAX 512
#define METRIC_HELP_MAX 1024

/* [a-zA-Z_:][a-zA-Z0-9_:]*, at most METRIC_NAME_MAX long. */
bool metric_name_valid(const char *name);
/* "" or name="value",name="value"…: values escaped (\\ \" \n), no name twice,
 * and none of those that statsd adds itself (daemon, process, le). */
bool metric_labels_valid(const char *labels);
/* Names that statsd itself writes: no daemon may report them. */
bool metric_name_reserved(const char *name);

/* "counter", "gauge", "counter_us", "gauge_ms", "histogram"; -1 for anything else. */
MUST_CHECK int metric_kind_parse(const char *text, enum counter_kind *kind);
/* "counter", "gauge" or "histogram", as TYPE says it. */
const char *metric_kind_type(enum counter_kind kind);

#endif
