/* SPDX-License-Identifier: MIT */
#include "analyticsd/recent.h"

#include <string.h>

#include "lib/mem.h"

#define DAY_QUARTERS 96
#define KEPT_QUARTERS (2 * DAY_QUARTERS)
/* Today began at most 25 hours ago, so a clock set back by this much takes nothing from it. */
#define BACK_QUARTERS (KEPT_QUARTERS - DAY_QUARTERS - 4)

static int32_t
quarter_of(int64_t wall_ms)
{
	int64_t number = wall_ms / QUARTER_MS - (wall_ms % QUARTER_MS < 0);

	/* Both ends are free to stand for "none". */
	return (int32_t)MAX(INT32_MIN + 1, MIN(number, INT32_MAX - 1));
}

void
recent_init(struct recent *recent)
{
	*recent = (struct recent){.floor = INT32_MIN, .horizon = INT32_MAX};
}

void
recent_free(struct recent *recent)
{
	MEM_FREE(&recent->quarters);
	MEM_FREE(&recent->times);
	recent_init(recent);
}

void
recent_reset(struct recent *recent)
{
	int32_t floor = recent->floor;

	recent_free(recent);
	recent->floor = floor;
}

/* The index of the first quarter that is not before `number`. */
static unsigned
quarter_search(const struct recent *recent, int32_t number)
{
	unsigned low = 0, high = recent->quarter_count;

	/* Responses come in the order of time, as a rule. */
	if (high > 0 && recent->quarters[high - 1].number <= number)
		low = recent->quarters[high - 1].number < number ? high : high - 1;
	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (recent->quarters[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
quarter_counts(const struct recent *recent, int32_t number)
{
	return number >= recent->floor && number < recent->horizon;
}

static void
quarter_add(struct recent *recent, int32_t number)
{
	if (!quarter_counts(recent, number))
		return;
	unsigned index = quarter_search(recent, number);
	if (index < recent->quarter_count && recent->quarters[index].number == number) {
		recent->quarters[index].count++;
		return;
	}
	if (recent->quarter_count == RECENT_QUARTERS) {
		if (index == RECENT_QUARTERS) {
			recent->horizon = number;
			return;
		}
		recent->horizon = recent->quarters[--recent->quarter_count].number;
	}
	if (recent->quarter_count == recent->quarter_capacity) {
		recent->quarter_capacity = (uint16_t)MAX(2 * recent->quarter_capacity, 4);
		recent->quarters = mem_array(
		    recent->quarters, recent->quarter_capacity, sizeof(recent->quarters[0]));
	}
	memmove(recent->quarters + index + 1, recent->quarters + index,
	    (recent->quarter_count - index) * sizeof(recent->quarters[0]));
	recent->quarters[index] = (struct quarter){.number = number, .count = 1};
	recent->quarter_count++;
}

static bool
quarter_remove(struct recent *recent, int32_t number)
{
	if (!quarter_counts(recent, number))
		return true;
	unsigned index = quarter_search(recent, number);
	if (index == recent->quarter_count || recent->quarters[index].number != number)
		return false;
	if (--recent->quarters[index].count > 0)
		return true;
	recent->quarter_count--;
	memmove(recent->quarters + index, recent->quarters + index + 1,
	    (recent->quarter_count - index) * sizeof(recent->quarters[0]));
	return true;
}

static void
time_add(struct recent *recent, int64_t wall_ms)
{
	unsigned index = recent->time_count;

	while (index > 0 && recent->times[index - 1] > wall_ms)
		index--;
	/* What was dropped may be newer than this one. */
	if (index == 0 && recent->times_dropped)
		return;
	if (recent->time_count == RECENT_TIMES) {
		recent->times_dropped = true;
		if (index == 0)
			return;
		index--;
		memmove(recent->times, recent->times + 1, index * sizeof(recent->times[0]));
		recent->times[index] = wall_ms;
		return;
	}
	if (recent->time_count == recent->time_capacity) {
		recent->time_capacity = (uint8_t)MAX(2 * recent->time_capacity, 4);
		recent->times = mem_array(
		    recent->times, recent->time_capacity, sizeof(recent->times[0]));
	}
	memmove(recent->times + index + 1, recent->times + index,
	    (recent->time_count - index) * sizeof(recent->times[0]));
	recent->times[index] = wall_ms;
	recent->time_count++;
}

static bool
time_remove(struct recent *recent, int64_t wall_ms)
{
	unsigned index = recent->time_count;

	while (index > 0 && recent->times[index - 1] > wall_ms)
		index--;
	if (index == 0 || recent->times[index - 1] != wall_ms)
		return index == 0 && recent->times_dropped;
	recent->time_count--;
	memmove(recent->times + index - 1, recent->times + index,
	    (recent->time_count - index + 1) * sizeof(recent->times[0]));
	return recent->time_count > 0 || !recent->times_dropped;
}

void
recent_add(struct recent *recent, int64_t wall_ms)
{
	quarter_add(recent, quarter_of(wall_ms));
	time_add(recent, wall_ms);
}

bool
recent_remove(struct recent *recent, int64_t wall_ms)
{
	bool quarter = quarter_remove(recent, quarter_of(wall_ms));
	bool time = time_remove(recent, wall_ms);

	return quarter && time;
}

bool
recent_set_now(struct recent *recent, int64_t now_ms)
{
	int64_t now = quarter_of(now_ms);
	int32_t floor = (int32_t)MAX(now - KEPT_QUARTERS, INT32_MIN + 1);

	if (floor < recent->floor && recent->floor - (int64_t)floor <= BACK_QUARTERS)
		floor = recent->floor;
	if (floor < recent->floor) {
		recent->floor = floor;
		return false;
	}
	recent->floor = floor;
	unsigned gone = quarter_search(recent, floor);
	recent->quarter_count = (uint16_t)(recent->quarter_count - gone);
	if (gone > 0)
		memmove(recent->quarters, recent->quarters + gone,
		    recent->quarter_count * sizeof(recent->quarters[0]));
	return recent->horizon > now + KEPT_QUARTERS;
}

int64_t
recent_newest(const struct recent *recent, int64_t none)
{
	return recent->time_count > 0 ? recent->times[recent->time_count - 1] : none;
}

uint64_t
recent_between(const struct recent *recent, int64_t since_ms, int64_t until_ms)
{
	int32_t until = quarter_of(until_ms);
	uint64_t count = 0;

	for (unsigned i = quarter_search(recent, quarter_of(since_ms));
	     i < recent->quarter_count && recent->quarters[i].number < until; i++)
		count += recent->quarters[i].count;
	return count;
}

size_t
recent_memory(const struct recent *recent)
{
	return recent->quarter_capacity * sizeof(recent->quarters[0]) +
	    recent->time_capacity * sizeof(recent->times[0]);
}

void
recent_encode(const struct recent *recent, struct encoder *e)
{
	encode_signed(e, recent->floor);
	encode_signed(e, recent->horizon);
	encode_varint(e, recent->quarter_count);
	for (unsigned i = 0; i < recent->quarter_count; i++) {
		encode_signed(e, recent->quarters[i].number);
		encode_varint(e, recent->quarters[i].count);
	}
	encode_byte(e, recent->times_dropped);
	encode_varint(e, recent->time_count);
	for (unsigned i = 0; i < recent->time_count; i++)
		encode_signed(e, recent->times[i]);
}

static int32_t
decode_number(struct decoder *d)
{
	int64_t number = decode_signed(d);

	if (number < INT32_MIN || number > INT32_MAX)
		d->failed = true;
	return (int32_t)number;
}

static void
decode_times(struct recent *recent, struct decoder *d)
{
	int64_t before = INT64_MIN;

	recent->times_dropped = decode_byte(d) != 0;
	unsigned count = (unsigned)decode_bounded(d, RECENT_TIMES);
	if (count == 0)
		return;
	recent->time_capacity = (uint8_t)count;
	recent->times = mem_array(NULL, count, sizeof(recent->times[0]));
	for (unsigned i = 0; i < count && !d->failed; i++) {
		recent->times[i] = decode_signed(d);
		if (recent->times[i] < before)
			d->failed = true;
		before = recent->times[i];
		recent->time_count++;
	}
}

void
recent_decode(struct recent *recent, struct decoder *d)
{
	int64_t before;

	recent->floor = decode_number(d);
	recent->horizon = decode_number(d);
	unsigned count = (unsigned)decode_bounded(d, RECENT_QUARTERS);
	if (count > 0) {
		recent->quarter_capacity = (uint16_t)count;
		recent->quarters = mem_array(NULL, count, sizeof(recent->quarters[0]));
	}
	before = (int64_t)recent->floor - 1;
	for (unsigned i = 0; i < count && !d->failed; i++) {
		struct quarter *quarter = &recent->quarters[recent->quarter_count++];

		quarter->number = decode_number(d);
		quarter->count = (uint32_t)decode_bounded(d, UINT32_MAX);
		if (quarter->number <= before || quarter->number >= recent->horizon ||
		    quarter->count == 0)
			d->failed = true;
		before = quarter->number;
	}
	decode_times(recent, d);
}
