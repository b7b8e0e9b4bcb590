/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "lib/mem.h"
#include "tests/unit/analyticsd/support.h"
#include "tests/unit/unit.h"

#define ALL_TYPES                                                                    \
	"{'title': 'Survey', 'fields': ["                                            \
	"{'id': 'name', 'type': 'text', 'label': 'Name', 'required': true},"         \
	"{'id': 'pick', 'type': 'mcq', 'options': [{'id': 'b'}, {'id': 'a'}]},"      \
	"{'id': 'many', 'type': 'checkbox', 'options': [{'id': 'x'}, {'id': 'y'}]}," \
	"{'id': 'stars', 'type': 'rating', 'validation': {'min': 1, 'max': 5}}]}"

#define ID "{'$oid': '60f7b1b9e1234567890abcde'}"

TEST(form_defined_and_empty)
{
	struct form *form = form_empty();

	CHECK(!form_known(form));
	define(form, ALL_TYPES);
	CHECK(form_known(form));
	CHECK_STRING(form_title(form), "Survey");
	form_touch(form, 0);
	char *data = data_of(form);
	CHECK_STRING(data,
	    "{\"totalResponses\":0,\"byField\":{"
	    "\"name\":{\"type\":\"text\",\"count\":0,\"topKeywords\":[]},"
	    "\"pick\":{\"type\":\"mcq\",\"count\":0,\"distribution\":{\"b\":0,\"a\":0}},"
	    "\"many\":{\"type\":\"checkbox\",\"count\":0,\"distribution\":{\"x\":0,\"y\":0}},"
	    "\"stars\":{\"type\":\"rating\",\"count\":0,\"trend\":[]}},"
	    "\"updatedAt\":\"1970-01-01T00:00:00.000Z\"}");
	MEM_FREE(&data);
	form_free(&form);
}

TEST(form_counts_each_type)
{
	struct zone *zone = zone_open("UTC");
	struct form *form = form_empty();

	define(form, ALL_TYPES);
	add(form, zone,
	    "{'formId': " ID ", 'submittedAt': {'$date': '2026-03-01T23:59:59.999Z'},"
	    " 'meta': {'startedAt': {'$date': '2026-03-01T23:59:50.000Z'}}, 'answers': ["
	    "{'fieldId': 'name', 'value': 'The Quick brown fox, quick!'},"
	    "{'fieldId': 'pick', 'value': 'a'}, {'fieldId': 'pick', 'value': 'b'},"
	    "{'fieldId': 'many', 'value': ['x', 'z', 'x']},"
	    "{'fieldId': 'stars', 'value': 4}]}");
	add(form, zone,
	    "{'formId': " ID ", 'submittedAt': {'$date': '2026-03-02T00:00:00Z'},"
	    " 'meta': {'durationMs': 7, 'startedAt': {'$date': '2026-03-01T23:59:57.999Z'}},"
	    " 'answers': [{'fieldId': 'name', 'value': 7}, {'fieldId': 'pick', 'value': ''},"
	    "{'fieldId': 'many', 'value': []}, {'fieldId': 'stars', 'value': 1.5}]}");
	check_field(form, "name",
	    "{'type':'text','count':1,'topKeywords':[{'keyword':'brown','count':1},"
	    "{'keyword':'fox','count':1},{'keyword':'quick','count':1}],'invalid':1}");
	check_field(form, "pick", "{'type':'mcq','count':2,'distribution':{'b':0,'a':1,'':1}}");
	check_field(
	    form, "many", "{'type':'checkbox','count':2,'distribution':{'x':1,'y':0,'z':1}}");
	check_field(form, "stars",
	    "{'type':'rating','count':2,'average':2.75,'median':2.75,"
	    "'distribution':{'1.5':1,'4':1},'trend':["
	    "{'date':'2026-03-01','value':4,'count':1},{'date':'2026-03-02','value':1.5,'count':1}]"
	    "}");
	char *data = data_of(form);
	CHECK(strstr(data,
		  "{\"totalResponses\":2,\"completionRate\":0.875,"
		  "\"averageTimeToComplete\":6,\"byField\"") == data);
	MEM_FREE(&data);
	form_free(&form);
	zone_close(&zone);
}

