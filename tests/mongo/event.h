/* SPDX-License-Identifier: MIT */
/*
 * Change events: manual, "Change Events". Turns an oplog entry into the document that a change
 * stream returns.
 */
#ifndef TESTS_MONGO_EVENT_H
#define TESTS_MONGO_EVENT_H

#include "tests/mongo/oplog.h"

struct event_options {
	int wire_version; /* wallTime is there from 6.0 (17) on, truncatedArrays from 4.4 (9) */
	bool lookup; /* fullDocument: updateLookup, and "required" and "whenAvailable" */
	bool when_available; /* fullDocument: null on updates, as no post-images are kept */
	bool pre_image; /* fullDocumentBeforeChange: whenAvailable, always null */
	const struct catalog *catalog;
};

/* Appends e's event, or the invalidate event that follows it, to out. */
void event_build(
    const struct entry *e, bool invalidate, const struct event_options *o, bson_t *out);

#endif
