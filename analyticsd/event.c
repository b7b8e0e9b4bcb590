/* SPDX-License-Identifier: MIT */
#include "analyticsd/event.h"

#include <string.h>

void
event_read(struct event *event, const bson_t *doc)
{
	bson_iter_t iter;
	const uint8_t *bytes;
	uint32_t length;

	memset(event, 0, sizeof(*event));
	event->at_ms = -1;
	if (!bson_iter_init(&iter, doc))
		return;
	while (bson_iter_next(&iter)) {
		const char *key = bson_iter_key(&iter);

		if (strcmp(key, "op") == 0 && BSON_ITER_HOLDS_UTF8(&iter)) {
			event->op = bson_iter_utf8(&iter, NULL);
		} else if (strcmp(key, "position") == 0 && BSON_ITER_HOLDS_DOCUMENT(&iter)) {
			bson_iter_document(&iter, &event->position_length, &event->position);
		} else if (strcmp(key, "partial") == 0 && BSON_ITER_HOLDS_BOOL(&iter)) {
			event->partial = bson_iter_bool(&iter);
		} else if (strcmp(key, "doc") == 0 && BSON_ITER_HOLDS_DOCUMENT(&iter)) {
			bson_iter_document(&iter, &length, &bytes);
			event->has_doc = bson_init_static(&event->doc, bytes, length);
		} else if (strcmp(key, "at") == 0 && BSON_ITER_HOLDS_DATE_TIME(&iter)) {
			event->at_ms = bson_iter_date_time(&iter);
		}
	}
}

enum event_turn
event_turn(const bson_t *doc)
{
	bson_iter_t iter;

	if (!bson_iter_init_find(&iter, doc, "op") || !BSON_ITER_HOLDS_UTF8(&iter))
		return TURN_NONE;
	const char *op = bson_iter_utf8(&iter, NULL);
	if (strcmp(op, "rebuild") == 0)
		return TURN_REBUILD;
	return strcmp(op, "rebuilt") == 0 ? TURN_REBUILT : TURN_NONE;
}
