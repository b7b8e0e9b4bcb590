/* SPDX-License-Identifier: MIT */
#include "analyticsd/trend.h"

#include <string.h>

#include "analyticsd/zone.h"
#include "lib/mem.h"

void
sum_add_answer(struct exact_sum *sum, const struct answer *answer)
{
	if (answer->whole)
		exact_sum_add_whole(sum, answer->integer);
	else
		exact_sum_add(sum, answer->number);
}

void
sum_subtract_answer(struct exact_sum *sum, const struct answer *answer)
{
	if (answer->whole)
		exact_sum_subtract_whole(sum, answer->integer);
	else
		exact_sum_subtract(sum, answer->number);
}

void
trend_free(struct trend *trend)
{
	for (unsigned i = 0; i < trend->count; i++)
		exact_sum_free(&trend->days[i].sum);
	MEM_FREE(&trend->days);
	*trend = (struct trend){0};
}

/* The index of `day`, or of the first day after it; most answers are of the last day. */
static unsigned
trend_search(const struct trend *trend, int32_t day)
{
	unsigned index = trend->count;

	while (index > 0 && trend->days[index - 1].day >= day)
		index--;
	return index;
}

static bool
trend_holds(const struct trend *trend, unsigned index, int32_t day)
{
	return index < trend->count && trend->days[index].day == day;
}

static void
trend_cut(struct trend *trend, unsigned index)
{
	exact_sum_free(&trend->days[index].sum);
	trend->count--;
	memmove(trend->days + index, trend->days + index + 1,
	    (trend->count - index) * sizeof(trend->days[0]));
}

/* A place for a new day, at `index` or one before; NULL: it is older than all that are kept. */
static struct trend_day *
trend_open(struct trend *trend, unsigned index, int32_t day)
{
	if (trend->count == TREND_KEPT) {
		trend->dropped = true;
		if (index == 0) {
			trend->horizon = day;
			return NULL;
		}
		trend->horizon = trend->days[0].day;
		trend_cut(trend, 0);
		index--;
	} else if (trend->count == trend->capacity) {
		trend->capacity = (uint8_t)MIN(
		    trend->capacity == 0 ? 2 : 2 * trend->capacity, TREND_KEPT);
		trend->days = mem_array(trend->days, trend->capacity, sizeof(trend->days[0]));
	}
	memmove(trend->days + index + 1, trend->days + index,
	    (trend->count - index) * sizeof(trend->days[0]));
	trend->count++;
	trend->days[index] = (struct trend_day){.day = day};
	return &trend->days[index];
}

void
trend_add(struct trend *trend, int32_t day, const struct answer *answer)
{
	if (trend->dropped && day <= trend->horizon)
		return;
	unsigned index = trend_search(trend, day);
	struct trend_day *found = trend_holds(trend, index, day) ? &trend->days[index]
								 : trend_open(trend, index, day);
	if (found == NULL)
		return;
	found->count++;
	sum_add_answer(&found->sum, answer);
}

bool
trend_remove(struct trend *trend, int32_t day, const struct answer *answer)
{
	if (trend->dropped && day <= trend->horizon)
		return true;
	unsigned index = trend_search(trend, day);
	if (!trend_holds(trend, index, day))
		return false;
	sum_subtract_answer(&trend->days[index].sum, answer);
	if (--trend->days[index].count > 0)
		return true;
	trend_cut(trend, index);
	return !trend->dropped || trend->count >= TREND_SHOWN;
}

void
trend_write(const struct trend *trend, struct json_writer *w)
{
	unsigned first = trend->count > TREND_SHOWN ? trend->count - TREND_SHOWN : 0;
	char date[ZONE_DATE_SIZE];

	json_array_begin(w);
	for (unsigned i = first; i < trend->count; i++) {
		const struct trend_day *day = &trend->days[i];

		zone_date_text(day->day, date);
		json_object_begin(w);
		json_key(w, "date");
		json_put_string(w, date);
		json_key(w, "value");
		json_put_double(w, exact_sum_mean(&day->sum, day->count));
		json_key(w, "count");
		json_put_u64(w, day->count);
		json_object_end(w);
	}
	json_array_end(w);
}

size_t
trend_memory(const struct trend *trend)
{
	size_t memory = trend->capacity * sizeof(trend->days[0]);

	for (unsigned i = 0; i < trend->count; i++)
		memory += exact_sum_memory(&trend->days[i].sum);
	return memory;
}

void
trend_encode(const struct trend *trend, struct encoder *e)
{
	encode_byte(e, trend->dropped);
	if (trend->dropped)
		encode_signed(e, trend->horizon);
	encode_varint(e, trend->count);
	for (unsigned i = 0; i < trend->count; i++) {
		encode_signed(e, trend->days[i].day);
		encode_varint(e, trend->days[i].count);
		exact_sum_encode(&trend->days[i].sum, e);
	}
}

static int32_t
decode_day(struct decoder *d)
{
	int64_t day = decode_signed(d);

	if (day < INT32_MIN || day > INT32_MAX)
		d->failed = true;
	return (int32_t)day;
}

void
trend_decode(struct trend *trend, struct decoder *d)
{
	int64_t before = INT64_MIN;

	trend->dropped = decode_byte(d) != 0;
	if (trend->dropped)
		before = trend->horizon = decode_day(d);
	unsigned count = (unsigned)decode_bounded(d, TREND_KEPT);
	if (count == 0)
		return;
	trend->days = mem_zalloc(count * sizeof(trend->days[0]));
	trend->capacity = (uint8_t)count;
	while (trend->count < count && !d->failed) {
		struct trend_day *day = &trend->days[trend->count++];

		day->day = decode_day(d);
		day->count = decode_varint(d);
		exact_sum_decode(&day->sum, d);
		if (day->day <= before || day->count == 0)
			d->failed = true;
		before = day->day;
	}
}
