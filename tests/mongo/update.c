/* SPDX-License-Identifier: MIT */
#include "tests/mongo/update.h"
#include "tests/mongo/compare.h"
#include "tests/mongo/update_ops.h"

#include <stdlib.h>
#include <string.h>

/* One operator on one path; the argument is {v: …}. */
struct step {
	const char *op, *path;
	struct doc *arg;
};

struct plan {
	struct step *steps;
	size_t n;
};

int
update_kind(const bson_iter_t *u, bool multi, struct fail *f)
{
	bson_iter_t it;

	if (BSON_ITER_HOLDS_ARRAY(u))
		return fail_set(f, 238, "updates by a pipeline are not supported here");
	if (!BSON_ITER_HOLDS_DOCUMENT(u) || !bson_iter_recurse(u, &it))
		return fail_set(f, 9, "Update argument must be either an object or an array");
	if (!bson_iter_next(&it) || bson_iter_key(&it)[0] != '$')
		return multi ? fail_set(f, 9,
				   "multi update is not supported for replacement-style "
				   "update")
			     : 1;
	return 0;
}

static int
path_check(const char *path, struct fail *f)
{
	size_t n = strlen(path);

	if (!n || path[0] == '.' || path[n - 1] == '.' || strstr(path, ".."))
		return fail_set(f, 56,
		    "The update path '%s' contains an empty field name, which is not "
		    "allowed.",
		    path);
	if (path[0] == '$' || strstr(path, ".$"))
		return fail_set(f, 238, "positional paths are not supported here: '%s'", path);
	return 0;
}

static struct doc *
argument_keep(const bson_iter_t *v)
{
	bson_t *b = bson_new();
	struct doc *d;

	bson_append_iter(b, "v", 1, v);
	d = doc_from_bson(b);
	bson_destroy(b);
	return d;
}

static void
plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		doc_unref(&p->steps[i].arg);
	bson_free(p->steps);
}

static int
plan_add(struct plan *p, const bson_iter_t *op, struct fail *f)
{
	bson_iter_t it;

	if (!update_op_known(bson_iter_key(op)))
		return fail_set(f, strcmp(bson_iter_key(op), "$bit") ? 9 : 238,
		    "Unknown modifier: %s. Expected a valid update modifier or pipeline-style "
		    "update specified as an array",
		    bson_iter_key(op));
	if (!BSON_ITER_HOLDS_DOCUMENT(op) || !bson_iter_recurse(op, &it))
		return fail_set(f, 9, "Modifiers operate on fields but we found type %s instead.",
		    type_name(bson_iter_type(op)));
	while (bson_iter_next(&it)) {
		if (path_check(bson_iter_key(&it), f) < 0)
			return -1;
		p->steps = bson_realloc(p->steps, (p->n + 1) * sizeof *p->steps);
		p->steps[p->n++] = (struct step){
		    bson_iter_key(op), bson_iter_key(&it), argument_keep(&it)};
	}
	return 0;
}

/* By component: numbers in numeric order, other names lexicographically (manual, "Update
 * Operators > Behavior", since 5.0). */
static int
paths_compare(const char *a, const char *b)
{
	for (;;) {
		size_t an = strcspn(a, "."), bn = strcspn(b, ".");
		int c;

		if (an && bn && strspn(a, "0123456789") == an && strspn(b, "0123456789") == bn) {
			unsigned long x = strtoul(a, NULL, 10), y = strtoul(b, NULL, 10);

			c = (x > y) - (x < y);
		} else {
			c = memcmp(a, b, an < bn ? an : bn);
			if (!c)
				c = (an > bn) - (an < bn);
		}
		if (c || !a[an] || !b[bn])
			return c ? c : (a[an] != 0) - (b[bn] != 0);
		a += an + 1;
		b += bn + 1;
	}
}

static int
steps_compare(const void *a, const void *b)
{
	return paths_compare(((const struct step *)a)->path, ((const struct step *)b)->path);
}

static bool
path_covers(const char *a, const char *b)
{
	size_t n = strlen(a);

	return strncmp(a, b, n) == 0 && (!b[n] || b[n] == '.');
}

static int
plan_make(struct plan *p, const bson_t *u, struct fail *f)
{
	bson_iter_t it;

	bson_iter_init(&it, u);
	while (bson_iter_next(&it))
		if (plan_add(p, &it, f) < 0)
			return -1;
	if (p->n)
		qsort(p->steps, p->n, sizeof *p->steps, steps_compare);
	for (size_t i = 1; i < p->n; i++)
		if (path_covers(p->steps[i - 1].path, p->steps[i].path))
			return fail_set(f, 40,
			    "Updating the path '%s' would create a conflict at '%s'",
			    p->steps[i].path, p->steps[i - 1].path);
	return 0;
}

static const struct node *
node_at(const struct node *t, const char *path)
{
	while (t) {
		size_t n = strcspn(path, ".");

		t = tree_kid(t, path, n);
		if (!path[n])
			return t;
		path += n + 1;
	}
	return NULL;
}

