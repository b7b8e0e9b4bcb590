/* SPDX-License-Identifier: MIT */
/*
 * The oplog: what was written, in order, each entry at a cluster time that is greater than the
 * one before (operations of one transaction share theirs and differ in txn_index). A ring that
 * forgets its oldest entries (manual: "Replica Set Oplog"). Pure code but for the wall clock.
 */
#ifndef TESTS_MONGO_OPLOG_H
#define TESTS_MONGO_OPLOG_H

#include "tests/mongo/base.h"
#include "tests/mongo/collection.h"

enum op {
	OP_NOOP,
	OP_INSERT,
	OP_UPDATE,
	OP_REPLACE,
	OP_DELETE,
	OP_DROP,
	OP_RENAME,
	OP_DROP_DATABASE,
};

/* A BSON timestamp as one number: seconds << 32 | increment. */
#define TS_MAKE(sec, inc) ((uint64_t)(sec) << 32 | (uint32_t)(inc))
#define TS_SEC(ts) ((uint32_t)((ts) >> 32))
#define TS_INC(ts) ((uint32_t)(ts))

/* All references are the entry's own. */
struct entry {
	uint64_t ts;
	int64_t wall; /* ms since 1970 */
	uint32_t txn_index;
	enum op op;
	struct ns *ns;
	struct ns *to; /* OP_RENAME: the new name */
	struct doc *key; /* documentKey */
	struct doc *doc; /* OP_INSERT, OP_REPLACE: the document */
	struct doc *old; /* what it was before (but for OP_INSERT); not kept across a restart */
	struct doc *desc; /* OP_UPDATE: updateDescription */
	struct doc *txn; /* lsid and txnNumber, where it was in a transaction */
};

/* Entries first..end-1 are kept, entry k at ring[k % cap]. rolled: something was forgotten. */
struct oplog {
	struct entry *ring;
	size_t cap, max;
	uint64_t first, end;
	uint64_t last_ts;
	bool rolled;
	uint64_t
	    hold; /* entries from here on a majority does not have yet; UINT64_MAX: it has all */
	/* Told of each new entry; NULL: nobody is. */
	void (*on_append)(void *owner, const struct entry *e);
	void *owner;
};

/* Empty; keeps at most max entries. The first is to stand for the set's initiation. */
void oplog_init(struct oplog *o, size_t max);

void oplog_free(struct oplog *o);

/* A new cluster time. */
uint64_t oplog_tick(struct oplog *o);

/* Takes over e's references; e->ts is to come from oplog_tick(). */
void oplog_append(struct oplog *o, const struct entry *e);

/* Writes the periodic no-op of an idle primary, which moves the cluster time on. */
void oplog_noop(struct oplog *o);

const struct entry *oplog_at(const struct oplog *o, uint64_t seq);

/* The first entry with a time >= ts; end when there is none. */
uint64_t oplog_seek(const struct oplog *o, uint64_t ts);

/* Forgets all but the last n. */
void oplog_roll(struct oplog *o, uint64_t keep);

/* Where a majority has the oplog's end, and so streams do; and the last cluster time before it. */
uint64_t oplog_seen_end(const struct oplog *o);

uint64_t oplog_seen_ts(const struct oplog *o);

/* Whether anything after ts may have been forgotten. */
bool oplog_lost(const struct oplog *o, uint64_t ts);

void entry_clear(struct entry *e);

#endif