static enum form_result
define_bad(struct form *form, const char *json, const char *want)
{
	bson_t *doc = bson_of(json);
	const char *why = NULL;
	enum form_result result = form_define(form, doc, &why);

	CHECK(why != NULL);
	CHECK_STRING(why, want);
	bson_destroy(doc);
	return result;
}

TEST(form_definitions_that_are_malformed)
{
	struct form *form = form_empty();

	CHECK(define_bad(form, "{'title': 5}", "no fields") == FORM_OK);
	CHECK(form_known(form));
	CHECK_STRING(form_title(form), "");
	define_bad(form, "{'fields': 'x'}", "fields is no array");
	define_bad(form, "{'fields': [5]}", "a field is no document");
	define_bad(form, "{'fields': [{'type': 'text'}]}", "a field without an id");
	define_bad(form, "{'fields': [{'id': 'a b', 'type': 'text'}]}",
	    "a field's id is not 1 to 50 of A-Za-z0-9_-");
	define_bad(form, "{'fields': [{'id': 'a', 'type': 'number'}]}",
	    "a field's type is none of text, mcq, checkbox, rating");
	define_bad(
	    form, "{'fields': [{'id': 'a', 'type': 'mcq', 'options': 5}]}", "options is no array");
	/* What is well formed counts all the same. */
	define_bad(form,
	    "{'title': 'T', 'fields': [{'id': 'a', 'type': 'mcq', 'options': [{'id': 'x'}, "
	    "{'label': 'y'}, {'id': 'x'}, 'z']},"
	    " {'id': 'a', 'type': 'text'}, {'id': 'b', 'type': 'rating'}]}",
	    "an option without an id");
	check_field(form, "a", "{'type':'mcq','count':0,'distribution':{'x':0}}");
	check_field(form, "b", "{'type':'rating','count':0,'trend':[]}");
	CHECK_STRING(form_title(form), "T");
	define(form, "{'fields': [{'id': 'a', 'type': 'mcq', 'options': null}]}");
	check_field(form, "a", "{'type':'mcq','count':0,'distribution':{}}");
	form_free(&form);
}

TEST(form_values_of_the_wrong_type)
{
	struct zone *zone = zone_open("UTC");
	struct form *form = form_empty();

	define(form, ALL_TYPES);
	add_answers(form, zone,
	    "{'fieldId': 'name', 'value': ['a']}, {'fieldId': 'pick', 'value': 3},"
	    "{'fieldId': 'many', 'value': 'x'}, {'fieldId': 'stars', 'value': '5'}");
	add_answers(form, zone,
	    "{'fieldId': 'name', 'value': true}, {'fieldId': 'pick', 'value': ['a']},"
	    "{'fieldId': 'many', 'value': ['x', 5]}, {'fieldId': 'stars'}");
	check_field(form, "name", "{'type':'text','count':0,'topKeywords':[],'invalid':2}");
	check_field(
	    form, "pick", "{'type':'mcq','count':0,'distribution':{'b':0,'a':0},'invalid':2}");
	check_field(
	    form, "many", "{'type':'checkbox','count':0,'distribution':{'x':0,'y':0},'invalid':2}");
	check_field(form, "stars", "{'type':'rating','count':0,'trend':[],'invalid':2}");
	char *data = data_of(form);
	CHECK(strstr(data, "\"completionRate\":0,") != NULL);
	MEM_FREE(&data);
	form_free(&form);
	zone_close(&zone);
}