/* Manual, "Change Events > update": updateDescription. */
static struct doc *
description_make(const struct node *root, const struct touched *t)
{
	bson_t *b = bson_new(), sub;
	uint32_t n = 0;
	struct doc *d;
	const char *key;
	char buf[16];

	bson_append_document_begin(b, "updatedFields", -1, &sub);
	for (size_t i = 0; i < t->n; i++) {
		const struct node *v = t->removed[i] ? NULL : node_at(root, t->paths[i]);

		if (v)
			tree_append(v, t->paths[i], &sub);
	}
	bson_append_document_end(b, &sub);
	bson_append_array_begin(b, "removedFields", -1, &sub);
	for (size_t i = 0; i < t->n; i++) {
		if (!t->removed[i])
			continue;
		bson_uint32_to_string(n++, &key, buf, sizeof buf);
		bson_append_utf8(&sub, key, -1, t->paths[i], -1);
	}
	bson_append_array_end(b, &sub);
	d = doc_from_bson(b);
	bson_destroy(b);
	return d;
}

static int
result_check(const bson_t *old, struct update_result *r, bool insert, struct fail *f)
{
	bson_iter_t a, b;
	bson_t now;

	doc_view(r->doc, &now);
	if (r->doc->len > MAX_DOC_BYTES)
		return fail_set(
		    f, 17419, "Resulting document after update is larger than %d", MAX_DOC_BYTES);
	r->changed = now.len != old->len ||
	    memcmp(bson_get_data(&now), bson_get_data(old), now.len) != 0;
	if (!bson_get(old, "_id", &a))
		return 0;
	if (!bson_get(&now, "_id", &b) || value_compare(&a, &b))
		return fail_set(f, 66,
		    "Performing an update on the path '_id' would modify the immutable "
		    "field '_id'%s",
		    insert ? " (upsert)" : "");
	return 0;
}

static int
replace(const bson_t *u, const bson_t *old, struct update_result *r)
{
	bson_iter_t id, it;
	bson_t *out = bson_new();

	/* _id stays where the replacement has none, and comes first. */
	if (bson_get(u, "_id", &id) || bson_get(old, "_id", &id))
		bson_append_iter(out, "_id", 3, &id);
	bson_iter_init(&it, u);
	while (bson_iter_next(&it))
		if (strcmp(bson_iter_key(&it), "_id") != 0)
			bson_append_iter(out, NULL, 0, &it);
	r->doc = doc_from_bson(out);
	bson_destroy(out);
	return 0;
}

static int
modify(const bson_t *u, const bson_t *old, bool insert, struct update_result *r, struct fail *f)
{
	struct node *root = tree_from(old);
	struct touched t = {0};
	struct plan p = {0};
	bson_t *out;
	int ret = plan_make(&p, u, f);

	for (size_t i = 0; ret == 0 && i < p.n; i++) {
		bson_iter_t arg;
		bson_t view;

		doc_view(p.steps[i].arg, &view);
		bson_get(&view, "v", &arg);
		ret = update_op_apply(root, p.steps[i].op, p.steps[i].path, &arg, insert, &t, f);
	}
	if (ret == 0) {
		out = bson_new();
		tree_append_kids(root, out);
		r->doc = doc_from_bson(out);
		bson_destroy(out);
		r->desc = description_make(root, &t);
	}
	plan_free(&p);
	touched_free(&t);
	tree_free(&root);
	return ret;
}

int
update_apply(
    const bson_t *u, const bson_t *old, bool insert, struct update_result *r, struct fail *f)
{
	bson_iter_t it;
	bool operators = bson_iter_init(&it, u) && bson_iter_next(&it) &&
	    bson_iter_key(&it)[0] == '$';
	int ret;

	memset(r, 0, sizeof *r);
	ret = operators ? modify(u, old, insert, r, f) : replace(u, old, r);
	if (ret == 0)
		ret = result_check(old, r, insert, f);
	if (ret < 0) {
		doc_unref(&r->doc);
		doc_unref(&r->desc);
	}
	return ret;
}

static int
seed_read(const bson_t *filter, bool replacement, struct node *root, struct fail *f)
{
	struct touched t = {0};
	bson_iter_t it, e;
	bson_t sub;
	int r = 0;

	bson_iter_init(&it, filter);
	while (r == 0 && bson_iter_next(&it)) {
		const char *key = bson_iter_key(&it);

		if (strcmp(key, "$and") == 0 && bson_iter_recurse(&it, &e)) {
			while (r == 0 && bson_iter_next(&e))
				if (iter_view(&e, &sub))
					r = seed_read(&sub, replacement, root, f);
			continue;
		}
		if (key[0] == '$' || (replacement && strcmp(key, "_id") != 0))
			continue;
		if (BSON_ITER_HOLDS_DOCUMENT(&it) && bson_iter_recurse(&it, &e) &&
		    bson_iter_next(&e) && bson_iter_key(&e)[0] == '$') {
			if (strcmp(bson_iter_key(&e), "$eq") == 0)
				r = update_op_apply(root, "$set", key, &e, true, &t, f);
			continue;
		}
		r = update_op_apply(root, "$set", key, &it, true, &t, f);
	}
	touched_free(&t);
	return r;
}

int
update_seed(const bson_t *filter, bool replacement, bson_t *out, struct fail *f)
{
	static const uint8_t empty[] = {5, 0, 0, 0, 0};
	struct node *root;
	bson_t none;
	int r;

	bson_init_static(&none, empty, sizeof empty);
	root = tree_from(&none);
	r = seed_read(filter, replacement, root, f);
	tree_append_kids(root, out);
	tree_free(&root);
	return r;
}
