/* SPDX-License-Identifier: MIT */
/* bson_key: the keys of a BSON document, which are compared with a few known ones, one by one. */
#ifndef ANALYTICSD_BSON_KEY_H
#define ANALYTICSD_BSON_KEY_H

#include <stdbool.h>
#include <string.h>

/* Most keys differ in their first letter already. */
static inline bool
key_is(const char *key, const char *name)
{
	return key[0] == name[0] && strcmp(key, name) == 0;
}

#endif
