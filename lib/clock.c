/* SPDX-License-Identifier: MIT */
#include "lib/clock.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base.h"
#include "lib/num.h"

#define NS_PER_S 1000000000u
#define MIN_WALL_MS INT64_C(-62167219200000) /* 0000-01-01T00:00:00.000Z */
#define MAX_WALL_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static int64_t wall_fixed = -1;

uint64_t
clock_monotonic_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t
clock_monotonic_ms(void)
{
	return clock_monotonic_ns() / 1000000;
}

static int64_t
wall_offset(void)
{
	static bool known;
	static int64_t offset;
	if (!known) {
		const char *text = getenv("DUNE_TEST_WALL_OFFSET_MS");
		if (text == NULL || num_parse_i64(text, strlen(text), &offset) < 0)
			offset = 0;
		known = true;
	}
	return offset;
}

int64_t
clock_wall_ms(void)
{
	if (wall_fixed >= 0)
		return wall_fixed;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + wall_offset();
}

void
clock_set_wall(int64_t ms)
{
	wall_fixed = ms;
}

static char *
put_digits(char *out, int value, int digits)
{
	for (int i = digits - 1; i >= 0; i--) {
		out[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return out + digits;
}

void
clock_rfc3339(int64_t wall_ms, char out[static CLOCK_RFC3339_SIZE])
{
	int64_t ms = MIN(MAX(wall_ms, MIN_WALL_MS), MAX_WALL_MS);
	int64_t part = ms % 1000;
	if (part < 0)
		part += 1000;
	time_t seconds = (time_t)((ms - part) / 1000);
	struct tm tm;
	gmtime_r(&seconds, &tm);

	char *at = put_digits(out, tm.tm_year + 1900, 4);
	*at++ = '-';
	at = put_digits(at, tm.tm_mon + 1, 2);
	*at++ = '-';
	at = put_digits(at, tm.tm_mday, 2);
	*at++ = 'T';
	at = put_digits(at, tm.tm_hour, 2);
	*at++ = ':';
	at = put_digits(at, tm.tm_min, 2);
	*at++ = ':';
	at = put_digits(at, tm.tm_sec, 2);
	*at++ = '.';
	at = put_digits(at, (int)part, 3);
	*at++ = 'Z';
	*at = '\0';
}

static int
get_digits(const char *text, int digits)
{
	int value = 0;
	for (int i = 0; i < digits; i++)
		value = 10 * value + (text[i] - '0');
	return value;
}

int
clock_parse_rfc3339(const char *text, size_t length, int64_t *wall_ms)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	if (length != sizeof(shape) - 1)
		return -1;
	for (size_t i = 0; i < length; i++) {
		bool digit = text[i] >= '0' && text[i] <= '9';
		if (shape[i] == 'd' ? !digit : text[i] != shape[i])
			return -1;
	}
	struct tm tm = {
	    .tm_year = get_digits(text, 4) - 1900,
	    .tm_mon = get_digits(text + 5, 2) - 1,
	    .tm_mday = get_digits(text + 8, 2),
	    .tm_hour = get_digits(text + 11, 2),
	    .tm_min = get_digits(text + 14, 2),
	    .tm_sec = get_digits(text + 17, 2),
	};
	*wall_ms = (int64_t)timegm(&tm) * 1000 + get_digits(text + 20, 3);
	return 0;
}
