/* SPDX-License-Identifier: MIT */
#include "statsd/answer_read.h"

#include <string.h>

#include "tests/unit/unit.h"

TEST(answer_is_read)
{
	struct query_answer answer;
	const char *error = "";
	const char *json = "{\"body\":{\"a\":[1,2]},\"type\":\"answer\",\"status\":404,\"id\":7}";

	CHECK_INT(answer_read(&answer, json, strlen(json), &error), 1);
	CHECK_INT(answer.id, 7);
	CHECK_INT(answer.status, 404);
	CHECK_BYTES(answer.body, answer.length, "{\"a\":[1,2]}", 11);
	json = "{\"type\":\"answer\",\"id\":0,\"status\":200,\"body\":\"x\"}";
	CHECK_INT(answer_read(&answer, json, strlen(json), &error), 1);
	CHECK_BYTES(answer.body, answer.length, "\"x\"", 3);
}

TEST(answer_or_something_else)
{
	static const struct {
		const char *json;
		int want;
	} cases[] = {
	    {"", 0},
	    {"{\"type\":\"report\"}", 0},
	    {"{\"type\":\"answers\"}", 0},
	    {"{\"id\":1}", 0},
	    {"{\"type\":\"answer\"", 0},
	    {"{\"type\":\"answer\"}", -1},
	    {"{\"type\":\"answer\",\"id\":1,\"status\":200}", -1},
	    {"{\"type\":\"answer\",\"id\":-1,\"status\":200,\"body\":1}", -1},
	    {"{\"type\":\"answer\",\"id\":1,\"status\":99,\"body\":1}", -1},
	    {"{\"type\":\"answer\",\"id\":1,\"status\":600,\"body\":1}", -1},
	    {"{\"type\":\"answer\",\"id\":\"1\",\"status\":200,\"body\":1}", -1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct query_answer answer;
		const char *error = NULL;
		int got = answer_read(&answer, cases[i].json, strlen(cases[i].json), &error);

		if (got != cases[i].want)
			unit_fail(__FILE__, __LINE__, "%d: %s", got, cases[i].json);
		CHECK(got >= 0 || error != NULL);
	}
}
