/* SPDX-License-Identifier: MIT */
#include "ingestd/mongo_change.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct mongo_origin ours = {
    .database = "db", .forms = "forms", .responses = "responses"};

#define TOKEN "\"_id\":{\"_data\":\"82\"},"
#define NS(collection) "\"ns\":{\"db\":\"db\",\"coll\":\"" collection "\"},"
#define KEY "\"documentKey\":{\"_id\":{\"x\":5}},"
#define SHARDED "\"documentKey\":{\"shard\":1,\"_id\":{\"x\":5}},"

TEST(mongo_changes_become_events)
{
	static const struct {
		const char *json;
		enum mongo_change_kind kind;
		enum event_op op;
		const char *doc;
	} rows[] = {
	    {"{" TOKEN NS("responses") KEY
		"\"operationType\":\"insert\",\"fullDocument\":{\"a\":1}}",
		CHANGE_EVENT, EVENT_RESPONSE, "{ \"a\" : 1 }"},
	    {"{" TOKEN NS("forms") KEY "\"operationType\":\"replace\",\"fullDocument\":{\"a\":1}}",
		CHANGE_EVENT, EVENT_FORM, "{ \"a\" : 1 }"},
	    {"{" TOKEN NS("responses") KEY
		"\"operationType\":\"update\",\"fullDocument\":{\"a\":1}}",
		CHANGE_EVENT, EVENT_RESPONSE, "{ \"a\" : 1 }"},
	    {"{" TOKEN NS("responses") KEY "\"operationType\":\"update\",\"fullDocument\":null}",
		CHANGE_NOTHING, 0, NULL},
	    {"{" TOKEN NS("responses") KEY "\"operationType\":\"update\"}", CHANGE_NOTHING, 0,
		NULL},
	    {"{" TOKEN NS("responses") KEY "\"operationType\":\"delete\"}", CHANGE_EVENT,
		EVENT_RESPONSE_DELETED, "{ \"_id\" : { \"x\" : 5 } }"},
	    {"{" TOKEN NS("forms") KEY "\"operationType\":\"delete\"}", CHANGE_EVENT,
		EVENT_FORM_DELETED, "{ \"_id\" : { \"x\" : 5 } }"},
	    {"{" TOKEN NS("responses") SHARDED "\"operationType\":\"delete\"}", CHANGE_LOOKUP,
		EVENT_RESPONSE, "{ \"_id\" : { \"x\" : 5 } }"},
	    {"{" TOKEN NS("forms") SHARDED "\"operationType\":\"update\",\"fullDocument\":null}",
		CHANGE_LOOKUP, EVENT_FORM, "{ \"_id\" : { \"x\" : 5 } }"},
	    {"{" TOKEN NS("responses") SHARDED
		"\"operationType\":\"insert\",\"fullDocument\":{\"a\":1}}",
		CHANGE_EVENT, EVENT_RESPONSE, "{ \"a\" : 1 }"},
	    {"{" TOKEN NS("others") KEY "\"operationType\":\"insert\",\"fullDocument\":{\"a\":1}}",
		CHANGE_NOTHING, 0, NULL},
	    {"{" TOKEN NS("forms") "\"operationType\":\"drop\"}", CHANGE_STRUCTURE, 0, NULL},
	    {"{" TOKEN NS("old") "\"to\":{\"db\":\"db\",\"coll\":\"forms\"},"
				 "\"operationType\":\"rename\"}",
		CHANGE_STRUCTURE, 0, NULL},
	    {"{" TOKEN "\"operationType\":\"dropDatabase\"}", CHANGE_STRUCTURE, 0, NULL},
	    {"{" TOKEN "\"operationType\":\"invalidate\"}", CHANGE_INVALIDATE, 0, NULL},
	    {"{" TOKEN "\"operationType\":\"somethingNew\"}", CHANGE_NOTHING, 0, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bson_t *raw = bson_new_from_json((const uint8_t *)rows[i].json, -1, NULL);
		struct mongo_change change;

		CHECK(raw != NULL);
		CHECK(mongo_change_read(raw, &ours, &change) == 0);
		CHECK_INT(change.kind, rows[i].kind);
		if (rows[i].doc) {
			bson_t view;
			char *doc;

			CHECK(bson_init_static(&view, change.doc.data, change.doc.length));
			doc = bson_as_relaxed_extended_json(&view, NULL);
			CHECK_INT(change.op, rows[i].op);
			CHECK_STRING(doc, rows[i].doc);
			bson_free(doc);
		}
		mongo_change_clear(&change);
		bson_destroy(raw);
	}
}

TEST(mongo_change_times)
{
	static const struct {
		const char *json;
		int64_t at;
	} rows[] = {
	    {"{" TOKEN "\"clusterTime\":{\"$timestamp\":{\"t\":1700000000,\"i\":2}},"
	     "\"wallTime\":{\"$date\":{\"$numberLong\":\"1700000000123\"}}}",
		1700000000123},
	    {"{" TOKEN "\"clusterTime\":{\"$timestamp\":{\"t\":1700000000,\"i\":2}}}",
		1700000000000},
	    {"{" TOKEN "\"x\":1}", EVENT_NO_TIME},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bson_t *raw = bson_new_from_json((const uint8_t *)rows[i].json, -1, NULL);
		struct mongo_change change;

		CHECK(raw != NULL);
		CHECK(mongo_change_read(raw, &ours, &change) == 0);
		CHECK(change.at == rows[i].at);
		mongo_change_clear(&change);
		bson_destroy(raw);
	}
}

TEST(mongo_change_needs_a_token)
{
	bson_t *raw = BCON_NEW("operationType", "insert");
	struct mongo_change change;

	CHECK(mongo_change_read(raw, &ours, &change) < 0);
	bson_destroy(raw);
}

/* Manual, "$changeStreamSplitLargeEvent": each part has _id, splitEvent, and its own members. */
TEST(mongo_change_joins_the_parts_of_a_split_event)
{
	static const char *const rows[] = {
	    "{\"_id\":{\"_data\":\"1\"},\"splitEvent\":{\"fragment\":1,\"of\":2},"
	    "\"operationType\":\"insert\",\"ns\":{\"db\":\"d\",\"coll\":\"responses\"}}",
	    "{\"_id\":{\"_data\":\"2\"},\"splitEvent\":{\"fragment\":2,\"of\":2},"
	    "\"fullDocument\":{\"_id\":1}}",
	};
	struct mongo_change change;
	bson_t *parts = NULL, token;
	bson_iter_t at;
	bool last = false;

	for (int i = 0; i < 4; i++) {
		/* The first one twice: a resumed stream may give it again. */
		bson_t *raw = bson_new_from_json((const uint8_t *)rows[i == 3], -1, NULL);

		CHECK(mongo_change_join(raw, &parts, &last));
		CHECK(last == (i == 3));
		bson_destroy(raw);
	}
	CHECK(mongo_change_read(parts, &ours, &change) == 0);
	CHECK_INT(change.kind, CHANGE_EVENT);
	CHECK_INT(change.op, EVENT_RESPONSE);
	CHECK(bson_init_static(&token, change.token.data, change.token.length));
	CHECK(bson_iter_init_find(&at, &token, "_data"));
	CHECK_STRING(bson_iter_utf8(&at, NULL), "2");
	mongo_change_clear(&change);
	bson_destroy(parts);
	parts = BCON_NEW("operationType", "insert");
	CHECK(!mongo_change_join(parts, &parts, &last));
	bson_destroy(parts);
}
