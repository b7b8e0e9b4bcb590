/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "ingestd/file_position.h"
#include "ingestd/mongo_position.h"
#include "tests/unit/unit.h"

static bson_t *
from_json(const char *json)
{
	bson_error_t error;
	bson_t *doc = bson_new_from_json((const uint8_t *)json, -1, &error);

	if (!doc)
		unit_fail(__FILE__, __LINE__, "%s: %s", json, error.message);
	return doc;
}

TEST(file_position_there_and_back)
{
	struct file_position in = {.inode = UINT64_MAX,
	    .offset = 1ull << 40,
	    .line = 123456789,
	    .head = 0x8000000000000001,
	    .scan = true,
	    .rebuild = true};
	struct file_position out;
	bson_t doc;

	file_position_encode(&in, &doc);
	CHECK(file_position_decode(&doc, &out) == NULL);
	CHECK(in.inode == out.inode && in.offset == out.offset && in.line == out.line &&
	    in.head == out.head && in.scan == out.scan && in.rebuild == out.rebuild);
	CHECK_STRING(position_kind(&doc), "file");
	bson_destroy(&doc);
}

TEST(file_position_refuses_others)
{
	static const char *const rows[] = {"{}", "{\"source\":\"mongodb\"}",
	    "{\"source\":\"file\",\"inode\":{\"$numberLong\":\"1\"}}", "{\"source\":7}"};
	struct file_position out;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bson_t *doc = from_json(rows[i]);

		CHECK(file_position_decode(doc, &out) != NULL);
		bson_destroy(doc);
	}
}

/* Test vectors of draft-eastlake-fnv. */
TEST(file_head_hash_is_fnv_1a)
{
	CHECK(file_head_hash((const uint8_t *)"", 0) == 0xcbf29ce484222325u);
	CHECK(file_head_hash((const uint8_t *)"a", 1) == 0xaf63dc4c8601ec8cu);
	CHECK(file_head_hash((const uint8_t *)"foobar", 6) == 0x85944171f73967e8u);
}

static struct mongo_origin
origin(const char *database, const char *forms, const char *responses)
{
	return (struct mongo_origin){.database = database,
	    .forms = forms,
	    .responses = responses,
	    .set = "rs0",
	    .forms_uuid = {"0198aaaa-bbbb-4ccc-8ddd-eeeeffff0001"}};
}

TEST(mongo_position_there_and_back)
{
	struct mongo_origin ours = origin("db", "forms", "responses"), read = ours;
	struct mongo_position in, out;
	bson_t *token = from_json("{\"_data\":\"8266\"}"), *id = from_json("{\"_id\":{\"a\":[1]}}");
	bson_t doc, again;
	bson_iter_t at;

	mongo_position_init(&in);
	mongo_position_init(&out);
	mongo_position_set_token(&in, token);
	in.scan = SCAN_RESPONSES;
	in.since_time = 1700000000;
	in.since_increment = 7;
	CHECK(bson_iter_init_find(&at, id, "_id"));
	mongo_position_set_after(&in, &at);
	mongo_position_encode(&in, &ours, &doc);
	read.set[0] = read.forms_uuid.text[0] = '\0';
	CHECK(mongo_position_decode(&doc, &read, &out) == NULL);
	CHECK_STRING(read.set, "rs0");
	CHECK_STRING(read.forms_uuid.text, "0198aaaa-bbbb-4ccc-8ddd-eeeeffff0001");
	CHECK_STRING(read.responses_uuid.text, "");
	CHECK_INT(out.scan, SCAN_RESPONSES);
	CHECK_INT(out.since_time, 1700000000);
	CHECK_INT(out.since_increment, 7);
	mongo_position_encode(&out, &read, &again);
	CHECK_BYTES(bson_get_data(&again), again.len, bson_get_data(&doc), doc.len);
	bson_destroy(&again);
	bson_destroy(&doc);
	bson_destroy(token);
	bson_destroy(id);
	mongo_position_clear(&in);
	mongo_position_clear(&out);
}

/* What was read may have been too old: so an older version's scan begins again, from the same
 * point. */
