/* SPDX-License-Identifier: MIT */
#include "analyticsd/settings.h"

#include "analyticsd/zone.h"
#include "lib/base.h"

static const char *
check_timezone(const char *value)
{
	struct zone *zone = zone_open(value);

	if (zone == NULL)
		return "a name that the system's tzdata knows, as Europe/Berlin";
	zone_close(&zone);
	return NULL;
}

#define STRING SETTING_ROW_STRING
#define NUMBER SETTING_ROW_NUMBER
#define CHOICE SETTING_ROW_CHOICE
const struct setting settings_table[] = {
#include "analyticsd/settings.def"
};
const size_t settings_count = ARRAY_SIZE(settings_table);
