/* SPDX-License-Identifier: MIT */
#include "statsd/settings.h"

#include "lib/base.h"

#define STRING SETTING_ROW_STRING
#define NUMBER SETTING_ROW_NUMBER
#define CHOICE SETTING_ROW_CHOICE

const struct setting settings_table[] = {
#include "statsd/settings.def"
};

const size_t settings_count = ARRAY_SIZE(settings_table);
