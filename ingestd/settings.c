/* SPDX-License-Identifier: MIT */
#include "ingestd/settings.h"

#include <string.h>

#include "ingestd/source.h"
#include "lib/base.h"

/* "Restrictions on Collection Names", and on the length of a namespace from 4.4 on, which has
 * to hold the database's name (63 bytes at most) and a dot, too. */
static const char *
check_collection(const char *value)
{
	if (strchr(value, '$') == NULL && strncmp(value, "system.", 7) != 0 && value[0] != '.' &&
	    strlen(value) <= 255 - 64)
		return NULL;
	return "a collection's name: at most 191 bytes, without '$', and not beginning with "
	       "\"system.\" or '.'";
}

#define STRING SETTING_ROW_STRING
#define NUMBER SETTING_ROW_NUMBER
#define CHOICE SETTING_ROW_CHOICE

const struct setting settings_table[] = {
#include "ingestd/settings.def"
};

const size_t settings_count = ARRAY_SIZE(settings_table);
