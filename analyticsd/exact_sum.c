/* SPDX-License-Identifier: MIT */
#include "analyticsd/exact_sum.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "lib/base.h"
#include "lib/mem.h"

#define DIGIT_BITS 32
#define DIGIT_MASK INT64_C(0xffffffff)
#define MANTISSA_BITS 53
/* Bit 0 of digit 0 stands for 2^-UNIT_BIT: below the smallest double (2^-1074), and a whole
 * number of digits. */
#define UNIT_BIT 1088
#define UNIT_DIGIT (UNIT_BIT / DIGIT_BITS)
#define SMALLEST_BIT (UNIT_BIT - 1074)
#define WHOLE_LIMIT 9007199254740992.0 /* 2^53 */
/* The largest double ends in bit 1088 + 1024; then 64 bits of room for the number of values. */
#define DIGITS_MAX 70

/* The value is the sum of digit[i] * 2^(32 * (low + i) - UNIT_BIT).
 * 0 <= digit[i] < 2^32 but for the last, which bears the sign: -2^31 <= it < 2^31. */
struct exact_wide {
	uint8_t low, count, capacity;
	int64_t digit[];
};

void
exact_sum_free(struct exact_sum *sum)
{
	MEM_FREE(&sum->wide);
	sum->whole = 0;
}

static struct exact_wide *
wide_reserve(struct exact_wide *wide, unsigned count)
{
	unsigned capacity = (count + 3) & ~3u;

	if (wide != NULL && wide->capacity >= count)
		return wide;
	struct exact_wide *grown = mem_zalloc(sizeof(*grown) + capacity * sizeof(grown->digit[0]));
	if (wide != NULL)
		memcpy(grown, wide, sizeof(*wide) + wide->count * sizeof(wide->digit[0]));
	grown->capacity = (uint8_t)capacity;
	MEM_FREE(&wide);
	return grown;
}

/* Moves what the last digit holds beyond its range up, into a new last digit. */
static void
wide_push_top(struct exact_wide *wide)
{
	int64_t top = wide->digit[wide->count - 1];

	wide->digit[wide->count - 1] = top & DIGIT_MASK;
	wide->digit[wide->count++] = top >> DIGIT_BITS;
}

/* Makes digits `low` to `high` exist, and room for one more above. */
static struct exact_wide *
wide_cover(struct exact_wide *wide, unsigned low, unsigned high)
{
	if (wide == NULL) {
		wide = wide_reserve(NULL, high - low + 2);
		wide->low = (uint8_t)low;
		wide->count = (uint8_t)(high - low + 1);
		return wide;
	}
	unsigned first = MIN(low, wide->low);
	unsigned last = MAX(high, (unsigned)wide->low + wide->count - 1);
	wide = wide_reserve(wide, last - first + 2);
	if (low < wide->low) {
		unsigned shift = wide->low - low;

		memmove(wide->digit + shift, wide->digit, wide->count * sizeof(wide->digit[0]));
		memset(wide->digit, 0, shift * sizeof(wide->digit[0]));
		wide->low = (uint8_t)low;
		wide->count = (uint8_t)(wide->count + shift);
	}
	while ((unsigned)wide->low + wide->count - 1 < high)
		wide_push_top(wide);
	return wide;
}

static void
wide_carry(struct exact_wide *wide, unsigned from)
{
	for (unsigned i = from; i + 1 < wide->count; i++) {
		wide->digit[i + 1] += wide->digit[i] >> DIGIT_BITS;
		wide->digit[i] &= DIGIT_MASK;
	}
	int64_t top = wide->digit[wide->count - 1];
	if (top >= INT64_C(1) << 31 || top < -(INT64_C(1) << 31))
		wide_push_top(wide);
}

static bool
wide_is_zero(const struct exact_wide *wide)
{
	for (unsigned i = 0; i < wide->count; i++)
		if (wide->digit[i] != 0)
			return false;
	return true;
}

/* Adds sign * mantissa * 2^(bit - UNIT_BIT). */
static void
sum_add_bits(struct exact_sum *sum, int sign, uint64_t mantissa, unsigned bit)
{
	unsigned low = bit / DIGIT_BITS;
	unsigned __int128 bits = (unsigned __int128)mantissa << bit % DIGIT_BITS;

	sum->wide = wide_cover(sum->wide, low, low + 2);
	unsigned from = low - sum->wide->low;
	for (unsigned i = 0; i < 3; i++, bits >>= DIGIT_BITS)
		sum->wide->digit[from + i] += sign * (int64_t)((uint64_t)bits & DIGIT_MASK);
	wide_carry(sum->wide, from);
	if (wide_is_zero(sum->wide))
		MEM_FREE(&sum->wide);
}

static void
sum_add_fraction(struct exact_sum *sum, double value)
{
	int exponent;
	double fraction = frexp(fabs(value), &exponent);
	uint64_t mantissa = (uint64_t)ldexp(fraction, MANTISSA_BITS);
	int bit = exponent - MANTISSA_BITS + UNIT_BIT;

	/* Subnormal: the low bits are zero. */
	if (bit < 0) {
		mantissa >>= -bit;
		bit = 0;
	}
	sum_add_bits(sum, value < 0 ? -1 : 1, mantissa, (unsigned)bit);
}

static void
sum_spill(struct exact_sum *sum)
{
	int64_t whole = sum->whole;
	uint64_t size = whole < 0 ? -(uint64_t)whole : (uint64_t)whole;

	sum->whole = 0;
	if (size != 0)
		sum_add_bits(sum, whole < 0 ? -1 : 1, size, UNIT_BIT);
}

