/* SPDX-License-Identifier: MIT */
/*
 * Arguments of reading commands, and count and distinct: manual, "count", "distinct".
 */
#include "tests/mongo/cmd_read.h"
#include "tests/mongo/compare.h"
#include "tests/mongo/match.h"
#include "tests/mongo/path.h"
#include "tests/mongo/sort.h"

#include <stdio.h>
#include <string.h>

int
read_denied(struct cmd *c)
{
	char *json = bson_as_relaxed_extended_json(c->body, NULL);

	fail_fill(&c->fail, 13, "not authorized on %s to execute command %.400s", c->db,
	    json ? json : "");
	bson_free(json);
	return -1;
}

int
arg_doc(struct cmd *c, const char *key, bson_t *out)
{
	static const uint8_t empty[] = {5, 0, 0, 0, 0};
	bson_iter_t it;

	bson_init_static(out, empty, sizeof empty);
	if (!bson_get(c->body, key, &it) || BSON_ITER_HOLDS_NULL(&it))
		return 0;
	if (!BSON_ITER_HOLDS_DOCUMENT(&it))
		return fail_set(&c->fail, 14,
		    "BSON field '%s.%s' is the wrong type '%s', expected type "
		    "'object'",
		    c->name, key, type_name(bson_iter_type(&it)));
	iter_view(&it, out);
	return 0;
}

int
arg_number(struct cmd *c, const char *key, int64_t dflt, int64_t *out)
{
	bson_iter_t it;

	*out = dflt;
	if (!bson_get(c->body, key, &it) || BSON_ITER_HOLDS_NULL(&it))
		return 0;
	if (!iter_is_number(&it))
		return fail_set(&c->fail, 14,
		    "BSON field '%s.%s' is the wrong type '%s', expected a "
		    "number",
		    c->name, key, type_name(bson_iter_type(&it)));
	*out = iter_number(&it, 0);
	if (*out < 0)
		return fail_set(&c->fail, 51024,
		    "BSON field '%s' value must be >= 0, actual value '%lld'", key,
		    (long long)*out);
	return 0;
}

/* A time that lies ahead of all that the server knows of cannot be waited for. */
static int
after_check(struct cmd *c, const bson_t *rc)
{
	uint32_t sec, inc;
	bson_iter_t it;

	if (!bson_get(rc, "afterClusterTime", &it))
		return 0;
	if (!BSON_ITER_HOLDS_TIMESTAMP(&it))
		return fail_set(&c->fail, 14,
		    "BSON field 'readConcern.afterClusterTime' is the wrong type '%s', expected "
		    "type 'timestamp'",
		    type_name(bson_iter_type(&it)));
	if (c->srv->opt.standalone)
		return fail_set(&c->fail, 72,
		    "Cannot specify afterClusterTime readConcern without replica set or sharding");
	bson_iter_timestamp(&it, &sec, &inc);
	if (TS_MAKE(sec, inc) <= c->srv->oplog.last_ts)
		return 0;
	return fail_set(&c->fail, 72,
	    "readConcern afterClusterTime value must not be greater than the current clusterTime. "
	    "Requested clusterTime: { ts: Timestamp(%u, %u) }; current clusterTime: { ts: "
	    "Timestamp(%u, %u) }",
	    sec, inc, TS_SEC(c->srv->oplog.last_ts), TS_INC(c->srv->oplog.last_ts));
}

int
read_concern_check(struct cmd *c)
{
	static const char *const levels[] = {
	    "local", "available", "majority", "linearizable", "snapshot"};
	const char *level;
	bson_iter_t it;
	bson_t rc;

	if (arg_doc(c, "readConcern", &rc) < 0)
		return -1;
	if (bson_get(&rc, "atClusterTime", &it))
		return fail_set(&c->fail, 238, "atClusterTime is not supported here");
	if (after_check(c, &rc) < 0)
		return -1;
	if (!(level = bson_str(&rc, "level")))
		return 0;
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (strcmp(level, levels[i]) == 0)
			return 0;
	return fail_set(&c->fail, 9,
	    "Enumeration value '%s' for field 'readConcern.level' is not a "
	    "valid value.",
	    level);
}

