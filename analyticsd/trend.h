/* SPDX-License-Identifier: MIT */
/* trend: sum and count of a number field's values per local day.
 *
 * The TREND_KEPT newest days that have values are kept, the TREND_SHOWN newest shown. Days
 * older than the newest one that was ever dropped are not counted; when removals leave fewer
 * days than are shown, what was dropped would be wanted again: trend_remove() says so. */
#ifndef ANALYTICSD_TREND_H
#define ANALYTICSD_TREND_H

#include <stdbool.h>
#include <stdint.h>

#include "analyticsd/codec.h"
#include "analyticsd/exact_sum.h"
#include "analyticsd/response.h"
#include "lib/base.h"
#include "lib/json_write.h"

#define TREND_SHOWN 30
#define TREND_KEPT 90

struct trend_day {
	int32_t day;
	uint64_t count;
	struct exact_sum sum;
};

/* days[0 .. count): strictly ascending, counts over 0, all above `horizon`. All
 * zero is an empty trend. */
struct trend {
	struct trend_day *days;
	uint8_t count, capacity;
	bool dropped;
	int32_t horizon; /* with `dropped`: the newest day that was let go */
};

void trend_free(struct trend *trend);
void trend_add(struct trend *trend, int32_t day, const struct answer *answer);
/* False: it cannot be told any more what is to be shown. */
MUST_CHECK bool trend_remove(struct trend *trend, int32_t day, const struct answer *answer);
/* [{"date", "value", "count"}], oldest first. */
void trend_write(const struct trend *trend, struct json_writer *w);
size_t trend_memory(const struct trend *trend);
void trend_encode(const struct trend *trend, struct encoder *e);
void trend_decode(struct trend *trend, struct decoder *d);

/* An answer's number into a sum, and out of it again. */
void sum_add_answer(struct exact_sum *sum, const struct answer *answer);
void sum_subtract_answer(struct exact_sum *sum, const struct answer *answer);

#endif
