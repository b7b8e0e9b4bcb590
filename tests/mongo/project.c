/* SPDX-License-Identifier: MIT */
#include "tests/mongo/project.h"
#include "tests/mongo/path.h"

#include <stdio.h>
#include <string.h>

enum kind {
	KEEP,
	OMIT,
	COMPUTE,
};

struct item {
	char *path;
	enum kind kind;
	struct doc *expr; /* COMPUTE: {v: expression} */
};

struct projection {
	struct item *items;
	size_t n;
	bool inclusive;
	int id; /* 1 kept, 0 omitted, -1 not said */
};

bool
expression_append(
    const bson_iter_t *expr, const bson_t *doc, const char *key, bson_t *out, struct fail *f)
{
	bson_iter_t e, v;

	if (BSON_ITER_HOLDS_UTF8(expr) && bson_iter_utf8(expr, NULL)[0] == '$') {
		const char *path = bson_iter_utf8(expr, NULL) + 1;

		if (strcmp(path, "$ROOT") == 0) {
			if (doc)
				bson_append_document(out, key, -1, doc);
			return true;
		}
		if (strncmp(path, "$ROOT.", 6) == 0)
			path += 6;
		else if (path[0] == '$' || !path[0]) {
			fail_fill(f, 238, "the variable $%s is not supported here", path);
			return false;
		}
		if (doc && path_get(doc, path, &v))
			bson_append_iter(out, key, -1, &v);
		return true;
	}
	if (BSON_ITER_HOLDS_DOCUMENT(expr)) {
		bson_iter_recurse(expr, &e);
		if (!bson_iter_next(&e) || strcmp(bson_iter_key(&e), "$literal") != 0) {
			fail_fill(f, 238, "this expression is not supported here");
			return false;
		}
		expr = &e;
	} else if (BSON_ITER_HOLDS_ARRAY(expr)) {
		fail_fill(f, 238, "array expressions are not supported here");
		return false;
	}
	if (doc)
		bson_append_iter(out, key, -1, expr);
	return true;
}

static void
item_add(struct projection *p, const char *path, enum kind kind, const bson_iter_t *expr)
{
	struct item *it;

	p->items = bson_realloc(p->items, (p->n + 1) * sizeof *p->items);
	it = &p->items[p->n++];
	it->path = bson_strdup(path);
	it->kind = kind;
	it->expr = NULL;
	if (expr) {
		bson_t *b = bson_new();

		bson_append_iter(b, "v", 1, expr);
		it->expr = doc_from_bson(b);
		bson_destroy(b);
	}
}

static int spec_read(
    struct projection *p, const bson_t *spec, const char *prefix, int depth, struct fail *f);

static int
field_read(
    struct projection *p, const bson_iter_t *it, const char *prefix, int depth, struct fail *f)
{
	char path[1024];
	bson_iter_t e;
	bson_t sub;

	if (snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "." : "", bson_iter_key(it)) >=
	    (int)sizeof path)
		return fail_set(f, 2, "a path in the projection is too long");
	if (!*path || strstr(path, "..") || path[strlen(path) - 1] == '.' || *path == '.')
		return fail_set(f, 40353, "FieldPath must not end with a '.' or have empty parts.");
	if (*path == '$' || strstr(path, ".$"))
		return fail_set(f, 238, "positional projections are not supported here");
	if (iter_is_number(it) || BSON_ITER_HOLDS_BOOL(it)) {
		/* 0.5 is true: any number but zero includes. */
		bool keep = BSON_ITER_HOLDS_DOUBLE(it) ? bson_iter_double(it) != 0
						       : iter_number(it, 1) != 0;

		if (strcmp(path, "_id") == 0)
			p->id = keep;
		else
			item_add(p, path, keep ? KEEP : OMIT, NULL);
		return 0;
	}
	if (BSON_ITER_HOLDS_DOCUMENT(it)) {
		bson_iter_recurse(it, &e);
		if (!bson_iter_next(&e))
			return fail_set(f, 51270, "An empty sub-projection is not a valid value.");
		if (bson_iter_key(&e)[0] != '$') {
			iter_view(it, &sub);
			return spec_read(p, &sub, path, depth + 1, f);
		}
	}
	if (!expression_append(it, NULL, "v", NULL, f))
		return -1;
	item_add(p, path, COMPUTE, it);
	return 0;
}

static int
spec_read(struct projection *p, const bson_t *spec, const char *prefix, int depth, struct fail *f)
{
	bson_iter_t it;

	if (depth > 50)
		return fail_set(f, 2, "the projection is too deep");
	bson_iter_init(&it, spec);
	while (bson_iter_next(&it))
		if (field_read(p, &it, prefix, depth, f) < 0)
			return -1;
	return 0;
}

static bool
is_prefix(const char *a, const char *b)
{
	size_t n = strlen(a);

	return strncmp(a, b, n) == 0 && (!b[n] || b[n] == '.');
}

static int
collisions_check(const struct projection *p, struct fail *f)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = i + 1; k < p->n; k++)
			if (is_prefix(p->items[i].path, p->items[k].path) ||
			    is_prefix(p->items[k].path, p->items[i].path))
				return fail_set(f, 31250, "Path collision at %s", p->items[k].path);
	return 0;
}