int
cursor_open(struct cmd *c, struct cursor *cur, int64_t batch, bool single)
{
	struct doc_list docs = {0};
	int r = cursor_fill(c->srv, cur, batch, &docs, &c->fail);

	if (r == 0) {
		cur->done |= single;
		if (!cur->done) {
			cur->lsid = session_lsid(c->body);
			cursor_register(c->srv, cur);
		}
		cursor_append_reply(cur, "firstBatch", &docs, c->reply);
	}
	doc_list_free(&docs);
	if (r < 0 || cur->done)
		cursor_free(c->srv, &cur);
	return r;
}

/* Arguments that count and distinct share; the collection's name, or NULL with the fail filled. */
static const char *
query_read(struct cmd *c, bson_t *filter)
{
	const char *name = cmd_collection(c);

	if (c->srv->opt.deny_find)
		read_denied(c);
	else if (name && read_concern_check(c) == 0 && arg_doc(c, "query", filter) == 0 &&
	    match_check(filter, &c->fail) == 0)
		return name;
	return NULL;
}

int
cmd_count(struct cmd *c)
{
	const char *name;
	struct collection *coll;
	int64_t n = 0, skip, limit;
	struct scan *s;
	bson_t filter;

	name = query_read(c, &filter);
	if (!name || arg_number(c, "skip", 0, &skip) < 0 || arg_number(c, "limit", 0, &limit) < 0)
		return -1;
	coll = catalog_find(&c->srv->catalog, c->db, name);
	if (coll && bson_empty(&filter)) {
		n = (int64_t)coll->live;
	} else if (coll) {
		s = scan_new(&filter, false, NULL, NULL);
		while (scan_next(s, coll))
			n++;
		scan_free(&s);
	}
	n = n > skip ? n - skip : 0;
	if (limit && n > limit)
		n = limit;
	bson_append_int32(c->reply, "n", -1, (int32_t)n);
	return 0;
}

/* Collects {v: value}; an array itself is taken apart by its elements. */
static bool
distinct_add(const bson_iter_t *v, void *ctx)
{
	struct doc_list *l = ctx;
	bson_t *b;

	if (!v || BSON_ITER_HOLDS_ARRAY(v))
		return false;
	b = bson_new();
	bson_append_iter(b, "v", 1, v);
	doc_list_add(l, doc_from_bson(b));
	bson_destroy(b);
	return false;
}

static void
distinct_append(struct doc_list *l, bson_t *reply)
{
	bson_t arr, view, *order = BCON_NEW("v", BCON_INT32(1));
	bson_iter_t it, prev;
	uint32_t n = 0;
	char key[24];

	sort_docs(order, l);
	bson_destroy(order);
	bson_append_array_begin(reply, "values", -1, &arr);
	for (size_t i = 0; i < l->n; i++) {
		doc_view(l->at[i], &view);
		bson_get(&view, "v", &it);
		if (n && value_compare(&it, &prev) == 0)
			continue;
		snprintf(key, sizeof key, "%u", n++);
		bson_append_iter(&arr, key, -1, &it);
		prev = it;
	}
	bson_append_array_end(reply, &arr);
}

int
cmd_distinct(struct cmd *c)
{
	const char *path = bson_str(c->body, "key"), *name;
	struct doc_list l = {0};
	struct collection *coll;
	struct scan *s;
	struct doc *d;
	bson_t filter, view;

	name = query_read(c, &filter);
	if (!name)
		return -1;
	if (!path)
		return fail_set(&c->fail, 40414,
		    "BSON field 'distinct.key' is missing but a required "
		    "field");
	coll = catalog_find(&c->srv->catalog, c->db, name);
	if (coll) {
		s = scan_new(&filter, false, NULL, NULL);
		while ((d = scan_next(s, coll))) {
			doc_view(d, &view);
			path_any(&view, path, true, distinct_add, &l);
		}
		scan_free(&s);
	}
	distinct_append(&l, c->reply);
	doc_list_free(&l);
	return 0;
}
