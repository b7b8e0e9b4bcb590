/* SPDX-License-Identifier: MIT */
#include "analyticsd/response.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/mem.h"
#include "tests/unit/analyticsd/support.h"
#include "tests/unit/unit.h"

#define HEAD "'formId': {'$oid': '60F7b1b9e1234567890abcde'}, "

static void
read_response(struct response *response, const char *json)
{
	bson_t *doc = bson_of(json);
	const char *why;

	/* The views would outlive the document: copy it into static storage. */
	static uint8_t copy[1 << 16];
	bson_t view;
	CHECK(doc->len <= sizeof(copy));
	memcpy(copy, bson_get_data(doc), doc->len);
	CHECK(bson_init_static(&view, copy, doc->len));
	if (response_from_bson(response, &view, &why) < 0)
		unit_fail(__FILE__, __LINE__, "%s: %s", json, why);
	bson_destroy(doc);
}

static void
refuse(const char *json, const char *want)
{
	struct response response = {0};
	bson_t *doc = bson_of(json);
	const char *why = NULL;

	CHECK(response_from_bson(&response, doc, &why) == -1);
	CHECK_STRING(why, want);
	response_free(&response);
	bson_destroy(doc);
}

TEST(response_malformed)
{
	refuse("{}", "no formId");
	refuse("{'formId': 'x', 'answers': []}", "formId is no ObjectId");
	refuse("{" HEAD "'a': 1}", "no answers");
	refuse("{" HEAD "'answers': {'0': {'fieldId': 'a', 'value': 1}}}", "answers is no array");
	refuse("{" HEAD "'answers': null}", "answers is no array");
	refuse("{" HEAD "'answers': [], 'submittedAt': '2026-03-01'}", "submittedAt is no date");
	refuse("{" HEAD "'answers': [], 'submittedAt': null}", "submittedAt is no date");
}

static void
check_left_out(const char *json, unsigned parts)
{
	struct response response = {0};

	read_response(&response, json);
	if (response.left_out != parts)
		unit_fail(__FILE__, __LINE__, "%s: %x", json, response.left_out);
	response_free(&response);
}

#define ANSWERS(text) "{" HEAD "'answers': [" text "]}"
#define META(text) "{" HEAD "'submittedAt': {'$date': 5000}, 'answers': [], 'meta': " text "}"

TEST(response_in_part)
{
	check_left_out(ANSWERS("{'fieldId': 'a', 'value': ''}"), 0);
	check_left_out(ANSWERS("7, {'fieldId': 'a', 'value': 1}"), 1U << PART_ENTRY);
	check_left_out(ANSWERS("{'value': 1}"), 1U << PART_FIELD_ID);
	check_left_out(ANSWERS("{'fieldId': 'no id', 'value': 1}"), 1U << PART_FIELD_ID);
	check_left_out(
	    ANSWERS("{'fieldId': 5, 'value': 1}, null"), 1U << PART_FIELD_ID | 1U << PART_ENTRY);
	check_left_out(ANSWERS("{'fieldId': 'a', 'value': 1}, {'fieldId': 'a', 'value': 2}"),
	    1U << PART_REPEATED);
	check_left_out(ANSWERS("{'fieldId': 'a'}"), 1U << PART_VALUE);
	check_left_out(ANSWERS("{'fieldId': 'a', 'value': null}"), 1U << PART_VALUE);
	check_left_out(
	    ANSWERS("{'fieldId': 'a', 'value': {'$numberDouble': 'NaN'}}"), 1U << PART_VALUE);
	check_left_out(ANSWERS("{'fieldId': 'a', 'value': ['x', 1]}"), 1U << PART_VALUE);
	check_left_out(META("{'durationMs': 5, 'startedAt': {'$date': 1000}}"), 0);
	check_left_out(META("null"), 0);
	check_left_out(META("{'durationMs': null, 'startedAt': null, 'other': 'x'}"), 0);
	check_left_out(META("7"), 1U << PART_META);
	check_left_out(META("{'durationMs': 'x'}"), 1U << PART_META);
	check_left_out(META("{'durationMs': -1}"), 1U << PART_META);
	check_left_out(META("{'startedAt': 'x', 'durationMs': 7}"), 1U << PART_META);
	check_left_out(META("{'startedAt': {'$date': 6000}}"), 1U << PART_META);
	check_left_out("{" HEAD "'answers': [], 'meta': {'startedAt': {'$date': 6000}}}", 0);
}

