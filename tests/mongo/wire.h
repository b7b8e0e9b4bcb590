/* SPDX-License-Identifier: MIT */
/*
 * The wire protocol: manual, "MongoDB Wire Protocol", and the OP_MSG specification. Takes messages
 * apart and puts replies together; strict on what comes in. Pure code.
 */
#ifndef TESTS_MONGO_WIRE_H
#define TESTS_MONGO_WIRE_H

#include "tests/mongo/base.h"

#define WIRE_HEADER 16
#define WIRE_SEQUENCES 4

enum {
	WIRE_OP_REPLY = 1,
	WIRE_OP_QUERY = 2004,
	WIRE_OP_MSG = 2013,
};

/* A document sequence (section kind 1): documents side by side. */
struct sequence {
	const char *name;
	const uint8_t *data;
	size_t len;
};

/* One request; everything points into the message. */
struct request {
	int32_t id;
	bool legacy; /* OP_QUERY */
	bool more_to_come; /* no reply is wanted */
	const char *ns; /* OP_QUERY: fullCollectionName */
	bson_t body;
	struct sequence seqs[WIRE_SEQUENCES];
	size_t n_seqs;
};

/* The length of the message at the head of data: 0 while unknown, -1 when it cannot be one. */
int64_t wire_length(const uint8_t *data, size_t len);

/* Takes a whole message apart. False: malformed, the connection is to be closed. */
bool wire_parse(const uint8_t *data, size_t len, struct request *out);

/* The bytes of a reply to r, to be freed with bson_free(). */
uint8_t *wire_reply(const struct request *r, int32_t id, const bson_t *body, size_t *len);

#endif
