/* SPDX-License-Identifier: MIT */
#include "analyticsd/interest_message.h"

#include <string.h>

#include "lib/json_read.h"

#define MAX_TOKENS 64

static const struct {
	const char *text;
	enum interest_type type;
} types[] = {
    {"room:opened", INTEREST_OPENED},
    {"room:viewers", INTEREST_VIEWERS},
    {"room:closed", INTEREST_CLOSED},
};

/* NULL, or what is wrong. */
static const char *
read_members(struct interest_message *message, const struct json_doc *doc)
{
	char hex[FORM_ID_HEX + 1];
	int64_t viewers;
	int type = json_get(doc, 0, "type");

	if (json_type(doc, type) != JSON_STRING)
		return "no type";
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (json_string_is(doc, type, types[i].text))
			message->type = types[i].type;
	}
	if (message->type == INTEREST_OTHER)
		return NULL;
	int length = json_string(doc, json_get(doc, 0, "formId"), hex, sizeof(hex));
	if (length < 0 || form_id_parse(&message->form, hex, (size_t)length) < 0)
		return "no formId of 24 hex digits";
	if (message->type == INTEREST_CLOSED)
		return NULL;
	if (json_i64(doc, json_get(doc, 0, "viewers"), &viewers) < 0 || viewers < 0 ||
	    viewers > UINT32_MAX)
		return "no number of viewers";
	message->viewers = (uint32_t)viewers;
	return NULL;
}

int
interest_read(struct interest_message *message, const char *text, size_t length, const char **why)
{
	struct json_doc doc;

	memset(message, 0, sizeof(*message));
	message->type = INTEREST_OTHER;
	if (json_parse(&doc, text, length, MAX_TOKENS, why) < 0)
		return -1;
	*why = json_type(&doc, 0) == JSON_OBJECT ? read_members(message, &doc) : "not an object";
	json_free(&doc);
	return *why == NULL ? 0 : -1;
}
