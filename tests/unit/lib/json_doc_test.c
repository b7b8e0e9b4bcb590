/* SPDX-License-Identifier: MIT */
/* json_read and json_write, each for itself and one against the other. */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "lib/json_read.h"
#include "lib/json_write.h"
#include "tests/unit/unit.h"

static struct json_doc doc;

static void
parse(const char *text)
{
	const char *error = "";
	if (json_parse(&doc, text, strlen(text), 1000, &error) < 0)
		unit_fail(__FILE__, __LINE__, "%s: %s", text, error);
}

TEST(json_read_walks)
{
	parse("{\"a\":[1,[2,{\"x\":[]}],3],\"b\":{\"c\":{}},\"d\":\"e\"}");
	CHECK_INT(json_type(&doc, 0), JSON_OBJECT);
	CHECK_INT(json_size(&doc, 0), 3);
	char names[4] = "", name[8];
	size_t seen = 0;
	JSON_FOR_EACH (key, &doc, 0) {
		CHECK_INT(json_string(&doc, key, name, sizeof(name)), 1);
		CHECK(seen < 3);
		names[seen++] = name[0];
	}
	CHECK_STRING(names, "abd");

	int a = json_get(&doc, 0, "a"), count = 0;
	CHECK_INT(json_size(&doc, a), 3);
	JSON_FOR_EACH (element, &doc, a)
		CHECK_INT(json_type(&doc, element), count++ == 1 ? JSON_ARRAY : JSON_NUMBER);
	CHECK_INT(count, 3);
	int c = json_get(&doc, json_get(&doc, 0, "b"), "c");
	CHECK_INT(json_type(&doc, c), JSON_OBJECT);
	CHECK_INT(json_first(&doc, c), -1);
	CHECK(json_string_is(&doc, json_get(&doc, 0, "d"), "e"));
	json_free(&doc);
}

TEST(json_read_suffers_what_is_not_there)
{
	int64_t whole;
	double number;
	bool truth;
	char text[4];
	size_t length;
	parse("{\"a\":1}");
	CHECK_INT(json_get(&doc, 0, "b"), -1);
	CHECK_INT(json_get(&doc, -1, "b"), -1);
	CHECK_INT(json_type(&doc, -1), JSON_NONE);
	CHECK_INT(json_type(&doc, 99), JSON_NONE);
	CHECK_INT(json_size(&doc, -1), 0);
	CHECK_INT(json_first(&doc, -1), -1);
	CHECK_INT(json_next(&doc, -1, -1), -1);
	CHECK_INT(json_string(&doc, -1, text, sizeof(text)), -1);
	CHECK(!json_string_is(&doc, -1, ""));
	CHECK_INT(json_i64(&doc, -1, &whole), -1);
	CHECK_INT(json_double(&doc, -1, &number), -1);
	CHECK_INT(json_bool(&doc, -1, &truth), -1);
	CHECK(json_raw(&doc, -1, &length) == NULL);
	/* A key is no container, and its text no number. */
	CHECK_INT(json_size(&doc, json_first(&doc, 0)), 0);
	CHECK_INT(json_i64(&doc, json_first(&doc, 0), &whole), -1);
	json_free(&doc);
}

TEST(json_read_knows_types_and_roots)
{
	static const struct {
		const char *text;
		enum json_type type;
	} roots[] = {{"null", JSON_NULL}, {"true", JSON_BOOL}, {"false", JSON_BOOL},
	    {"-1", JSON_NUMBER}, {" 12 ", JSON_NUMBER}, {"\"\"", JSON_STRING}, {"[]", JSON_ARRAY},
	    {"{}", JSON_OBJECT}};
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		parse(roots[i].text);
		CHECK_INT(json_type(&doc, 0), roots[i].type);
		CHECK_INT(doc.count, 1);
		json_free(&doc);
	}
}

