/* SPDX-License-Identifier: MIT */
/* settings: what the environment says, as one struct; made from settings.def. */
#ifndef WSFAND_SETTINGS_H
#define WSFAND_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"

struct settings {
#define STRING(variable, field, fallback, check, help) const char *field;
#define NUMBER(variable, field, fallback, min, max, help) int64_t field;
#define CHOICE(variable, field, fallback, choices, help) int field;
#include "wsfand/settings.def"
#undef STRING
#undef NUMBER
#undef CHOICE
};

extern const struct setting settings_table[];
extern const size_t settings_count;

#endif
