/* SPDX-License-Identifier: MIT */
#include "ingestd/event.h"

#include <errno.h>
#include <string.h>

static const char *const names[] = {
    [EVENT_RESPONSE] = "response",
    [EVENT_RESPONSE_DELETED] = "responseDeleted",
    [EVENT_FORM] = "form",
    [EVENT_FORM_DELETED] = "formDeleted",
    [EVENT_POSITION] = "position",
    [EVENT_REBUILD] = "rebuild",
    [EVENT_REBUILT] = "rebuilt",
};

const char *
event_op_name(enum event_op op)
{
	return names[op];
}

int
event_encode(const struct event *event, struct buf *out)
{
	bson_t encoded = BSON_INITIALIZER;
	int result = -1;
	bool whole;

	whole = BSON_APPEND_UTF8(&encoded, "op", names[event->op]) &&
	    BSON_APPEND_DOCUMENT(&encoded, "position", event->position) &&
	    (!event->partial || BSON_APPEND_BOOL(&encoded, "partial", true)) &&
	    (event->at == EVENT_NO_TIME || BSON_APPEND_DATE_TIME(&encoded, "at", event->at)) &&
	    (!event->doc || BSON_APPEND_DOCUMENT(&encoded, "doc", event->doc));
	if (!whole || encoded.len > EVENT_MAX)
		errno = EMSGSIZE;
	else
		result = buf_append(out, bson_get_data(&encoded), encoded.len);
	bson_destroy(&encoded);
	return result;
}

static int
op_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], name) == 0)
			return (int)i;
	}
	return -1;
}

int
event_view(const uint8_t *data, size_t length, struct event_view *view)
{
	bson_t encoded;
	bson_iter_t at;
	int op = -1;

	memset(view, 0, sizeof(*view));
	view->at = EVENT_NO_TIME;
	if (!bson_init_static(&encoded, data, length) || !bson_iter_init(&at, &encoded))
		return -1;
	/* The document itself comes last and is never walked. */
	while (bson_iter_next(&at) && strcmp(bson_iter_key(&at), "doc") != 0) {
		if (BSON_ITER_IS_KEY(&at, "op") && BSON_ITER_HOLDS_UTF8(&at))
			op = op_of(bson_iter_utf8(&at, NULL));
		else if (BSON_ITER_IS_KEY(&at, "at") && BSON_ITER_HOLDS_DATE_TIME(&at))
			view->at = bson_iter_date_time(&at);
		else if (BSON_ITER_IS_KEY(&at, "position") && BSON_ITER_HOLDS_DOCUMENT(&at))
			bson_iter_document(&at, &view->position_length, &view->position);
	}
	if (op < 0 || !view->position)
		return -1;
	view->op = (enum event_op)op;
	return 0;
}

int
event_shape(const bson_t *doc)
{
	bson_iter_t at;

	if (bson_iter_init_find(&at, doc, "formId"))
		return EVENT_RESPONSE;
	if (bson_iter_init_find(&at, doc, "fields") && BSON_ITER_HOLDS_ARRAY(&at))
		return EVENT_FORM;
	return -1;
}
