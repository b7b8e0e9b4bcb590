/* SPDX-License-Identifier: MIT */
#include "lib/clock.h"

#include <string.h>

#include "tests/unit/unit.h"

static int
parse(const char *text, int64_t *ms)
{
	return clock_parse_rfc3339(text, strlen(text), ms);
}

TEST(clock_parses_what_it_writes)
{
	int64_t ms = 0;
	CHECK_INT(parse("2026-03-01T09:30:00.123Z", &ms), 0);
	CHECK_INT(ms, 1772357400123);
	CHECK_INT(parse("1970-01-01T00:00:00.000Z", &ms), 0);
	CHECK_INT(ms, 0);
	CHECK_INT(parse("", &ms), -1);
	CHECK_INT(parse("2026-03-01T09:30:00Z", &ms), -1);
	CHECK_INT(parse("2026-03-01T09:30:00.123Zx", &ms), -1);
	CHECK_INT(parse("2026-03-01 09:30:00.123Z", &ms), -1);
}

TEST(clock_parsing_is_the_reverse_of_writing)
{
	static const int64_t times[] = {-62135596800000, -1, 0, 951782400001, 4102444799999};
	char text[CLOCK_RFC3339_SIZE];
	int64_t ms;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		clock_rfc3339(times[i], text);
		CHECK_INT(parse(text, &ms), 0);
		CHECK_INT(ms, times[i]);
	}
}
