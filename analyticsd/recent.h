/* SPDX-License-Identifier: MIT */
/* recent: when the last responses of a form were submitted: the newest moment, and counts per
 * quarter of an hour.
 *
 * Every zone's hours and days begin on a quarter of an hour (UTC) nowadays, so these serve
 * today and this hour in any of them. Kept are the quarters from two days before now on; of
 * those at most RECENT_QUARTERS, the earliest: what lies beyond is in the far future and
 * becomes countable only when now comes near it (recent_set_now() then asks for a rebuild).
 *
 * Of the moments the RECENT_TIMES newest are kept, so that as many removals of the newest can
 * be honoured. */
#ifndef ANALYTICSD_RECENT_H
#define ANALYTICSD_RECENT_H

#include <stdbool.h>
#include <stdint.h>

#include "analyticsd/codec.h"
#include "lib/base.h"

#define RECENT_QUARTERS 1024
#define RECENT_TIMES 64
#define QUARTER_MS INT64_C(900000)

struct quarter {
	int32_t number; /* of quarters since 1970 */
	uint32_t count;
};

/* quarters[]: strictly ascending, all in [floor, horizon), counts over 0.
 * times[]: ascending, with repeats; every response that is not among them (there are such only when
 * times_dropped) is not newer than times[0]. */
struct recent {
	struct quarter *quarters;
	int64_t *times;
	uint16_t quarter_count, quarter_capacity;
	uint8_t time_count, time_capacity;
	bool times_dropped;
	int32_t floor, horizon;
};

void recent_init(struct recent *recent);
void recent_free(struct recent *recent);
/* Forgets all responses; the floor stays. */
void recent_reset(struct recent *recent);

void recent_add(struct recent *recent, int64_t wall_ms);
/* False: the newest moment or a count cannot be told any more. */
MUST_CHECK bool recent_remove(struct recent *recent, int64_t wall_ms);
/* False: counts that are wanted now were dropped. */
MUST_CHECK bool recent_set_now(struct recent *recent, int64_t now_ms);

/* The newest moment, or `none`. */
int64_t recent_newest(const struct recent *recent, int64_t none);
uint64_t recent_between(const struct recent *recent, int64_t since_ms, int64_t until_ms);

size_t recent_memory(const struct recent *recent);
void recent_encode(const struct recent *recent, struct encoder *e);
void recent_decode(struct recent *recent, struct decoder *d);

#endif
