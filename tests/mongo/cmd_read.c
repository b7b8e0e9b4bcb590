/* SPDX-License-Identifier: MIT */
/*
 * Commands that read: manual, "find", "aggregate", "getMore", "killCursors", "count", "distinct".
 */
#include "tests/mongo/command.h"
#include "tests/mongo/compare.h"
#include "tests/mongo/cursor.h"
#include "tests/mongo/db.h"
#include "tests/mongo/match.h"
#include "tests/mongo/path.h"
#include "tests/mongo/pipeline.h"
#include "tests/mongo/sort.h"

#include <string.h>

#define FIRST_BATCH 101
#define DEFAULT_AWAIT_MS 1000

static int
not_authorized(struct cmd *c)
{
	char *json = bson_as_relaxed_extended_json(c->body, NULL);

	fail_set(&c->fail, 13, "not authorized on %s to execute command %.400s", c->db,
		 json ? json : "");
	bson_free(json);
	return -1;
}

/* A document argument: 0 with an empty view where it is missing. */
static int
arg_doc(struct cmd *c, const char *key, bson_t *out)
{
	static const uint8_t empty[] = { 5, 0, 0, 0, 0 };
	bson_iter_t it;

	bson_init_static(out, empty, sizeof empty);
	if (!bson_get(c->body, key, &it) || BSON_ITER_HOLDS_NULL(&it))
		return 0;
	if (!BSON_ITER_HOLDS_DOCUMENT(&it))
		return fail_set(&c->fail, 14, "BSON field '%s.%s' is the wrong type '%s', expected type "
				"'object'", c->name, key, type_name(bson_iter_type(&it)));
	iter_view(&it, out);
	return 0;
}

static int
arg_number(struct cmd *c, const char *key, int64_t dflt, int64_t *out)
{
	bson_iter_t it;

	*out = dflt;
	if (!bson_get(c->body, key, &it) || BSON_ITER_HOLDS_NULL(&it))
		return 0;
	if (!iter_is_number(&it))
		return fail_set(&c->fail, 14, "BSON field '%s.%s' is the wrong type '%s', expected a "
				"number", c->name, key, type_name(bson_iter_type(&it)));
	*out = iter_number(&it, 0);
	if (*out < 0)
		return fail_set(&c->fail, 51024, "BSON field '%s' value must be >= 0, actual value '%lld'",
				key, (long long)*out);
	return 0;
}

/* Data is in memory and committed at once, so that all read concerns see the same; a read in the
 * past is refused. */
static int
read_concern_check(struct cmd *c)
{
	static const char *const levels[] = { "local", "available", "majority", "linearizable",
					      "snapshot" };
	const char *level;
	bson_iter_t it;
	bson_t rc;

	if (arg_doc(c, "readConcern", &rc) < 0)
		return -1;
	if (bson_get(&rc, "atClusterTime", &it))
		return fail_set(&c->fail, 238, "atClusterTime is not supported here");
	if (!(level = bson_str(&rc, "level")))
		return 0;
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (strcmp(level, levels[i]) == 0)
			return 0;
	return fail_set(&c->fail, 9, "Enumeration value '%s' for field 'readConcern.level' is not a "
			"valid value.", level);
}

/* The value of _id in an index bound document. */
static int
bound_read(struct cmd *c, const char *key, bson_iter_t *out, bool *has)
{
	bson_iter_t it;
	bson_t b;

	*has = false;
	if (arg_doc(c, key, &b) < 0)
		return -1;
	if (bson_empty(&b))
		return 0;
	bson_iter_init(&it, &b);
	bson_iter_next(&it);
	if (strcmp(bson_iter_key(&it), "_id") || bson_count_keys(&b) != 1)
		return fail_set(&c->fail, 51174, "The index with keys { _id: 1 } is not valid for max/min. "
				"Only _id is supported here.");
	*out = it;
	*has = true;
	return 0;
}

enum order {
	ORDER_ANY,
	ORDER_NATURAL,
	ORDER_REVERSE, /* natural */
	ORDER_ID,
};

