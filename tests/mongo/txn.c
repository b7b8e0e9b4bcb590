/* SPDX-License-Identifier: MIT */
#include "tests/mongo/txn.h"
#include "tests/mongo/db.h"

#include <string.h>

/* One change: the entry it will be in the oplog, and the document before it (NULL: an insert). */
struct change {
	struct entry e;
	struct doc *old;
	uint64_t rid; /* where old was */
};

struct transaction {
	struct doc *id;
	struct change *changes;
	size_t n;
	struct doc *touched; /* the document that the next change replaces, and its place */
	uint64_t touched_rid;
};

struct transaction *
txn_new(struct doc *id)
{
	struct transaction *t = bson_malloc0(sizeof *t);

	t->id = doc_ref(id);
	return t;
}

void
txn_free(struct transaction **t)
{
	if (!*t)
		return;
	for (size_t i = 0; i < (*t)->n; i++) {
		entry_clear(&(*t)->changes[i].e);
		doc_unref(&(*t)->changes[i].old);
	}
	doc_unref(&(*t)->touched);
	doc_unref(&(*t)->id);
	bson_free((*t)->changes);
	bson_free(*t);
	*t = NULL;
}

static struct collection *
change_collection(struct server *srv, const struct change *ch)
{
	char db[80];

	bson_strncpy(db, ch->e.ns->full, ch->e.ns->db_len + 1);
	return catalog_find(&srv->catalog, db, ns_coll(ch->e.ns));
}

static struct index_node *
change_node(const struct collection *c, const struct change *ch)
{
	bson_iter_t id;
	bson_t key;

	doc_view(ch->e.key, &key);
	bson_get(&key, "_id", &id);
	return index_find(c->by_id, &id);
}

static bool
change_redo(struct server *srv, struct change *ch)
{
	struct collection *c = change_collection(srv, ch);
	struct index_node *n = c ? change_node(c, ch) : NULL;

	if (!c || (n ? n->doc : NULL) != ch->old)
		return false;
	if (!n)
		return collection_insert(c, ch->e.doc);
	ch->rid = n->rid;
	if (ch->e.op == OP_DELETE)
		collection_remove(c, n);
	else
		collection_replace(c, n, ch->e.doc);
	return true;
}

static void
change_undo(struct server *srv, const struct change *ch)
{
	struct collection *c = change_collection(srv, ch);
	struct index_node *n = change_node(c, ch);

	if (ch->e.op == OP_DELETE)
		collection_restore(c, ch->old, ch->rid);
	else if (ch->old)
		collection_replace(c, n, ch->old);
	else
		collection_remove(c, n);
}

int
txn_enter(struct server *srv, struct transaction *t, struct fail *f)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (!change_redo(srv, &t->changes[i]))
			break;
	if (i == t->n) {
		srv->in_txn = t;
		return 0;
	}
	while (i--)
		change_undo(srv, &t->changes[i]);
	fail_fill(f, 112,
	    "WriteConflict error: this operation conflicted with another operation. "
	    "Please retry your operation or multi-document transaction.");
	f->label = "TransientTransactionError";
	return -1;
}

void
txn_leave(struct server *srv)
{
	struct transaction *t = srv->in_txn;

	srv->in_txn = NULL;
	for (size_t i = t->n; i--;)
		change_undo(srv, &t->changes[i]);
}

int
txn_commit(struct server *srv, struct transaction *t, struct fail *f)
{
	int64_t wall = wall_ms();
	uint64_t ts;

	if (txn_enter(srv, t, f) < 0)
		return -1;
	srv->in_txn = NULL;
	ts = t->n ? oplog_tick(&srv->oplog) : 0;
	for (size_t i = 0; i < t->n; i++) {
		struct entry *e = &t->changes[i].e;

		e->ts = ts;
		e->wall = wall;
		e->txn_index = (uint32_t)i;
		e->txn = doc_ref(t->id);
		oplog_append(&srv->oplog, e);
		memset(e, 0, sizeof *e);
	}
	return 0;
}

void
txn_touch(struct server *srv, const struct index_node *n)
{
	doc_unref(&srv->in_txn->touched);
	srv->in_txn->touched = doc_ref(n->doc);
	srv->in_txn->touched_rid = n->rid;
}

void
txn_record(struct server *srv, struct entry *e)
{
	struct transaction *t = srv->in_txn;

	t->changes = bson_realloc(t->changes, (t->n + 1) * sizeof *t->changes);
	t->changes[t->n].e = *e;
	t->changes[t->n].old = t->touched;
	t->changes[t->n].rid = t->touched_rid;
	t->touched = NULL;
	t->n++;
}
