/* SPDX-License-Identifier: MIT */
/* event: the envelope in which a change comes (docs/protocol.md, "Ingest"). Pure. */
#ifndef ANALYTICSD_EVENT_H
#define ANALYTICSD_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include <bson/bson.h>

/* Views into the document that it was read from. */
struct event {
	const char *op; /* NULL: a bare document */
	bson_t doc;
	bool has_doc;
	const uint8_t *position; /* a BSON document's bytes, or NULL */
	uint32_t position_length;
	bool partial; /* up to this position there is more to come of what the source holds */
	int64_t at_ms; /* when the source committed it; -1: not told */
};

/* What is said of the events behind it, not of a document (states.h): by its op alone. */
enum event_turn { TURN_NONE, TURN_REBUILD, TURN_REBUILT };
enum event_turn event_turn(const bson_t *doc);

/* Members of other types than they should have count as absent. */
void event_read(struct event *event, const bson_t *doc);

#endif
