/* SPDX-License-Identifier: MIT */
/*
 * update and findAndModify: manual, "update" and "findAndModify" (database commands).
 */
#include "tests/mongo/cmd_write.h"
#include "tests/mongo/db.h"
#include "tests/mongo/match.h"
#include "tests/mongo/project.h"
#include "tests/mongo/sort.h"
#include "tests/mongo/update.h"

#include <stdio.h>
#include <string.h>

/* One update, as both commands have it. */
struct change {
	bson_t filter, update;
	bool multi, upsert, replacement;
};

struct outcome {
	int32_t n, modified;
	struct doc *upserted; /* {_id: …} */
	struct doc *before, *after; /* of the last document */
};

static void
outcome_clear(struct outcome *o)
{
	doc_unref(&o->upserted);
	doc_unref(&o->before);
	doc_unref(&o->after);
}

static int
change_read(const bson_t *st, const char *q, const char *u, struct change *ch, struct fail *f)
{
	static const uint8_t empty[] = {5, 0, 0, 0, 0};
	bson_iter_t it;
	int kind;

	if (bson_get(st, "collation", &it) || bson_get(st, "arrayFilters", &it))
		return fail_set(f, 238, "%s is not supported here", bson_iter_key(&it));
	bson_init_static(&ch->filter, empty, sizeof empty);
	/* Only findAndModify may leave its query out. */
	if (bson_get(st, q, &it) ? !iter_view(&it, &ch->filter) : !q[1])
		return fail_set(f, 40414, "BSON field '%s' is missing but a required field", q);
	if (match_check(&ch->filter, f) < 0)
		return -1;
	if (!bson_get(st, u, &it))
		return fail_set(f, 40414, "BSON field '%s' is missing but a required field", u);
	ch->multi = bson_bool(st, "multi", false);
	ch->upsert = bson_bool(st, "upsert", false);
	kind = update_kind(&it, ch->multi, f);
	if (kind < 0)
		return -1;
	ch->replacement = kind;
	iter_view(&it, &ch->update);
	return 0;
}

static int
change_one(struct cmd *c, struct collection *coll, const struct change *ch, struct doc *target,
    struct outcome *o, struct fail *f)
{
	struct update_result r;
	bson_t old;

	doc_view(target, &old);
	if (update_apply(&ch->update, &old, false, &r, f) < 0)
		return -1;
	o->n++;
	doc_unref(&o->before);
	doc_unref(&o->after);
	o->before = doc_ref(target);
	o->after = doc_ref(r.changed ? r.doc : target);
	if (r.changed) {
		o->modified++;
		db_replace(c->srv, coll, target_node(coll, target), r.doc, r.desc);
	}
	doc_unref(&r.doc);
	doc_unref(&r.desc);
	return 0;
}

static int
change_upsert(
    struct cmd *c, const char *name, const struct change *ch, struct outcome *o, struct fail *f)
{
	struct collection *coll = db_collection_make(c->srv, c->db, name);
	bson_t *seed = bson_new(), view;
	struct update_result r = {0};
	struct doc *d = NULL, *key;
	int ret;

	ret = update_seed(&ch->filter, ch->replacement, seed, f);
	if (ret == 0)
		ret = update_apply(&ch->update, seed, true, &r, f);
	if (ret == 0) {
		doc_view(r.doc, &view);
		d = doc_prepare(&view, f);
		ret = d ? 0 : -1;
	}
	if (ret == 0) {
		key = db_key(d);
		if (db_insert(c->srv, coll, d)) {
			o->n++;
			o->upserted = doc_ref(key);
			o->after = doc_ref(d);
		} else {
			duplicate_fail(f, c->db, name, key);
			ret = -1;
		}
		doc_unref(&key);
	}
	doc_unref(&d);
	doc_unref(&r.doc);
	doc_unref(&r.desc);
	bson_destroy(seed);
	return ret;
}

static int
change_run(
    struct cmd *c, const char *name, const struct change *ch, struct outcome *o, struct fail *f)
{
	struct collection *coll = catalog_find(&c->srv->catalog, c->db, name);
	struct doc_list l = {0};
	int r = 0;

	if (coll)
		targets_collect(coll, &ch->filter, !ch->multi, &l);
	for (size_t i = 0; r == 0 && i < l.n; i++)
		r = change_one(c, coll, ch, l.at[i], o, f);
	if (!l.n && ch->upsert)
		r = change_upsert(c, name, ch, o, f);
	doc_list_free(&l);
	return r;
}

static void
upserted_append(bson_t *list, size_t *n, size_t index, const struct doc *key)
{
	bson_iter_t id;
	bson_t sub, view;
	char at[24];

	snprintf(at, sizeof at, "%zu", (*n)++);
	doc_view(key, &view);
	bson_get(&view, "_id", &id);
	bson_append_document_begin(list, at, -1, &sub);
	bson_append_int32(&sub, "index", -1, (int32_t)index);
	bson_append_iter(&sub, "_id", 3, &id);
	bson_append_document_end(list, &sub);
}

