/* SPDX-License-Identifier: MIT */
/* event: one change in the source as it goes to analyticsd (docs/protocol.md, "Ingest"):
 * {op, position, partial?, at?, doc?}. Pure. */
#ifndef INGESTD_EVENT_H
#define INGESTD_EVENT_H

#include <bson/bson.h>
#include <stdint.h>

#include "lib/buf.h"

enum event_op {
	EVENT_RESPONSE,
	EVENT_RESPONSE_DELETED,
	EVENT_FORM,
	EVENT_FORM_DELETED,
	EVENT_POSITION, /* the source moved, with nothing for us */
	EVENT_REBUILD, /* what follows is everything, once more */
	EVENT_REBUILT, /* that was it */
};

/* The longest encoded event: what docs/protocol.md allows a document. */
#define EVENT_MAX 48000000

/* No time is known. */
#define EVENT_NO_TIME INT64_MIN

struct event {
	enum event_op op;
	int64_t at; /* when it was committed in the source: ms since the epoch, or EVENT_NO_TIME */
	const bson_t *position;
	bool partial; /* the first scan is under way: there is more to come of what is there now */
	const bson_t *doc; /* NULL for those that are about no document */
};

/* The word on the wire: "response", "responseDeleted", … */
const char *event_op_name(enum event_op op);

/* Appends one BSON document. -1 with errno ENOBUFS when it does not fit, EMSGSIZE
 * over EVENT_MAX. */
MUST_CHECK int event_encode(const struct event *event, struct buf *out);

/* Looks at an encoded event; all pointers point into `data`. -1 when it is none. */
struct event_view {
	enum event_op op;
	int64_t at;
	const uint8_t *position;
	uint32_t position_length;
};
MUST_CHECK int event_view(const uint8_t *data, size_t length, struct event_view *view);

/* What a bare document is, by its shape: EVENT_FORM has an array `fields`, EVENT_RESPONSE
 * has a `formId`; a document that has both is a response, as it is for analyticsd. -1: neither. */
MUST_CHECK int event_shape(const bson_t *doc);

#endif