/* hint: {_id: 1}, "_id_", {$natural: ±1}; other indexes have no order of their own here. */
static int
hint_read(struct cmd *c, enum order *order)
{
	bson_iter_t it, e;

	*order = ORDER_ANY;
	if (!bson_get(c->body, "hint", &it))
		return 0;
	if (BSON_ITER_HOLDS_UTF8(&it)) {
		if (strcmp(bson_iter_utf8(&it, NULL), "_id_") == 0)
			*order = ORDER_ID;
		else if (*bson_iter_utf8(&it, NULL))
			return fail_set(&c->fail, 2, "error processing query: planner returned error :: "
					"caused by :: hint provided does not correspond to an existing "
					"index");
		return 0;
	}
	if (!BSON_ITER_HOLDS_DOCUMENT(&it) || !bson_iter_recurse(&it, &e))
		return fail_set(&c->fail, 9, "hint must be either a string or nested object");
	if (!bson_iter_next(&e))
		return 0;
	if (strcmp(bson_iter_key(&e), "_id") == 0)
		*order = ORDER_ID;
	else if (strcmp(bson_iter_key(&e), "$natural") == 0)
		*order = iter_number(&e, 1) < 0 ? ORDER_REVERSE : ORDER_NATURAL;
	else
		return fail_set(&c->fail, 2, "error processing query: planner returned error :: caused "
				"by :: hint provided does not correspond to an existing index");
	return 0;
}

struct find {
	bson_t filter, sort, projection;
	int64_t skip, limit, batch;
	bool single, has_min, has_max;
	bson_iter_t min, max;
	enum order hint;
};

static int
find_refusals(struct cmd *c)
{
	static const char *const refused[] = { "tailable", "awaitData", "returnKey", "showRecordId",
					       "collation", "let", "allowPartialResults" };
	bson_iter_t it;

	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		if (!bson_get(c->body, refused[i], &it) ||
		    (BSON_ITER_HOLDS_BOOL(&it) && !bson_iter_bool(&it)))
			continue;
		if (i < 2)
			return fail_set(&c->fail, 2, "error processing query: tailable cursor requested on "
					"non capped collection");
		if (i < 6)
			return fail_set(&c->fail, 238, "find's %s is not supported here", refused[i]);
	}
	return 0;
}

static int
find_read(struct cmd *c, struct find *q)
{
	if (find_refusals(c) < 0 || read_concern_check(c) < 0 || arg_doc(c, "filter", &q->filter) < 0 ||
	    arg_doc(c, "sort", &q->sort) < 0 || arg_doc(c, "projection", &q->projection) < 0 ||
	    arg_number(c, "skip", 0, &q->skip) < 0 || arg_number(c, "limit", 0, &q->limit) < 0 ||
	    arg_number(c, "batchSize", -1, &q->batch) < 0 ||
	    bound_read(c, "min", &q->min, &q->has_min) < 0 ||
	    bound_read(c, "max", &q->max, &q->has_max) < 0 || hint_read(c, &q->hint) < 0 ||
	    match_check(&q->filter, &c->fail) < 0)
		return -1;
	q->single = bson_bool(c->body, "singleBatch", false);
	/* Manual, "cursor.min()": a hint is needed. */
	if ((q->has_min || q->has_max) && q->hint != ORDER_ID)
		return fail_set(&c->fail, 51173, "When using min()/max() a hint of which index to use must "
						 "be provided");
	if (q->has_min && q->has_max && value_compare(&q->min, &q->max) >= 0)
		return fail_set(&c->fail, 51175, "The value provided for the max() is not greater than "
						 "the min()");
	return 0;
}

/* What the sort amounts to: an order that a scan has by itself, or -1: sort for real. */
static int
sort_order(struct cmd *c, const struct find *q)
{
	bson_iter_t it;

	if (bson_empty(&q->sort))
		return (int)q->hint;
	bson_iter_init(&it, &q->sort);
	bson_iter_next(&it);
	if (strcmp(bson_iter_key(&it), "$natural") == 0)
		return iter_number(&it, 1) < 0 ? ORDER_REVERSE : ORDER_NATURAL;
	if (sort_check(&q->sort, &c->fail) < 0)
		return -2;
	/* _id is unique: what follows it in the sort does not matter. */
	if (strcmp(bson_iter_key(&it), "_id") == 0 && iter_number(&it, 1) > 0)
		return ORDER_ID;
	return -1;
}

