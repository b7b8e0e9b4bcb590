/* SPDX-License-Identifier: MIT */
#include "analyticsd/event.h"

#include <string.h>

#include "tests/unit/unit.h"

/* Static for the alignment of its bson_t, which ASan's stack does not keep. */
static struct event event;

/* The document is the caller's. */
static bson_t *
read_json(const char *json)
{
	bson_error_t error;
	bson_t *doc = bson_new_from_json((const uint8_t *)json, -1, &error);

	CHECK(doc != NULL);
	CHECK(event_read(&event, doc));
	CHECK(event.whole == doc);
	return doc;
}

TEST(event_opens_an_envelope)
{
	bson_t *doc = read_json("{\"at\":{\"$date\":{\"$numberLong\":\"7\"}},\"op\":\"response\","
				"\"position\":{\"n\":1},\"partial\":true,\"doc\":{\"formId\":1}}");

	CHECK_STRING(event.op, "response");
	CHECK(event.turn == TURN_NONE);
	CHECK(event.has_doc && bson_has_field(&event.doc, "formId"));
	CHECK(event.position != NULL && event.position_length == 12);
	CHECK(event.partial);
	CHECK_INT(event.at_ms, 7);
	CHECK(!event.has_form_id && !event.has_fields);
	bson_destroy(doc);
}

TEST(event_takes_other_types_for_absent)
{
	bson_t *doc = read_json("{\"op\":1,\"position\":[],\"partial\":1,\"doc\":\"\",\"at\":5}");

	CHECK(event.op == NULL && event.position == NULL && !event.partial && !event.has_doc);
	CHECK_INT(event.at_ms, -1);
	bson_destroy(doc);
}

TEST(event_knows_what_a_bare_document_is)
{
	bson_t *doc = read_json("{\"_id\":1,\"formId\":null,\"fields\":[]}");

	CHECK(event.op == NULL && event.has_form_id && event.has_fields);
	bson_destroy(doc);
	doc = read_json("{\"formID\":1,\"fiel\":1,\"fieldss\":1,\"\":1}");
	CHECK(event.op == NULL && !event.has_form_id && !event.has_fields);
	bson_destroy(doc);
}

TEST(event_turns_by_its_first_op)
{
	static const struct {
		const char *json;
		enum event_turn turn;
	} cases[] = {
	    {"{\"op\":\"rebuild\"}", TURN_REBUILD},
	    {"{\"op\":\"rebuilt\"}", TURN_REBUILT},
	    {"{\"op\":\"rebuilds\"}", TURN_NONE},
	    {"{}", TURN_NONE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bson_t *doc = read_json(cases[i].json);
		CHECK(event.turn == cases[i].turn);
		bson_destroy(doc);
	}
	bson_t *doc = bson_new();
	bson_append_int32(doc, "op", -1, 1);
	bson_append_utf8(doc, "op", -1, "rebuild", -1);
	CHECK(event_read(&event, doc));
	CHECK(event.turn == TURN_NONE);
	CHECK_STRING(event.op, "rebuild");
	bson_destroy(doc);
}

TEST(event_refuses_what_is_no_bson)
{
	static const char broken[] = "\x10\0\0\0\x02"
				     "op\0\x7f\0\0\0\0\0\0\0";
	static bson_t doc;

	CHECK(bson_init_static(&doc, (const uint8_t *)broken, 16));
	CHECK(!event_read(&event, &doc));
}
