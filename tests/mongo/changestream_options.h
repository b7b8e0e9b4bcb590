/* SPDX-License-Identifier: MIT */
/*
 * The inside of a change stream, shared by changestream.c and the reading of its options.
 */
#ifndef TESTS_MONGO_CHANGESTREAM_OPTIONS_H
#define TESTS_MONGO_CHANGESTREAM_OPTIONS_H

#include "tests/mongo/event.h"
#include "tests/mongo/pipeline.h"
#include "tests/mongo/server.h"
#include "tests/mongo/token.h"

enum scope {
	SCOPE_COLLECTION,
	SCOPE_DATABASE,
	SCOPE_CLUSTER,
};

/*
 * The start is a token in any case: the one given, or a high-water mark at the first cluster time
 * wanted. Entries from `next` on have not been looked at yet.
 */
struct changestream {
	struct server *srv;
	enum scope scope;
	struct ns *ns;
	struct event_options event;
	struct pipeline *pipeline;
	size_t leading; /* the $match stages at its head */

	struct token start;
	bool begun; /* the start was looked up in the oplog */
	bool surpassed; /* of the start's events nothing is left to swallow */
	bool seen; /* the very event of the start token went by */
	uint64_t next;
	bool need_post_image, need_pre_image;

	struct doc *invalidate; /* made with the event before it, comes next */
	char invalidate_token[TOKEN_TEXT];
	bool invalidated, closed;

	bool splits; /* $changeStreamSplitLargeEvent */
	struct doc_list parts; /* of the event that was split last; `part` comes next */
	size_t part;

	struct doc *stash; /* given back by changestream_unget() */
	char token[TOKEN_TEXT], before[TOKEN_TEXT];
	uint64_t latest; /* the cluster time of token */
};

/* changestream_split.c: what is done with an event that may be too large. 1: *d is the event or its
 * first part, 0: nothing is left of it behind the start token, -1 with f filled. */
int changestream_split(struct changestream *cs, struct doc **d, bool is_start, struct fail *f);
/* The next part of the event that was split last; NULL: none. */
struct doc *changestream_part(struct changestream *cs);

/* Reads the argument of $changeStream into cs. 0, or -1 with f filled. */
int changestream_options_read(struct changestream *cs, const bson_t *spec, struct fail *f);

#endif
