/* SPDX-License-Identifier: MIT */
#include "lib/env_value.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/num.h"

#define MASK "****"

/* Settings point into these texts for the life of the process; the chain keeps
 * them reachable. */
struct kept {
	struct kept *next;
	char *text;
};
static struct kept *kept_texts;

static const char *
keep(char *text)
{
	struct kept *kept = mem_alloc(sizeof(*kept));
	*kept = (struct kept){.next = kept_texts, .text = text};
	kept_texts = kept;
	return text;
}

const struct setting *
env_find(const struct env_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->rows[i].name, name) == 0)
			return &table->rows[i];
	return NULL;
}

/* Puts the value of `name` in the place of each "$name"; the value itself is not looked into.
 * Takes `text`. */
static char *
expand(const struct env_table *table, char *text, const char *name)
{
	const struct setting *setting = env_find(table, name);
	const char *value = setting != NULL ? env_text(table, setting) : NULL;
	size_t from = 0;
	char *place;
	while (value != NULL && (place = strstr(text + from, name)) != NULL && place > text &&
	    place[-1] == '$') {
		size_t head = (size_t)(place - 1 - text);
		char *expanded = mem_printf(
		    "%.*s%s%s", (int)head, text, value, place + strlen(name));
		free(text);
		text = expanded;
		from = head + strlen(value);
	}
	return text;
}

const char *
env_text(const struct env_table *table, const struct setting *setting)
{
	const char *value = getenv(setting->name);
	if (value != NULL && value[0] != '\0')
		return keep(mem_strdup(value));
	if (setting->fallback == NULL)
		return NULL;
	if (strchr(setting->fallback, '$') == NULL)
		return setting->fallback;
	char *text = expand(table, mem_strdup(setting->fallback), "DUNE_RUN_DIR");
	return keep(expand(table, text, "DUNE_STATE_DIR"));
}

/* The place of `text` in "a|b|c", or -1. */
static int
choice_index(const char *choices, const char *text)
{
	size_t length = strlen(text);
	for (int index = 0;; index++) {
		size_t size = strcspn(choices, "|");
		if (size == length && memcmp(choices, text, size) == 0)
			return index;
		if (choices[size] == '\0')
			return -1;
		choices += size + 1;
	}
}

static const char *
store_number(const struct setting *setting, const char *text, int64_t *value)
{
	static char allowed[96];
	if (num_parse_i64(text, strlen(text), value) == 0 && *value >= setting->min &&
	    *value <= setting->max)
		return NULL;
	snprintf(allowed, sizeof(allowed), "a whole number between %lld and %lld",
	    (long long)setting->min, (long long)setting->max);
	return allowed;
}

static const char *
store_choice(const struct setting *setting, const char *text, int *value)
{
	static char allowed[160];
	*value = choice_index(setting->choices, text);
	if (*value >= 0)
		return NULL;
	snprintf(allowed, sizeof(allowed), "one of %s", setting->choices);
	return allowed;
}

const char *
env_store(const struct setting *setting, const char *text, void *settings)
{
	void *member = (char *)settings + setting->offset;
	switch (setting->type) {
	case SETTING_NUMBER:
		return store_number(setting, text, member);
	case SETTING_CHOICE:
		return store_choice(setting, text, member);
	case SETTING_STRING:
		*(const char **)member = text;
		return setting->check != NULL && text != NULL ? setting->check(text) : NULL;
	}
	return NULL;
}

static bool
ends_with(const char *text, const char *tail)
{
	size_t length = strlen(text), tail_length = strlen(tail);
	return length >= tail_length && strcmp(text + length - tail_length, tail) == 0;
}

/* "scheme://user:password@host": from the colon to the LAST at-sign, since a
 * password that should have been percent-encoded may hold '@' and '/' as well. */
static char *
mask_password(char *text)
{
	char *authority = strstr(text, "://");
	char *at = authority != NULL ? strrchr(authority, '@') : NULL;
	char *colon = authority != NULL ? strchr(authority + 3, ':') : NULL;
	if (at == NULL || colon == NULL || colon > at)
		return text;
	char *masked = mem_printf("%.*s" MASK "%s", (int)(colon + 1 - text), text, at);
	free(text);
	return masked;
}

/* "…password=secret&…", as tlsCertificateKeyFilePassword has it. */
static char *
mask_parameter(char *text)
{
	static const char word[] = "password=";
	char *found = strcasestr(text, word);
	if (found == NULL)
		return text;
	char *secret = found + strlen(word);
	char *masked = mem_printf(
	    "%.*s" MASK "%s", (int)(secret - text), text, secret + strcspn(secret, "&"));
	free(text);
	return masked;
}

const char *
env_shown(const struct setting *setting, const char *text)
{
	if (ends_with(setting->name, "_SECRET"))
		return MASK;
	return keep(mask_parameter(mask_password(mem_strdup(text))));
}
