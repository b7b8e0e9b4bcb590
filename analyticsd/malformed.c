/* SPDX-License-Identifier: MIT */
#include "analyticsd/malformed.h"

#include <string.h>

#include "analyticsd/counters.h"
#include "analyticsd/response.h"
#include "lib/log.h"

#define LIMIT LOG_LIMIT(10, 1000)
/* More than there are; were there more, the last ones would share. */
#define REASONS 24

static void
say(struct log_limit *limit, const bson_t *doc, const char *kind, const char *why)
{
	bson_iter_t iter;
	bson_t only;
	char *text = NULL;

	if (bson_iter_init_find(&iter, doc, "_id")) {
		bson_init(&only);
		if (bson_append_iter(&only, "_id", 3, &iter))
			text = bson_as_relaxed_extended_json(&only, NULL);
		bson_destroy(&only);
	}
	log_limited(limit, LOG_WARN, "malformed %s %.300s skipped: %s", kind,
	    text != NULL ? text : "(without _id)", why);
	bson_free(text);
}

/* One for each reason; reasons are literals, and few. */
static struct log_limit *
limit_of(const char *why)
{
	static struct {
		const char *why;
		struct log_limit limit;
	} rows[REASONS];
	size_t i = 0;

	while (i < REASONS - 1 && rows[i].why != NULL && strcmp(rows[i].why, why) != 0)
		i++;
	if (rows[i].why == NULL) {
		rows[i].why = why;
		rows[i].limit = (struct log_limit)LIMIT;
	}
	return &rows[i].limit;
}

void
malformed_note(const bson_t *doc, const char *kind, const char *why)
{
	counters[COUNTER_malformed]++;
	say(limit_of(why), doc, kind, why);
}

void
malformed_parts(const bson_t *doc, unsigned parts)
{
#define PART(name, counter, text) [PART_##name] = {COUNTER_##counter, text, LIMIT},
	static struct {
		enum counter_index counter;
		const char *text;
		struct log_limit limit;
	} rows[] = {
#include "analyticsd/response_parts.def"
	};
#undef PART

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if ((parts & 1U << i) == 0)
			continue;
		counters[rows[i].counter]++;
		say(&rows[i].limit, doc, "part of response", rows[i].text);
	}
}

void
malformed_definition(const bson_t *doc, const char *why)
{
	static struct log_limit limit = LIMIT;

	counters[COUNTER_part_definition]++;
	say(&limit, doc, "part of form", why);
}