TEST(response_cut_off)
{
	bson_t *doc = bson_of(
	    "{" HEAD
	    "'answers': [{'fieldId': 'a', 'value': ['x', 'y']}], 'meta': {'durationMs': 5}}");
	struct response response = {0};
	const char *why;

	/* A length that lies, at every place: no crash, whatever is made of it. */
	for (uint32_t i = 4; i < doc->len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			uint8_t *copy = mem_dup(bson_get_data(doc), doc->len);
			bson_t view;

			copy[i] ^= (uint8_t)(1 << bit);
			if (bson_init_static(&view, copy, doc->len))
				if (response_from_bson(&response, &view, &why) == 0)
					CHECK(response.answer_count <= 1);
			MEM_FREE(&copy);
		}
	}
	response_free(&response);
	bson_destroy(doc);
}

TEST(response_answers)
{
	struct response r = {0};

	read_response(&r,
	    "{" HEAD "'submittedAt': {'$date': {'$numberLong': '1'}}, 'answers': ["
	    "{'fieldId': 's', 'value': 'text'}, {'value': 's', 'fieldId': 's2'},"
	    "{'fieldId': 's', 'value': 'again'}, {'fieldId': 'bad id', 'value': 1}, {'fieldId': "
	    "'', 'value': 1},"
	    "{'fieldId': 5, 'value': 1}, {'value': 1}, 'none', 7, null,"
	    "{'fieldId': 'l', 'value': ['b', 'a', 'b', '']}, {'fieldId': 'mixed', 'value': ['b', "
	    "1]},"
	    "{'fieldId': 'l2', 'value': ['c']}, {'fieldId': 'e', 'value': []},"
	    "{'fieldId': 'gone'}, {'fieldId': 'null', 'value': null}, {'fieldId': 'bool', 'value': "
	    "true},"
	    "{'fieldId': 'doc', 'value': {'a': 1}}, {'fieldId': 'date', 'value': {'$date': "
	    "{'$numberLong': '1'}}}"
	    "]}");
	CHECK_INT(r.form.bytes[0], 0x60);
	CHECK_INT(r.submitted_ms, 1);
	CHECK_INT(r.duration_ms, -1);
	CHECK_INT(r.answer_count, 11);
	CHECK_BYTES(r.answers[0].text, r.answers[0].text_length, "text", 4);
	CHECK_BYTES(r.answers[1].field, r.answers[1].field_length, "s2", 2);
	CHECK_INT(r.answers[2].option_count, 3);
	CHECK_BYTES(r.answers[2].options[1].id, r.answers[2].options[1].length, "a", 1);
	CHECK_INT(r.answers[2].options[2].length, 0);
	CHECK(r.answers[3].kind == VALUE_OTHER);
	CHECK_BYTES(r.answers[4].options[0].id, r.answers[4].options[0].length, "c", 1);
	CHECK(r.answers[5].kind == VALUE_OPTIONS && r.answers[5].option_count == 0);
	for (int i = 6; i < 11; i++)
		CHECK(r.answers[i].kind == VALUE_OTHER);
	response_free(&r);
}

static struct answer
number(const char *value)
{
	struct response r = {0};
	char json[256];

	snprintf(json, sizeof(json), "{" HEAD "'answers': [{'fieldId': 'n', 'value': %s}]}", value);
	read_response(&r, json);
	CHECK_INT(r.answer_count, 1);
	CHECK_INT(r.submitted_ms, RESPONSE_NO_TIME);
	struct answer answer = r.answers[0];
	response_free(&r);
	return answer;
}