TEST(form_undeclared_fields)
{
	struct zone *zone = zone_open("UTC");
	struct form *form = form_empty();

	add_answers(form, zone,
	    "{'fieldId': 'zone', 'value': 'north'}, {'fieldId': 'Age', 'value': 30},"
	    "{'fieldId': 'list', 'value': ['b', 'a']}, {'fieldId': 'why', 'value': 'so good'},"
	    "{'fieldId': 'null', 'value': null}");
	CHECK(form_known(form));
	char *data = data_of(form);
	CHECK_STRING(data,
	    "{\"totalResponses\":1,\"byField\":{"
	    "\"Age\":{\"type\":\"rating\",\"count\":1,\"average\":30,\"median\":30,"
	    "\"distribution\":{\"30\":1},"
	    "\"trend\":[{\"date\":\"2026-03-01\",\"value\":30,\"count\":1}]},"
	    "\"list\":{\"type\":\"checkbox\",\"count\":1,\"distribution\":{\"a\":1,\"b\":1}},"
	    "\"why\":{\"type\":\"text\",\"count\":1,\"topKeywords\":[{\"keyword\":\"good\","
	    "\"count\":1}]},"
	    "\"zone\":{\"type\":\"mcq\",\"count\":1,\"distribution\":{\"north\":1}}}}");
	MEM_FREE(&data);
	/* Equals: text before mcq; then the single word counts as a word, too. */
	add_answers(form, zone, "{'fieldId': 'zone', 'value': 'far north'}");
	check_field(form, "zone",
	    "{'type':'text','count':2,'topKeywords':[{'keyword':'north','count':2},{'keyword':'far'"
	    ",'count':1}]}");
	add_answers(
	    form, zone, "{'fieldId': 'zone', 'value': 'south'}, {'fieldId': 'Age', 'value': '30'}");
	check_field(form, "zone",
	    "{'type':'mcq','count':3,'distribution':{'far north':1,'north':1,'south':1}}");
	check_field(form, "Age", "{'type':'mcq','count':1,'distribution':{'30':1},'invalid':1}");
	/* The definition decides for what came before it. */
	define(form,
	    "{'fields': [{'id': 'zone', 'type': 'text'}, {'id': 'Age', 'type': 'rating'},"
	    " {'id': 'list', 'type': 'checkbox', 'options': [{'id': 'b'}]}]}");
	check_field(form, "zone",
	    "{'type':'text','count':3,'topKeywords':[{'keyword':'north','count':2},{'keyword':'far'"
	    ",'count':1},"
	    "{'keyword':'south','count':1}]}");
	check_field(form, "Age",
	    "{'type':'rating','count':1,'average':30,'median':30,'distribution':{'30':1},"
	    "'trend':[{'date':'2026-03-01','value':30,'count':1}],'invalid':1}");
	check_field(form, "list", "{'type':'checkbox','count':1,'distribution':{'b':1,'a':1}}");
	form_free(&form);
	zone_close(&zone);
}

static void
add_number(struct form *form, const struct zone *zone, unsigned field, bool taking)
{
	char json[160];

	snprintf(json, sizeof(json),
	    "{'formId': " ID ", 'answers': [{'fieldId': 'f%03u', 'value': 1}]}", field);
	if (taking)
		take_away(form, zone, json);
	else
		add(form, zone, json);
}

TEST(form_more_undeclared_fields_than_are_counted)
{
	struct zone *zone = zone_open("UTC");
	struct form *form = form_empty();
	char *data;

	for (unsigned i = 0; i < 300; i++)
		add_number(form, zone, i, false);
	CHECK_INT(form_total(form), 300);
	data = data_of(form);
	CHECK(strstr(data, "f255") != NULL && strstr(data, "f256") == NULL);
	MEM_FREE(&data);
	/* Strays are taken back as strays, also where a place has become free meanwhile. */
	add_number(form, zone, 5, true);
	data = data_of(form);
	CHECK(strstr(data, "f005") == NULL);
	MEM_FREE(&data);
	for (unsigned i = 299; i > 257; i--)
		add_number(form, zone, i, true);
	CHECK_INT(form_total(form), 257);
	/* One stray left and one place free: it could be told exactly. */
	bson_t *doc = bson_of("{'formId': " ID ", 'answers': [{'fieldId': 'f257', 'value': 1}]}");
	struct response response = {0};
	const char *why;
	CHECK(response_from_bson(&response, doc, &why) == 0);
	CHECK(form_remove(form, &response, zone) == FORM_REBUILD);
	response_free(&response);
	bson_destroy(doc);
	form_reset(form);
	CHECK_INT(form_total(form), 0);
	CHECK(!form_known(form));
	form_free(&form);
	zone_close(&zone);
}