TEST(mongo_position_whose_scan_knows_no_time_begins_it_again)
{
	struct mongo_origin ours = origin("db", "forms", "responses");
	struct mongo_position out;
	bson_t *doc = from_json(
	    "{\"v\":1,\"source\":\"mongodb\",\"of\":{\"database\":\"db\",\"forms\":\"forms\","
	    "\"responses\":\"responses\",\"set\":\"rs0\"},\"at\":{\"token\":{\"_data\":\"82\"}},"
	    "\"scan\":{\"collection\":\"responses\",\"after\":{\"_id\":5},\"done\":7}}");

	mongo_position_init(&out);
	CHECK(mongo_position_decode(doc, &ours, &out) == NULL);
	CHECK_INT(out.scan, SCAN_FORMS);
	CHECK_INT(out.scanned, 0);
	CHECK(bson_empty(out.after));
	CHECK(!bson_empty(out.at));
	bson_destroy(doc);
	mongo_position_clear(&out);
}

TEST(mongo_position_of_a_time_has_no_scan)
{
	struct mongo_origin ours = origin("db", "forms", "responses");
	struct mongo_position in, out;
	bson_t doc;

	mongo_position_init(&in);
	mongo_position_init(&out);
	mongo_position_set_time(&in, 1700000000, 3);
	mongo_position_encode(&in, &ours, &doc);
	CHECK(!bson_has_field(&doc, "scan"));
	CHECK(bson_has_field(&doc, "at.time"));
	CHECK(mongo_position_decode(&doc, &ours, &out) == NULL);
	CHECK_INT(out.scan, SCAN_NONE);
	CHECK(bson_equal(in.at, out.at));
	CHECK(bson_empty(out.after));
	bson_destroy(&doc);
	mongo_position_clear(&in);
	mongo_position_clear(&out);
}

TEST(mongo_position_refuses_another_source)
{
	struct mongo_origin ours = origin("db", "forms", "responses");
	struct mongo_origin others[] = {origin("db2", "forms", "responses"),
	    origin("db", "forms2", "responses"), origin("db", "forms", "responses2")};
	struct mongo_position in, out;
	bson_t doc, *file = from_json("{\"v\":1,\"source\":\"file\"}");

	mongo_position_init(&in);
	mongo_position_init(&out);
	mongo_position_set_time(&in, 1, 1);
	mongo_position_encode(&in, &ours, &doc);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		CHECK(mongo_position_decode(&doc, &others[i], &out) != NULL);
	CHECK(mongo_position_decode(file, &ours, &out) != NULL);
	bson_destroy(&doc);
	bson_destroy(file);
	mongo_position_clear(&in);
	mongo_position_clear(&out);
}

/* Of 6.0, of 4.0, of 4.0 in compatibility with 3.6; and what is none. */
TEST(mongo_tokens_bear_a_time)
{
	static const struct {
		const char *json;
		bool is;
		uint32_t time, increment;
	} rows[] = {
	    {"{\"_data\":\"8265A1B2C30000000D2B0229296E04\"}", true, 0x65a1b2c3, 13},
	    {"{\"_data\":\"825b1e7ef500000001\",\"x\":1}", true, 0x5b1e7ef5, 1},
	    {"{\"_data\":{\"$binary\":{\"base64\":\"glsefvUAAAAB/w==\",\"subType\":\"00\"}}}", true,
		0x5b1e7ef5, 1},
	    {"{\"_data\":\"8365A1B2C30000000D\"}", false, 0, 0},
	    {"{\"_data\":\"8265A1B2C30000000\"}", false, 0, 0},
	    {"{\"_data\":\"8265A1B2C3 000000D2B\"}", false, 0, 0},
	    {"{\"_data\":5}", false, 0, 0},
	    {"{}", false, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bson_t *token = from_json(rows[i].json);
		uint32_t time = 0, increment = 0;

		CHECK_INT(mongo_token_time(token, &time, &increment), rows[i].is);
		CHECK_INT(time, rows[i].time);
		CHECK_INT(increment, rows[i].increment);
		bson_destroy(token);
	}
}