TEST(response_numbers)
{
	struct answer a = number("5");
	CHECK(a.kind == VALUE_NUMBER && a.whole && a.integer == 5 && a.number == 5);
	a = number("{'$numberLong': '9007199254740993'}");
	CHECK(a.whole && a.integer == 9007199254740993 && a.number == 9007199254740992.0);
	a = number("{'$numberLong': '-9223372036854775808'}");
	CHECK(a.whole && a.integer == INT64_MIN);
	a = number("{'$numberDouble': '-0.0'}");
	CHECK(a.whole && a.integer == 0 && !signbit(a.number));
	a = number("{'$numberDouble': '4.5'}");
	CHECK(a.kind == VALUE_NUMBER && !a.whole && a.number == 4.5);
	a = number("{'$numberDouble': '1e300'}");
	CHECK(a.kind == VALUE_NUMBER && !a.whole && a.number == 1e300);
	a = number("{'$numberDecimal': '4.1'}");
	CHECK(a.kind == VALUE_NUMBER && a.number == 4.1);
	a = number("{'$numberDecimal': '4'}");
	CHECK(a.whole && a.integer == 4);
	CHECK(number("{'$numberDouble': 'NaN'}").kind == VALUE_OTHER);
	CHECK(number("{'$numberDouble': '-Infinity'}").kind == VALUE_OTHER);
	CHECK(number("{'$numberDecimal': 'NaN'}").kind == VALUE_OTHER);
	CHECK(number("{'$numberDecimal': 'Infinity'}").kind == VALUE_OTHER);
	CHECK(number("{'$numberDecimal': '1E6000'}").kind == VALUE_OTHER);
}

static int64_t
duration(const char *meta)
{
	struct response r = {0};
	char json[512];

	snprintf(json, sizeof(json),
	    "{" HEAD "'meta': %s, 'answers': [], 'submittedAt': {'$date': '2026-03-01T00:01:00Z'}}",
	    meta);
	read_response(&r, json);
	int64_t ms = r.duration_ms;
	response_free(&r);
	return ms;
}

TEST(response_duration)
{
	CHECK_INT(duration("{'durationMs': 1500}"), 1500);
	CHECK_INT(duration("{'durationMs': 0}"), 0);
	CHECK_INT(duration("{'durationMs': {'$numberLong': '15'}}"), 15);
	CHECK_INT(duration("{'durationMs': 15.5}"), 16);
	CHECK_INT(duration("{'durationMs': {'$numberDecimal': '15.25'}}"), 15);
	CHECK_INT(duration("{'startedAt': {'$date': '2026-03-01T00:00:00Z'}}"), 60000);
	CHECK_INT(duration("{'startedAt': {'$date': '2026-03-01T00:01:00Z'}}"), 0);
	CHECK_INT(duration("{'startedAt': {'$date': '2026-03-01T00:01:01Z'}}"), -1);
	CHECK_INT(duration("{'startedAt': {'$date': '2000-03-01T00:01:01Z'}}"), -1);
	CHECK_INT(
	    duration("{'startedAt': {'$date': {'$numberLong': '-9223372036854775808'}}}"), -1);
	CHECK_INT(
	    duration("{'durationMs': 7, 'startedAt': {'$date': '2026-03-01T00:00:00Z'}}"), 60000);
	CHECK_INT(duration("{'durationMs': 7, 'startedAt': '2026-03-01T00:00:00Z'}"), 7);
	CHECK_INT(
	    duration("{'durationMs': 7, 'startedAt': {'$date': '2026-03-01T00:02:00Z'}}"), -1);
	CHECK_INT(
	    duration("{'durationMs': 'x', 'startedAt': {'$date': '2026-03-01T00:00:00Z'}}"), 60000);
	CHECK_INT(duration("{'durationMs': {'$numberDouble': 'NaN'}, 'startedAt': {'$date': "
			   "'2026-03-01T00:00:00Z'}}"),
	    60000);
	CHECK_INT(duration("{'durationMs': {'$numberDouble': 'NaN'}}"), -1);
	CHECK_INT(duration("{'durationMs': -1}"), -1);
	CHECK_INT(duration("{'durationMs': 1e300}"), -1);
	CHECK_INT(duration("{}"), -1);
	CHECK_INT(duration("null"), -1);
	CHECK_INT(duration("7"), -1);
}

