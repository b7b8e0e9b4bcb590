/* SPDX-License-Identifier: MIT */
#include "ingestd/reply.h"

#include <bson/bson.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct reply
parse(const char *json, uint8_t *bytes)
{
	bson_t *said = bson_new_from_json((const uint8_t *)json, -1, NULL);
	struct reply reply;

	CHECK(said != NULL);
	memcpy(bytes, bson_get_data(said), said->len);
	CHECK_INT(reply_parse(bytes, said->len, &reply), said->len);
	for (size_t i = 0; i < said->len; i++) {
		struct reply part;

		CHECK_INT(reply_parse(bytes, i, &part), 0);
	}
	bson_destroy(said);
	return reply;
}

TEST(replies_are_told_apart)
{
	uint8_t bytes[1024];
	struct reply reply = parse("{\"hello\":1,\"position\":null}", bytes);

	CHECK_INT(reply.kind, REPLY_HELLO);
	CHECK(reply.position == NULL);
	CHECK_INT(reply.position_length, 0);
	reply = parse("{\"hello\":1,\"position\":{}}", bytes);
	CHECK_INT(reply.kind, REPLY_HELLO);
	CHECK_INT(reply.position_length, 5);
	reply = parse("{\"committed\":{\"a\":1}}", bytes);
	CHECK_INT(reply.kind, REPLY_COMMITTED);
	CHECK_INT(reply.position_length, 12);
	reply = parse("{\"error\":\"no\"}", bytes);
	CHECK_INT(reply.kind, REPLY_ERROR);
	CHECK_STRING(reply.text, "no");
	CHECK_INT(parse("{\"hello\":1}", bytes).kind, REPLY_UNKNOWN);
	CHECK_INT(parse("{\"committed\":1}", bytes).kind, REPLY_UNKNOWN);
	CHECK_INT(parse("{}", bytes).kind, REPLY_UNKNOWN);
}

TEST(replies_that_are_no_bson)
{
	struct reply reply;

	CHECK_INT(reply_parse((const uint8_t *)"\4\0\0\0", 4, &reply), -1);
	CHECK_INT(reply_parse((const uint8_t *)"\xff\xff\xff\x7f", 4, &reply), -1);
	CHECK_INT(reply_parse((const uint8_t *)"GET / HTTP/1.1\r\n", 16, &reply), -1);
	CHECK_INT(reply_parse((const uint8_t *)"\5\0\0\0\1", 5, &reply), -1);
	CHECK_INT(reply_parse((const uint8_t *)"\10\0\0\0\2abc", 8, &reply), -1);
}
