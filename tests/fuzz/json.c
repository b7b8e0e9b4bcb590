/* SPDX-License-Identifier: MIT */
/* json_scan against json_read: what the one accepts the other must understand, both must find
 * the same members, and what json_write makes of it must mean the same. */
#include "lib/json_read.h"

#include <limits.h>
#include <string.h>

#include "lib/json_escape.h"
#include "lib/json_scan.h"
#include "lib/json_write.h"
#include "tests/fuzz/fuzz.h"

#define MAX_BYTES 65536

static void
copy_string(const struct json_doc *doc, int value, struct json_writer *w, bool key)
{
	static char text[MAX_BYTES];
	int length = json_string(doc, value, text, sizeof(text));

	/* It fits, so only U+0000 can be in the way. */
	if (length < 0)
		text[length = 0] = '\0';
	FUZZ_CHECK(length == 0 || utf8_valid(text, (size_t)length));
	if (key)
		json_key_n(w, text, (size_t)length);
	else
		json_put_string_n(w, text, (size_t)length);
}

static void
copy_number(const struct json_doc *doc, int value, struct json_writer *w)
{
	double number;
	int64_t whole;

	if (json_i64(doc, value, &whole) == 0)
		json_put_i64(w, whole);
	else if (json_double(doc, value, &number) == 0)
		json_put_double(w, number);
	else
		json_put_null(w);
}

/* Nested at most JSON_MAX_DEPTH deep. NOLINTNEXTLINE(misc-no-recursion) */
static void
copy(const struct json_doc *doc, int value, struct json_writer *w)
{
	int children = 0;
	bool flag = false;

	switch (json_type(doc, value)) {
	case JSON_OBJECT:
		json_object_begin(w);
		JSON_FOR_EACH (key, doc, value) {
			copy_string(doc, key, w, true);
			copy(doc, key + 1, w);
			children++;
		}
		json_object_end(w);
		break;
	case JSON_ARRAY:
		json_array_begin(w);
		JSON_FOR_EACH (one, doc, value) {
			copy(doc, one, w);
			children++;
		}
		json_array_end(w);
		break;
	case JSON_STRING:
		copy_string(doc, value, w, false);
		break;
	case JSON_NUMBER:
		copy_number(doc, value, w);
		break;
	case JSON_BOOL:
		FUZZ_CHECK(json_bool(doc, value, &flag) == 0);
		json_put_bool(w, flag);
		break;
	default:
		FUZZ_CHECK(json_type(doc, value) == JSON_NULL);
		json_put_null(w);
	}
	FUZZ_CHECK(children == json_size(doc, value));
}

/* Writes what `text` says into `out`; false: it is not valid. */
static bool
rewrite(const char *text, size_t length, struct buf *out)
{
	struct json_doc doc;
	struct json_writer w;

	if (json_scan_value(text, length, NULL) < 0) {
		FUZZ_CHECK(json_parse(&doc, text, length, INT_MAX, NULL) < 0);
		return false;
	}
	FUZZ_CHECK(json_parse(&doc, text, length, INT_MAX, NULL) == 0);
	json_write_begin(&w, out);
	copy(&doc, 0, &w);
	FUZZ_CHECK(json_write_end(&w) == 0);
	json_free(&doc);
	return true;
}

static void
check_members(const char *text, size_t length)
{
	struct json_member members[] = {{.name = "type"}, {.name = "formId"}, {.name = ""}};
	struct json_doc doc;

	if (json_scan_object(text, length, members, ARRAY_SIZE(members), NULL) < 0)
		return;
	FUZZ_CHECK(json_parse(&doc, text, length, INT_MAX, NULL) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		int value = json_get(&doc, 0, members[i].name);
		size_t raw_length = 0;
		const char *raw = json_raw(&doc, value, &raw_length);
		bool string = json_type(&doc, value) == JSON_STRING;
		FUZZ_CHECK(string == (members[i].value != NULL));
		FUZZ_CHECK(!string ||
		    (members[i].value == raw + 1 && members[i].length == raw_length - 2));
	}
	json_free(&doc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf once, twice;

	if (size >= MAX_BYTES)
		return 0;
	check_members((const char *)data, size);
	buf_init(&once, 32 * MAX_BYTES);
	buf_init(&twice, 32 * MAX_BYTES);
	if (rewrite((const char *)data, size, &once)) {
		const char *text = (const char *)buf_bytes(&once);
		FUZZ_CHECK(rewrite(text, buf_length(&once), &twice));
		FUZZ_CHECK(buf_length(&once) == buf_length(&twice) &&
		    memcmp(text, buf_bytes(&twice), buf_length(&once)) == 0);
	}
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
