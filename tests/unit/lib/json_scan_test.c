/* SPDX-License-Identifier: MIT */
#include "lib/json_scan.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* A copy without a NUL or slack behind it, so that ASan sees a read too far. */
static int
scan_exact(const char *text, size_t length, const char **error)
{
	char *copy = malloc(length > 0 ? length : 1);
	memcpy(copy, text, length);
	int result = json_scan_value(copy, length, error);
	free(copy);
	return result;
}

static void
check_bad(const char *text, const char *want)
{
	const char *error = NULL;
	if (scan_exact(text, strlen(text), &error) == 0)
		unit_fail(__FILE__, __LINE__, "passed: %s", text);
	if (strcmp(error, want) != 0)
		unit_fail(__FILE__, __LINE__, "%s: %s, not %s", text, error, want);
}

TEST(json_scan_takes_what_is_json)
{
	static const char *const good[] = {"null", "true", "false", "0", "-0", "1.5", "-1.5e10",
	    "1E+2", "1e-2", "123456789012345678901234567890", "\"\"", "\"a\"", "[]", "{}", "[ ]",
	    "{ }", " \t\r\n[1 , 2]\n", "[[],{},[{}]]",
	    "{\"a\":{\"b\":[1,{\"c\":null}]},\"d\":\"e\"}",
	    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uD83C\\uDFDC\"", "\"\x7f\"",
	    "\"gr\xc3\xbc\xc3\x9f\"", "\"\xf0\x9f\x8f\x9c\"", "{\"\":1}", "{\"a\":1,\"a\":2}",
	    "\"12345678\\\"12345678\""};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (scan_exact(good[i], strlen(good[i]), NULL) < 0)
			unit_fail(__FILE__, __LINE__, "refused: %s", good[i]);
}

TEST(json_scan_refuses_the_rest)
{
	check_bad("", "unexpected end");
	check_bad("  ", "unexpected end");
	check_bad("nul", "unexpected character");
	check_bad("True", "unexpected character");
	check_bad("NaN", "unexpected character");
	check_bad("'a'", "unexpected character");
	check_bad("01", "bytes behind the value");
	check_bad("-", "invalid number");
	check_bad("1.", "invalid number");
	check_bad("1e", "invalid number");
	check_bad("1e+", "invalid number");
	check_bad("+1", "unexpected character");
	check_bad(".5", "unexpected character");
	check_bad("0x10", "bytes behind the value");
	check_bad("[1,]", "unexpected character");
	check_bad("[,1]", "unexpected character");
	check_bad("[1 2]", "unexpected character");
	check_bad("[1", "unexpected end");
	check_bad("[1}", "unexpected character");
	check_bad("{\"a\":1]", "unexpected character");
	check_bad("{\"a\"}", "unexpected character");
	check_bad("{\"a\"", "unexpected end");
	check_bad("{\"a\":", "unexpected end");
	check_bad("{\"a\":}", "unexpected character");
	check_bad("{\"a\":1,}", "unexpected character");
	check_bad("{a:1}", "unexpected character");
	check_bad("{1:1}", "unexpected character");
	check_bad("{", "unexpected end");
	check_bad("{}}", "bytes behind the value");
	check_bad("{}{}", "bytes behind the value");
	check_bad("[1] // no", "bytes behind the value");
	check_bad("\xef\xbb\xbf{}", "unexpected character");
}

TEST(json_scan_is_strict_within_strings)
{
	check_bad("\"abc", "unexpected end");
	check_bad("\"abc\\", "unexpected end");
	check_bad("\"abc\\\"", "unexpected end");
	check_bad("\"a\nb\"", "control character in a string");
	check_bad("\"12345678\x1f\"", "control character in a string");
	check_bad("\"\\x\"", "invalid escape");
	check_bad("\"\\u12", "unexpected end");
	check_bad("\"\\u12g4\"", "invalid escape");
	check_bad("\"\\ud800\"", "lone surrogate");
	check_bad("\"\\ud800x\"", "lone surrogate");
	check_bad("\"\\ud800\\n\"", "lone surrogate");
	check_bad("\"\\ud800\\u0041\"", "lone surrogate");
	check_bad("\"\\udc00\"", "lone surrogate");
	check_bad("\"\xff\"", "invalid UTF-8");
	check_bad("\"\xc3\"", "invalid UTF-8");
	check_bad("\"\xc3", "invalid UTF-8");
	check_bad("\"\xed\xa0\x80\"", "invalid UTF-8");
	check_bad("{\"\xc0\x80\":1}", "invalid UTF-8");
}