TEST(response_bounds)
{
	struct response r = {0};
	const char *why;
	bson_t doc = BSON_INITIALIZER, answers, entry, list;
	char key[16], id[16], *text = mem_alloc(RESPONSE_MAX_TEXT + 2);
	bson_oid_t oid = {{0}};

	/* A character of two bytes across the limit. */
	memset(text, 'a', RESPONSE_MAX_TEXT + 2);
	text[RESPONSE_MAX_TEXT - 1] = '\xc3';
	text[RESPONSE_MAX_TEXT] = '\xa9';
	BSON_APPEND_OID(&doc, "formId", &oid);
	BSON_APPEND_ARRAY_BEGIN(&doc, "answers", &answers);
	for (int i = 0; i < RESPONSE_MAX_ANSWERS + 10; i++) {
		snprintf(key, sizeof(key), "%d", i);
		BSON_APPEND_DOCUMENT_BEGIN(&answers, key, &entry);
		snprintf(id, sizeof(id), "f%d", i);
		BSON_APPEND_UTF8(&entry, "fieldId", id);
		if (i == 0) {
			bson_append_utf8(&entry, "value", -1, text, RESPONSE_MAX_TEXT + 2);
		} else if (i == 1) {
			BSON_APPEND_ARRAY_BEGIN(&entry, "value", &list);
			for (int o = 0; o < RESPONSE_MAX_OPTIONS + 10; o++) {
				snprintf(id, sizeof(id), "%d", o);
				BSON_APPEND_UTF8(&list, id, id);
			}
			bson_append_array_end(&entry, &list);
		} else {
			BSON_APPEND_INT32(&entry, "value", i);
		}
		bson_append_document_end(&answers, &entry);
	}
	bson_append_array_end(&doc, &answers);
	CHECK(response_from_bson(&r, &doc, &why) == 0);
	CHECK_INT(r.answer_count, RESPONSE_MAX_ANSWERS);
	CHECK_INT(r.answers[0].text_length, RESPONSE_MAX_TEXT - 1);
	CHECK_INT(r.answers[1].option_count, RESPONSE_MAX_OPTIONS);
	CHECK_BYTES(r.answers[1].options[1023].id, r.answers[1].options[1023].length, "1023", 4);

	struct response back = {0};
	struct buf record, small;
	buf_init(&record, 1 << 20);
	buf_init(&small, 1000);
	CHECK(response_to_record(&r, &record) == 0);
	CHECK(response_to_record(&r, &small) == -1);
	CHECK(response_from_record(&back, buf_bytes(&record), buf_length(&record)) == 0);
	CHECK_INT(back.answer_count, RESPONSE_MAX_ANSWERS);
	CHECK_INT(back.answers[1].option_count, RESPONSE_MAX_OPTIONS);
	CHECK_INT(back.answers[1023].integer, 1023);
	response_free(&back);
	buf_free(&record);
	buf_free(&small);
	response_free(&r);
	bson_destroy(&doc);
	MEM_FREE(&text);
}

TEST(response_options_of_bad_utf8)
{
	struct response r = {0};
	bson_t doc = BSON_INITIALIZER, answers, entry, list;
	bson_oid_t oid = {{0}};
	const char *why;

	BSON_APPEND_OID(&doc, "formId", &oid);
	BSON_APPEND_ARRAY_BEGIN(&doc, "answers", &answers);
	BSON_APPEND_DOCUMENT_BEGIN(&answers, "0", &entry);
	BSON_APPEND_UTF8(&entry, "fieldId", "a");
	BSON_APPEND_ARRAY_BEGIN(&entry, "value", &list);
	BSON_APPEND_UTF8(&list, "0", "fine");
	bson_append_utf8(&list, "1", 1, "\xff", 1);
	bson_append_array_end(&entry, &list);
	bson_append_document_end(&answers, &entry);
	bson_append_array_end(&doc, &answers);
	CHECK(response_from_bson(&r, &doc, &why) == 0);
	CHECK(r.answers[0].kind == VALUE_OTHER && r.option_count == 0);
	response_free(&r);
	bson_destroy(&doc);
}

static void
check_id(const char *json, const char *want, size_t length)
{
	bson_t *doc = bson_of(json);
	const char *why;
	struct buf id;

	buf_init(&id, RESPONSE_MAX_ID);
	CHECK(response_id(doc, &id, &why) == 0);
	CHECK_BYTES(buf_bytes(&id), buf_length(&id), want, length);
	buf_free(&id);
	bson_destroy(doc);
}

