/* SPDX-License-Identifier: MIT */
/*
 * find: manual, "find" (database command), "cursor.min()", "cursor.hint()".
 */
#include "tests/mongo/cmd_read.h"
#include "tests/mongo/compare.h"
#include "tests/mongo/db.h"
#include "tests/mongo/majority.h"
#include "tests/mongo/match.h"
#include "tests/mongo/sort.h"

#include <string.h>

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
	if (strcmp(bson_iter_key(&it), "_id") != 0 || bson_count_keys(&b) != 1)
		return fail_set(&c->fail, 51174,
		    "The index with keys { _id: 1 } is not valid for max/min. "
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
			return fail_set(&c->fail, 2,
			    "error processing query: planner returned error :: "
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
		return fail_set(&c->fail, 2,
		    "error processing query: planner returned error :: caused "
		    "by :: hint provided does not correspond to an existing index");
	return 0;
}

struct find {
	bson_t filter, sort, projection;
	bson_iter_t min, max;
	int64_t skip, limit, batch;
	enum order hint;
	bool single, has_min, has_max;
};

static int
find_refusals(struct cmd *c)
{
	static const char *const refused[] = {"tailable", "awaitData", "returnKey", "showRecordId",
	    "collation", "let", "allowPartialResults"};
	bson_iter_t it;

	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		if (!bson_get(c->body, refused[i], &it) ||
		    (BSON_ITER_HOLDS_BOOL(&it) && !bson_iter_bool(&it)))
			continue;
		if (i < 2)
			return fail_set(&c->fail, 2,
			    "error processing query: tailable cursor requested on "
			    "non capped collection");
		if (i < 6)
			return fail_set(
			    &c->fail, 238, "find's %s is not supported here", refused[i]);
	}
	return 0;
}

static int
find_read(struct cmd *c, struct find *q)
{
	if (find_refusals(c) < 0 || read_concern_check(c) < 0 ||
	    arg_doc(c, "filter", &q->filter) < 0 || arg_doc(c, "sort", &q->sort) < 0 ||
	    arg_doc(c, "projection", &q->projection) < 0 ||
	    arg_number(c, "skip", 0, &q->skip) < 0 || arg_number(c, "limit", 0, &q->limit) < 0 ||
	    arg_number(c, "batchSize", -1, &q->batch) < 0 ||
	    bound_read(c, "min", &q->min, &q->has_min) < 0 ||
	    bound_read(c, "max", &q->max, &q->has_max) < 0 || hint_read(c, &q->hint) < 0 ||
	    match_check(&q->filter, &c->fail) < 0)
		return -1;
	q->single = bson_bool(c->body, "singleBatch", false);
	/* Manual, "cursor.min()": a hint is needed. */
	if ((q->has_min || q->has_max) && q->hint != ORDER_ID)
		return fail_set(&c->fail, 51173,
		    "When using min()/max() a hint of which index to use must "
		    "be provided");
	if (q->has_min && q->has_max && value_compare(&q->min, &q->max) >= 0)
		return fail_set(&c->fail, 51175,
		    "The value provided for the max() is not greater than "
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
	if (!bson_iter_next(&it) || strcmp(bson_iter_key(&it), "_id") != 0 || q->has_min ||
	    q->has_max)
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
	struct doc_list all = {0};
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

/* What a majority has of it, where that is not all. */
static void
find_majority(
    struct cmd *c, struct cursor *cur, struct collection *coll, const struct find *q, int order)
{
	struct catalog seen = {NULL};

	find_collect(cur, majority_view(c->srv, coll, &seen), q, order);
	catalog_free(&seen);
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
		return read_denied(c);
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
	cur->majority = majority_asked(c->body);
	if (coll && cur->majority && majority_lags(c->srv)) {
		find_majority(c, cur, coll, &q, order);
	} else if (coll && (order < 0 || order == ORDER_REVERSE || c->srv->in_txn)) {
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
