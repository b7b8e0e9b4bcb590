/* SPDX-License-Identifier: MIT */
#include "analyticsd/exact_sum.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "tests/unit/analyticsd/support.h"
#include "tests/unit/unit.h"

static bool
same_double(double a, double b)
{
	return a == b && signbit(a) == signbit(b);
}

#define CHECK_DOUBLE(got, want)                                                                  \
	do {                                                                                     \
		double got_ = (got), want_ = (want);                                             \
		if (!same_double(got_, want_))                                                   \
			unit_fail(__FILE__, __LINE__, "%s is %.17g (%a), not %.17g", #got, got_, \
			    got_, want_);                                                        \
	} while (0)

static double
sum_of(const double *values, size_t count)
{
	struct exact_sum sum = {0};

	for (size_t i = 0; i < count; i++)
		exact_sum_add(&sum, values[i]);
	double result = exact_sum_value(&sum);
	exact_sum_free(&sum);
	return result;
}

#define SUM(...) \
	sum_of(  \
	    (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

TEST(exact_sum_known_hard_cases)
{
	CHECK_DOUBLE(SUM(1e16, 1, -1e16), 1);
	CHECK_DOUBLE(SUM(1, 1e100, 1, -1e100), 2);
	CHECK_DOUBLE(SUM(1e308, 1e308, -1e308), 1e308);
	CHECK_DOUBLE(SUM(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1), 1.0);
	CHECK_DOUBLE(SUM(0.1, 0.2, 0.3), 0.6);
	CHECK_DOUBLE(SUM(5e-324, 5e-324), 1e-323);
	CHECK_DOUBLE(SUM(DBL_MAX, 5e-324), DBL_MAX);
	CHECK_DOUBLE(SUM(-DBL_MAX, 5e-324, DBL_MAX), 5e-324);
	CHECK_DOUBLE(SUM(0.5, -0.5), 0);
	CHECK_DOUBLE(SUM(-2.5, 1), -1.5);
	/* From CPython's test_math: 2^53 and halves of its last place. */
	CHECK_DOUBLE(SUM(9007199254740992.0, -0.5, -0x1p-54), 9007199254740991.0);
	CHECK_DOUBLE(SUM(9007199254740992.0, 1.0, 0x1p-100), 9007199254740994.0);
	CHECK_DOUBLE(SUM(9007199254740992.0 + 10, 1.0, 0x1p-100), 9007199254741004.0);
	CHECK_DOUBLE(SUM(9007199254740992.0 - 4, 0.5, 0x1p-54), 9007199254740989.0);
	CHECK_DOUBLE(SUM(0x1p-1074, -0x1p-1022), -0x1.ffffffffffffep-1023);
	CHECK(isinf(SUM(DBL_MAX, DBL_MAX)));
	CHECK(isinf(SUM(-DBL_MAX, -DBL_MAX)));
}

TEST(exact_sum_mean_beyond_the_range)
{
	struct exact_sum sum = {0};

	for (int i = 0; i < 4; i++)
		exact_sum_add(&sum, DBL_MAX);
	CHECK_DOUBLE(exact_sum_mean(&sum, 4), DBL_MAX);
	for (int i = 0; i < 4; i++)
		exact_sum_subtract(&sum, DBL_MAX);
	CHECK(sum.wide == NULL && sum.whole == 0);
	exact_sum_free(&sum);
}

TEST(exact_sum_integers)
{
	struct exact_sum sum = {0};

	exact_sum_add_whole(&sum, INT64_MAX);
	exact_sum_add_whole(&sum, INT64_MAX);
	exact_sum_add_whole(&sum, 3);
	CHECK_DOUBLE(exact_sum_value(&sum), 18446744073709551617.0);
	exact_sum_subtract_whole(&sum, INT64_MAX);
	exact_sum_subtract_whole(&sum, INT64_MAX);
	CHECK_DOUBLE(exact_sum_value(&sum), 3);
	exact_sum_subtract_whole(&sum, INT64_MIN);
	exact_sum_add_whole(&sum, INT64_MIN);
	exact_sum_add_whole(&sum, INT64_MIN);
	exact_sum_subtract_whole(&sum, 3);
	CHECK_DOUBLE(exact_sum_value(&sum), -0x1p63);
	exact_sum_add(&sum, 0x1p63);
	CHECK_DOUBLE(exact_sum_value(&sum), 0);
	exact_sum_free(&sum);
}

/* math.fsum's own algorithm (Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997),
 * without its last rounding step: the sign of want - (what the partials hold) is told exactly
 * instead. */
static double
shewchuk(const double *values, size_t count)
{
	double partials[80];
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		double x = values[i];
		size_t kept = 0;

		for (size_t j = 0; j < used; j++) {
			double y = partials[j];

			if (fabs(x) < fabs(y)) {
				double t = x;
				x = y;
				y = t;
			}
			volatile double high = x + y;
			volatile double rest = high - x;
			double low = y - rest;
			if (low != 0)
				partials[kept++] = low;
			x = high;
		}
		used = kept;
		partials[used++] = x;
	}
	/* Largest first; half-way cases look at the sign of the next partial, as fsum does. */
	double high = 0, low = 0;
	while (used > 0) {
		double x = high, y = partials[--used];

		high = x + y;
		low = y - (high - x);
		if (low != 0)
			break;
	}
	if (used > 0 &&
	    ((low < 0 && partials[used - 1] < 0) || (low > 0 && partials[used - 1] > 0))) {
		double y = low * 2, x = high + y;

		if (y == x - high)
			high = x;
	}
	return high;
}

static double
random_double(struct dice *dice)
{
	switch (dice_roll(dice, 6)) {
	case 0:
		return (double)dice_roll(dice, 5) + 1;
	case 1:
		return (double)dice_roll(dice, 1000) / 10;
	case 2:
		return ldexp(
		    (double)(int64_t)dice_next(dice), (int)dice_roll(dice, 1900) - 1070 - 63);
	case 3:
		return -(double)dice_roll(dice, 100) / 3;
	case 4:
		return ldexp((double)(int64_t)dice_next(dice), (int)dice_roll(dice, 64) - 100);
	default:
		return (double)(int64_t)dice_next(dice);
	}
}

#define MANY 200

TEST(exact_sum_is_fsum_whatever_the_order)
{
	struct dice dice = dice_new();
	double values[MANY], left[MANY];

	for (int round = 0; round < 3000; round++) {
		size_t count = 1 + dice_roll(&dice, MANY), kept = 0;
		struct exact_sum sum = {0}, other = {0};

		for (size_t i = 0; i < count; i++) {
			values[i] = random_double(&dice);
			if (i > 0 && dice_roll(&dice, 4) == 0)
				values[i] = -values[dice_roll(&dice, (unsigned)i)];
			exact_sum_add(&sum, values[i]);
		}
		CHECK_DOUBLE(exact_sum_value(&sum), shewchuk(values, count) + 0.0);
		for (size_t i = 0; i < count; i++) {
			if (dice_roll(&dice, 2) == 0)
				exact_sum_subtract(&sum, values[i]);
			else
				left[kept++] = values[i];
		}
		for (size_t i = kept; i-- > 0;)
			exact_sum_add(&other, left[i]);
		double want = kept > 0 ? shewchuk(left, kept) + 0.0 : 0;
		CHECK_DOUBLE(exact_sum_value(&sum), want);
		CHECK_DOUBLE(exact_sum_value(&other), want);
		CHECK_DOUBLE(exact_sum_mean(&sum, 7), want / 7);
		for (size_t i = 0; i < kept; i++)
			exact_sum_subtract(&sum, left[i]);
		CHECK_DOUBLE(exact_sum_value(&sum), 0);
		exact_sum_free(&sum);
		exact_sum_free(&other);
	}
}

TEST(exact_sum_encodes)
{
	struct dice dice = dice_new();

	for (int round = 0; round < 500; round++) {
		struct exact_sum sum = {0}, back = {0};
		struct buf buf;

		for (unsigned i = dice_roll(&dice, 20); i > 0; i--)
			exact_sum_add(&sum, random_double(&dice));
		buf_init(&buf, 4096);
		struct encoder e = {.buf = &buf};
		exact_sum_encode(&sum, &e);
		CHECK(!e.failed);
		struct decoder d = {buf_bytes(&buf), buf_bytes(&buf) + buf_length(&buf), false};
		exact_sum_decode(&back, &d);
		CHECK(!d.failed && d.at == d.end);
		CHECK_DOUBLE(exact_sum_value(&back), exact_sum_value(&sum));
		double more = random_double(&dice);
		exact_sum_add(&back, more);
		exact_sum_add(&sum, more);
		CHECK_DOUBLE(exact_sum_value(&back), exact_sum_value(&sum));
		exact_sum_free(&sum);
		exact_sum_free(&back);
		buf_free(&buf);
	}
}
