/* SPDX-License-Identifier: MIT */
/* field_number: the aggregate of a field's numbers: exact mean, median, trend.
 *
 * The median is taken from a table of (value, count), exact while there are at most
 * NUMBER_MAX_VALUES distinct values. Beyond that the values are rounded to the buckets of a sketch
 * (sketch.h: relative error 1 %), and stay so until no more numbers than that are left:
 * then number_remove() asks for a rebuild. */
#ifndef ANALYTICSD_FIELD_NUMBER_H
#define ANALYTICSD_FIELD_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "analyticsd/codec.h"
#include "analyticsd/exact_sum.h"
#include "analyticsd/response.h"
#include "analyticsd/trend.h"
#include "lib/json_write.h"

#define NUMBER_MAX_VALUES 4096
/* Up to as many distinct values a distribution is written: a histogram, not a list. */
#define NUMBER_MAX_SHOWN 32
#define NO_DAY INT32_MIN

struct number_value {
	double value;
	uint64_t count;
};

/* values[0 .. value_count): strictly ascending, counts over 0, their sum is
 * `total`. All zero is an empty aggregate. */
struct number {
	struct number_value *values;
	uint32_t value_count, value_capacity;
	bool sketch;
	uint64_t total;
	struct exact_sum sum;
	struct trend trend;
};

void number_free(struct number *number);
/* `day`: of the trend; NO_DAY: in none. */
void number_add(struct number *number, const struct answer *answer, int32_t day);
/* False: what is left cannot be told from what is held; rebuild. */
MUST_CHECK bool number_remove(struct number *number, const struct answer *answer, int32_t day);

/* Of at least one number. */
double number_median(const struct number *number);
/* Members "average", "median", "medianExact", "distribution" and "trend" of the open object. NULL
 * is an empty one. */
void number_write(const struct number *number, struct json_writer *w);

size_t number_memory(const struct number *number);
void number_encode(const struct number *number, struct encoder *e);
void number_decode(struct number *number, struct decoder *d);

#endif