static void
list_reverse(struct doc_list *l)
{
	for (size_t i = 0, k = l->n; i + 1 < k; i++) {
		struct doc *d = l->at[i];

		l->at[i] = l->at[--k];
		l->at[k] = d;
	}
}

/* {_id: -1} alone, unbounded: the index backwards, no further than needed. */
static bool
collect_backwards(struct collection *coll, const struct find *q, struct doc_list *out)
{
	int64_t want = q->limit ? q->skip + q->limit : INT64_MAX;
	struct index_node *n;
	bson_iter_t it;
	bson_t view;

	bson_iter_init(&it, &q->sort);
	if (!bson_iter_next(&it) || strcmp(bson_iter_key(&it), "_id") || q->has_min || q->has_max)
		return false;
	for (n = index_last(coll->by_id); n && (int64_t)out->n < want; n = n->prev) {
		doc_view(n->doc, &view);
		if (match_doc(&q->filter, &view))
			doc_list_add(out, doc_ref(n->doc));
	}
	return true;
}

/* Reads all documents at once into the cursor's list, sorted and cut. */
static void
find_collect(struct cursor *cur, struct collection *coll, const struct find *q, int order)
{
	struct doc_list all = { 0 };
	struct scan *s;
	struct doc *d;

	if (order != -1 || !collect_backwards(coll, q, &all)) {
		s = scan_new(&q->filter, order == ORDER_ID, q->has_min ? &q->min : NULL,
			     q->has_max ? &q->max : NULL);
		while ((d = scan_next(s, coll)))
			doc_list_add(&all, doc_ref(d));
		scan_free(&s);
		if (order == -1)
			sort_docs(&q->sort, &all);
		else if (order == ORDER_REVERSE)
			list_reverse(&all);
	}
	for (size_t i = 0; i < all.n; i++) {
		if ((int64_t)i < q->skip || (q->limit && (int64_t)i - q->skip >= q->limit))
			continue;
		if (cur->projection) {
			bson_t view, *out = bson_new();

			doc_view(all.at[i], &view);
			projection_apply(cur->projection, &view, out);
			doc_list_add(&cur->list, doc_from_bson(out));
			bson_destroy(out);
		} else {
			doc_list_add(&cur->list, doc_ref(all.at[i]));
		}
	}
	doc_list_free(&all);
}

