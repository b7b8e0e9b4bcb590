/* SPDX-License-Identifier: MIT */
#include "wsfand/command.h"

#include <string.h>

#include "lib/base.h"
#include "tests/unit/unit.h"

TEST(command_kinds)
{
	static const struct {
		const char *text;
		enum command_kind kind;
		const char *timestamp;
	} cases[] = {
	    {"{\"type\":\"ping\"}", COMMAND_PING, NULL},
	    {"{\"type\":\"ping\",\"timestamp\":1.50}", COMMAND_PING, "1.50"},
	    {"{\"timestamp\":{\"a\":[1,\"}\"]},\"type\":\"ping\"}", COMMAND_PING,
		"{\"a\":[1,\"}\"]}"},
	    {"{\"type\":\"ping\",\"timestamp\":\"2026\\u002d\"}", COMMAND_PING, "\"2026\\u002d\""},
	    {"{\"type\":\"ping\",\"timestamp\":null}", COMMAND_PING, "null"},
	    {" {\"type\":\"\\u0070ing\"} ", COMMAND_PING, NULL},
	    {"{\"type\":\"analytics:get\",\"formId\":\"x\"}", COMMAND_GET, NULL},
	    {"{\"type\":\"auth\",\"token\":\"a.b.c\"}", COMMAND_AUTH, NULL},
	    {"{\"type\":\"auth\",\"token\":\"\"}", COMMAND_AUTH, NULL},
	    {"{\"type\":\"auth\",\"token\":1}", COMMAND_INVALID, NULL},
	    {"{\"type\":\"auth\"}", COMMAND_INVALID, NULL},
	    {"{\"type\":\"nope\"}", COMMAND_INVALID, NULL},
	    {"{\"type\":1}", COMMAND_INVALID, NULL},
	    {"{}", COMMAND_INVALID, NULL},
	    {"[]", COMMAND_INVALID, NULL},
	    {"\"ping\"", COMMAND_INVALID, NULL},
	    {"", COMMAND_INVALID, NULL},
	    {"{\"type\":\"ping\"", COMMAND_INVALID, NULL},
	    {"{\"type\":\"ping\"}}", COMMAND_INVALID, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct command command;

		command_parse(&command, cases[i].text, strlen(cases[i].text));
		if (command.kind != cases[i].kind)
			unit_fail(__FILE__, __LINE__, "%s: %d", cases[i].text, command.kind);
		CHECK((command.kind == COMMAND_INVALID) == (command.problem != NULL));
		CHECK((command.timestamp != NULL) == (cases[i].timestamp != NULL));
		if (command.timestamp)
			CHECK_BYTES(command.timestamp, command.timestamp_length, cases[i].timestamp,
			    strlen(cases[i].timestamp));
	}
}

TEST(command_with_a_timestamp_of_many_parts)
{
	char text[4096] = "{\"type\":\"ping\",\"timestamp\":[1";
	struct command command;
	size_t length = strlen(text);

	while (length < sizeof(text) - 4) {
		memcpy(text + length, ",1", 2);
		length += 2;
	}
	memcpy(text + length, "]}", 2);
	command_parse(&command, text, length + 2);
	CHECK_INT(command.kind, COMMAND_PING);
	CHECK_INT(
	    command.timestamp_length, length + 1 - strlen("{\"type\":\"ping\",\"timestamp\":"));
}

TEST(command_token)
{
	static const char text[] = "{\"type\":\"auth\",\"token\" : \"ab.cd\\n.ef\"}";
	struct command command;

	command_parse(&command, text, strlen(text));
	CHECK_INT(command.kind, COMMAND_AUTH);
	CHECK_BYTES(command.token, command.token_length, "ab.cd\\n.ef", strlen("ab.cd\\n.ef"));
}
