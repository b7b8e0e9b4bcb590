/* SPDX-License-Identifier: MIT */
/*
 * aggregate: manual, "aggregate" (database command), and the opening of change streams.
 */
#include "tests/mongo/cmd_read.h"
#include "tests/mongo/db.h"
#include "tests/mongo/pipeline.h"

#include <string.h>

static int
stream_open(struct cmd *c, const char *coll, const bson_t *stages, int64_t batch)
{
	struct changestream *cs;
	struct cursor *cur;
	struct ns *ns;

	if (c->srv->opt.deny_change_stream)
		return read_denied(c);
	if (c->srv->in_txn)
		return fail_set(&c->fail, 263,
		    "Operation not permitted in transaction :: caused by :: "
		    "Aggregation stage $changeStream cannot run within a "
		    "multi-document transaction");
	cs = changestream_open(c->srv, c->db, coll, stages, &c->fail);
	if (!cs)
		return -1;
	ns = ns_new(c->db, coll ? coll : "$cmd.aggregate");
	cur = cursor_new(ns);
	ns_unref(&ns);
	cur->stream = cs;
	return cursor_open(c, cur, batch, false);
}

/* {$collStats: {count: {}}}, which estimated counts use. */
static void
coll_stats_stage(struct collection *coll, const char *ns, struct doc_list *l)
{
	bson_t *out = bson_new();

	bson_append_utf8(out, "ns", -1, ns, -1);
	bson_append_date_time(out, "localTime", -1, wall_ms());
	bson_append_int64(out, "count", -1, coll ? (int64_t)coll->live : 0);
	doc_list_add(l, doc_from_bson(out));
	bson_destroy(out);
}

/* The filter of a leading $match narrows the scan. */
static void
aggregate_collect(struct collection *coll, const bson_iter_t *match, struct doc_list *l)
{
	static const uint8_t empty[] = {5, 0, 0, 0, 0};
	struct scan *s;
	struct doc *d;
	bson_t filter;

	if (!match || !iter_view(match, &filter))
		bson_init_static(&filter, empty, sizeof empty);
	s = scan_new(&filter, false, NULL, NULL);
	while ((d = scan_next(s, coll)))
		doc_list_add(l, doc_ref(d));
	scan_free(&s);
}

static int
aggregate_run(
    struct cmd *c, const char *name, const bson_t *stages, const bson_iter_t *first, int64_t batch)
{
	struct collection *coll = catalog_find(&c->srv->catalog, c->db, name);
	bool stats = first && strcmp(bson_iter_key(first), "$collStats") == 0;
	bool match = first && strcmp(bson_iter_key(first), "$match") == 0;
	struct pipeline *p = pipeline_new(stages, stats, false, &c->fail);
	struct cursor *cur;
	struct ns *ns;
	int r;

	if (!p)
		return -1;
	ns = ns_new(c->db, name);
	cur = cursor_new(ns);
	if (stats)
		coll_stats_stage(coll, ns->full, &cur->list);
	else if (coll)
		aggregate_collect(coll, match ? first : NULL, &cur->list);
	ns_unref(&ns);
	r = pipeline_run(p, &cur->list, &c->fail);
	pipeline_free(&p);
	if (r < 0) {
		cursor_free(c->srv, &cur);
		return -1;
	}
	return cursor_open(c, cur, batch, false);
}

int
cmd_aggregate(struct cmd *c)
{
	bson_iter_t it, stage, *first = NULL;
	const char *name = NULL;
	int64_t batch = -1;
	bson_t stages, opts;

	bson_get(c->body, c->name, &it);
	if (BSON_ITER_HOLDS_UTF8(&it))
		name = bson_iter_utf8(&it, NULL);
	else if (!iter_is_number(&it) || iter_number(&it, 0) != 1)
		return fail_set(&c->fail, 9,
		    "Invalid command format: the 'aggregate' field must specify a "
		    "collection name or 1");
	if (!bson_get(c->body, "pipeline", &it) || !BSON_ITER_HOLDS_ARRAY(&it))
		return fail_set(&c->fail, 14, "'pipeline' option must be specified as an array");
	iter_view(&it, &stages);
	if (db_names_check(c->db, name, &c->fail) < 0 || read_concern_check(c) < 0 ||
	    arg_doc(c, "cursor", &opts) < 0)
		return -1;
	if (bson_get(c->body, "explain", &it) && iter_number(&it, 0))
		return fail_set(&c->fail, 238, "explain is not supported here");
	if (!bson_get(c->body, "cursor", &it))
		return fail_set(&c->fail, 9,
		    "The 'cursor' option is required, except for aggregate with "
		    "the explain argument");
	batch = bson_number(&opts, "batchSize", FIRST_BATCH);
	if (batch < 0)
		return fail_set(&c->fail, 2, "cursor.batchSize must not be negative");
	bson_iter_init(&it, &stages);
	if (bson_iter_next(&it) && BSON_ITER_HOLDS_DOCUMENT(&it) &&
	    bson_iter_recurse(&it, &stage) && bson_iter_next(&stage))
		first = &stage;
	if (first && strcmp(bson_iter_key(first), "$changeStream") == 0)
		return stream_open(c, name, &stages, batch);
	if (!name)
		return fail_set(&c->fail, 73,
		    "{aggregate: 1} is not valid for '%s'; a collection is "
		    "required.",
		    first ? bson_iter_key(first) : "an empty pipeline");
	if (c->srv->opt.deny_find)
		return read_denied(c);
	return aggregate_run(c, name, &stages, first, batch);
}
