/* SPDX-License-Identifier: MIT */
#include "wsfand/frame_read.h"

#include <string.h>

#include "tests/unit/unit.h"

#define FORM "\"formId\":\"60F7b1b9e1234567890abcde\""
#define EIGHT(text) text text text text text text text text

static const char *
read_text(struct frame *frame, const char *text)
{
	return frame_read(frame, (const uint8_t *)text, strlen(text));
}

TEST(frame_read_takes)
{
	static const struct {
		const char *text;
		enum message_kind kind;
		int64_t at_ms;
	} cases[] = {
	    {"{\"type\":\"analytics:update\"," FORM "}", MESSAGE_ANALYTICS, 0},
	    {"{" FORM ",\"data\":[{\"type\":1}],\"type\":\"metrics:update\"}", MESSAGE_METRICS, 0},
	    {"{\"type\":\"\\u0061nalytics:update\"," FORM "}", MESSAGE_ANALYTICS, 0},
	    {"{\"type\":\"a\",\"type\":1," FORM ",\"formId\":1}", MESSAGE_EVENT, 0},
	    {"{\"type\":\"\"," FORM "}", MESSAGE_EVENT, 0},
	    {"{\"type\":\"" EIGHT(EIGHT("long")) "\"," FORM "}", MESSAGE_EVENT, 0},
	    {"{\"type\":\"a\"," FORM ",\"at\":\"1970-01-01T00:00:01.500Z\"}", MESSAGE_EVENT, 1500},
	    {"{\"type\":\"a\"," FORM ",\"at\":\"soon\"}", MESSAGE_EVENT, 0},
	    {"{\"type\":\"a\"," FORM ",\"at\":1500}", MESSAGE_EVENT, 0},
	};
	struct form_id form;

	CHECK_INT(form_id_parse(&form, "60f7b1b9e1234567890abcde", FORM_ID_HEX), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct frame frame;
		const char *problem = read_text(&frame, cases[i].text);

		if (problem != NULL)
			unit_fail(__FILE__, __LINE__, "%s: %s", cases[i].text, problem);
		CHECK_INT(frame.kind, cases[i].kind);
		CHECK_INT(frame.at_ms, cases[i].at_ms);
		CHECK(form_id_equal(&frame.form, &form) && !frame.others);
	}
}

TEST(frame_read_refuses)
{
	static const struct {
		const char *text, *problem;
	} cases[] = {
	    {"[]", "not a JSON object"},
	    {"{" FORM "}", "no string member \"type\""},
	    {"{\"type\":1,\"type\":\"a\"," FORM "}", "no string member \"type\""},
	    {"{\"type\":\"a\"}", "no string member \"formId\""},
	    {"{\"type\":\"a\",\"formId\":\"60f7b1b9e1234567890abcd\"}",
		"the formId is not 24 hex digits"},
	    {"{\"type\":\"\\u0061" EIGHT(EIGHT("long")) "\"," FORM "}", "the type is too long"},
	    {"{\"type\":\"room:opened\"," FORM "}", "a type between daemons"},
	    {"{\"type\":\"\\u0072oom:\"," FORM "}", "a type between daemons"},
	    {"{\"type\":\"room:others\"," FORM "}", "no number of viewers"},
	    {"{\"type\":\"room:others\"," FORM ",\"viewers\":4294967296}", "no number of viewers"},
	    {"{\"type\":\"room:others\"," FORM ",\"viewers\":-1}", "no number of viewers"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct frame frame;
		const char *problem = read_text(&frame, cases[i].text);

		CHECK(problem != NULL);
		CHECK_STRING(problem, cases[i].problem);
	}
}

TEST(frame_read_hears_of_other_wsfands)
{
	struct frame frame;

	CHECK(read_text(&frame, "{\"viewers\":17,\"type\":\"room:others\"," FORM "}") == NULL);
	CHECK(frame.others);
	CHECK_INT(frame.viewers, 17);
}
