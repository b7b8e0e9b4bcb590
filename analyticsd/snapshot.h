/* SPDX-License-Identifier: MIT */
/* snapshot: a form's frames, made: the JSON of analytics:update and metrics:update. Pure. */
#ifndef ANALYTICSD_SNAPSHOT_H
#define ANALYTICSD_SNAPSHOT_H

#include <stdint.h>

#include "analyticsd/form.h"
#include "analyticsd/interest.h"
#include "lib/buf.h"

struct zone;

/* Both write one JSON object behind what is in `out`. -1 with errno ENOBUFS: it is longer than
 * `out` may become; nothing was written then. `at_ms`: when the source committed the oldest change
 * that is new in it; 0: nothing is said of that. `stale`: these are not the numbers of all that
 * there is. */
MUST_CHECK int snapshot_analytics(
    const struct form *form, bool stale, int64_t at_ms, struct buf *out);
/* The `data` of the former alone, as a value. */
void snapshot_data(const struct form *form, bool stale, struct json_writer *w);
MUST_CHECK int snapshot_metrics(
    const struct form_id *id, const struct metrics *metrics, struct buf *out);

/* What holds at `now_ms`: the day and the hour are those of the zone, by submittedAt. */
struct metrics snapshot_count(
    const struct form *form, const struct zone *zone, int64_t now_ms, uint64_t viewers);

#endif
