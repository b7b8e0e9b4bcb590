/* SPDX-License-Identifier: MIT */
/*
 * Logical sessions: manual, "Server Sessions", "Retryable Writes" and "Transactions". A session
 * remembers the number of its latest transaction or retryable write, the reply to the latter, and
 * the transaction in progress.
 */
#ifndef TESTS_MONGO_SESSION_H
#define TESTS_MONGO_SESSION_H

#include "tests/mongo/server.h"

struct session;

/* What a command has to do with its session. */
enum session_use {
	SESSION_PLAIN, /* nothing beyond naming it */
	SESSION_RETRIED, /* a write done before: *reply holds what was answered then */
	SESSION_WRITE, /* a retryable write: session_end() is to be told the reply */
	SESSION_TXN, /* within a transaction, which has been entered */
	SESSION_FINISH, /* commitTransaction or abortTransaction */
};

/* Looks at lsid, txnNumber, autocommit and startTransaction of a command. *s is NULL where the
 * command names no session. Returns a session_use, or -1 with f filled. */
int session_begin(struct server *srv, const bson_t *cmd, const char *name, bool is_write,
    struct session **s, bson_t *reply, struct fail *f);

/* The command has run; in a transaction failed also where its reply bears writeErrors. */
void session_end(
    struct server *srv, struct session *s, enum session_use use, const bson_t *reply, bool failed);

int session_commit(struct server *srv, struct session *s, struct fail *f);

int session_abort(struct session *s, struct fail *f);

/* Forgets the sessions of an endSessions list. */
void sessions_end(struct server *srv, const bson_iter_t *list);

/* What a session was known to have done before a restart (reply, borrowed, NULL: a commit). */
void session_restore(struct server *srv, const uint8_t id[16], int64_t number, struct doc *reply);

void sessions_free(struct server *srv);

/* The lsid of a command as a document, or NULL. */
struct doc *session_lsid(const bson_t *cmd);

#endif
