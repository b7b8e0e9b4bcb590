/* SPDX-License-Identifier: MIT */
#include "statsd/metric.h"

#include <string.h>

static bool
letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
metric_name_valid(const char *name)
{
	size_t length = strlen(name);
	if (length == 0 || length > METRIC_NAME_MAX || digit(name[0]))
		return false;
	for (const char *c = name; *c; c++) {
		if (!letter(*c) && !digit(*c) && *c != ':')
			return false;
	}
	return true;
}

bool
metric_name_reserved(const char *name)
{
	return strncmp(name, "process_", 8) == 0 || strcmp(name, "dune_up") == 0 ||
	    strcmp(name, "dune_ready") == 0 || strcmp(name, "dune_build_info") == 0 ||
	    strcmp(name, "dune_start_time_seconds") == 0;
}

/* The length of `name="value"` at `text`, 0 when it is none; *name gets the name's length. */
static size_t
label_length(const char *text, size_t *name)
{
	const char *c = text;
	while (letter(*c) || (c > text && digit(*c)))
		c++;
	*name = (size_t)(c - text);
	if (*name == 0 || c[0] != '=' || c[1] != '"')
		return 0;
	for (c += 2; *c && *c != '"'; c++) {
		if (*c == '\n')
			return 0;
		if (*c == '\\') {
			c++;
			if (*c != '\\' && *c != '"' && *c != 'n')
				return 0;
		}
	}
	return *c == '"' ? (size_t)(c + 1 - text) : 0;
}

static bool
label_name_is(const char *label, size_t length, const char *name)
{
	return length == strlen(name) && memcmp(label, name, length) == 0;
}

/* Whether a label of that name stands in `labels` before `end`. */
static bool
label_seen(const char *labels, const char *end, const char *name, size_t name_length)
{
	for (const char *c = labels; c < end;) {
		size_t length;
		size_t used = label_length(c, &length);
		if (length == name_length && memcmp(c, name, length) == 0)
			return true;
		c += used + 1;
	}
	return false;
}

bool
metric_labels_valid(const char *labels)
{
	if (strlen(labels) > METRIC_LABELS_MAX)
		return false;
	for (const char *c = labels; *c;) {
		size_t name;
		size_t used = label_length(c, &name);
		if (used == 0 || label_name_is(c, name, "daemon") ||
		    label_name_is(c, name, "process") || label_name_is(c, name, "le") ||
		    label_seen(labels, c, c, name))
			return false;
		c += used;
		if (*c == '\0')
			return true;
		if (*c != ',' || c[1] == '\0')
			return false;
		c++;
	}
	return true;
}

int
metric_kind_parse(const char *text, enum counter_kind *kind)
{
	for (size_t i = 0; i < COUNTER_KINDS; i++) {
		if (strcmp(text, counter_kind_names[i]) == 0) {
			*kind = (enum counter_kind)i;
			return 0;
		}
	}
	return -1;
}

const char *
metric_kind_type(enum counter_kind kind)
{
	if (kind == KIND_HISTOGRAM)
		return "histogram";
	return kind == KIND_GAUGE || kind == KIND_GAUGE_MS ? "gauge" : "counter";
}
