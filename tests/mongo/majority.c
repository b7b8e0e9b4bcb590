/* SPDX-License-Identifier: MIT */
#include "tests/mongo/majority.h"

#include <string.h>

static bool
read_concern(const bson_t *cmd, bson_t *out)
{
	bson_iter_t it;

	return bson_get(cmd, "readConcern", &it) && BSON_ITER_HOLDS_DOCUMENT(&it) &&
	    iter_view(&it, out);
}

bool
majority_asked(const bson_t *cmd)
{
	const char *level;
	bson_t rc;

	level = read_concern(cmd, &rc) ? bson_str(&rc, "level") : NULL;
	return level && strcmp(level, "majority") == 0;
}

bool
majority_must_wait(const struct server *srv, const bson_t *cmd)
{
	uint32_t sec, inc;
	bson_iter_t it;
	bson_t rc;

	if (!majority_asked(cmd) || !read_concern(cmd, &rc) ||
	    !bson_get(&rc, "afterClusterTime", &it) || !BSON_ITER_HOLDS_TIMESTAMP(&it))
		return false;
	bson_iter_timestamp(&it, &sec, &inc);
	/* What lies in the future is an error, at once. */
	return TS_MAKE(sec, inc) > oplog_seen_ts(&srv->oplog) &&
	    TS_MAKE(sec, inc) <= srv->oplog.last_ts;
}

bool
majority_lags(const struct server *srv)
{
	return oplog_seen_end(&srv->oplog) < srv->oplog.end;
}

static void
undo(struct collection *c, const struct entry *e)
{
	struct index_node *n;
	bson_iter_t id;
	bson_t key;

	doc_view(e->key, &key);
	if (!bson_get(&key, "_id", &id))
		return;
	n = index_find(c->by_id, &id);
	if (e->op == OP_INSERT && n)
		collection_remove(c, n);
	else if (e->op == OP_DELETE && e->old && !n)
		collection_insert(c, e->old);
	else if ((e->op == OP_UPDATE || e->op == OP_REPLACE) && e->old && n)
		collection_replace(c, n, e->old);
}

struct collection *
majority_view(const struct server *srv, const struct collection *coll, struct catalog *out)
{
	const struct oplog *o = &srv->oplog;
	uint64_t seen = oplog_seen_end(o);
	struct collection *c;
	char db[80];

	bson_strncpy(db, coll->ns->full, coll->ns->db_len + 1);
	c = catalog_create(out, db, ns_coll(coll->ns));
	for (const struct record *r = collection_scan(coll, 0); r;
	     r = collection_scan(coll, r->rid + 1))
		collection_insert(c, r->doc);
	for (uint64_t at = o->end; at > seen && at > o->first; at--) {
		const struct entry *e = oplog_at(o, at - 1);

		if (e->ns && e->key && memcmp(e->ns->uuid, coll->ns->uuid, sizeof e->ns->uuid) == 0)
			undo(c, e);
	}
	return c;
}