/* Fills the first batch, answers, and keeps the cursor where there is more. Frees it else. */
static int
cursor_open(struct cmd *c, struct cursor *cur, int64_t batch, bool single)
{
	struct doc_list docs = { 0 };
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

int
cmd_find(struct cmd *c)
{
	const char *name = cmd_collection(c);
	struct collection *coll;
	struct cursor *cur;
	struct find q;
	struct ns *ns;
	int order;

	if (c->srv->opt.deny_find)
		return not_authorized(c);
	if (!name || db_names_check(c->db, name, &c->fail) < 0 || find_read(c, &q) < 0)
		return -1;
	order = sort_order(c, &q);
	if (order == -2)
		return -1;
	coll = catalog_find(&c->srv->catalog, c->db, name);
	ns = ns_new(c->db, name);
	cur = cursor_new(ns);
	ns_unref(&ns);
	if (!bson_empty(&q.projection)) {
		cur->projection = projection_new(&q.projection, &c->fail);
		if (!cur->projection) {
			cursor_free(c->srv, &cur);
			return -1;
		}
	}
	if (coll && (order < 0 || order == ORDER_REVERSE || c->srv->in_txn)) {
		find_collect(cur, coll, &q, order);
	} else if (coll) {
		cur->source = ns_ref(coll->ns);
		cur->scan = scan_new(&q.filter, order == ORDER_ID, q.has_min ? &q.min : NULL,
				     q.has_max ? &q.max : NULL);
		cur->skip = q.skip;
		cur->limit = q.limit ? q.limit : -1;
	}
	return cursor_open(c, cur, q.batch < 0 ? FIRST_BATCH : q.batch, q.single);
}

static int
stream_open(struct cmd *c, const char *coll, const bson_t *stages, int64_t batch)
{
	struct changestream *cs;
	struct cursor *cur;
	struct ns *ns;

	if (c->srv->opt.deny_change_stream)
		return not_authorized(c);
	if (c->srv->in_txn)
		return fail_set(&c->fail, 263, "Operation not permitted in transaction :: caused by :: "
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
	static const uint8_t empty[] = { 5, 0, 0, 0, 0 };
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
aggregate_run(struct cmd *c, const char *name, const bson_t *stages, const bson_iter_t *first,
	      int64_t batch)
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
		return fail_set(&c->fail, 9, "Invalid command format: the 'aggregate' field must specify a "
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
		return fail_set(&c->fail, 9, "The 'cursor' option is required, except for aggregate with "
					     "the explain argument");
	batch = bson_number(&opts, "batchSize", FIRST_BATCH);
	if (batch < 0)
		return fail_set(&c->fail, 2, "cursor.batchSize must not be negative");
	bson_iter_init(&it, &stages);
	if (bson_iter_next(&it) && BSON_ITER_HOLDS_DOCUMENT(&it) && bson_iter_recurse(&it, &stage) &&
	    bson_iter_next(&stage))
		first = &stage;
	if (first && strcmp(bson_iter_key(first), "$changeStream") == 0)
		return stream_open(c, name, &stages, batch);
	if (!name)
		return fail_set(&c->fail, 73, "{aggregate: 1} is not valid for '%s'; a collection is "
				"required.", first ? bson_iter_key(first) : "an empty pipeline");
	if (c->srv->opt.deny_find)
		return not_authorized(c);
	return aggregate_run(c, name, &stages, first, batch);
}

/* Manual, "Server Sessions": a cursor belongs to the session that opened it. */
static int
session_check(struct cmd *c, const struct cursor *cur)
{
	struct doc *lsid = session_lsid(c->body);
	int r = 0;

	if (cur->lsid && !lsid)
		r = fail_set(&c->fail, 50736, "Cannot run getMore on cursor %lld, which was created in "
			     "a session, without an lsid", (long long)cur->id);
	else if (!cur->lsid && lsid)
		r = fail_set(&c->fail, 50737, "Cannot run getMore on cursor %lld, which was not created "
			     "in a session, in a session", (long long)cur->id);
	else if (lsid && (lsid->len != cur->lsid->len || memcmp(lsid->data, cur->lsid->data, lsid->len)))
		r = fail_set(&c->fail, 50738, "Cannot run getMore on cursor %lld, which was created in "
			     "another session", (long long)cur->id);
	doc_unref(&lsid);
	return r;
}

static int
get_more_cursor(struct cmd *c, struct cursor **out)
{
	const char *coll = bson_str(c->body, "collection");
	struct cursor *cur;
	bson_iter_t it;
	char ns[400];

	bson_get(c->body, c->name, &it);
	if (!BSON_ITER_HOLDS_INT64(&it))
		return fail_set(&c->fail, 14, "BSON field 'getMore.getMore' is the wrong type '%s', "
				"expected type 'long'", type_name(bson_iter_type(&it)));
	if (!coll)
		return fail_set(&c->fail, 40414, "BSON field 'getMore.collection' is missing but a "
						 "required field");
	*out = cur = cursor_find(c->srv, bson_iter_int64(&it));
	if (!cur)
		return fail_set(&c->fail, 43, "cursor id %lld not found",
				(long long)bson_iter_int64(&it));
	snprintf(ns, sizeof ns, "%s.%s", c->db, coll);
	if (strcmp(ns, cur->ns->full))
		return fail_set(&c->fail, 13, "Requested getMore on namespace '%s', but cursor belongs to a "
				"different namespace %s", ns, cur->ns->full);
	if (cur->waiting)
		return fail_set(&c->fail, 12051, "cursor id %lld is already in use",
				(long long)cur->id);
	return session_check(c, cur);
}

/* One batch: 1 answered, 0 nothing there yet (only where wait is allowed), -1 failed. */
static int
get_more_batch(struct server *srv, struct cursor *cur, int64_t batch, bool wait, bson_t *reply,
	       struct fail *f)
{
	struct doc_list docs = { 0 };
	int r = cursor_fill(srv, cur, batch, &docs, f);

	if (r == 0 && !docs.n && cur->stream && !cur->done && wait)
		return 0;
	if (r == 0)
		cursor_append_reply(cur, "nextBatch", &docs, reply);
	doc_list_free(&docs);
	cur->waiting = false;
	if (r < 0 || cur->done)
		cursor_free(srv, &cur);
	return r < 0 ? -1 : 1;
}

int
cmd_get_more(struct cmd *c)
{
	int64_t batch, ms;
	struct cursor *cur;
	int r;

	if (arg_number(c, "batchSize", 0, &batch) < 0 || arg_number(c, "maxTimeMS", 0, &ms) < 0 ||
	    get_more_cursor(c, &cur) < 0)
		return -1;
	r = get_more_batch(c->srv, cur, batch ? batch : -1, true, c->reply, &c->fail);
	if (r)
		return r < 0 ? -1 : 0;
	cur->waiting = true;
	*c->wait = (struct wait){ cur->id, batch ? batch : -1, ms ? ms : DEFAULT_AWAIT_MS };
	return 1;
}

int
get_more_poll(struct server *srv, const struct wait *w, bool last, bson_t *reply, struct fail *f)
{
	struct cursor *cur = cursor_find(srv, w->cursor);

	if (!cur)
		return fail_set(f, 43, "cursor id %lld not found", (long long)w->cursor);
	if (cur->killed) {
		cursor_free(srv, &cur);
		return fail_set(f, 237, "operation was interrupted because the cursor was killed");
	}
	return get_more_batch(srv, cur, w->batch, !last, reply, f);
}

void
command_wait_drop(struct server *srv, const struct wait *w)
{
	struct cursor *cur = cursor_find(srv, w->cursor);

	cursor_free(srv, &cur);
}

int
cmd_kill_cursors(struct cmd *c)
{
	bson_t killed, missing, empty;
	bson_iter_t it, e;
	char key[24];
	int nk = 0, nm = 0;

	if (!bson_get(c->body, "cursors", &it) || !BSON_ITER_HOLDS_ARRAY(&it))
		return fail_set(&c->fail, 14, "BSON field 'killCursors.cursors' has to be an array");
	bson_init(&killed);
	bson_init(&missing);
	bson_iter_recurse(&it, &e);
	while (bson_iter_next(&e)) {
		int64_t id = iter_number(&e, 0);
		struct cursor *cur = cursor_find(c->srv, id);

		snprintf(key, sizeof key, "%d", cur ? nk++ : nm++);
		bson_append_int64(cur ? &killed : &missing, key, -1, id);
		if (cur)
			cursor_kill(c->srv, cur);
	}
	bson_append_array(c->reply, "cursorsKilled", -1, &killed);
	bson_append_array(c->reply, "cursorsNotFound", -1, &missing);
	bson_append_array_begin(c->reply, "cursorsAlive", -1, &empty);
	bson_append_array_end(c->reply, &empty);
	bson_append_array_begin(c->reply, "cursorsUnknown", -1, &empty);
	bson_append_array_end(c->reply, &empty);
	bson_destroy(&killed);
	bson_destroy(&missing);
	return 0;
}

int
cmd_count(struct cmd *c)
{
	const char *name = cmd_collection(c);
	struct collection *coll;
	int64_t n = 0, skip, limit;
	struct scan *s;
	bson_t filter;

	if (!name || read_concern_check(c) < 0 || arg_doc(c, "query", &filter) < 0 ||
	    match_check(&filter, &c->fail) < 0 || arg_number(c, "skip", 0, &skip) < 0 ||
	    arg_number(c, "limit", 0, &limit) < 0)
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
	const char *name = cmd_collection(c), *path = bson_str(c->body, "key");
	struct doc_list l = { 0 };
	struct collection *coll;
	struct scan *s;
	struct doc *d;
	bson_t filter, view;

	if (!name || read_concern_check(c) < 0 || arg_doc(c, "query", &filter) < 0 ||
	    match_check(&filter, &c->fail) < 0)
		return -1;
	if (!path)
		return fail_set(&c->fail, 40414, "BSON field 'distinct.key' is missing but a required "
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
