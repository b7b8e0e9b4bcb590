/* SPDX-License-Identifier: MIT */
#include "lib/num.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TWO_TO_53 9007199254740992.0

static int
fail(int error)
{
	errno = error;
	return -1;
}

int
num_parse_u64(const char *text, size_t length, uint64_t *value)
{
	uint64_t sum = 0;
	bool overflow = false;
	if (length == 0)
		return fail(EINVAL);
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return fail(EINVAL);
		overflow |= __builtin_mul_overflow(sum, 10u, &sum);
		overflow |= __builtin_add_overflow(sum, (uint64_t)(text[i] - '0'), &sum);
	}
	if (overflow)
		return fail(ERANGE);
	*value = sum;
	return 0;
}

int
num_parse_i64(const char *text, size_t length, int64_t *value)
{
	bool negative = length > 0 && text[0] == '-';
	uint64_t magnitude;
	if (num_parse_u64(text + negative, length - negative, &magnitude) < 0)
		return -1;
	if (magnitude > (uint64_t)INT64_MAX + negative)
		return fail(ERANGE);
	*value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return 0;
}

size_t
num_format_double(double value, char out[static NUM_DOUBLE_SIZE])
{
	if (!isfinite(value)) {
		memcpy(out, "null", 5);
		return 4;
	}
	bool whole = fabs(value) < TWO_TO_53 && value == trunc(value);
	if (whole)
		return (size_t)snprintf(out, NUM_DOUBLE_SIZE, "%.0f", value);
	/* Every decimal of up to 15 digits survives the way through a normal double
	 * (DBL_DIG), so a shorter one than %.15g prints does not exist. */
	int digits = fpclassify(value) == FP_SUBNORMAL ? 1 : 15;
	int length = 0;
	for (; digits <= 17; digits++) {
		length = snprintf(out, NUM_DOUBLE_SIZE, "%.*g", digits, value);
		if (strtod(out, NULL) == value)
			break;
	}
	return (size_t)length;
}
