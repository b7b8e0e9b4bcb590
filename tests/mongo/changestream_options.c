/* SPDX-License-Identifier: MIT */
#include "tests/mongo/changestream_options.h"

#include <string.h>

static int
token_option(struct changestream *cs, const bson_iter_t *it, struct fail *f)
{
	bool resume = strcmp(bson_iter_key(it), "resumeAfter") == 0;
	bson_t view;

	if (cs->begun)
		return fail_set(f, 50865,
		    "Do not specify both 'resumeAfter' and 'startAfter' in a "
		    "$changeStream stage");
	if (!BSON_ITER_HOLDS_DOCUMENT(it) || !iter_view(it, &view))
		return fail_set(f, 14,
		    "BSON field '$changeStream.%s' is the wrong type '%s', "
		    "expected type 'object'",
		    bson_iter_key(it), type_name(bson_iter_type(it)));
	if (token_parse(&view, &cs->start, f) < 0)
		return -1;
	if (resume && cs->start.from_invalidate)
		return fail_set(f, 260,
		    "Attempting to resume a change stream using 'resumeAfter' is "
		    "not allowed from an invalidate notification");
	if (cs->start.event && !cs->start.has_uuid && cs->scope == SCOPE_COLLECTION)
		return fail_set(f, 260,
		    "Attempted to resume a single-collection stream, but the "
		    "resume token does not include a UUID");
	if (cs->start.has_fragment && !cs->splits)
		return fail_set(f, 280,
		    "To resume from a split event, the $changeStream pipeline must include a "
		    "$changeStreamSplitLargeEvent stage");
	bson_strncpy(cs->token, bson_str(&view, "_data"), sizeof cs->token);
	cs->begun = true;
	return 0;
}

static int
full_document_option(struct changestream *cs, const bson_iter_t *it, struct fail *f)
{
	const char *v = BSON_ITER_HOLDS_UTF8(it) ? bson_iter_utf8(it, NULL) : "";
	bool six = cs->srv->opt.wire_version >= 17;

	if (strcmp(v, "updateLookup") == 0)
		cs->event.lookup = true;
	else if (six && strcmp(v, "whenAvailable") == 0)
		cs->event.when_available = true;
	else if (six && strcmp(v, "required") == 0)
		cs->need_post_image = true;
	else if (strcmp(v, "default") != 0)
		return fail_set(f, 2,
		    "Enumeration value '%s' for field '$changeStream.fullDocument' "
		    "is not a valid value.",
		    v);
	return 0;
}

static int
pre_image_option(struct changestream *cs, const bson_iter_t *it, struct fail *f)
{
	const char *v = BSON_ITER_HOLDS_UTF8(it) ? bson_iter_utf8(it, NULL) : "";

	if (strcmp(v, "whenAvailable") == 0)
		cs->event.pre_image = true;
	else if (strcmp(v, "required") == 0)
		cs->need_pre_image = true;
	else if (strcmp(v, "off") != 0)
		return fail_set(f, 2,
		    "Enumeration value '%s' for field "
		    "'$changeStream.fullDocumentBeforeChange' is not a valid value.",
		    v);
	return 0;
}

static int
option_read(struct changestream *cs, const bson_iter_t *it, bool *at_time, struct fail *f)
{
	const char *key = bson_iter_key(it);
	uint32_t sec, inc;

	if (strcmp(key, "resumeAfter") == 0 || strcmp(key, "startAfter") == 0)
		return token_option(cs, it, f);
	if (strcmp(key, "startAtOperationTime") == 0) {
		if (!BSON_ITER_HOLDS_TIMESTAMP(it))
			return fail_set(f, 14,
			    "BSON field '$changeStream.startAtOperationTime' is the "
			    "wrong type '%s', expected type 'timestamp'",
			    type_name(bson_iter_type(it)));
		bson_iter_timestamp(it, &sec, &inc);
		*at_time = true;
		if (!cs->begun)
			cs->start.ts = TS_MAKE(sec, inc);
		return 0;
	}
	if (strcmp(key, "fullDocument") == 0)
		return full_document_option(cs, it, f);
	if (strcmp(key, "fullDocumentBeforeChange") == 0)
		return pre_image_option(cs, it, f);
	if (strcmp(key, "allChangesForCluster") == 0) {
		if (iter_number(it, 0) && cs->scope != SCOPE_CLUSTER)
			return fail_set(f, 72,
			    "A $changeStream with 'allChangesForCluster:true' may "
			    "only be opened on the 'admin' database, and with no "
			    "collection name; found %s",
			    cs->ns->full);
		return 0;
	}
	if (strcmp(key, "showExpandedEvents") == 0 || strcmp(key, "showSystemEvents") == 0)
		return iter_number(it, 0) ? fail_set(f, 238, "%s is not supported here", key) : 0;
	return fail_set(f, 40415, "BSON field '$changeStream.%s' is an unknown field.", key);
}

int
changestream_options_read(struct changestream *cs, const bson_t *spec, struct fail *f)
{
	bool at_time = false, by_token;
	bson_iter_t it;

	bson_iter_init(&it, spec);
	while (bson_iter_next(&it))
		if (option_read(cs, &it, &at_time, f) < 0)
			return -1;
	by_token = cs->begun;
	cs->begun = false;
	if (at_time && by_token)
		return fail_set(f, 40674,
		    "Only one type of resume option is allowed, but multiple "
		    "were found");
	if (by_token)
		cs->latest = cs->start.ts;
	else {
		/* With no start given: one tick after the latest operation. */
		if (!at_time)
			cs->start.ts = cs->srv->oplog.last_ts + 1;
		cs->latest = cs->start.ts;
		token_high_water(cs->start.ts, cs->token);
	}
	cs->surpassed = !cs->start.event;
	return 0;
}
