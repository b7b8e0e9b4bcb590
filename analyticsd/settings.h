/* SPDX-License-Identifier: MIT */
/* settings: analyticsd's, made from settings.def (lib/env.h says how). */
#ifndef ANALYTICSD_SETTINGS_H
#define ANALYTICSD_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"

#define STRING(variable, field, fallback, check, help) const char *field;
#define NUMBER(variable, field, fallback, min, max, help) int64_t field;
#define CHOICE(variable, field, fallback, choices, help) int field;
struct settings {
#include "analyticsd/settings.def"
};
#undef STRING
#undef NUMBER
#undef CHOICE

extern const struct setting settings_table[];
extern const size_t settings_count;

#endif
