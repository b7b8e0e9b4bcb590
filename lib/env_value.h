/* SPDX-License-Identifier: MIT */
/* env_value: what one setting is worth: its text from the environment or the
 * default, that text as a value, and how it may be shown. The lower half of lib/env. */
#ifndef LIB_ENV_VALUE_H
#define LIB_ENV_VALUE_H

#include <stddef.h>

#include "lib/env.h"

struct env_table {
	const struct setting *rows;
	size_t count;
};

const struct setting *env_find(const struct env_table *table, const char *name);

/* The text that holds: the environment's, or the default, expanded; NULL when
 * there is neither. Lives as long as the process. */
const char *env_text(const struct env_table *table, const struct setting *setting);

/* Reads `text` into the member of `settings`; NULL, or what is allowed (valid
 * until the next call). */
const char *env_store(const struct setting *setting, const char *text, void *settings);

/* The text as it may be shown to people: secrets and passwords as "****". Lives
 * as long as the process. */
const char *env_shown(const struct setting *setting, const char *text);

#endif
