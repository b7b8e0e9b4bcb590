/* SPDX-License-Identifier: MIT */
#include "tests/mongo/db.h"
#include "tests/mongo/cursor.h"
#include "tests/mongo/journal.h"
#include "tests/mongo/txn.h"

#include <string.h>

/* Writes e, whose references it takes over. */
/* One more operation of the oplog entry that was written last. */
static void
log_more(struct server *srv, struct entry *e, uint32_t index)
{
	e->wall = wall_ms();
	e->ts = srv->oplog.last_ts;
	e->txn_index = index;
	oplog_append(&srv->oplog, e);
}

static void
log_write(struct server *srv, struct entry *e)
{
	if (srv->in_txn) {
		txn_record(srv, e);
		return;
	}
	e->wall = wall_ms();
	/* As when the server writes several operations into one oplog entry. */
	if (srv->one_time > 0 && srv->one_ts) {
		e->ts = srv->one_ts;
		e->txn_index = ++srv->one_index;
	} else {
		e->ts = srv->one_ts = oplog_tick(&srv->oplog);
		srv->one_index = 0;
	}
	oplog_append(&srv->oplog, e);
}

struct doc *
db_key(const struct doc *d)
{
	bson_t view, *key = bson_new();
	bson_iter_t id;
	struct doc *r;

	doc_view(d, &view);
	if (bson_get(&view, "_id", &id))
		bson_append_iter(key, "_id", 3, &id);
	r = doc_from_bson(key);
	bson_destroy(key);
	return r;
}

int
db_names_check(const char *db, const char *coll, struct fail *f)
{
	if (!*db || strlen(db) > 63 || strpbrk(db, "/\\. \"$"))
		return fail_set(f, 73, "Invalid database name: '%s'", db);
	if (coll &&
	    (!*coll || strchr(coll, '$') || *coll == '.' || strlen(db) + strlen(coll) + 1 > 255))
		return fail_set(f, 73, "Invalid namespace specified '%s.%s'", db, coll);
	return 0;
}

struct collection *
db_collection_make(struct server *srv, const char *db, const char *coll)
{
	struct collection *c = catalog_find(&srv->catalog, db, coll);
	struct entry e = {.op = OP_NOOP};

	if (c)
		return c;
	c = catalog_create(&srv->catalog, db, coll);
	journal_create(srv->journal, c->ns);
	/* The create command's entry: no event without showExpandedEvents, but time moves. */
	e.ns = ns_ref(c->ns);
	if (srv->in_txn)
		ns_unref(&e.ns);
	else
		log_write(srv, &e);
	return c;
}

bool
db_insert(struct server *srv, struct collection *c, struct doc *d)
{
	struct entry e = {.op = OP_INSERT};

	if (!collection_insert(c, d))
		return false;
	e.ns = ns_ref(c->ns);
	e.doc = doc_ref(d);
	e.key = collection_key(c, d);
	log_write(srv, &e);
	return true;
}

/* Whether the shard key's value differs. */
static bool
moves(const struct collection *c, const struct doc *before, const struct doc *after)
{
	struct doc *a = collection_key(c, before), *b = collection_key(c, after);
	bool differ = a->len != b->len || memcmp(a->data, b->data, a->len) != 0;

	doc_unref(&a);
	doc_unref(&b);
	return differ;
}

/* The server makes it a transaction of a deletion on one shard and an insertion on another
 * (manual, "Change a Document's Shard Key Value"); of two shards at one cluster time the stream
 * orders nothing (SERVER-60543). */
static void
log_move(struct server *srv, struct collection *c, struct index_node *n, struct doc *d)
{
	struct entry gone = {.op = OP_DELETE}, come = {.op = OP_INSERT};
	bool delete_first = c->move == MOVE_DELETE_FIRST;

	gone.ns = ns_ref(c->ns);
	gone.key = collection_key(c, n->doc);
	gone.old = doc_ref(n->doc);
	come.ns = ns_ref(c->ns);
	come.key = collection_key(c, d);
	come.doc = doc_ref(d);
	collection_replace(c, n, d);
	log_write(srv, delete_first ? &gone : &come);
	log_more(srv, delete_first ? &come : &gone, ++srv->one_index);
}

void
db_replace(
    struct server *srv, struct collection *c, struct index_node *n, struct doc *d, struct doc *desc)
{
	struct entry e = {.op = desc ? OP_UPDATE : OP_REPLACE};

	if (c->move != MOVE_NOT && !srv->in_txn && moves(c, n->doc, d)) {
		log_move(srv, c, n, d);
		return;
	}
	if (srv->in_txn)
		txn_touch(srv, n);
	e.old = doc_ref(n->doc);
	collection_replace(c, n, d);
	e.ns = ns_ref(c->ns);
	e.doc = doc_ref(d);
	e.key = collection_key(c, d);
	e.desc = doc_ref(desc);
	log_write(srv, &e);
}

void
db_delete(struct server *srv, struct collection *c, struct index_node *n)
{
	struct entry e = {.op = OP_DELETE};

	if (srv->in_txn)
		txn_touch(srv, n);
	e.key = collection_key(c, n->doc);
	e.old = doc_ref(n->doc);
	e.ns = ns_ref(c->ns);
	collection_remove(c, n);
	log_write(srv, &e);
}

void
db_drop(struct server *srv, struct collection *c)
{
	struct entry e = {.op = OP_DROP};

	e.ns = ns_ref(c->ns);
	cursors_drop(srv, c->ns);
	catalog_drop(&srv->catalog, c);
	log_write(srv, &e);
}

bool
db_drop_database(struct server *srv, const char *db)
{
	struct collection *c = srv->catalog.first, *next;
	struct entry e = {.op = OP_DROP_DATABASE};
	bool any = false;

	for (; c; c = next) {
		next = c->next;
		if (!ns_in_db(c->ns, db))
			continue;
		db_drop(srv, c);
		any = true;
	}
	/* The server writes no entry for a database that is not there. */
	if (any) {
		e.ns = ns_new(db, "");
		log_write(srv, &e);
	}
	return any;
}

void
db_rename(struct server *srv, struct collection *c, const char *db, const char *name)
{
	struct entry e = {.op = OP_RENAME};

	e.ns = ns_ref(c->ns);
	cursors_drop(srv, c->ns);
	catalog_rename(c, db, name);
	e.to = ns_ref(c->ns);
	log_write(srv, &e);
}
