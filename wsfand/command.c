/* SPDX-License-Identifier: MIT */
#include "wsfand/command.h"

#include <string.h>

#include "lib/base.h"
#include "lib/json_read.h"

/* JSON tokens: as many as a message of the usual 4,096 bytes may hold, since a ping's timestamp
 * may be anything; beyond them it is cheap to refuse. */
#define MAX_TOKENS 4096

static void
read_token(struct command *command, const struct json_doc *doc)
{
	int token = json_get(doc, 0, "token");

	if (json_type(doc, token) != JSON_STRING) {
		command->problem = "no string member \"token\"";
		return;
	}
	command->kind = COMMAND_AUTH;
	command->token = json_raw(doc, token, &command->token_length) + 1;
	command->token_length -= strlen("\"\"");
}

static void
read_type(struct command *command, const struct json_doc *doc)
{
	int type = json_get(doc, 0, "type");
	int timestamp;

	if (json_type(doc, 0) != JSON_OBJECT) {
		command->problem = "not a JSON object";
	} else if (json_type(doc, type) != JSON_STRING) {
		command->problem = "no string member \"type\"";
	} else if (json_string_is(doc, type, "ping")) {
		command->kind = COMMAND_PING;
		timestamp = json_get(doc, 0, "timestamp");
		if (timestamp >= 0)
			command->timestamp = json_raw(doc, timestamp, &command->timestamp_length);
	} else if (json_string_is(doc, type, "analytics:get")) {
		command->kind = COMMAND_GET;
	} else if (json_string_is(doc, type, "auth")) {
		read_token(command, doc);
	} else {
		command->problem = "unknown type";
	}
}

void
command_parse(struct command *command, const char *text, size_t length)
{
	struct json_doc doc;

	*command = (struct command){.kind = COMMAND_INVALID};
	if (json_parse(&doc, text, length, MAX_TOKENS, &command->problem) < 0)
		return;
	read_type(command, &doc);
	json_free(&doc);
}
