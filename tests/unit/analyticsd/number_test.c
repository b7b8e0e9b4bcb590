/* SPDX-License-Identifier: MIT */
#include "analyticsd/field_number.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyticsd/sketch.h"
#include "lib/mem.h"
#include "tests/unit/analyticsd/support.h"
#include "tests/unit/unit.h"

static struct answer
answer_of(double value)
{
	return (struct answer){.kind = VALUE_NUMBER, .number = value};
}

static void
put(struct number *number, double value, int32_t day)
{
	struct answer answer = answer_of(value);

	number_add(number, &answer, day);
}

static bool
drop(struct number *number, double value, int32_t day)
{
	struct answer answer = answer_of(value);

	return number_remove(number, &answer, day);
}

TEST(sketch_error_is_bounded)
{
	struct dice dice = dice_new();

	CHECK(sketch_round(0) == 0);
	for (int i = 0; i < 500000; i++) {
		uint64_t bits = dice_next(&dice);
		double value;

		memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value))
			continue;
		double point = sketch_round(value);
		CHECK(isfinite(point));
		CHECK(fabs(point - value) <= SKETCH_ERROR * 1.000001 * fabs(value));
		CHECK(signbit(point) == signbit(value));
		/* Order is kept. */
		CHECK(sketch_round(nextafter(value, INFINITY)) >= point || value == DBL_MAX);
	}
	CHECK(fabs(sketch_round(DBL_MAX) - DBL_MAX) <= SKETCH_ERROR * DBL_MAX);
	CHECK(sketch_round(5e-324) == 5e-324);
}

TEST(number_median)
{
	struct number n = {0};

	put(&n, 3, NO_DAY);
	CHECK(number_median(&n) == 3);
	put(&n, 1, NO_DAY);
	CHECK(number_median(&n) == 2);
	put(&n, 1, NO_DAY);
	CHECK(number_median(&n) == 1);
	put(&n, -0.5, NO_DAY);
	CHECK(number_median(&n) == 1);
	CHECK(drop(&n, 3, NO_DAY) && drop(&n, 1, NO_DAY));
	CHECK(number_median(&n) == 0.25);
	CHECK(!drop(&n, 77, NO_DAY));
	number_free(&n);
	put(&n, DBL_MAX, NO_DAY);
	put(&n, DBL_MAX, NO_DAY);
	CHECK(number_median(&n) == DBL_MAX);
	number_free(&n);
}

TEST(number_median_is_exact_up_to_4096_values)
{
	struct number n = {0};

	for (int round = 0; round < 3; round++)
		for (int i = 0; i < NUMBER_MAX_VALUES; i++)
			put(&n, (i * 2654435761u % 4096) / 8.0, NO_DAY);
	CHECK(!n.sketch);
	CHECK(number_median(&n) == (2047 + 2048) / 16.0);
	put(&n, -1, NO_DAY);
	CHECK(n.sketch);
	CHECK(fabs(number_median(&n) - 2047 / 8.0) <= SKETCH_ERROR * 256);
	/* Once no more than 4,096 are left it wants to be exact again. */
	uint64_t left = n.total;
	for (int i = 0; left > NUMBER_MAX_VALUES; i++, left--) {
		bool exact = drop(&n, i % 4096 / 8.0, NO_DAY);
		CHECK(exact == (left - 1 > NUMBER_MAX_VALUES));
	}
	number_free(&n);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

TEST(number_sketch_against_all_values)
{
	struct dice dice = dice_new();
	double *values = mem_array(NULL, 60000, sizeof(double));

	for (int round = 0; round < 12; round++) {
		struct number n = {0};
		size_t count = 20000 + dice_roll(&dice, 40000);

		for (size_t i = 0; i < count; i++) {
			double u = (double)(dice_next(&dice) >> 11) * 0x1p-53;

			values[i] = round % 4 == 0 ? u * 1000 + 1
			    : round % 4 == 1       ? exp(u * 40 - 20)
			    : round % 4 == 2       ? -exp(u * 5)
						   : u * 200 - 20;
			put(&n, values[i], NO_DAY);
		}
		CHECK(n.sketch);
		/* Some go again. */
		for (unsigned i = dice_roll(&dice, 10000); i > 0; i--) {
			size_t gone = dice_roll(&dice, (unsigned)count);

			CHECK(drop(&n, values[gone], NO_DAY));
			values[gone] = values[--count];
		}
		qsort(values, count, sizeof(double), compare);
		double low = values[(count - 1) / 2], high = values[count / 2];
		double got = number_median(&n);
		double want = (low + high) / 2;
		CHECK(fabs(got - want) <= SKETCH_ERROR * 1.0001 * (fabs(low) + fabs(high)) / 2);
		number_free(&n);
	}
	MEM_FREE(&values);
}

/* What it writes; to be freed. */
static char *
written(const struct number *n)
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, 1 << 20);
	json_write_begin(&w, &out);
	json_object_begin(&w);
	number_write(n, &w);
	json_object_end(&w);
	CHECK(json_write_end(&w) == 0 && buf_append(&out, "", 1) == 0);
	char *text = mem_strdup((const char *)buf_bytes(&out));
	buf_free(&out);
	return text;
}

