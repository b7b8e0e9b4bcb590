/* SPDX-License-Identifier: MIT */
#include "ingestd/event.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

TEST(event_is_encoded_as_the_protocol_says)
{
	bson_t *position = BCON_NEW("n", BCON_INT32(1)), *doc = BCON_NEW("_id", BCON_INT32(5));
	struct event event = {.op = EVENT_RESPONSE_DELETED,
	    .at = 1234567,
	    .position = position,
	    .partial = true,
	    .doc = doc};
	bson_t *want = BCON_NEW("op", "responseDeleted", "position", "{", "n", BCON_INT32(1), "}",
	    "partial", BCON_BOOL(true), "at", BCON_DATE_TIME(1234567), "doc", "{", "_id",
	    BCON_INT32(5), "}");
	struct event_view view;
	struct buf out;

	buf_init(&out, 4096);
	CHECK(event_encode(&event, &out) == 0);
	CHECK_BYTES(buf_bytes(&out), buf_length(&out), bson_get_data(want), want->len);
	CHECK(event_view(buf_bytes(&out), buf_length(&out), &view) == 0);
	CHECK_INT(view.op, EVENT_RESPONSE_DELETED);
	CHECK_INT(view.at, 1234567);
	CHECK_BYTES(view.position, view.position_length, bson_get_data(position), position->len);
	buf_free(&out);
	bson_destroy(position);
	bson_destroy(doc);
	bson_destroy(want);
}

TEST(event_without_time_or_document)
{
	bson_t *position = BCON_NEW("n", BCON_INT32(1));
	struct event event = {.op = EVENT_POSITION, .at = EVENT_NO_TIME, .position = position};
	bson_t *want = BCON_NEW("op", "position", "position", "{", "n", BCON_INT32(1), "}");
	struct event_view view;
	struct buf out;

	buf_init(&out, 4096);
	CHECK(event_encode(&event, &out) == 0);
	CHECK_BYTES(buf_bytes(&out), buf_length(&out), bson_get_data(want), want->len);
	CHECK(event_view(buf_bytes(&out), buf_length(&out), &view) == 0);
	CHECK(view.at == EVENT_NO_TIME);
	buf_free(&out);
	bson_destroy(position);
	bson_destroy(want);
}

TEST(event_that_does_not_fit)
{
	bson_t *position = BCON_NEW("n", BCON_INT32(1));
	struct event event = {.op = EVENT_POSITION, .at = EVENT_NO_TIME, .position = position};
	struct buf out;

	buf_init(&out, 20);
	CHECK(event_encode(&event, &out) < 0);
	CHECK_INT(errno, ENOBUFS);
	CHECK_INT(buf_length(&out), 0);
	bson_destroy(position);
}

TEST(event_view_refuses_other_documents)
{
	bson_t *docs[] = {BCON_NEW("op", "unknown", "position", "{", "}"),
	    BCON_NEW("op", "form", "position", BCON_INT32(1)), BCON_NEW("position", "{", "}"),
	    bson_new()};
	struct event_view view;

	for (size_t i = 0; i < ARRAY_SIZE(docs); i++) {
		CHECK(event_view(bson_get_data(docs[i]), docs[i]->len, &view) < 0);
		bson_destroy(docs[i]);
	}
	CHECK(event_view((const uint8_t *)"\5\0\0\0", 4, &view) < 0);
}

TEST(event_shapes)
{
	static const struct {
		const char *json;
		int shape;
	} rows[] = {
	    {"{\"_id\":1,\"fields\":[]}", EVENT_FORM},
	    {"{\"_id\":1,\"formId\":1,\"answers\":[]}", EVENT_RESPONSE},
	    {"{\"_id\":1,\"formId\":1,\"fields\":[]}", EVENT_RESPONSE},
	    {"{\"_id\":1,\"fields\":{}}", -1},
	    {"{\"_id\":1}", -1},
	    {"{}", -1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bson_t *doc = bson_new_from_json((const uint8_t *)rows[i].json, -1, NULL);

		CHECK(doc != NULL);
		CHECK_INT(event_shape(doc), rows[i].shape);
		bson_destroy(doc);
	}
}
