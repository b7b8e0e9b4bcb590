/* SPDX-License-Identifier: MIT */
#include "analyticsd/zone.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/mem.h"

#define DATABASE "/usr/share/zoneinfo"
#define QUARTER_S 900
#define HOUR_S 3600
#define DAY_S 86400
#define CACHE_SIZE 4096
/* 0000-01-01 and the last millisecond of 9999, UTC: what RFC 3339 can say. */
#define FIRST_MS (INT64_C(-62167219200) * 1000)
#define LAST_MS (INT64_C(253402300800) * 1000 - 1)

/* The offset from UTC in one quarter of an hour, where it is the same from end to end. */
struct zone_quarter {
	int64_t number;
	int32_t offset_s;
	bool even;
};

struct zone {
	char *name;
	struct zone_quarter cache[CACHE_SIZE];
};

static int64_t
floor_divide(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

/* Is it a compiled zone of tzdata (RFC 8536), and under its directory? */
static bool
zone_exists(const char *name)
{
	const char *directory = getenv("TZDIR");
	char magic[4];

	if (name[0] == '\0' || name[0] == '/' || strstr(name, "..") != NULL)
		return false;
	char *path = mem_printf("%s/%s", directory != NULL ? directory : DATABASE, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	MEM_FREE(&path);
	if (fd < 0)
		return false;
	ssize_t got = read(fd, magic, sizeof(magic));
	close(fd);
	return got == sizeof(magic) && memcmp(magic, "TZif", sizeof(magic)) == 0;
}

struct zone *
zone_open(const char *name)
{
	/* UTC needs no database. */
	bool utc = strcmp(name, "UTC") == 0;

	if (!utc && !zone_exists(name))
		return NULL;
	char *value = utc ? mem_strdup("UTC0") : mem_printf(":%s", name);
	int failed = setenv("TZ", value, 1);
	MEM_FREE(&value);
	if (failed)
		return NULL;
	tzset();
	struct zone *zone = mem_zalloc(sizeof(*zone));
	zone->name = mem_strdup(name);
	for (size_t i = 0; i < CACHE_SIZE; i++)
		zone->cache[i].number = INT64_MIN;
	return zone;
}

void
zone_close(struct zone **zone)
{
	if (*zone != NULL)
		MEM_FREE(&(*zone)->name);
	MEM_FREE(zone);
}

const char *
zone_name(const struct zone *zone)
{
	return zone->name;
}

static int32_t
offset_at(int64_t second)
{
	time_t time = second;
	struct tm local;

	/* Within the years 0 to 9999 it cannot fail. */
	if (localtime_r(&time, &local) == NULL)
		return 0;
	return (int32_t)local.tm_gmtoff;
}

/* Seconds east of UTC at that second. The cache is no part of what the zone is. */
static int32_t
zone_offset(const struct zone *zone, int64_t second)
{
	int64_t number = floor_divide(second, QUARTER_S);
	struct zone_quarter *quarter = &((struct zone *)zone)->cache[(uint64_t)number % CACHE_SIZE];

	if (quarter->number != number) {
		int32_t first = offset_at(number * QUARTER_S);
		int32_t last = offset_at(number * QUARTER_S + QUARTER_S - 1);

		*quarter = (struct zone_quarter){number, first, first == last};
	}
	return quarter->even ? quarter->offset_s : offset_at(second);
}

static int64_t
second_of(int64_t wall_ms)
{
	return floor_divide(MAX(FIRST_MS, MIN(wall_ms, LAST_MS)), 1000);
}

int32_t
zone_day(const struct zone *zone, int64_t wall_ms)
{
	int64_t second = second_of(wall_ms);

	return (int32_t)floor_divide(second + zone_offset(zone, second), DAY_S);
}

/* Do both quarters lie in one local day, or in one hour of it with one offset? */
static bool
zone_same(const struct zone *zone, int64_t a, int64_t b, int64_t unit)
{
	int32_t a_offset = zone_offset(zone, a), b_offset = zone_offset(zone, b);

	if (unit == HOUR_S && a_offset != b_offset)
		return false;
	return floor_divide(a + a_offset, unit) == floor_divide(b + b_offset, unit);
}

static int64_t
zone_start(const struct zone *zone, int64_t wall_ms, int64_t unit)
{
	int64_t quarter = floor_divide(second_of(wall_ms), QUARTER_S) * QUARTER_S;
	int64_t start = quarter;

	while (start - quarter > -2 * DAY_S && zone_same(zone, start - QUARTER_S, quarter, unit))
		start -= QUARTER_S;
	return start * 1000;
}

int64_t
zone_day_start(const struct zone *zone, int64_t wall_ms)
{
	return zone_start(zone, wall_ms, DAY_S);
}

int64_t
zone_hour_start(const struct zone *zone, int64_t wall_ms)
{
	return zone_start(zone, wall_ms, HOUR_S);
}

int64_t
zone_next_hour(const struct zone *zone, int64_t wall_ms)
{
	int64_t quarter = floor_divide(second_of(wall_ms), QUARTER_S) * QUARTER_S;
	int64_t next = quarter + QUARTER_S;

	while (zone_same(zone, next, quarter, HOUR_S))
		next += QUARTER_S;
	return next * 1000;
}

/* Days to a date (after Hinnant, "chrono-Compatible Low-Level Date Algorithms"):
 * years begin in March, eras have 400 years. */
void
zone_date_text(int32_t day, char out[static ZONE_DATE_SIZE])
{
	int64_t shifted = (int64_t)day + 719468; /* from 0000-03-01 */
	int64_t era = floor_divide(shifted, 146097);
	int64_t of_era = shifted - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;
	int64_t of_month = of_year - (153 * month + 2) / 5 + 1;

	month = month < 10 ? month + 3 : month - 9;
	year += era * 400 + (month <= 2);
	year = MAX(0, MIN(year, 9999));
	snprintf(out, ZONE_DATE_SIZE, "%04u-%02u-%02u", (unsigned)year % 10000,
	    (unsigned)month % 100, (unsigned)of_month % 100);
}
