/* SPDX-License-Identifier: MIT */
/* texts: long strings for tests. */
#ifndef TESTS_UNIT_TEXTS_H
#define TESTS_UNIT_TEXTS_H

#include <stdio.h>
#include <string.h>

/* Appends `more`, `times` times over, as long as it fits. */
static inline void
text_append(char *out, size_t size, const char *more, int times)
{
	for (size_t used = strlen(out); times > 0 && used < size; times--, used = strlen(out))
		snprintf(out + used, size - used, "%s", more);
}

#endif
