/* SPDX-License-Identifier: MIT */
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
	    " 'meta': {'durationMs': 2001, 'startedAt': {'$date': '2026-03-01T00:00:00Z'}},"
	    " 'answers': [{'fieldId': 'name', 'value': 7}, {'fieldId': 'pick', 'value': ''},"
	    "{'fieldId': 'many', 'value': []}, {'fieldId': 'stars', 'value': 1.5}]}");
	check_field(form, "name",
	    "{'type':'text','count':1,'topKeywords':[{'keyword':'brown','count':1},"
	    "{'keyword':'fox','count':1},{'keyword':'quick','count':1}],'invalid':1}");
	check_field(form, "pick", "{'type':'mcq','count':2,'distribution':{'b':0,'a':1,'':1}}");
	check_field(
	    form, "many", "{'type':'checkbox','count':2,'distribution':{'x':1,'y':0,'z':1}}");
	check_field(form, "stars",
	    "{'type':'rating','count':2,'average':2.75,'median':2.75,'trend':["
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
