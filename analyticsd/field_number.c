/* SPDX-License-Identifier: MIT */
#include "analyticsd/field_number.h"

#include <math.h>
#include <string.h>

#include "analyticsd/sketch.h"
#include "lib/mem.h"
#include "lib/num.h"

void
number_free(struct number *number)
{
	MEM_FREE(&number->values);
	exact_sum_free(&number->sum);
	trend_free(&number->trend);
	*number = (struct number){0};
}

/* The index of the first value that is not below `value`. */
static uint32_t
values_search(const struct number *number, double value)
{
	uint32_t low = 0, high = number->value_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (number->values[middle].value < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
values_hold(const struct number *number, uint32_t index, double value)
{
	return index < number->value_count && number->values[index].value == value;
}

/* Rounds the values to their buckets; the order stays, neighbours fall together. */
static void
values_to_sketch(struct number *number)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < number->value_count; i++) {
		double point = sketch_round(number->values[i].value);

		if (kept > 0 && number->values[kept - 1].value == point) {
			number->values[kept - 1].count += number->values[i].count;
		} else {
			number->values[kept].value = point;
			number->values[kept++].count = number->values[i].count;
		}
	}
	number->value_count = kept;
	number->sketch = true;
}

static void
values_insert(struct number *number, uint32_t index, double value)
{
	if (number->value_count == number->value_capacity) {
		number->value_capacity = MAX(2 * number->value_capacity, 4);
		number->values = mem_array(
		    number->values, number->value_capacity, sizeof(number->values[0]));
	}
	memmove(number->values + index + 1, number->values + index,
	    (number->value_count - index) * sizeof(number->values[0]));
	/* + 0.0: of -0 and 0, which are one value, whichever came first is 0. */
	number->values[index] = (struct number_value){.value = value + 0.0, .count = 1};
	number->value_count++;
}

static void
values_add(struct number *number, double value)
{
	double point = number->sketch ? sketch_round(value) : value;
	uint32_t index = values_search(number, point);

	if (values_hold(number, index, point)) {
		number->values[index].count++;
	} else if (number->sketch || number->value_count < NUMBER_MAX_VALUES) {
		values_insert(number, index, point);
	} else {
		values_to_sketch(number);
		values_add(number, value);
	}
}

static bool
values_remove(struct number *number, double value)
{
	double point = number->sketch ? sketch_round(value) : value;
	uint32_t index = values_search(number, point);

	if (!values_hold(number, index, point))
		return false;
	if (--number->values[index].count > 0)
		return true;
	number->value_count--;
	memmove(number->values + index, number->values + index + 1,
	    (number->value_count - index) * sizeof(number->values[0]));
	return true;
}

void
number_add(struct number *number, const struct answer *answer, int32_t day)
{
	number->total++;
	sum_add_answer(&number->sum, answer);
	values_add(number, answer->number);
	if (day != NO_DAY)
		trend_add(&number->trend, day, answer);
}

bool
number_remove(struct number *number, const struct answer *answer, int32_t day)
{
	if (!values_remove(number, answer->number))
		return false;
	number->total--;
	sum_subtract_answer(&number->sum, answer);
	if (number->sketch && number->total <= NUMBER_MAX_VALUES)
		return false;
	return day == NO_DAY || trend_remove(&number->trend, day, answer);
}

/* The value of that rank, from 0 on. */
static double
values_rank(const struct number *number, uint64_t rank)
{
	uint32_t index = 0;

	for (; index + 1 < number->value_count; index++) {
		if (rank < number->values[index].count)
			break;
		rank -= number->values[index].count;
	}
	return number->values[index].value;
}

double
number_median(const struct number *number)
{
	double upper = values_rank(number, number->total / 2);

	if (number->total % 2 == 1)
		return upper;
	double lower = values_rank(number, number->total / 2 - 1);
	double sum = lower + upper;
	return isfinite(sum) ? sum / 2 : lower / 2 + upper / 2;
}

/* Rounded values are nobody's answers, so a sketch has no distribution. */
static void
write_distribution(const struct number *number, struct json_writer *w)
{
	char value[NUM_DOUBLE_SIZE];

	if (number->sketch || number->value_count > NUMBER_MAX_SHOWN)
		return;
	json_key(w, "distribution");
	json_object_begin(w);
	for (uint32_t i = 0; i < number->value_count; i++) {
		json_key_n(w, value, num_format_double(number->values[i].value, value));
		json_put_u64(w, number->values[i].count);
	}
	json_object_end(w);
}

void
number_write(const struct number *number, struct json_writer *w)
{
	static const struct trend no_trend;

	if (number != NULL && number->total > 0) {
		json_key(w, "average");
		json_put_double(w, exact_sum_mean(&number->sum, number->total));
		json_key(w, "median");
		json_put_double(w, number_median(number));
		if (number->sketch) {
			json_key(w, "medianExact");
			json_put_bool(w, false);
		}
		write_distribution(number, w);
	}
	json_key(w, "trend");
	trend_write(number != NULL ? &number->trend : &no_trend, w);
}

size_t
number_memory(const struct number *number)
{
	return sizeof(*number) + number->value_capacity * sizeof(number->values[0]) +
	    exact_sum_memory(&number->sum) + trend_memory(&number->trend);
}

void
number_encode(const struct number *number, struct encoder *e)
{
	encode_byte(e, number->sketch);
	encode_varint(e, number->value_count);
	for (uint32_t i = 0; i < number->value_count; i++) {
		encode_double(e, number->values[i].value);
		encode_varint(e, number->values[i].count);
	}
	exact_sum_encode(&number->sum, e);
	trend_encode(&number->trend, e);
}

#define VALUE_MIN_BYTES 9

void
number_decode(struct number *number, struct decoder *d)
{
	double before = -INFINITY;

	number->sketch = decode_byte(d) != 0;
	uint64_t max = number->sketch ? SKETCH_MAX_BUCKETS : NUMBER_MAX_VALUES;
	max = MIN(max, (uint64_t)(d->end - d->at) / VALUE_MIN_BYTES);
	uint32_t count = (uint32_t)decode_bounded(d, max);
	if (count > 0) {
		number->values = mem_array(NULL, count, sizeof(number->values[0]));
		number->value_capacity = count;
	}
	for (uint32_t i = 0; i < count && !d->failed; i++) {
		struct number_value *value = &number->values[number->value_count++];

		value->value = decode_double(d);
		value->count = decode_varint(d);
		if (!(value->value > before) || isinf(value->value) || value->count == 0 ||
		    __builtin_add_overflow(number->total, value->count, &number->total))
			d->failed = true;
		before = value->value;
	}
	exact_sum_decode(&number->sum, d);
	trend_decode(&number->trend, d);
}
