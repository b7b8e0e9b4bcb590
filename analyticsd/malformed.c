/* SPDX-License-Identifier: MIT */
#include "analyticsd/malformed.h"

#include <string.h>

#include "analyticsd/counters.h"
#include "lib/log.h"

void
malformed_note(const bson_t *doc, const char *kind, const char *why)
{
	/* Many bad ones of one kind do not hide the first of another. */
	static struct log_limit responses = LOG_LIMIT(10, 1000), others = LOG_LIMIT(10, 1000);
	struct log_limit *limit = strcmp(kind, "response") == 0 ? &responses : &others;
	bson_iter_t iter;
	bson_t only;
	char *text = NULL;

	counters[COUNTER_malformed]++;
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
