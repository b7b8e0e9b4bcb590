/* SPDX-License-Identifier: MIT */
/*
 * Multi-document transactions: manual, "Transactions". The changes of a transaction are kept as
 * a list. A command of the transaction sees them because they are put into the collections before
 * it runs and taken out after it; nobody else ever sees them. Commit puts them in for good and
 * writes them into the oplog at one cluster time.
 *
 * A document that somebody else changed meanwhile makes the transaction fail with WriteConflict
 * (TransientTransactionError). The server would make the other writer wait; to the clients of
 * the transaction both are allowed outcomes.
 */
#ifndef TESTS_MONGO_TXN_H
#define TESTS_MONGO_TXN_H

#include "tests/mongo/server.h"

struct transaction;

struct transaction *txn_new(struct doc *id);

void txn_free(struct transaction **t);

/* Puts its changes into the collections: 0, or -1 with f filled and nothing put in. Until
 * txn_leave() what is written goes into the transaction. */
int txn_enter(struct server *srv, struct transaction *t, struct fail *f);

/* Takes its changes out again. */
void txn_leave(struct server *srv);

/* txn_enter() for good: into the collections and the oplog. */
int txn_commit(struct server *srv, struct transaction *t, struct fail *f);

/* For db.c, while a transaction is entered: remembers a node that is about to be changed (before),
 * and what was written (after; takes over e's references). */
void txn_touch(struct server *srv, const struct index_node *n);

void txn_record(struct server *srv, struct entry *e);

#endif
