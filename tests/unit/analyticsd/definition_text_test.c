/* SPDX-License-Identifier: MIT */
#include "analyticsd/definition_text.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/analyticsd/support.h"
#include "tests/unit/unit.h"

/* In both, ' stands for ". */
static void
check(const char *json, size_t max, const char *want)
{
	struct form_id id;
	struct buf text;
	bson_t *doc = bson_of(json);
	char *wanted = strdup(want);

	for (char *c = wanted; *c != '\0'; c++)
		*c = *c == '\'' ? '"' : *c;
	CHECK(form_id_parse(&id, "60f7b1b9e1234567890abcde", FORM_ID_HEX) == 0);
	buf_init(&text, max);
	definition_text(doc, &id, &text);
	CHECK_BYTES(buf_bytes(&text), buf_length(&text), wanted, strlen(wanted));
	buf_free(&text);
	free(wanted);
	bson_destroy(doc);
}

#define HEAD "{'formId':'60f7b1b9e1234567890abcde','title':"

TEST(definition_text_of_fields_and_options)
{
	check(
	    "{'title':'T','fields':["
	    "{'id':'a','type':'mcq','label':'A','required':true,'options':[{'id':'x','label':'X'},"
	    "{'id':'x','label':'again'},{'id':'y'}]},"
	    "{'id':'b','type':'text','label':7,'options':[{'id':'x'}]},"
	    "{'id':'b','type':'text','label':'again'},"
	    "{'id':'c','type':'dance'},"
	    "{'id':'d','type':'checkbox','options':[{'id':'z','label':'Z'}]}]}",
	    1000,
	    HEAD
	    "'T','fields':["
	    "{'id':'a','type':'mcq','label':'A','required':true,'options':[{'id':'x','label':'X'},"
	    "{'id':'y','label':''}]},"
	    "{'id':'b','type':'text','label':'','required':false},"
	    "{'id':'d','type':'checkbox','label':'','required':false,'options':[{'id':'z',"
	    "'label':'Z'}]}]}");
}

TEST(definition_text_without_anything)
{
	check("{'title':7}", 1000, HEAD "'','fields':[]}");
	check("{'title':'T','fields':[]}", 40, "");
}