int
cmd_update(struct cmd *c)
{
	const char *name = cmd_collection(c);
	int32_t done = 0, modified = 0;
	struct write_errors errors;
	struct doc_span *sts;
	bson_t *upserted;
	size_t n, n_up = 0;

	if (!name || db_names_check(c->db, name, &c->fail) < 0 ||
	    cmd_documents(c, "updates", &sts, &n) < 0)
		return -1;
	write_errors_init(&errors, bson_bool(c->body, "ordered", true));
	upserted = bson_new();
	for (size_t i = 0; i < n; i++) {
		struct outcome o = {0};
		struct fail f = {0};
		struct change ch;
		bson_t st;
		int r;

		bson_init_static(&st, sts[i].data, sts[i].len);
		r = change_read(&st, "q", "u", &ch, &f);
		if (r == 0)
			r = change_run(c, name, &ch, &o, &f);
		done += o.n;
		modified += o.modified;
		if (o.upserted)
			upserted_append(upserted, &n_up, i, o.upserted);
		outcome_clear(&o);
		if (r < 0)
			write_errors_add(&errors, i, &f, NULL);
		if (r < 0 && errors.ordered)
			break;
	}
	bson_free(sts);
	bson_append_int32(c->reply, "n", -1, done);
	if (n_up)
		bson_append_array(c->reply, "upserted", -1, upserted);
	bson_append_int32(c->reply, "nModified", -1, modified);
	write_errors_finish(&errors, c->reply);
	bson_destroy(upserted);
	return 0;
}

/* The first document of the filter, in the order of the sort. */
static struct doc *
first_target(struct collection *coll, const bson_t *filter, const bson_t *sort)
{
	struct doc_list l = {0};
	struct doc *d;

	if (!coll)
		return NULL;
	targets_collect(coll, filter, bson_empty(sort), &l);
	if (!bson_empty(sort))
		sort_docs(sort, &l);
	d = l.n ? doc_ref(l.at[0]) : NULL;
	doc_list_free(&l);
	return d;
}

static int
value_append(struct cmd *c, const struct doc *d)
{
	struct projection *p;
	bson_iter_t it;
	bson_t fields, view, sub;

	if (!d) {
		bson_append_null(c->reply, "value", -1);
		return 0;
	}
	doc_view(d, &view);
	if (!bson_get(c->body, "fields", &it) || !iter_view(&it, &fields)) {
		bson_append_document(c->reply, "value", -1, &view);
		return 0;
	}
	if (!(p = projection_new(&fields, &c->fail)))
		return -1;
	bson_append_document_begin(c->reply, "value", -1, &sub);
	projection_apply(p, &view, &sub);
	bson_append_document_end(c->reply, &sub);
	projection_free(&p);
	return 0;
}

static void
last_error_append(struct cmd *c, const struct outcome *o, bool update)
{
	bson_iter_t id;
	bson_t sub, view;

	bson_append_document_begin(c->reply, "lastErrorObject", -1, &sub);
	bson_append_int32(&sub, "n", -1, o->n);
	if (update)
		bson_append_bool(&sub, "updatedExisting", -1, o->n && !o->upserted);
	if (o->upserted) {
		doc_view(o->upserted, &view);
		bson_get(&view, "_id", &id);
		bson_append_iter(&sub, "upserted", -1, &id);
	}
	bson_append_document_end(c->reply, &sub);
}

static int
modify_run(struct cmd *c, const char *name, struct doc *target, struct outcome *o)
{
	struct collection *coll = catalog_find(&c->srv->catalog, c->db, name);
	struct change ch;

	if (bson_bool(c->body, "remove", false)) {
		if (target) {
			o->n = 1;
			o->before = doc_ref(target);
			db_delete(c->srv, coll, target_node(coll, target));
		}
		return 0;
	}
	if (change_read(c->body, "query", "update", &ch, &c->fail) < 0)
		return -1;
	if (target)
		return change_one(c, coll, &ch, target, o, &c->fail);
	return ch.upsert ? change_upsert(c, name, &ch, o, &c->fail) : 0;
}

int
cmd_find_and_modify(struct cmd *c)
{
	static const uint8_t empty[] = {5, 0, 0, 0, 0};
	const char *name = cmd_collection(c);
	bool remove = bson_bool(c->body, "remove", false);
	struct outcome o = {0};
	struct doc *target;
	bson_t query, sort;
	bson_iter_t it;
	int r;

	if (!name || db_names_check(c->db, name, &c->fail) < 0)
		return -1;
	bson_init_static(&query, empty, sizeof empty);
	bson_init_static(&sort, empty, sizeof empty);
	if (bson_get(c->body, "query", &it))
		iter_view(&it, &query);
	if (bson_get(c->body, "sort", &it))
		iter_view(&it, &sort);
	if (match_check(&query, &c->fail) < 0 || sort_check(&sort, &c->fail) < 0)
		return -1;
	if (remove == bson_get(c->body, "update", &it))
		return fail_set(&c->fail, 9,
		    remove ? "Cannot specify both an update and remove=true"
			   : "Either an update or remove=true must be "
			     "specified");
	target = first_target(catalog_find(&c->srv->catalog, c->db, name), &query, &sort);
	r = modify_run(c, name, target, &o);
	if (r == 0) {
		last_error_append(c, &o, !remove);
		r = value_append(
		    c, !remove && bson_bool(c->body, "new", false) ? o.after : o.before);
	}
	doc_unref(&target);
	outcome_clear(&o);
	return r;
}