TEST(response_ids)
{
	struct buf id;
	const char *why;
	char json[2100] = "{'_id': '";

	check_id("{'a': 1, '_id': {'$oid': '000102030405060708090a0b'}, 'b': 1}",
	    "\x07\0\1\2\3\4\5\6\7\10\11\12\13", 13);
	check_id("{'_id': 'ab'}", "\2\3\0\0\0ab\0", 8);
	check_id("{'_id': 5}", "\x10\5\0\0\0", 5);
	check_id("{'_id': null}", "\x0a", 1);
	check_id("{'_id': {'a': true}}", "\3\11\0\0\0\10a\0\1\0", 10);
	buf_init(&id, 4096);
	size_t start = strlen(json);
	memset(json + start, 'x', 1100);
	snprintf(json + start + 1100, 3, "'}");
	bson_t *doc = bson_of(json);
	CHECK(response_id(doc, &id, &why) == -1);
	CHECK_STRING(why, "its _id is too long");
	bson_destroy(doc);
	doc = bson_of("{'id': 1}");
	CHECK(response_id(doc, &id, &why) == -1);
	CHECK_STRING(why, "no _id");
	CHECK_INT(buf_length(&id), 0);
	bson_destroy(doc);
	buf_free(&id);
}

TEST(record_round_trip)
{
	struct response r = {0}, back = {0};
	struct buf record, again;

	read_response(&r,
	    "{" HEAD "'submittedAt': {'$date': {'$numberLong': '-5'}}, 'meta': {'durationMs': 0},"
	    " 'answers': [{'fieldId': 'o'}, {'fieldId': 's', 'value': ''}, {'fieldId': 'n', "
	    "'value': -3},"
	    "{'fieldId': 'd', 'value': 0.1}, {'fieldId': 'l', 'value': ['a', 'b']}, {'fieldId': "
	    "'l0', 'value': []},"
	    "{'fieldId': 'l1', 'value': ['c']}]}");
	buf_init(&record, 1000);
	buf_init(&again, 1000);
	CHECK(response_to_record(&r, &record) == 0);
	CHECK(response_from_record(&back, buf_bytes(&record), buf_length(&record)) == 0);
	CHECK_INT(back.submitted_ms, -5);
	CHECK_INT(back.duration_ms, 0);
	CHECK(back.answers[0].kind == VALUE_OTHER);
	CHECK(back.answers[2].integer == -3 && back.answers[2].number == -3);
	CHECK(back.answers[3].number == 0.1);
	CHECK_BYTES(back.answers[6].options[0].id, 1, "c", 1);
	CHECK(response_to_record(&back, &again) == 0);
	CHECK_BYTES(buf_bytes(&again), buf_length(&again), buf_bytes(&record), buf_length(&record));
	/* Cut anywhere it is refused. */
	for (size_t i = 0; i < buf_length(&record); i++)
		CHECK(response_from_record(&back, buf_bytes(&record), i) == -1);
	response_free(&r);
	response_free(&back);
	buf_free(&record);
	buf_free(&again);
}

TEST(record_of_random_bytes)
{
	struct dice dice = dice_new();
	struct response r = {0};

	for (int round = 0; round < 200000; round++) {
		uint8_t bytes[48];
		size_t length = dice_roll(&dice, sizeof(bytes));

		for (size_t i = 0; i < length; i++)
			bytes[i] = (uint8_t)(dice_roll(&dice, 3) ? dice_roll(&dice, 6)
								 : dice_next(&dice));
		/* A start that is right now and then, so that it gets further. */
		if (length > 4 && dice_roll(&dice, 2)) {
			bytes[0] = 1;
			bytes[1] = bytes[2] = 0;
			bytes[3] = (uint8_t)dice_roll(&dice, 4);
		}
		uint8_t *copy = mem_dup(bytes, length);
		if (response_from_record(&r, copy, length) == 0)
			CHECK(r.answer_count <= 4);
		MEM_FREE(&copy);
	}
	response_free(&r);
}
