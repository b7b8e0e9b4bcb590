/* SPDX-License-Identifier: MIT */
/*
 * SCRAM-SHA-256 and SCRAM-SHA-1, the server's side: RFC 5802, RFC 7677; MongoDB's SHA-1 variant
 * digests the password first (specification "Authentication", SCRAM-SHA-1).
 */
#ifndef TESTS_MONGO_AUTH_H
#define TESTS_MONGO_AUTH_H

#include "tests/mongo/base.h"

/* One client's state. Zeroed at the start, cleared with auth_clear(). */
struct auth {
	bool done; /* authenticated */
	bool sha256; /* the mechanism of the conversation */
	int step; /* 0 none, 1 the first message was answered, 2 the last one was */
	int32_t id; /* conversationId */
	bool skip_empty; /* option skipEmptyExchange */
	char *nonce; /* client's and server's */
	char *first; /* client-first-message-bare "," server-first-message */
};

void auth_clear(struct auth *a);

/* The client's first message: 0 with the server's in out, or -1: refused. */
int auth_first(struct auth *a, const char *user, bool sha256, const char *msg, size_t len,
    char *out, size_t size);

/* The client's last message: 0 with the server's in out, or -1: refused. */
int auth_last(struct auth *a, const char *user, const char *password, const char *msg, size_t len,
    char *out, size_t size);

#endif
