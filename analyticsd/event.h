/* SPDX-License-Identifier: MIT */
/* event: a document that came, and the envelope in which a change comes (docs/protocol.md,
 * "Ingest"). Pure. */
#ifndef ANALYTICSD_EVENT_H
#define ANALYTICSD_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include <bson/bson.h>

#include "lib/base.h"

/* What is said of the events behind it, not of a document (states.h): by its op alone. */
enum event_turn { TURN_NONE, TURN_REBUILD, TURN_REBUILT };

/* Views into the document that it was read from. */
struct event {
	const bson_t *whole;
	const char *op; /* NULL: a bare document */
	enum event_turn turn;
	bool has_form_id, has_fields; /* of a bare document */
	bson_t doc;
	bool has_doc;
	const uint8_t *position; /* a BSON document's bytes, or NULL */
	uint32_t position_length;
	bool partial; /* up to this position there is more to come of what the source holds */
	int64_t at_ms; /* when the source committed it; -1: not told */
};

/* Members of other types than they should have count as absent. False: `doc` is not valid BSON. The
 * top level only: what lies deeper is looked at by those who read it, and a document that is broken
 * there is skipped as malformed. */
MUST_CHECK bool event_read(struct event *event, const bson_t *doc);

#endif