void
exact_sum_add_whole(struct exact_sum *sum, int64_t value)
{
	if (__builtin_add_overflow(sum->whole, value, &sum->whole)) {
		sum->whole = (int64_t)((uint64_t)sum->whole - (uint64_t)value);
		sum_spill(sum);
		sum->whole = value;
	}
}

void
exact_sum_subtract_whole(struct exact_sum *sum, int64_t value)
{
	if (value != INT64_MIN) {
		exact_sum_add_whole(sum, -value);
	} else {
		exact_sum_add_whole(sum, INT64_MAX);
		exact_sum_add_whole(sum, 1);
	}
}

void
exact_sum_add(struct exact_sum *sum, double value)
{
	if (fabs(value) <= WHOLE_LIMIT && trunc(value) == value)
		exact_sum_add_whole(sum, (int64_t)value);
	else
		sum_add_fraction(sum, value);
}

void
exact_sum_subtract(struct exact_sum *sum, double value)
{
	exact_sum_add(sum, -value);
}

static void
digits_carry(int64_t digit[static DIGITS_MAX])
{
	for (int i = 0; i + 1 < DIGITS_MAX; i++) {
		digit[i + 1] += digit[i] >> DIGIT_BITS;
		digit[i] &= DIGIT_MASK;
	}
}

/* The sum as sign and magnitude. True: negative. */
static bool
sum_digits(const struct exact_sum *sum, int64_t digit[static DIGITS_MAX])
{
	const struct exact_wide *wide = sum->wide;

	memset(digit, 0, DIGITS_MAX * sizeof(digit[0]));
	if (wide != NULL)
		memcpy(digit + wide->low, wide->digit, wide->count * sizeof(digit[0]));
	digit[UNIT_DIGIT] += sum->whole & DIGIT_MASK;
	digit[UNIT_DIGIT + 1] += sum->whole >> DIGIT_BITS;
	digits_carry(digit);
	if (digit[DIGITS_MAX - 1] >= 0)
		return false;
	for (int i = 0; i < DIGITS_MAX; i++)
		digit[i] = -digit[i];
	digits_carry(digit);
	return true;
}

/* The sum rounded to 53 bits: the result * 2^*exponent. */
static double
sum_round(const struct exact_sum *sum, int *exponent)
{
	int64_t digit[DIGITS_MAX];
	bool negative = sum_digits(sum, digit), sticky = false;
	int top = DIGITS_MAX - 1;

	while (top >= 0 && digit[top] == 0)
		top--;
	*exponent = 0;
	if (top < 0)
		return 0;
	unsigned __int128 window = 0;
	for (int i = top; i > top - 3; i--)
		window = window << DIGIT_BITS | (uint64_t)(i >= 0 ? digit[i] : 0);
	for (int i = top - 3; i >= 0 && !sticky; i--)
		sticky = digit[i] != 0;

	int window_bit = DIGIT_BITS * (top - 2);
	int high_bit = DIGIT_BITS * top + 31 - __builtin_clz((unsigned)digit[top]);
	int lowest_bit = MAX(high_bit - (MANTISSA_BITS - 1), SMALLEST_BIT);
	int shift = lowest_bit - window_bit;

	assert(shift >= 12); /* the window is that much wider than a mantissa */
	unsigned __int128 half = (unsigned __int128)1 << (shift - 1);
	unsigned __int128 rest = window & (2 * half - 1);
	uint64_t mantissa = (uint64_t)(window >> shift);

	if (rest > half || (rest == half && (sticky || mantissa & 1)))
		mantissa++;
	*exponent = lowest_bit - UNIT_BIT;
	return negative ? -(double)mantissa : (double)mantissa;
}

double
exact_sum_value(const struct exact_sum *sum)
{
	int exponent;
	double rounded = sum_round(sum, &exponent);

	return ldexp(rounded, exponent);
}

double
exact_sum_mean(const struct exact_sum *sum, uint64_t count)
{
	int exponent;
	double rounded = sum_round(sum, &exponent);
	double value = ldexp(rounded, exponent);

	if (isfinite(value))
		return value / (double)count;
	return ldexp(rounded / (double)count, exponent);
}

size_t
exact_sum_memory(const struct exact_sum *sum)
{
	if (sum->wide == NULL)
		return 0;
	return sizeof(*sum->wide) + sum->wide->capacity * sizeof(sum->wide->digit[0]);
}

void
exact_sum_encode(const struct exact_sum *sum, struct encoder *e)
{
	const struct exact_wide *wide = sum->wide;

	encode_signed(e, sum->whole);
	encode_varint(e, wide != NULL ? wide->count : 0);
	if (wide == NULL)
		return;
	encode_varint(e, wide->low);
	for (unsigned i = 0; i < wide->count; i++)
		encode_signed(e, wide->digit[i]);
}

void
exact_sum_decode(struct exact_sum *sum, struct decoder *d)
{
	sum->whole = decode_signed(d);
	unsigned count = (unsigned)decode_bounded(d, DIGITS_MAX - 1);
	if (count == 0)
		return;
	unsigned low = (unsigned)decode_bounded(d, DIGITS_MAX - 1 - count);
	struct exact_wide *wide = wide_reserve(NULL, count + 1);
	wide->low = (uint8_t)low;
	wide->count = (uint8_t)count;
	for (unsigned i = 0; i < count; i++) {
		int64_t digit = decode_signed(d);
		bool last = i + 1 == count;

		if (digit < (last ? -(INT64_C(1) << 31) : 0) ||
		    digit >= INT64_C(1) << (last ? 31 : 32)) {
			d->failed = true;
			digit = 0;
		}
		wide->digit[i] = digit;
	}
	sum->wide = wide;
}
