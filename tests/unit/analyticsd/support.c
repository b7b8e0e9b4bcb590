/* SPDX-License-Identifier: MIT */
#include "tests/unit/analyticsd/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/json_read.h"
#include "lib/json_write.h"
#include "lib/mem.h"
#include "tests/unit/unit.h"

static char *
double_quoted(const char *text)
{
	char *copy = mem_strdup(text);

	for (char *c = copy; *c != '\0'; c++)
		if (*c == '\'')
			*c = '"';
	return copy;
}

bson_t *
bson_of(const char *json)
{
	char *text = double_quoted(json);
	bson_error_t error;
	bson_t *doc = bson_new_from_json((const uint8_t *)text, -1, &error);

	if (doc == NULL)
		unit_fail(__FILE__, __LINE__, "%s: %s", text, error.message);
	MEM_FREE(&text);
	return doc;
}

struct form *
form_empty(void)
{
	struct form_id id = {{1, 2, 3}};

	return form_new(&id);
}

void
define(struct form *form, const char *json)
{
	bson_t *doc = bson_of(json);
	const char *why;

	CHECK(form_define(form, doc, &why) == FORM_OK);
	CHECK(why == NULL);
	bson_destroy(doc);
}

static void
with_response(struct form *form, const struct zone *zone, const char *json, bool taking)
{
	bson_t *doc = bson_of(json);
	struct response response = {0};
	const char *why;

	CHECK(response_from_bson(&response, doc, &why) == 0);
	if (taking)
		CHECK(form_remove(form, &response, zone) == FORM_OK);
	else
		form_add(form, &response, zone);
	response_free(&response);
	bson_destroy(doc);
}

void
add(struct form *form, const struct zone *zone, const char *json)
{
	with_response(form, zone, json, false);
}

void
take_away(struct form *form, const struct zone *zone, const char *json)
{
	with_response(form, zone, json, true);
}

void
add_answers(struct form *form, const struct zone *zone, const char *answers)
{
	char *json = mem_printf("{'formId': {'$oid': '60f7b1b9e1234567890abcde'},"
				" 'submittedAt': {'$date': '2026-03-01T12:00:00Z'},"
				" 'answers': [%s]}",
	    answers);

	add(form, zone, json);
	MEM_FREE(&json);
}

char *
data_of(const struct form *form)
{
	struct json_writer w;
	struct buf buf;

	buf_init(&buf, 64 << 20);
	json_write_begin(&w, &buf);
	form_write_analytics(form, &w);
	CHECK(json_write_end(&w) == 0);
	CHECK(buf_append(&buf, "", 1) == 0);
	char *text = mem_strdup((const char *)buf_bytes(&buf));
	buf_free(&buf);
	return text;
}

char *
field_of(const struct form *form, const char *id)
{
	char *data = data_of(form), *text = NULL;
	struct json_doc doc;
	const char *error;

	if (json_parse(&doc, data, strlen(data), 1 << 20, &error) < 0)
		unit_fail(__FILE__, __LINE__, "%s: %s", error, data);
	int value = json_get(&doc, json_get(&doc, 0, "byField"), id);
	if (value >= 0) {
		size_t length;
		const char *raw = json_raw(&doc, value, &length);

		text = mem_printf("%.*s", (int)length, raw);
	}
	json_free(&doc);
	MEM_FREE(&data);
	return text;
}

void
check_field(const struct form *form, const char *id, const char *want)
{
	char *got = field_of(form, id), *quoted = double_quoted(want);

	CHECK(got != NULL);
	CHECK_STRING(got, quoted);
	MEM_FREE(&got);
	MEM_FREE(&quoted);
}

struct dice
dice_new(void)
{
	const char *given = getenv("DUNE_TEST_SEED");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10)
				      : (uint64_t)now.tv_sec * 1000003 + (uint64_t)now.tv_nsec;
	printf("DUNE_TEST_SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	return (struct dice){.state = seed};
}

uint64_t
dice_next(struct dice *dice)
{
	uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

unsigned
dice_roll(struct dice *dice, unsigned sides)
{
	return (unsigned)(dice_next(dice) % sides);
}
