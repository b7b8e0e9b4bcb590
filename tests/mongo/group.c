/* SPDX-License-Identifier: MIT */
#include "tests/mongo/group.h"
#include "tests/mongo/compare.h"
#include "tests/mongo/project.h"

#include <stdlib.h>
#include <string.h>

/* A document and the value of its group, {v: …}, empty where that is missing. */
struct member {
	struct doc *key, *doc;
	size_t place;
};

static bool
accumulator_known(const char *op)
{
	static const char *const known[] = {"$sum", "$min", "$max", "$first", "$last", "$avg"};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(op, known[i]) == 0)
			return true;
	return false;
}

int
group_check(const bson_t *spec, struct fail *f)
{
	bson_iter_t it, acc;

	if (!bson_get(spec, "_id", &it))
		return fail_set(f, 15955, "a group specification must include an _id");
	bson_iter_init(&it, spec);
	while (bson_iter_next(&it)) {
		if (strcmp(bson_iter_key(&it), "_id") == 0) {
			if (!expression_append(&it, NULL, "v", NULL, f))
				return -1;
			continue;
		}
		if (!BSON_ITER_HOLDS_DOCUMENT(&it) || !bson_iter_recurse(&it, &acc) ||
		    !bson_iter_next(&acc))
			return fail_set(f, 40234, "The field '%s' must be an accumulator object",
			    bson_iter_key(&it));
		if (!accumulator_known(bson_iter_key(&acc)))
			return fail_set(f, 238, "the accumulator %s is not supported here",
			    bson_iter_key(&acc));
		if (!expression_append(&acc, NULL, "v", NULL, f))
			return -1;
	}
	return 0;
}

static struct doc *
evaluate(const bson_iter_t *expr, const struct doc *d)
{
	struct fail f;
	struct doc *r;
	bson_t view, *out = bson_new();

	doc_view(d, &view);
	expression_append(expr, &view, "v", out, &f);
	r = doc_from_bson(out);
	bson_destroy(out);
	return r;
}

static bool
value_in_doc(const struct doc *d, bson_iter_t *it)
{
	bson_t view;

	doc_view(d, &view);
	return bson_get(&view, "v", it);
}

static int
keys_compare(const struct doc *a, const struct doc *b)
{
	bson_iter_t x, y;
	bool has_x = value_in_doc(a, &x), has_y = value_in_doc(b, &y);

	return value_compare(has_x ? &x : NULL, has_y ? &y : NULL);
}

static int
members_compare(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int c = keys_compare(x->key, y->key);

	return c ? c : x->place < y->place ? -1 : 1;
}

struct sum {
	double d;
	int64_t i;
	int64_t n;
	bool is_double, is_long;
};

static void
sum_add(struct sum *s, const bson_iter_t *v)
{
	int64_t x;

	if (!iter_is_number(v))
		return;
	s->n++;
	s->d += BSON_ITER_HOLDS_DOUBLE(v) ? bson_iter_double(v) : (double)iter_number(v, 0);
	s->is_double |= BSON_ITER_HOLDS_DOUBLE(v) || BSON_ITER_HOLDS_DECIMAL128(v);
	s->is_long |= BSON_ITER_HOLDS_INT64(v);
	x = s->is_double ? 0 : iter_number(v, 0);
	if (__builtin_add_overflow(s->i, x, &s->i))
		s->is_double = true;
}

static void
sum_append(const struct sum *s, bool mean, const char *key, bson_t *out)
{
	if (mean && !s->n)
		bson_append_null(out, key, -1);
	else if (mean)
		bson_append_double(out, key, -1, s->d / (double)s->n);
	else if (s->is_double)
		bson_append_double(out, key, -1, s->d);
	else if (s->is_long || s->i > INT32_MAX || s->i < INT32_MIN)
		bson_append_int64(out, key, -1, s->i);
	else
		bson_append_int32(out, key, -1, (int32_t)s->i);
}

static void
accumulate(const bson_iter_t *acc, const char *key, const struct member *m, size_t n, bson_t *out)
{
	const char *op = bson_iter_key(acc);
	struct doc *best = NULL;
	struct sum sum = {0};
	bson_iter_t v, b;

	for (size_t i = 0; i < n; i++) {
		struct doc *d = evaluate(acc, m[i].doc);
		bool has = value_in_doc(d, &v), better = false;

		if (has)
			sum_add(&sum, &v);
		if (strcmp(op, "$last") == 0 || (strcmp(op, "$first") == 0 && !best))
			better = true;
		else if (op[1] == 'm' && has && value_class(&v) != 5)
			better = !best ||
			    (value_in_doc(best, &b) &&
				value_compare(&v, &b) * (op[2] == 'i' ? -1 : 1) > 0);
		if (better) {
			doc_unref(&best);
			best = doc_ref(d);
		}
		doc_unref(&d);
	}
	if (strcmp(op, "$sum") == 0 || strcmp(op, "$avg") == 0)
		sum_append(&sum, op[1] == 'a', key, out);
	else if (best && value_in_doc(best, &v))
		bson_append_iter(out, key, -1, &v);
	else
		bson_append_null(out, key, -1);
	doc_unref(&best);
}

static struct doc *
group_make(const bson_t *spec, const struct member *m, size_t n)
{
	bson_t *out = bson_new();
	bson_iter_t it, acc, v;
	struct doc *d;

	if (value_in_doc(m->key, &v))
		bson_append_iter(out, "_id", 3, &v);
	else
		bson_append_null(out, "_id", 3);
	bson_iter_init(&it, spec);
	while (bson_iter_next(&it)) {
		if (strcmp(bson_iter_key(&it), "_id") == 0)
			continue;
		bson_iter_recurse(&it, &acc);
		bson_iter_next(&acc);
		accumulate(&acc, bson_iter_key(&it), m, n, out);
	}
	d = doc_from_bson(out);
	bson_destroy(out);
	return d;
}

int
group_run(const bson_t *spec, struct doc_list *l, struct fail *f)
{
	struct member *m = bson_malloc((l->n + 1) * sizeof *m);
	struct doc_list out = {0};
	bson_iter_t id;

	(void)f;
	bson_get(spec, "_id", &id);
	for (size_t i = 0; i < l->n; i++)
		m[i] = (struct member){evaluate(&id, l->at[i]), l->at[i], i};
	qsort(m, l->n, sizeof *m, members_compare);
	for (size_t i = 0, k; i < l->n; i = k) {
		for (k = i + 1; k < l->n && keys_compare(m[i].key, m[k].key) == 0; k++)
			;
		doc_list_add(&out, group_make(spec, m + i, k - i));
	}
	for (size_t i = 0; i < l->n; i++)
		doc_unref(&m[i].key);
	bson_free(m);
	doc_list_free(l);
	*l = out;
	return 0;
}