TEST(json_read_refuses)
{
	const char *error = NULL;
	CHECK_INT(json_parse(&doc, "[1", 2, 10, &error), -1);
	CHECK_STRING(error, "unexpected end");
	CHECK_INT(json_parse(&doc, "[1,2,3]", 7, 3, &error), -1);
	CHECK_STRING(error, "too many tokens");
	CHECK_INT(json_parse(&doc, "[1,2,3]", 7, 4, NULL), 0);
	json_free(&doc);
	CHECK_INT(json_parse(&doc, "", 0, 10, NULL), -1);
}

TEST(json_read_unescapes)
{
	char text[64];
	parse("[\"a\\\"\\\\\\/\\b\\f\\n\\r\\tb\",\"\\u00e9\\u20AC\\ud83c\\udfdc\",\"x\\u0000y\"]");
	CHECK_INT(json_string(&doc, 1, text, sizeof(text)), 10);
	CHECK_STRING(text, "a\"\\/\b\f\n\r\tb");
	CHECK_INT(json_string(&doc, 2, text, sizeof(text)), 9);
	CHECK_STRING(text, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8f\x9c");
	CHECK_INT(json_string(&doc, 2, text, 9), -1);
	CHECK_INT(json_string(&doc, 2, text, 10), 9);
	CHECK_INT(json_string(&doc, 3, text, sizeof(text)), -1);
	CHECK(json_string_is(&doc, 2, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8f\x9c"));
	CHECK(!json_string_is(&doc, 3, "x"));
	CHECK(!json_string_is(&doc, 1, "a\"\\/\b\f\n\r\t"));
	json_free(&doc);
}

TEST(json_read_compares_names_unescaped)
{
	int64_t value;
	parse("{\"\\u0061b\":1,\"ab\":2,\"abc\":3,\"\":4}");
	CHECK_INT(json_i64(&doc, json_get(&doc, 0, "ab"), &value), 0);
	CHECK_INT(value, 1);
	CHECK_INT(json_i64(&doc, json_get(&doc, 0, "abc"), &value), 0);
	CHECK_INT(value, 3);
	CHECK_INT(json_i64(&doc, json_get(&doc, 0, ""), &value), 0);
	CHECK_INT(value, 4);
	CHECK_INT(json_get(&doc, 0, "a"), -1);
	json_free(&doc);
}

static void
check_number(const char *text, int result, int64_t want)
{
	int64_t value = 0;
	parse(text);
	CHECK_INT(json_i64(&doc, 0, &value), result);
	CHECK_INT(value, want);
	json_free(&doc);
}

TEST(json_read_numbers)
{
	double number;
	check_number("-9223372036854775808", 0, INT64_MIN);
	check_number("9223372036854775808", -1, 0);
	check_number("1.5", -1, 0);
	check_number("3.0", 0, 3);
	check_number("3e2", 0, 300);
	check_number("1e300", -1, 0);
	check_number("\"1\"", -1, 0);
	parse("[0.1,1e999,-1e999,"
	      "100000000000000000000000000000000000000000000000000000000000000000000000]");
	CHECK_INT(json_double(&doc, 1, &number), 0);
	CHECK(number == 0.1);
	CHECK_INT(json_double(&doc, 2, &number), -1);
	CHECK_INT(json_double(&doc, 3, &number), -1);
	CHECK_INT(json_double(&doc, 4, &number), 0);
	CHECK(number == 1e71);
	json_free(&doc);
}

TEST(json_read_raw)
{
	size_t length;
	bool truth;
	parse("{\"a\" : [ 1, \"b\" ], \"c\":true}");
	const char *raw = json_raw(&doc, json_get(&doc, 0, "a"), &length);
	CHECK_BYTES(raw, length, "[ 1, \"b\" ]", 10);
	raw = json_raw(&doc, json_first(&doc, 0), &length);
	CHECK_BYTES(raw, length, "\"a\"", 3);
	CHECK_INT(json_bool(&doc, json_get(&doc, 0, "c"), &truth), 0);
	CHECK(truth);
	json_free(&doc);
}

static struct buf buf;
static struct json_writer w;

static void
write_begin(size_t max)
{
	buf_init(&buf, max);
	json_write_begin(&w, &buf);
}

static void
write_is(const char *want)
{
	CHECK_INT(json_write_end(&w), 0);
	CHECK_BYTES(buf_bytes(&buf), buf_length(&buf), want, strlen(want));
	CHECK_INT(json_parse(&doc, want, strlen(want), 1000, NULL), 0);
	json_free(&doc);
	buf_free(&buf);
}

TEST(json_write_puts_commas)
{
	write_begin(1000);
	json_object_begin(&w);
	json_key(&w, "a");
	json_array_begin(&w);
	json_put_i64(&w, INT64_MIN);
	json_put_u64(&w, UINT64_MAX);
	json_array_begin(&w);
	json_array_end(&w);
	json_object_begin(&w);
	json_object_end(&w);
	json_put_null(&w);
	json_array_end(&w);
	json_key(&w, "b");
	json_put_bool(&w, true);
	json_key_n(&w, "cd", 1);
	json_put_raw(&w, "[1]", 3);
	json_key(&w, "t");
	json_put_time(&w, 0);
	json_key(&w, "d");
	json_put_double(&w, NAN);
	json_object_end(&w);
	write_is(
	    "{\"a\":[-9223372036854775808,18446744073709551615,[],{},null],\"b\":true,\"c\":[1],"
	    "\"t\":\"1970-01-01T00:00:00.000Z\",\"d\":null}");
}

TEST(json_write_escapes)
{
	write_begin(1000);
	json_array_begin(&w);
	json_put_string(&w, "\"\\/\b\f\n\r\t\x01\x1f\x7f");
	json_put_string_n(&w, "a\0b", 3);
	json_put_string(&w, "gr\xc3\xbc\xc3\x9f \xf0\x9f\x8f\x9c");
	json_put_string(&w, "\xff|\xc3|\xed\xa0\x80");
	json_put_string(&w, "");
	json_array_end(&w);
	write_is("[\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\",\"a\\u0000b\","
		 "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x8f\x9c\","
		 "\"\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",\"\"]");
}

TEST(json_write_tells_of_overflow_once_and_cuts_back)
{
	buf_init(&buf, 10);
	CHECK_INT(buf_append(&buf, "keep", 4), 0);
	buf_consume(&buf, 1);
	json_write_begin(&w, &buf);
	json_array_begin(&w);
	json_put_string(&w, "far too long for it");
	json_put_i64(&w, 1);
	json_array_end(&w);
	errno = 0;
	CHECK_INT(json_write_end(&w), -1);
	CHECK_INT(errno, ENOBUFS);
	CHECK_BYTES(buf_bytes(&buf), buf_length(&buf), "eep", 3);
	buf_free(&buf);
}

TEST(json_survives_the_round_trip)
{
	char text[1200], back[1200];
	uint32_t state = 7;
	for (int round = 0; round < 500; round++) {
		size_t length = 0;
		for (int i = 0; i < 200; i++) {
			state = state * 1664525 + 1013904223;
			static const char *const pieces[] = {"a", "\"", "\\", "\n", "\x01",
			    "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x8f\x9c", "/", "\x7f"};
			const char *piece = pieces[(state >> 16) % 10];
			memcpy(text + length, piece, strlen(piece) + 1);
			length += strlen(piece);
		}
		write_begin(10000);
		json_put_string(&w, text);
		CHECK_INT(json_write_end(&w), 0);
		CHECK_INT(
		    json_parse(&doc, (const char *)buf_bytes(&buf), buf_length(&buf), 1, NULL), 0);
		CHECK_INT(json_string(&doc, 0, back, sizeof(back)), length);
		CHECK_STRING(back, text);
		CHECK(json_string_is(&doc, 0, text));
		json_free(&doc);
		buf_free(&buf);
	}
}
