/* SPDX-License-Identifier: MIT */
#include "wsfand/settings.h"

#include "lib/base.h"
#include "wsfand/cidr.h"
#include "wsfand/origin.h"

#define STRING SETTING_ROW_STRING
#define NUMBER SETTING_ROW_NUMBER
#define CHOICE SETTING_ROW_CHOICE

const struct setting settings_table[] = {
#include "wsfand/settings.def"
};

const size_t settings_count = ARRAY_SIZE(settings_table);
