/* SPDX-License-Identifier: MIT */
#include "ingestd/json_dates.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static void
check_rewrite(const char *file, int line, const char *text, const char *want)
{
	char got[256];

	snprintf(got, sizeof(got), "%s", text);
	CHECK(json_dates_rewrite(got, strlen(got)) == (strcmp(text, want) != 0));
	unit_check_string(file, line, got, want);
}

#define CHECK_REWRITE(text, want) check_rewrite(__FILE__, __LINE__, text, want)
#define CHECK_STAYS(text) CHECK_REWRITE(text, text)

TEST(json_dates_are_rewritten)
{
	CHECK_REWRITE("{\"a\":{\"$date\":\"2026-02-02T00:30:00.123+01:00\"},\"b\":1}",
	    "{\"a\":{\"$date\":\"2026-02-01T23:30:00.123Z\"     },\"b\":1}");
	CHECK_REWRITE("{\"$date\" : \"2024-02-28T23:30:00-05:45\"}",
	    "{\"$date\" : \"2024-02-29T05:15:00.000Z\" }");
	CHECK_REWRITE("{\"$date\":\"2026-02-02 00:00:00.98765+00:00\"}",
	    "{\"$date\":\"2026-02-02T00:00:00.987Z\"       }");
	CHECK_REWRITE("{\"$date\":\"1969-12-31T23:59:59.999999z\"}"
		      "{\"$date\":\"2026-02-02T00:00:00.5+00:00\"}",
	    "{\"$date\":\"1969-12-31T23:59:59.999Z\"   }"
	    "{\"$date\":\"2026-02-02T00:00:00.500Z\"   }");
}

TEST(json_dates_what_is_no_time_stays)
{
	CHECK_STAYS("{\"$date\":\"2026-02-02T00:00:00Z\"}"); /* too short, and libbson takes it */
	CHECK_STAYS("{\"$date\":1770000000000}");
	CHECK_STAYS("{\"$date\":{\"$numberLong\":\"1770000000000\"}}");
	CHECK_STAYS("{\"$date\":\"2026-02-02T00:00:00.123+1:000\"}");
	CHECK_STAYS("{\"$date\":\"2026-02-02T00:00:00.+01:00\"}");
	CHECK_STAYS("{\"$date\":\"2026-02-02T00:00:0x.123+01:00\"}");
	CHECK_STAYS("{\"$date\":\"2026-02-02T00:00:00.123+01:00");
	CHECK_STAYS("{\"a\":\"\\\"$date\\\":\\\"2026-02-02T00:00:00.123+01:00\\\"\"}");
	CHECK_STAYS("{\"$date\"");
	CHECK_STAYS("");
}
