/* SPDX-License-Identifier: MIT */
#include "ingestd/json_dates.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"

#define KEY "\"$date\""
#define SECONDS_LENGTH 19 /* of "2026-03-01T09:30:00" */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "+01:00" or "Z" as minutes; the only thing behind the seconds. */
static bool
parse_offset(const char *text, size_t length, int *minutes)
{
	*minutes = 0;
	if (length == 1)
		return text[0] == 'Z' || text[0] == 'z';
	if (length != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' ||
	    !is_digit(text[1]) || !is_digit(text[2]) || !is_digit(text[4]) || !is_digit(text[5]))
		return false;
	*minutes = 60 * (10 * (text[1] - '0') + text[2] - '0') + 10 * (text[4] - '0') + text[5] -
	    '0';
	if (text[0] == '-')
		*minutes = -*minutes;
	return true;
}

/* False: `text` is no time. */
static bool
parse_time(const char *text, size_t length, int64_t *ms)
{
	char plain[CLOCK_RFC3339_SIZE], part[] = "000";
	size_t at = SECONDS_LENGTH;
	int minutes;

	if (length <= SECONDS_LENGTH)
		return false;
	if (text[at] == '.') {
		for (at++; at < length && is_digit(text[at]); at++)
			if (at <= SECONDS_LENGTH + 3)
				part[at - SECONDS_LENGTH - 1] = text[at];
		if (at == SECONDS_LENGTH + 1)
			return false;
	}
	if (!parse_offset(text + at, length - at, &minutes))
		return false;
	snprintf(plain, sizeof(plain), "%.*s.%sZ", SECONDS_LENGTH, text, part);
	plain[10] = plain[10] == 't' || plain[10] == ' ' ? 'T' : plain[10];
	if (clock_parse_rfc3339(plain, strlen(plain), ms) < 0)
		return false;
	*ms -= (int64_t)minutes * 60000;
	return true;
}

/* Where the string begins that is the value behind the key at `at`; NULL: there is none. */
static char *
value_of(char *at, const char *end)
{
	bool colon = false;

	for (at += strlen(KEY); at < end; at++) {
		if (*at == ':' && !colon)
			colon = true;
		else if (*at != ' ' && *at != '\t')
			break;
	}
	return colon && at < end && *at == '"' ? at + 1 : NULL;
}

bool
json_dates_rewrite(char *text, size_t length)
{
	const char *end = text + length;
	bool changed = false;

	for (char *at = text; (at = memmem(at, (size_t)(end - at), KEY, strlen(KEY))) != NULL;) {
		char *value = value_of(at, end), plain[CLOCK_RFC3339_SIZE];
		char *quote = value != NULL ? memchr(value, '"', (size_t)(end - value)) : NULL;
		int64_t ms;

		at += strlen(KEY);
		if (quote == NULL || (size_t)(quote - value) < sizeof(plain) - 1 ||
		    !parse_time(value, (size_t)(quote - value), &ms))
			continue;
		clock_rfc3339(ms, plain);
		memset(value, ' ', (size_t)(quote - value) + 1);
		memcpy(value, plain, sizeof(plain) - 1);
		value[sizeof(plain) - 1] = '"';
		changed = true;
	}
	return changed;
}
