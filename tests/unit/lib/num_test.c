/* SPDX-License-Identifier: MIT */
#include "lib/num.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_scan.h"
#include "tests/unit/unit.h"

static void
check_i64(const char *text, int error, int64_t want)
{
	int64_t got = 0;
	errno = 0;
	CHECK_INT(num_parse_i64(text, strlen(text), &got), error ? -1 : 0);
	CHECK_INT(errno, error);
	CHECK_INT(got, want);
}

TEST(num_parses_signed)
{
	check_i64("0", 0, 0);
	check_i64("-0", 0, 0);
	check_i64("007", 0, 7);
	check_i64("9223372036854775807", 0, INT64_MAX);
	check_i64("-9223372036854775808", 0, INT64_MIN);
	check_i64("9223372036854775808", ERANGE, 0);
	check_i64("-9223372036854775809", ERANGE, 0);
	check_i64("99999999999999999999999", ERANGE, 0);
	check_i64("", EINVAL, 0);
	check_i64("-", EINVAL, 0);
	check_i64("+1", EINVAL, 0);
	check_i64(" 1", EINVAL, 0);
	check_i64("1 ", EINVAL, 0);
	check_i64("1.0", EINVAL, 0);
	check_i64("0x1", EINVAL, 0);
	check_i64("--1", EINVAL, 0);
}

TEST(num_parses_unsigned)
{
	uint64_t got;
	CHECK_INT(num_parse_u64("18446744073709551615", 20, &got), 0);
	CHECK(got == UINT64_MAX);
	CHECK_INT(num_parse_u64("18446744073709551616", 20, &got), -1);
	CHECK_INT(errno, ERANGE);
	CHECK_INT(num_parse_u64("-1", 2, &got), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(num_parse_u64("12345", 3, &got), 0);
	CHECK_INT(got, 123);
}

static void
check_double(double value, const char *want)
{
	char text[NUM_DOUBLE_SIZE];
	CHECK_INT(num_format_double(value, text), strlen(want));
	CHECK_STRING(text, want);
}

TEST(num_formats_shortest)
{
	check_double(0, "0");
	check_double(0.1, "0.1");
	check_double(1.0 / 3, "0.3333333333333333");
	check_double(2.0 / 3, "0.6666666666666666");
	check_double(0.1 + 0.2, "0.30000000000000004");
	check_double(156, "156");
	check_double(-3, "-3");
	check_double(4.5, "4.5");
	check_double(123456789012345680.0, "1.2345678901234568e+17");
	check_double(9007199254740991.0, "9007199254740991");
	check_double(1e300, "1e+300");
	check_double(1e-7, "1e-07");
	check_double(5e-324, "5e-324");
	check_double(DBL_MAX, "1.7976931348623157e+308");
	check_double(NAN, "null");
	check_double(INFINITY, "null");
	check_double(-INFINITY, "null");
}

TEST(num_format_reads_back_and_is_json)
{
	uint64_t state = 42;
	for (int i = 0; i < 200000; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		uint64_t bits = state ^ state >> 29;
		double value;
		memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value))
			continue;
		char text[NUM_DOUBLE_SIZE];
		size_t length = num_format_double(value, text);
		CHECK(length < NUM_DOUBLE_SIZE && text[length] == '\0');
		CHECK(strtod(text, NULL) == value);
		CHECK_INT(json_scan_value(text, length, NULL), 0);
	}
}
