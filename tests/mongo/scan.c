/* SPDX-License-Identifier: MIT */
#include "tests/mongo/scan.h"
#include "tests/mongo/compare.h"
#include "tests/mongo/match.h"

#include <string.h>

/* Bounds are documents {v: value}, NULL where there is none. max is exclusive, stop inclusive. */
struct scan {
	struct doc *filter;
	bool by_id, all, done;
	struct doc *from, *max, *stop;
	uint64_t rid; /* natural: the next record */
	struct doc *last; /* by _id: the document returned last */
	struct index_node *at; /* its node, good while the collection's changes == seen */
	uint64_t seen;
};

static struct doc *
bound_new(const bson_iter_t *v)
{
	bson_t *b = bson_new();
	struct doc *d;

	bson_append_iter(b, "v", 1, v);
	d = doc_from_bson(b);
	bson_destroy(b);
	return d;
}

static void
bound_get(const struct doc *d, bson_iter_t *out)
{
	bson_t view;

	doc_view(d, &view);
	bson_get(&view, "v", out);
}

/* Raises *low to v, or lowers it with sign -1. */
static void
bound_narrow(struct doc **low, const bson_iter_t *v, int sign)
{
	bson_iter_t have;

	if (*low) {
		bound_get(*low, &have);
		if (value_compare(v, &have) * sign <= 0)
			return;
		doc_unref(low);
	}
	*low = bound_new(v);
}

static void
list_narrow(struct scan *s, const bson_iter_t *list)
{
	bson_iter_t e, lo, hi;
	bool any = false;

	if (!BSON_ITER_HOLDS_ARRAY(list) || !bson_iter_recurse(list, &e))
		return;
	for (; bson_iter_next(&e); any = true) {
		if (!any || value_compare(&e, &lo) < 0)
			lo = e;
		if (!any || value_compare(&e, &hi) > 0)
			hi = e;
	}
	if (!any) {
		s->done = true;
		return;
	}
	bound_narrow(&s->from, &lo, 1);
	bound_narrow(&s->stop, &hi, -1);
}

/* Bounds that a filter's own _id clause implies. They only save work: the filter decides. */
static void
filter_narrow(struct scan *s, const bson_iter_t *id)
{
	bson_iter_t o;

	if (!BSON_ITER_HOLDS_DOCUMENT(id) || !bson_iter_recurse(id, &o) || !bson_iter_next(&o) ||
	    bson_iter_key(&o)[0] != '$') {
		bound_narrow(&s->from, id, 1);
		bound_narrow(&s->stop, id, -1);
		s->by_id = true;
		return;
	}
	do {
		const char *op = bson_iter_key(&o);

		if (strcmp(op, "$gt") == 0 || strcmp(op, "$gte") == 0 || strcmp(op, "$eq") == 0)
			s->by_id = true, bound_narrow(&s->from, &o, 1);
		if (strcmp(op, "$lt") == 0 || strcmp(op, "$lte") == 0 || strcmp(op, "$eq") == 0)
			s->by_id = true, bound_narrow(&s->stop, &o, -1);
		if (strcmp(op, "$in") == 0)
			s->by_id = true, list_narrow(s, &o);
	} while (bson_iter_next(&o));
}

struct scan *
scan_new(const bson_t *filter, bool by_id, const bson_iter_t *min, const bson_iter_t *max)
{
	struct scan *s = bson_malloc0(sizeof *s);
	bson_iter_t id;

	s->filter = doc_from_bson(filter);
	s->all = bson_empty(filter);
	s->by_id = by_id || min || max;
	if (min)
		s->from = bound_new(min);
	if (max)
		s->max = bound_new(max);
	if (bson_get(filter, "_id", &id))
		filter_narrow(s, &id);
	return s;
}

void
scan_free(struct scan **s)
{
	if (!*s)
		return;
	doc_unref(&(*s)->filter);
	doc_unref(&(*s)->from);
	doc_unref(&(*s)->max);
	doc_unref(&(*s)->stop);
	doc_unref(&(*s)->last);
	bson_free(*s);
	*s = NULL;
}

bool
scan_by_id(const struct scan *s)
{
	return s->by_id;
}

static bool
past_end(const struct scan *s, const struct index_node *n)
{
	bson_iter_t key, bound;

	if (!s->max && !s->stop)
		return false;
	index_key(n, &key);
	if (s->max) {
		bound_get(s->max, &bound);
		if (value_compare(&key, &bound) >= 0)
			return true;
	}
	if (s->stop) {
		bound_get(s->stop, &bound);
		return value_compare(&key, &bound) > 0;
	}
	return false;
}

static struct index_node *
index_step(struct scan *s, const struct collection *c)
{
	struct index_node *n;
	bson_iter_t key;
	bson_t view;

	if (s->at && s->seen == c->changes) {
		n = s->at->next[0];
	} else if (s->last) {
		doc_view(s->last, &view);
		bson_get(&view, "_id", &key);
		n = index_seek(c->by_id, &key, true);
	} else if (s->from) {
		bound_get(s->from, &key);
		n = index_seek(c->by_id, &key, false);
	} else {
		n = index_seek(c->by_id, NULL, false);
	}
	s->at = n;
	s->seen = c->changes;
	return n;
}

static struct doc *
index_walk(struct scan *s, const struct collection *c)
{
	struct index_node *n = index_step(s, c);

	if (!n || past_end(s, n))
		return NULL;
	doc_unref(&s->last);
	s->last = doc_ref(n->doc);
	return n->doc;
}

struct doc *
scan_next(struct scan *s, struct collection *c)
{
	bson_t filter, view;

	doc_view(s->filter, &filter);
	while (!s->done) {
		const struct record *r = NULL;
		struct doc *d;

		if (s->by_id) {
			d = index_walk(s, c);
		} else {
			r = collection_scan(c, s->rid);
			d = r ? r->doc : NULL;
			s->rid = r ? r->rid + 1 : s->rid;
		}
		if (!d) {
			s->done = true;
			break;
		}
		doc_view(d, &view);
		if (s->all || match_doc(&filter, &view))
			return d;
	}
	return NULL;
}