TEST(form_deleted_and_defined_again)
{
	struct zone *zone = zone_open("UTC");
	struct form *form = form_empty();

	define(form, ALL_TYPES);
	add_answers(form, zone, "{'fieldId': 'stars', 'value': 4}");
	form_undefine(form);
	CHECK(!form_known(form));
	add_answers(form, zone, "{'fieldId': 'stars', 'value': 5}");
	CHECK(!form_known(form));
	define(form, ALL_TYPES);
	CHECK(form_known(form));
	CHECK_INT(form_total(form), 2);
	check_field(form, "stars",
	    "{'type':'rating','count':2,'average':4.5,'median':4.5,'distribution':{'4':1,'5':1},"
	    "'trend':[{'date':'2026-03-01','value':4.5,'count':2}]}");
	form_free(&form);
	zone_close(&zone);
}

TEST(form_definition_changes_that_need_the_records)
{
	struct zone *zone = zone_open("UTC");
	struct form *form = form_empty();
	const char *why;

	define(form, ALL_TYPES);
	define(form, "{'fields': []}");
	define(form, ALL_TYPES);
	add_answers(form, zone, "{'fieldId': 'stars', 'value': 4}");
	bson_t *same = bson_of(ALL_TYPES);
	bson_t *gone = bson_of("{'title': 'Survey', 'fields': []}");
	bson_t *title = bson_of("{'title': 'Other', 'fields': []}");
	CHECK(form_define(form, same, &why) == FORM_UNCHANGED);
	CHECK(form_define(form, gone, &why) == FORM_REBUILD);
	CHECK_INT(form_total(form), 0);
	add_answers(form, zone, "{'fieldId': 'stars', 'value': 4}");
	CHECK(form_define(form, gone, &why) == FORM_UNCHANGED);
	CHECK(form_define(form, title, &why) == FORM_OK);
	/* From undeclared to declared all is at hand. */
	CHECK(form_define(form, same, &why) == FORM_OK);
	check_field(form, "stars",
	    "{'type':'rating','count':1,'average':4,'median':4,'distribution':{'4':1},"
	    "'trend':[{'date':'2026-03-01','value':4,'count':1}]}");
	bson_destroy(same);
	bson_destroy(gone);
	bson_destroy(title);
	form_free(&form);
	zone_close(&zone);
}

TEST(form_knows_its_zone)
{
	struct zone *zone = zone_open("Europe/Berlin");
	struct form *form = form_empty();

	CHECK(form_zone_is(form, "UTC"));
	add(form, zone,
	    "{'formId': " ID ", 'submittedAt': {'$date': '2026-03-01T23:00:00Z'},"
	    " 'answers': [{'fieldId': 'n', 'value': 1}]}");
	CHECK(form_zone_is(form, "Europe/Berlin") && !form_zone_is(form, "UTC"));
	check_field(form, "n",
	    "{'type':'rating','count':1,'average':1,'median':1,'distribution':{'1':1},"
	    "'trend':[{'date':'2026-03-02','value':1,'count':1}]}");
	form_reset(form);
	CHECK(form_zone_is(form, "UTC"));
	form_free(&form);
	zone_close(&zone);
}

TEST(form_is_small)
{
	struct zone *zone = zone_open("UTC");
	struct form *form = form_empty();

	define(form, ALL_TYPES);
	for (int i = 0; i < 20; i++)
		add_answers(form, zone,
		    "{'fieldId': 'name', 'value': 'quick delivery friendly staff'}, {'fieldId': "
		    "'pick', 'value': 'a'},"
		    "{'fieldId': 'many', 'value': ['x']}, {'fieldId': 'stars', 'value': 4.5}");
	/* 10,000 of them in tens of megabytes. */
	CHECK(form_memory(form) < 4000);
	form_free(&form);
	zone_close(&zone);
}
