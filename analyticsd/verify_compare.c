/* SPDX-License-Identifier: MIT */
/* Two forms are held against each other as viewers would see them: by their JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyticsd/verify_state.h"
#include "lib/json_read.h"
#include "lib/mem.h"

#define TEXT_MAX (64U << 20)
#define TOKENS_MAX (1 << 24)
#define PATH_SIZE 512
#define HOUR_MS INT64_C(3600000)

/* The pair at work. */
struct sides {
	struct verify *verify;
	const char *form;
	struct json_doc stored, counted;
};

static void
say(struct sides *sides, const char *path, int stored, int counted)
{
	size_t one_length = 0, other_length = 0;
	const char *one = stored < 0 ? "nothing" : json_raw(&sides->stored, stored, &one_length);
	const char *other = counted < 0 ? "nothing"
					: json_raw(&sides->counted, counted, &other_length);

	verify_differs(sides->verify, "form %s: %s: stored %.*s, counted %.*s", sides->form, path,
	    stored < 0 ? 7 : (int)MIN(one_length, 200U), one,
	    counted < 0 ? 7 : (int)MIN(other_length, 200U), other);
}

/* What is an estimate in this object depends on the order in which responses came. */
static bool
is_estimate(const struct json_doc *doc, int object, const char *name)
{
	static const struct {
		const char *name, *mark;
	} rows[] = {{"median", "medianExact"}, {"medianExact", "medianExact"},
	    {"distribution", "medianExact"}, {"topKeywords", "keywordsExact"},
	    {"keywordsExact", "keywordsExact"}, {"keywordsError", "keywordsExact"}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(name, rows[i].name) == 0 && json_get(doc, object, rows[i].mark) >= 0)
			return true;
	}
	/* A table that has overflowed: which ids it names. */
	return strcmp(name, "distribution") == 0 &&
	    json_get(doc, json_get(doc, object, name), "_other") >= 0;
}

static void compare_values(struct sides *sides, const char *path, int stored, int counted);

static void
compare_objects(struct sides *sides, const char *path, int stored, int counted)
{
	char name[PATH_SIZE / 2], below[PATH_SIZE];

	JSON_FOR_EACH (key, &sides->stored, stored) {
		if (json_string(&sides->stored, key, name, sizeof(name)) < 0)
			continue;
		snprintf(below, sizeof(below), "%.*s%s%s", PATH_SIZE / 2 - 2, path,
		    *path != '\0' ? "." : "", name);
		if (!is_estimate(&sides->stored, stored, name) &&
		    !is_estimate(&sides->counted, counted, name))
			compare_values(
			    sides, below, key + 1, json_get(&sides->counted, counted, name));
	}
	JSON_FOR_EACH (key, &sides->counted, counted) {
		if (json_string(&sides->counted, key, name, sizeof(name)) < 0 ||
		    json_get(&sides->stored, stored, name) >= 0 ||
		    is_estimate(&sides->counted, counted, name))
			continue;
		snprintf(below, sizeof(below), "%.*s%s%s", PATH_SIZE / 2 - 2, path,
		    *path != '\0' ? "." : "", name);
		say(sides, below, -1, key + 1);
	}
}

static void
compare_values(struct sides *sides, const char *path, int stored, int counted)
{
	size_t one_length, other_length;

	if (counted < 0) {
		say(sides, path, stored, counted);
		return;
	}
	if (json_type(&sides->stored, stored) == JSON_OBJECT &&
	    json_type(&sides->counted, counted) == JSON_OBJECT) {
		compare_objects(sides, path, stored, counted);
		return;
	}
	const char *one = json_raw(&sides->stored, stored, &one_length);
	const char *other = json_raw(&sides->counted, counted, &other_length);
	if (one_length != other_length || memcmp(one, other, one_length) != 0)
		say(sides, path, stored, counted);
}

static void
write_text(const struct form *form, struct buf *text)
{
	struct json_writer w;

	buf_init(text, TEXT_MAX);
	json_write_begin(&w, text);
	form_write_analytics(form, &w);
	/* One that does not fit stays empty, and is then no JSON. */
	if (json_write_end(&w) < 0)
		buf_clear(text);
}

/* What metrics:update says: the last two days, hour by hour. */
static void
compare_hours(struct verify *verify, const char *id, const struct form *stored,
    const struct form *counted, int64_t now_ms)
{
	int64_t hour = now_ms - now_ms % HOUR_MS;

	for (int64_t since = hour - 46 * HOUR_MS; since <= hour; since += HOUR_MS) {
		uint64_t one = form_count_between(stored, since, since + HOUR_MS);
		uint64_t other = form_count_between(counted, since, since + HOUR_MS);

		if (one != other)
			verify_differs(verify,
			    "form %s: responses in the hour of %" PRId64 ": stored %" PRIu64
			    ", counted %" PRIu64,
			    id, since / 1000, one, other);
	}
}

void
verify_compare(
    struct verify *verify, const struct form *stored, const struct form *counted, int64_t now_ms)
{
	char id[FORM_ID_HEX + 1];
	struct buf one, other;
	struct sides sides = {.verify = verify, .form = id};

	form_id_format(form_id_of(stored), id);
	write_text(stored, &one);
	write_text(counted, &other);
	if (json_parse(&sides.stored, (const char *)buf_bytes(&one), buf_length(&one), TOKENS_MAX,
		NULL) < 0) {
		verify_differs(verify, "form %s: its numbers cannot be written", id);
	} else {
		if (json_parse(&sides.counted, (const char *)buf_bytes(&other), buf_length(&other),
			TOKENS_MAX, NULL) == 0) {
			compare_objects(&sides, "", 0, 0);
			json_free(&sides.counted);
		}
		json_free(&sides.stored);
	}
	if (form_last_submission(stored) != form_last_submission(counted))
		verify_differs(verify,
		    "form %s: lastSubmission: stored %" PRId64 ", counted %" PRId64, id,
		    form_last_submission(stored), form_last_submission(counted));
	if (now_ms >= 0)
		compare_hours(verify, id, stored, counted, now_ms);
	buf_free(&one);
	buf_free(&other);
}
