/* SPDX-License-Identifier: MIT */
/* mongo_change: one document of the change stream, looked at. Pure.
 * MongoDB manual: "Change Events". */
#ifndef INGESTD_MONGO_CHANGE_H
#define INGESTD_MONGO_CHANGE_H

#include <bson/bson.h>
#include <stdbool.h>
#include <stdint.h>

#include "ingestd/event.h"
#include "ingestd/mongo_position.h"
#include "lib/base.h"

enum mongo_change_kind {
	CHANGE_EVENT, /* op, doc and at are set */
	CHANGE_LOOKUP, /* whether the document `deleted` is there has to be looked up
			  (mongo_lookup.c); then it is an `op` */
	CHANGE_NOTHING, /* moves the position only */
	CHANGE_STRUCTURE, /* a collection or the database was dropped or renamed */
	CHANGE_INVALIDATE, /* the stream ends here, for one of these reasons */
};

/* A BSON document that stands somewhere else. */
struct mongo_view {
	const uint8_t *data;
	uint32_t length;
};

struct mongo_change {
	enum mongo_change_kind kind;
	enum event_op op;
	int64_t at; /* wallTime, or clusterTime's seconds; EVENT_NO_TIME without either */
	struct mongo_view token, doc;
	uint32_t time, increment; /* clusterTime; 0, 0 without it */
	bson_t *deleted; /* {_id} of a deletion or look-up, which is made here */
	const char *type; /* operationType */
	const char *collection;
};

/* All pointers point into `raw`, but for a deletion's doc, which mongo_change_clear() frees.
 * -1 when it is no change event (nothing is to be cleared then). */
MUST_CHECK int mongo_change_read(
    const bson_t *raw, const struct mongo_origin *origin, struct mongo_change *change);
/* Whether nothing can come behind it that makes sense without reading all anew. */
bool mongo_change_ends_stream(const struct mongo_change *change);
/* Takes a part of a split event ($changeStreamSplitLargeEvent) into *parts, which is made with
 * the first one. False: `raw` is a whole event. *last:
 * *parts is one now, with the token of this part. */
bool mongo_change_join(const bson_t *raw, bson_t **parts, bool *last);
void mongo_change_clear(struct mongo_change *change);

#endif
