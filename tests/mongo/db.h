/* SPDX-License-Identifier: MIT */
/*
 * Changes to the data, as clients make them: each goes into its collection and into the oplog
 * (or, within a transaction, into that transaction's list: txn.h).
 */
#ifndef TESTS_MONGO_DB_H
#define TESTS_MONGO_DB_H

#include "tests/mongo/server.h"

/* The collection, made first where it is not there (which is an oplog entry, too). */
struct collection *db_collection_make(struct server *srv, const char *db, const char *coll);

/* d is borrowed and has its _id. False: a duplicate. */
bool db_insert(struct server *srv, struct collection *c, struct doc *d);

/* The document of n becomes d (borrowed). desc is the updateDescription, or NULL: a replacement. */
void db_replace(struct server *srv, struct collection *c, struct index_node *n, struct doc *d,
    struct doc *desc);

void db_delete(struct server *srv, struct collection *c, struct index_node *n);

/* Drops a collection: open cursors on it die. */
void db_drop(struct server *srv, struct collection *c);

/* Drops each collection of a database and then the database. False: there is none. */
bool db_drop_database(struct server *srv, const char *db);

void db_rename(struct server *srv, struct collection *c, const char *db, const char *name);

/* {_id: …} of a document. */
struct doc *db_key(const struct doc *d);

/* 0, or -1 with f filled (73 InvalidNamespace). coll may be NULL. */
int db_names_check(const char *db, const char *coll, struct fail *f);

#endif
