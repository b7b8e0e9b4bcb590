/* SPDX-License-Identifier: MIT */
/* zone: where days and hours begin in one IANA time zone (tzdata, through tzset(3) and
 * localtime_r(3)). */
#ifndef ANALYTICSD_ZONE_H
#define ANALYTICSD_ZONE_H

#include <stdint.h>

#include "lib/base.h"

struct zone;

/* NULL when tzdata has no such zone. One per process: it owns TZ. */
MUST_CHECK struct zone *zone_open(const char *name);
void zone_close(struct zone **zone);
const char *zone_name(const struct zone *zone);

/* The day number (days since 1970-01-01 in the proleptic Gregorian calendar) of the local date
 * at that moment. Fast (cached per quarter of an hour). */
int32_t zone_day(const struct zone *zone, int64_t wall_ms);
/* When the local day or hour that `wall_ms` lies in began, and when the next hour begins, to
 * the quarter of an hour (all zones change on such, since 1972). Where the clock is put forward
 * or back an hour ends and another begins. Moments outside the years 0 to 9999 count as the
 * nearest within. */
int64_t zone_day_start(const struct zone *zone, int64_t wall_ms);
int64_t zone_hour_start(const struct zone *zone, int64_t wall_ms);
int64_t zone_next_hour(const struct zone *zone, int64_t wall_ms);
/* "2026-03-01" */
#define ZONE_DATE_SIZE 12
void zone_date_text(int32_t day, char out[static ZONE_DATE_SIZE]);

#endif
