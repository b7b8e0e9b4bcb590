/* SPDX-License-Identifier: MIT */
#include "ingestd/source.h"

#include <string.h>

#include "lib/mem.h"

#define FILE_SCHEME "file:"

static bool
starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool
is_mongo(const char *value)
{
	return starts_with(value, "mongodb://") || starts_with(value, "mongodb+srv://");
}

static bool
is_file(const char *value)
{
	return starts_with(value, FILE_SCHEME) && value[strlen(FILE_SCHEME)] != '\0';
}

const char *
source_check(const char *value)
{
	if (is_mongo(value) || is_file(value) || strcmp(value, "-") == 0)
		return NULL;
	return "mongodb://HOST/DATABASE, mongodb+srv://HOST/DATABASE, file:PATH, or -";
}

void
source_check_settings(const void *pointer)
{
	const struct settings *settings = pointer;

	if (is_mongo(settings->source))
		source_mongo_check(settings);
}

struct source *
source_new(struct ev_loop *loop, const struct settings *settings,
    const struct source_events *events, void *owner)
{
	struct source *source;

	if (is_mongo(settings->source))
		source = source_mongo_new(settings);
	else if (is_file(settings->source))
		source = source_file_new(settings->source + strlen(FILE_SCHEME));
	else
		source = source_stdin_new();
	source->loop = loop;
	source->events = events;
	source->owner = owner;
	return source;
}

bool
source_free(struct source **pointer)
{
	struct source *source = *pointer;

	*pointer = NULL;
	return !source || source->class->free(source);
}
