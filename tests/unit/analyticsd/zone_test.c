/* SPDX-License-Identifier: MIT */
#include "analyticsd/zone.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/unit/analyticsd/support.h"
#include "tests/unit/unit.h"

#define HOUR_MS INT64_C(3600000)
#define MINUTE_MS INT64_C(60000)

/* Milliseconds of a moment in UTC, "2026-03-29 01:00:00". */
static int64_t
utc(const char *text)
{
	struct tm tm = {0};

	CHECK(strptime(text, "%Y-%m-%d %H:%M:%S", &tm) != NULL);
	return (int64_t)timegm(&tm) * 1000;
}

static void
check_date(const struct zone *zone, const char *moment, const char *want)
{
	char date[ZONE_DATE_SIZE];

	zone_date_text(zone_day(zone, utc(moment)), date);
	CHECK_STRING(date, want);
}

TEST(zone_names)
{
	struct zone *zone;

	CHECK(zone_open("Europe/Nowhere") == NULL);
	CHECK(zone_open("") == NULL);
	CHECK(zone_open("../../etc/passwd") == NULL);
	CHECK(zone_open("/usr/share/zoneinfo/UTC") == NULL);
	CHECK(zone_open("Europe") == NULL);
	CHECK(zone_open("tzdata.zi") == NULL);
	zone = zone_open("Europe/Berlin");
	CHECK(zone != NULL);
	CHECK_STRING(zone_name(zone), "Europe/Berlin");
	zone_close(&zone);
	CHECK(zone == NULL);
	zone_close(&zone);
}

TEST(zone_berlin_days_of_23_and_25_hours)
{
	struct zone *zone = zone_open("Europe/Berlin");
	int64_t start = zone_day_start(zone, utc("2026-03-29 12:00:00"));

	CHECK_INT(start, utc("2026-03-28 23:00:00"));
	CHECK_INT(zone_day_start(zone, start), start);
	CHECK_INT(zone_day_start(zone, start - 1), utc("2026-03-27 23:00:00"));
	CHECK_INT(zone_day_start(zone, start + 23 * HOUR_MS) - start, 23 * HOUR_MS);
	CHECK_INT(zone_day_start(zone, start + 23 * HOUR_MS - 1), start);
	start = zone_day_start(zone, utc("2026-10-25 12:00:00"));
	CHECK_INT(start, utc("2026-10-24 22:00:00"));
	CHECK_INT(zone_day_start(zone, start + 25 * HOUR_MS - 1), start);
	CHECK_INT(zone_day_start(zone, start + 25 * HOUR_MS), start + 25 * HOUR_MS);
	check_date(zone, "2026-10-24 21:59:59", "2026-10-24");
	check_date(zone, "2026-10-24 22:00:00", "2026-10-25");
	check_date(zone, "2026-10-25 22:59:59", "2026-10-25");
	check_date(zone, "2026-10-25 23:00:00", "2026-10-26");
	zone_close(&zone);
}

TEST(zone_berlin_hours)
{
	struct zone *zone = zone_open("Europe/Berlin");
	/* 02:xx twice, once with summer time and once without. */
	int64_t twice = utc("2026-10-25 00:00:00");

	CHECK_INT(zone_hour_start(zone, twice + 59 * MINUTE_MS), twice);
	CHECK_INT(zone_next_hour(zone, twice + 59 * MINUTE_MS), twice + HOUR_MS);
	CHECK_INT(zone_hour_start(zone, twice + 61 * MINUTE_MS), twice + HOUR_MS);
	CHECK_INT(zone_next_hour(zone, twice + 61 * MINUTE_MS), twice + 2 * HOUR_MS);
	zone_close(&zone);
}

TEST(zone_kathmandu)
{
	struct zone *zone = zone_open("Asia/Kathmandu");

	CHECK_INT(zone_day_start(zone, utc("2026-05-05 12:00:00")), utc("2026-05-04 18:15:00"));
	CHECK_INT(zone_hour_start(zone, utc("2026-05-05 12:00:00")), utc("2026-05-05 11:15:00"));
	CHECK_INT(zone_next_hour(zone, utc("2026-05-05 12:00:00")), utc("2026-05-05 12:15:00"));
	CHECK_INT(zone_hour_start(zone, utc("2026-05-05 12:15:00")), utc("2026-05-05 12:15:00"));
	check_date(zone, "2026-05-04 18:14:59", "2026-05-04");
	check_date(zone, "2026-05-04 18:15:00", "2026-05-05");
	zone_close(&zone);
}

