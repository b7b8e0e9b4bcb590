/* SPDX-License-Identifier: MIT */
#include "analyticsd/event.h"

#include <string.h>

#include "analyticsd/bson_key.h"

static enum event_turn
turn_of(const bson_iter_t *op)
{
	if (!BSON_ITER_HOLDS_UTF8(op))
		return TURN_NONE;
	const char *text = bson_iter_utf8(op, NULL);
	if (strcmp(text, "rebuild") == 0)
		return TURN_REBUILD;
	return strcmp(text, "rebuilt") == 0 ? TURN_REBUILT : TURN_NONE;
}

static void
take_op(struct event *event, const bson_iter_t *iter, bool *seen)
{
	if (!*seen)
		event->turn = turn_of(iter);
	*seen = true;
	if (BSON_ITER_HOLDS_UTF8(iter))
		event->op = bson_iter_utf8(iter, NULL);
}

static void
take_doc(struct event *event, const bson_iter_t *iter)
{
	const uint8_t *bytes;
	uint32_t length;

	bson_iter_document(iter, &length, &bytes);
	event->has_doc = bson_init_static(&event->doc, bytes, length);
}

bool
event_read(struct event *event, const bson_t *doc)
{
	bool seen_op = false;
	bson_iter_t iter;

	memset(event, 0, sizeof(*event));
	event->whole = doc;
	event->at_ms = -1;
	if (!bson_iter_init(&iter, doc))
		return false;
	while (bson_iter_next(&iter)) {
		const char *key = bson_iter_key_unsafe(&iter);

		if (key_is(key, "op"))
			take_op(event, &iter, &seen_op);
		else if (key_is(key, "position") && BSON_ITER_HOLDS_DOCUMENT(&iter))
			bson_iter_document(&iter, &event->position_length, &event->position);
		else if (key_is(key, "partial") && BSON_ITER_HOLDS_BOOL(&iter))
			event->partial = bson_iter_bool(&iter);
		else if (key_is(key, "doc") && BSON_ITER_HOLDS_DOCUMENT(&iter))
			take_doc(event, &iter);
		else if (key_is(key, "at") && BSON_ITER_HOLDS_DATE_TIME(&iter))
			event->at_ms = bson_iter_date_time(&iter);
		else if (key_is(key, "formId"))
			event->has_form_id = true;
		else if (key_is(key, "fields"))
			event->has_fields = true;
	}
	return iter.err_off == 0;
}