TEST(json_scan_refuses_nul_bytes)
{
	CHECK_INT(scan_exact("{}\0", 3, NULL), -1);
	CHECK_INT(scan_exact("\"a\0b\"", 5, NULL), -1);
	CHECK_INT(scan_exact("\"\\\0\"", 4, NULL), -1);
	CHECK_INT(scan_exact("\0", 1, NULL), -1);
}

/* Each byte that may not stand in a string, at each place of a word. */
TEST(json_scan_sees_every_byte_of_a_string)
{
	for (size_t place = 1; place < 20; place++) {
		for (int byte = 0; byte < 256; byte++) {
			char text[] = "\"ABCDEFGHIJKLMNOPQRST\"";
			text[place] = (char)byte;
			bool good = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
			CHECK_INT(scan_exact(text, sizeof(text) - 1, NULL), good ? 0 : -1);
		}
	}
}

TEST(json_scan_limits_the_depth)
{
	char text[2 * JSON_MAX_DEPTH + 2];
	memset(text, '[', JSON_MAX_DEPTH);
	memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
	CHECK_INT(json_scan_value(text, 2 * JSON_MAX_DEPTH, NULL), 0);
	memset(text, '[', JSON_MAX_DEPTH + 1);
	memset(text + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
	const char *error;
	CHECK_INT(json_scan_value(text, 2 * JSON_MAX_DEPTH + 2, &error), -1);
	CHECK_STRING(error, "nested too deep");
}

TEST(json_scan_finds_members)
{
	static const char text[] =
	    " {\"x\":{\"type\":\"inner\"},\"type\":\"a\\n\",\"formId\":\"\","
	    "\"n\":[{\"y\":\"z\"}],\"y\":1,\"type\":\"second\",\"y\":\"late\"} ";
	struct json_member members[] = {{.name = "type"}, {.name = "formId"}, {.name = "y"},
	    {.name = "absent", .value = "left over", .length = 9}};
	CHECK_INT(json_scan_object(text, sizeof(text) - 1, members, 4, NULL), 0);
	CHECK_BYTES(members[0].value, members[0].length, "a\\n", 3);
	CHECK(members[1].value != NULL);
	CHECK_INT(members[1].length, 0);
	CHECK(members[2].value == NULL);
	CHECK(members[3].value == NULL);
}

TEST(json_scan_compares_names_unescaped)
{
	static const char text[] =
	    "{\"ty\\u0070e\":\"first\",\"type\":\"second\",\"type\\u0000\":\"x\"}";
	struct json_member member = {.name = "type"};
	CHECK_INT(json_scan_object(text, sizeof(text) - 1, &member, 1, NULL), 0);
	CHECK_BYTES(member.value, member.length, "first", 5);
}

TEST(json_scan_object_wants_an_object)
{
	static const char *const texts[] = {"[1]", "", "  ", "\"a\"", "1", "null", "x"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *error;
		CHECK_INT(json_scan_object(texts[i], strlen(texts[i]), NULL, 0, &error), -1);
		CHECK_STRING(error, "not a JSON object");
	}
	CHECK_INT(json_scan_object("\n{}", 3, NULL, 0, NULL), 0);
}

/* Every prefix of a document is bad, and is told without reading beyond it. */
TEST(json_scan_refuses_every_prefix)
{
	static const char text[] =
	    "{\"a\":[1.5e+3,true,null,{\"b\":\"\\ud83c\\udfdc \xe2\x82\xac\"}]}";
	for (size_t length = 0; length < sizeof(text) - 1; length++)
		CHECK_INT(scan_exact(text, length, NULL), -1);
	CHECK_INT(scan_exact(text, sizeof(text) - 1, NULL), 0);
}

static bool
valid(const char *text)
{
	return utf8_valid(text, strlen(text));
}

/* The edges of the table in RFC 3629, section 4. */
TEST(utf8_knows_the_edges)
{
	CHECK(utf8_valid("", 0));
	CHECK(utf8_valid("\0", 1));
	CHECK(valid("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"));
	CHECK(valid("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
	CHECK(valid("12345678\xc3\xbc"));
	CHECK(!valid("\x80"));
	CHECK(!valid("\xbf"));
	CHECK(!valid("\xc0\x80"));
	CHECK(!valid("\xc1\xbf"));
	CHECK(!valid("\xe0\x9f\xbf"));
	CHECK(!valid("\xed\xa0\x80"));
	CHECK(!valid("\xed\xbf\xbf"));
	CHECK(!valid("\xf0\x8f\xbf\xbf"));
	CHECK(!valid("\xf4\x90\x80\x80"));
	CHECK(!valid("\xf5\x80\x80\x80"));
	CHECK(!valid("\xff"));
	CHECK(!valid("\xe2\x82"));
	CHECK(!valid("\xe2\x82x"));
	CHECK(!valid("12345678\xc3"));
}
