/* SPDX-License-Identifier: MIT */
#include "wsfand/frame_read.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/json_read.h"
#include "lib/json_scan.h"

/* Longer types than this may not hold escapes. */
#define TYPE_SIZE 128
/* Types between daemons, and the one of them that is for us. */
#define INTERNAL "room:"
#define OTHERS "room:others"
#define OTHERS_TOKENS 32

/* A member's value without its escapes; `out` holds TYPE_SIZE. NULL when it is too long. */
static const char *
unescape(const struct json_member *member, char *out, size_t *length)
{
	struct json_doc doc;
	int used = -1;

	*length = member->length;
	if (!memchr(member->value, '\\', member->length))
		return member->value;
	/* With its quotes it is a JSON text by itself. */
	if (json_parse(&doc, member->value - 1, member->length + 2, 1, NULL) == 0) {
		used = json_string(&doc, 0, out, TYPE_SIZE);
		json_free(&doc);
	}
	*length = used < 0 ? 0 : (size_t)used;
	return used < 0 ? NULL : out;
}

static bool
is_type(const char *type, size_t length, const char *wanted)
{
	return length == strlen(wanted) && memcmp(type, wanted, length) == 0;
}

static enum message_kind
kind_of(const char *type, size_t length)
{
	if (is_type(type, length, "analytics:update"))
		return MESSAGE_ANALYTICS;
	if (is_type(type, length, "metrics:update"))
		return MESSAGE_METRICS;
	return MESSAGE_EVENT;
}

/* Seldom enough for a parser that allocates. */
static const char *
others_read(const uint8_t *payload, size_t length, struct frame *frame)
{
	struct json_doc doc;
	int64_t viewers = -1;

	if (json_parse(&doc, (const char *)payload, length, OTHERS_TOKENS, NULL) == 0) {
		if (json_i64(&doc, json_get(&doc, 0, "viewers"), &viewers) < 0)
			viewers = -1;
		json_free(&doc);
	}
	if (viewers < 0 || viewers > UINT32_MAX)
		return "no number of viewers";
	frame->others = true;
	frame->viewers = (uint32_t)viewers;
	return NULL;
}

const char *
frame_read(struct frame *frame, const uint8_t *payload, size_t length)
{
	struct json_member members[] = {{.name = "type"}, {.name = "formId"}, {.name = "at"}};
	char type_text[TYPE_SIZE], form_text[TYPE_SIZE];
	const char *error = NULL, *type, *id;
	size_t type_length, id_length;

	if (json_scan_object((const char *)payload, length, members, ARRAY_SIZE(members), &error) <
	    0)
		return error ? error : "not a JSON object";
	if (!members[0].value)
		return "no string member \"type\"";
	if (!members[1].value)
		return "no string member \"formId\"";
	type = unescape(&members[0], type_text, &type_length);
	id = unescape(&members[1], form_text, &id_length);
	if (!type)
		return "the type is too long";
	if (!id || form_id_parse(&frame->form, id, id_length) < 0)
		return "the formId is not 24 hex digits";
	frame->others = false;
	frame->at_ms = 0;
	frame->kind = kind_of(type, type_length);
	if (is_type(type, type_length, OTHERS))
		return others_read(payload, length, frame);
	if (type_length >= strlen(INTERNAL) && memcmp(type, INTERNAL, strlen(INTERNAL)) == 0)
		return "a type between daemons";
	if (!members[2].value ||
	    clock_parse_rfc3339(members[2].value, members[2].length, &frame->at_ms) < 0)
		frame->at_ms = 0;
	return NULL;
}