static void
check_written(const struct number *n, const char *want)
{
	char *text = written(n);

	CHECK_STRING(text, want);
	MEM_FREE(&text);
}

static bool
shows_distribution(const struct number *n)
{
	char *text = written(n);
	bool shown = strstr(text, "\"distribution\"") != NULL;

	MEM_FREE(&text);
	return shown;
}

TEST(number_distribution)
{
	struct number n = {0};

	check_written(&n, "{\"trend\":[]}");
	put(&n, 5, NO_DAY);
	put(&n, 1e300, NO_DAY);
	put(&n, -0.0, NO_DAY);
	put(&n, 0.25, NO_DAY);
	put(&n, -2, NO_DAY);
	put(&n, 0, NO_DAY);
	put(&n, 5, NO_DAY);
	CHECK(drop(&n, 1e300, NO_DAY));
	check_written(&n,
	    "{\"average\":1.375,\"median\":0.125,"
	    "\"distribution\":{\"-2\":1,\"0\":2,\"0.25\":1,\"5\":2},\"trend\":[]}");
	number_free(&n);
	for (int i = 0; i < NUMBER_MAX_SHOWN; i++)
		put(&n, i, NO_DAY);
	CHECK(shows_distribution(&n));
	put(&n, 0.5, NO_DAY);
	CHECK(!shows_distribution(&n));
	CHECK(drop(&n, 7, NO_DAY));
	CHECK(shows_distribution(&n));
	/* The few buckets of a sketch are not what anybody answered. */
	for (int i = 0; i < NUMBER_MAX_VALUES; i++)
		put(&n, 1000 + i / 1000.0, NO_DAY);
	CHECK(n.sketch);
	for (int i = 0; i < NUMBER_MAX_SHOWN; i++)
		if (i != 7)
			CHECK(drop(&n, i, NO_DAY) || n.total <= NUMBER_MAX_VALUES);
	CHECK(n.value_count <= NUMBER_MAX_SHOWN);
	CHECK(!shows_distribution(&n));
	number_free(&n);
}

TEST(trend_keeps_and_drops_days)
{
	struct number n = {0};

	/* 100 days, the newest first: the last ten do not fit. */
	for (int day = 99; day >= 0; day--)
		put(&n, day, day);
	CHECK_INT(n.trend.count, TREND_KEPT);
	CHECK(n.trend.dropped);
	CHECK_INT(n.trend.horizon, 9);
	put(&n, 1, 5);
	CHECK(drop(&n, 1, 5));
	/* 60 of the newest may go; 29 days are not enough to tell the 30 newest. */
	for (int day = 99; day > 39; day--)
		CHECK(drop(&n, day, day));
	CHECK_INT(n.trend.count, TREND_SHOWN);
	CHECK(!drop(&n, 39, 39));
	number_free(&n);
	for (int day = 0; day < 100; day++)
		put(&n, day, day);
	CHECK_INT(n.trend.horizon, 9);
	CHECK_INT(n.trend.days[0].day, 10);
	put(&n, 7, 10);
	CHECK_INT(n.trend.days[0].count, 2);
	number_free(&n);
	/* Nothing dropped: fewer days are no matter. */
	put(&n, 1, 1);
	CHECK(drop(&n, 1, 1));
	CHECK(!drop(&n, 1, 1));
	number_free(&n);
}