/* Half an hour of summer time: back on 2026-04-05 at 02:00 to 01:30 (15:00 UTC the day before),
 * forward on 2026-10-04 at 02:00 to 02:30 (15:30 UTC the day before). */
TEST(zone_lord_howe)
{
	struct zone *zone = zone_open("Australia/Lord_Howe");
	int64_t back = utc("2026-04-04 15:00:00"), forward = utc("2026-10-03 15:30:00");

	CHECK_INT(zone_day_start(zone, back), utc("2026-04-04 13:00:00"));
	CHECK_INT(zone_day_start(zone, utc("2026-04-05 13:29:59")), utc("2026-04-04 13:00:00"));
	CHECK_INT(zone_day_start(zone, utc("2026-04-05 13:30:00")), utc("2026-04-05 13:30:00"));
	CHECK_INT(zone_hour_start(zone, back - 1), back - HOUR_MS);
	CHECK_INT(zone_hour_start(zone, back + MINUTE_MS), back);
	CHECK_INT(zone_next_hour(zone, back), back + HOUR_MS / 2);
	CHECK_INT(zone_hour_start(zone, forward + MINUTE_MS), forward);
	CHECK_INT(zone_next_hour(zone, forward), forward + HOUR_MS / 2);
	CHECK_INT(zone_next_hour(zone, forward - 1), forward);
	zone_close(&zone);
}

/* 2018-11-04 in Brazil had no midnight: it began at 01:00. Samoa had no 2011-12-30. */
TEST(zone_days_without_a_midnight)
{
	struct zone *zone = zone_open("America/Sao_Paulo");

	CHECK_INT(zone_day_start(zone, utc("2018-11-04 12:00:00")), utc("2018-11-04 03:00:00"));
	check_date(zone, "2018-11-04 02:59:59", "2018-11-03");
	check_date(zone, "2018-11-04 03:00:00", "2018-11-04");
	zone_close(&zone);
	zone = zone_open("Pacific/Apia");
	check_date(zone, "2011-12-30 09:59:59", "2011-12-29");
	check_date(zone, "2011-12-30 10:00:00", "2011-12-31");
	CHECK_INT(zone_day_start(zone, utc("2011-12-30 12:00:00")), utc("2011-12-30 10:00:00"));
	zone_close(&zone);
}

TEST(zone_days_are_those_of_localtime)
{
	static const char *const names[] = {"UTC", "Europe/Berlin", "Africa/Monrovia",
	    "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham"};
	struct dice dice = dice_new();

	for (size_t z = 0; z < sizeof(names) / sizeof(names[0]); z++) {
		struct zone *zone = zone_open(names[z]);

		CHECK(zone != NULL);
		for (int i = 0; i < 20000; i++) {
			int64_t ms = (int64_t)(dice_next(&dice) % 8000000000000) - 4000000000000;
			time_t second = (time_t)((ms - (ms % 1000 + 1000) % 1000) / 1000);
			char got[ZONE_DATE_SIZE], want[16];
			struct tm tm;

			localtime_r(&second, &tm);
			strftime(want, sizeof(want), "%Y-%m-%d", &tm);
			zone_date_text(zone_day(zone, ms), got);
			CHECK_STRING(got, want);
		}
		zone_close(&zone);
	}
}

TEST(zone_ends_of_time)
{
	struct zone *zone = zone_open("UTC");
	char date[ZONE_DATE_SIZE];

	zone_date_text(zone_day(zone, INT64_MAX), date);
	CHECK_STRING(date, "9999-12-31");
	zone_date_text(zone_day(zone, INT64_MIN), date);
	CHECK_STRING(date, "0000-01-01");
	zone_date_text(INT32_MAX, date);
	zone_date_text(INT32_MIN, date);
	CHECK(zone_day_start(zone, INT64_MAX) > 0);
	CHECK(zone_hour_start(zone, INT64_MIN) < 0);
	CHECK(zone_next_hour(zone, INT64_MIN) < 0);
	zone_date_text(0, date);
	CHECK_STRING(date, "1970-01-01");
	zone_date_text(-1, date);
	CHECK_STRING(date, "1969-12-31");
	zone_date_text(11016, date);
	CHECK_STRING(date, "2000-02-29");
	zone_close(&zone);
}
