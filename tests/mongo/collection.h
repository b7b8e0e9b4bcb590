/* SPDX-License-Identifier: MIT */
/*
 * Collections and the catalog of them. A collection keeps its documents twice: in the order of
 * insertion (records) and in the order of their _id (the index). Pure code: no oplog here, see
 * write.h for changes that clients make.
 */
#ifndef TESTS_MONGO_COLLECTION_H
#define TESTS_MONGO_COLLECTION_H

#include "tests/mongo/base.h"
#include "tests/mongo/index.h"

/* The name of a collection at one time of its life; the oplog and cursors share it. */
struct ns {
	unsigned refs;
	uint8_t uuid[16];
	bool has_uuid;
	size_t db_len;
	char full[]; /* "db.coll", or "db" alone where there is no collection */
};

struct ns *ns_new(const char *db, const char *coll);

struct ns *ns_ref(struct ns *n);

void ns_unref(struct ns **n);

/* The collection's part, or "" for a database. */
const char *ns_coll(const struct ns *n);

bool ns_in_db(const struct ns *n, const char *db);

/* A document at its place in the order of insertion; doc is NULL once it is deleted. The doc is
 * borrowed from the index node. */
struct record {
	uint64_t rid;
	struct doc *doc;
};

/* What a change of the shard key's value is, as the stream tells it: an update, whose
 * documentKey is that of the document afterwards (the document stays where it is; source, 4.2 to
 * 7.0: the oplog entry's o2), or a deletion and an insertion at one cluster time (it moves), in
 * either order. */
enum shard_move {
	MOVE_NOT,
	MOVE_DELETE_FIRST,
	MOVE_INSERT_FIRST,
};

/* rids ascend in records; live of the n are not NULL. changes counts what adds or removes nodes:
 * while it stands still, pointers to nodes stay good. */
struct collection {
	struct ns *ns;
	uint64_t changes;
	struct index *by_id;
	struct record *records;
	size_t n, cap, live;
	uint64_t next_rid;
	struct doc *shard_key; /* {path: 1, …}; NULL: it is not sharded */
	enum shard_move move;
	struct doc_list specs; /* of secondary indexes, as createIndexes gave them */
	struct collection *next;
};

/* documentKey: the values of the shard key, in its order, and _id (manual, "Change Events"; source:
 * CollectionMetadata::extractDocumentKey()). What the document lacks is left out. */
struct doc *collection_key(const struct collection *c, const struct doc *d);

/* The node of the document with this key; NULL: there is none. */
struct index_node *collection_find_key(const struct collection *c, const struct doc *key);

/* From now on sharded by that key; _ids are unique only together with it. */
void collection_shard(struct collection *c, struct doc *key, enum shard_move move);

/* All collections, in the order of their creation. */
struct catalog {
	struct collection *first;
};

struct collection *catalog_find(const struct catalog *c, const char *db, const char *coll);

/* Makes a collection that is not there yet, with a new UUID. */
struct collection *catalog_create(struct catalog *c, const char *db, const char *coll);

/* Takes it out and frees it. */
void catalog_drop(struct catalog *c, struct collection *coll);

/* Another name for a collection; its UUID stays. */
void catalog_rename(struct collection *coll, const char *db, const char *name);

void catalog_free(struct catalog *c);

/* Adds d (borrowed; its _id present). False: that _id (documentKey, where it is sharded) is
 * there already. */
bool collection_insert(struct collection *c, struct doc *d);

/* Puts d (borrowed) back to the place rid, from which it was removed. */
void collection_restore(struct collection *c, struct doc *d, uint64_t rid);

/* Swaps the document of a node for another with the same _id (borrowed). */
void collection_replace(struct collection *c, struct index_node *n, struct doc *d);

void collection_remove(struct collection *c, struct index_node *n);

/* The first record with a rid >= rid whose document lives; NULL at the end. */
const struct record *collection_scan(const struct collection *c, uint64_t rid);

#endif