static int
mode_settle(struct projection *p, struct fail *f)
{
	int keeps = 0, omits = 0, computes = 0;

	for (size_t i = 0; i < p->n; i++) {
		keeps += p->items[i].kind == KEEP;
		omits += p->items[i].kind == OMIT;
		computes += p->items[i].kind == COMPUTE;
		if (keeps + computes && p->items[i].kind == OMIT)
			return fail_set(f, 31254,
			    "Cannot do exclusion on field %s in inclusion projection",
			    p->items[i].path);
		if (omits && p->items[i].kind != OMIT)
			return fail_set(f, 31253,
			    "Cannot do inclusion on field %s in exclusion projection",
			    p->items[i].path);
	}
	p->inclusive = keeps + computes > 0 || (!omits && p->id == 1);
	return collisions_check(p, f);
}

struct projection *
projection_new(const bson_t *spec, struct fail *f)
{
	struct projection *p = bson_malloc0(sizeof *p);

	p->id = -1;
	if (spec_read(p, spec, "", 0, f) < 0 || mode_settle(p, f) < 0)
		projection_free(&p);
	return p;
}

void
projection_free(struct projection **p)
{
	if (!*p)
		return;
	for (size_t i = 0; i < (*p)->n; i++) {
		bson_free((*p)->items[i].path);
		doc_unref(&(*p)->items[i].expr);
	}
	bson_free((*p)->items);
	bson_free(*p);
	*p = NULL;
}

/* Items below a node of the document: those whose path starts with prefix. */
struct scope {
	const struct projection *p;
	char path[1100];
	size_t len;
};

/* 1: an item names this very path (kind in *kind); 2: one lies below; 0: neither. */
static int
lookup(const struct scope *s, enum kind *kind)
{
	int found = 0;

	for (size_t i = 0; i < s->p->n; i++) {
		const struct item *it = &s->p->items[i];

		if (strncmp(it->path, s->path, s->len) != 0)
			continue;
		if (!it->path[s->len]) {
			*kind = it->kind;
			return 1;
		}
		if (it->path[s->len] == '.')
			found = 2;
	}
	return found;
}

static void level_apply(struct scope *s, bson_iter_t *it, bson_t *out);

static void
below_apply(struct scope *s, const bson_iter_t *it, const char *key, bson_t *out)
{
	bson_iter_t e;
	bson_t sub;
	char buf[16];
	const char *k;
	uint32_t n = 0;

	bson_iter_recurse(it, &e);
	if (BSON_ITER_HOLDS_DOCUMENT(it)) {
		bson_append_document_begin(out, key, -1, &sub);
		level_apply(s, &e, &sub);
		bson_append_document_end(out, &sub);
		return;
	}
	/* Each element is projected; scalars in it stay only where fields are left out. */
	bson_append_array_begin(out, key, -1, &sub);
	while (bson_iter_next(&e)) {
		if (BSON_ITER_HOLDS_DOCUMENT(&e) || BSON_ITER_HOLDS_ARRAY(&e)) {
			bson_uint32_to_string(n++, &k, buf, sizeof buf);
			below_apply(s, &e, k, &sub);
		} else if (!s->p->inclusive) {
			bson_uint32_to_string(n++, &k, buf, sizeof buf);
			bson_append_iter(&sub, k, -1, &e);
		}
	}
	bson_append_array_end(out, &sub);
}

static void
level_apply(struct scope *s, bson_iter_t *it, bson_t *out)
{
	size_t len = s->len;

	while (bson_iter_next(it)) {
		const char *key = bson_iter_key(it);
		size_t n = strlen(key);
		enum kind kind = KEEP;
		int found = 0;

		if (len + n + 2 < sizeof s->path) {
			s->len = len;
			if (len)
				s->path[s->len++] = '.';
			memcpy(s->path + s->len, key, n + 1);
			s->len += n;
			found = lookup(s, &kind);
		}
		/* _id stays unless it is left out by name. */
		if (!len && strcmp(key, "_id") == 0 && found != 2 && (!found || s->p->id >= 0)) {
			found = 1;
			kind = s->p->id ? KEEP : OMIT;
		}
		if (found == 2 && (BSON_ITER_HOLDS_DOCUMENT(it) || BSON_ITER_HOLDS_ARRAY(it)))
			below_apply(s, it, key, out);
		else if (found == 1 ? kind == KEEP : !s->p->inclusive)
			bson_append_iter(out, key, -1, it);
		s->path[len] = 0;
		s->len = len;
	}
}

/* Appends a computed field under a path that may be dotted. */
static void
computed_append(const struct item *it, const bson_t *doc, const char *path, bson_t *out)
{
	const char *dot = strchr(path, '.');
	struct fail f;
	bson_iter_t v;
	bson_t sub, expr;

	if (dot) {
		bson_append_document_begin(out, path, (int)(dot - path), &sub);
		computed_append(it, doc, dot + 1, &sub);
		bson_append_document_end(out, &sub);
		return;
	}
	doc_view(it->expr, &expr);
	bson_get(&expr, "v", &v);
	expression_append(&v, doc, path, out, &f);
}

void
projection_apply(const struct projection *p, const bson_t *doc, bson_t *out)
{
	struct scope s = {.p = p};
	bson_iter_t it;

	if (!p->n && p->id < 0) {
		bson_concat(out, doc);
		return;
	}
	bson_iter_init(&it, doc);
	level_apply(&s, &it, out);
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].kind == COMPUTE)
			computed_append(&p->items[i], doc, p->items[i].path, out);
}
