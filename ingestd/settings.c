/* SPDX-License-Identifier: MIT */
#include "ingestd/settings.h"

#include "ingestd/source.h"
#include "lib/base.h"

#define STRING SETTING_ROW_STRING
#define NUMBER SETTING_ROW_NUMBER
#define CHOICE SETTING_ROW_CHOICE

const struct setting settings_table[] = {
#include "ingestd/settings.def"
};

const size_t settings_count = ARRAY_SIZE(settings_table);
