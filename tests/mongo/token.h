/* SPDX-License-Identifier: MIT */
/*
 * Resume tokens: manual, "Change Streams > Resume Tokens". To clients a token is opaque, {_data:
 * hex string}; the strings sort in the order of the events, and a high-water-mark token sorts
 * before every event of its cluster time. The text has the server's own layout (a KeyString of
 * cluster time, version 1, token type, index in the transaction, fromInvalidate, the collection's
 * UUID, the document key). Pure code.
 */
#ifndef TESTS_MONGO_TOKEN_H
#define TESTS_MONGO_TOKEN_H

#include "tests/mongo/oplog.h"

struct token {
	uint64_t ts;
	bool event; /* else a high-water mark */
	uint32_t txn_index;
	bool from_invalidate;
	bool has_fragment;
	uint32_t fragment; /* of a split event, from 0 */
	bool has_uuid;
	uint8_t uuid[16];
};

/* Room for the text of any token. */
#define TOKEN_TEXT 160

void token_high_water(uint64_t ts, char out[TOKEN_TEXT]);

/* The token of e's event, or of the invalidate event that follows it. */
void token_event(const struct entry *e, bool invalidate, char out[TOKEN_TEXT]);

/* The token of one part of a split event, from the event's own. */
void token_fragment(const char *event, uint32_t fragment, char out[TOKEN_TEXT]);

/* Reads a {_data: …} document. 0, or -1 with f filled. */
int token_parse(const bson_t *doc, struct token *out, struct fail *f);

/* The order of a parsed token against e's event: <0 before, 0 the same, >0 after. */
int token_compare(const struct token *t, const struct entry *e, bool invalidate);

#endif
