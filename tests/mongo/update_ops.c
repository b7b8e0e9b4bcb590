/* SPDX-License-Identifier: MIT */
#include "tests/mongo/update_ops.h"
#include "tests/mongo/compare.h"
#include "tests/mongo/match.h"

#include <string.h>

static int
op_set(struct place *p, const bson_iter_t *arg, struct touched *t, struct fail *f)
{
	return place_set(p, kid_new(p->last, strlen(p->last), arg), t, f);
}

static void
op_unset(struct place *p, struct touched *t)
{
	if (!p->kid)
		return;
	if (p->parent->type == BSON_TYPE_ARRAY) {
		tree_put(p->parent, kid_from_json(p->last, strlen(p->last), "{\"v\":null}"));
		touched_add(t, p->path, strlen(p->path), false);
		return;
	}
	tree_drop(p->parent, p->kid);
	touched_add(t, p->path, strlen(p->path), true);
}

static int
arithmetic(const bson_iter_t *a, const bson_iter_t *b, bool mul, bson_t *out, struct fail *f)
{
	bool dbl = BSON_ITER_HOLDS_DOUBLE(a) || BSON_ITER_HOLDS_DOUBLE(b);
	bool big = BSON_ITER_HOLDS_INT64(a) || BSON_ITER_HOLDS_INT64(b);
	int64_t x = iter_number(a, 0), y = iter_number(b, 0), r;

	if (BSON_ITER_HOLDS_DECIMAL128(a) || BSON_ITER_HOLDS_DECIMAL128(b))
		return fail_set(f, 238, "arithmetic on Decimal128 is not supported here");
	if (dbl) {
		double u = BSON_ITER_HOLDS_DOUBLE(a) ? bson_iter_double(a) : (double)x;
		double v = BSON_ITER_HOLDS_DOUBLE(b) ? bson_iter_double(b) : (double)y;

		bson_append_double(out, "v", 1, mul ? u * v : u + v);
		return 0;
	}
	if (mul ? __builtin_mul_overflow(x, y, &r) : __builtin_add_overflow(x, y, &r))
		return fail_set(f, 2, "Failed to apply $%s operations to current value: overflow",
		    mul ? "mul" : "inc");
	if (big || r > INT32_MAX || r < INT32_MIN)
		bson_append_int64(out, "v", 1, r);
	else
		bson_append_int32(out, "v", 1, (int32_t)r);
	return 0;
}

static int
op_arithmetic(struct place *p, bool mul, const bson_iter_t *arg, struct touched *t, struct fail *f)
{
	struct doc *have = NULL;
	bson_iter_t v;
	bson_t *out;
	int r = 0;

	if (!iter_is_number(arg))
		return fail_set(f, 14, "Cannot %s with non-numeric argument: {%s: %s}",
		    mul ? "multiply" : "increment", p->path, type_name(bson_iter_type(arg)));
	if (!p->kid && !mul)
		return op_set(p, arg, t, f);
	have = p->kid ? tree_value(p->kid, &v) : NULL;
	out = bson_new();
	if (have && !iter_is_number(&v))
		r = fail_set(f, 14,
		    "Cannot apply $%s to a value of non-numeric type. The field '%s' has "
		    "non-numeric type %s",
		    mul ? "mul" : "inc", p->last, type_name(bson_iter_type(&v)));
	else if (have)
		r = arithmetic(&v, arg, mul, out, f);
	else
		bson_append_int32(out, "v", 1, 0);
	if (r == 0) {
		bson_get(out, "v", &v);
		r = op_set(p, &v, t, f);
	}
	bson_destroy(out);
	doc_unref(&have);
	return r;
}

static int
op_extreme(struct place *p, int sign, const bson_iter_t *arg, struct touched *t, struct fail *f)
{
	struct doc *have;
	bson_iter_t v;
	int c;

	if (!p->kid)
		return op_set(p, arg, t, f);
	have = tree_value(p->kid, &v);
	c = value_compare(arg, &v);
	doc_unref(&have);
	return c * sign > 0 ? op_set(p, arg, t, f) : 0;
}

/* The values of $push and $addToSet: those of $each, or the one given. */
static int
each_read(const bson_iter_t *arg, bson_iter_t *list, bool *many, struct fail *f)
{
	bson_iter_t e;

	*many = false;
	if (!BSON_ITER_HOLDS_DOCUMENT(arg) || !bson_iter_recurse(arg, &e))
		return 0;
	while (bson_iter_next(&e)) {
		if (strcmp(bson_iter_key(&e), "$each") == 0) {
			if (!BSON_ITER_HOLDS_ARRAY(&e))
				return fail_set(f, 2, "The argument to $each must be an array");
			bson_iter_recurse(&e, list);
			*many = true;
		} else if (bson_iter_key(&e)[0] == '$') {
			return fail_set(f, 238, "%s is not supported here", bson_iter_key(&e));
		}
	}
	return 0;
}

static void
push_value(struct place *p, const bson_iter_t *v, bool set, bool fresh, struct touched *t)
{
	struct node *kid = tree_from_value("", v);
	char *path;

	for (size_t i = 0; set && i < p->kid->n; i++) {
		bson_iter_t have;
		struct doc *d = tree_value(p->kid->kids[i], &have);
		bool same = value_compare(&have, v) == 0;

		doc_unref(&d);
		if (same) {
			tree_free(&kid);
			return;
		}
	}
	tree_add(p->kid, kid);
	if (fresh) {
		touched_add(t, p->path, p->report, false);
		return;
	}
	path = bson_strdup_printf("%s.%s", p->path, kid->key);
	touched_add(t, path, strlen(path), false);
	bson_free(path);
}

static int
op_push(struct place *p, bool set, const bson_iter_t *arg, struct touched *t, struct fail *f)
{
	bool fresh = !p->kid, many;
	bson_iter_t e;

	if (each_read(arg, &e, &many, f) < 0)
		return -1;
	if (p->kid && p->kid->type != BSON_TYPE_ARRAY)
		return fail_set(f, 2, "The field '%s' must be an array but is of type %s", p->path,
		    type_name(p->kid->type));
	if (fresh) {
		if (place_set(p, kid_from_json(p->last, strlen(p->last), "{\"v\":[]}"), t, f) < 0)
			return -1;
		p->kid = tree_kid(p->parent, p->last, strlen(p->last));
	}
	if (!many)
		push_value(p, arg, set, fresh, t);
	while (many && bson_iter_next(&e))
		push_value(p, &e, set, fresh, t);
	return 0;
}

static int
op_pop(struct place *p, const bson_iter_t *arg, struct touched *t, struct fail *f)
{
	int64_t end = iter_number(arg, 0);

	if (end != 1 && end != -1)
		return fail_set(f, 9, "$pop expects 1 or -1");
	if (!p->kid)
		return 0;
	if (p->kid->type != BSON_TYPE_ARRAY)
		return fail_set(f, 14, "Path '%s' contains an element of non-array type '%s'",
		    p->path, type_name(p->kid->type));
	if (!p->kid->n)
		return 0;
	tree_drop(p->kid, p->kid->kids[end > 0 ? p->kid->n - 1 : 0]);
	touched_add(t, p->path, strlen(p->path), false);
	return 0;
}

/* $pull's condition on an element: a query for a document, operators or a value for any other. */
static bool
pulled(const bson_iter_t *v, const bson_iter_t *arg)
{
	bson_t cond, view, *wrap, *filter;
	bson_iter_t e;
	bool hit;

	if (BSON_ITER_HOLDS_DOCUMENT(arg) && BSON_ITER_HOLDS_DOCUMENT(v) &&
	    !(bson_iter_recurse(arg, &e) && bson_iter_next(&e) && bson_iter_key(&e)[0] == '$')) {
		iter_view(arg, &cond);
		iter_view(v, &view);
		return match_doc(&cond, &view);
	}
	wrap = bson_new();
	filter = bson_new();
	bson_append_iter(wrap, "v", 1, v);
	bson_append_iter(filter, "v", 1, arg);
	hit = match_doc(filter, wrap);
	bson_destroy(wrap);
	bson_destroy(filter);
	return hit;
}

static int
op_pull(struct place *p, const bson_iter_t *arg, struct touched *t, struct fail *f)
{
	bson_t *filter = bson_new();
	bool hit = false;
	int r;

	bson_append_iter(filter, "v", 1, arg);
	r = match_check(filter, f);
	bson_destroy(filter);
	if (r < 0 || !p->kid)
		return r;
	if (p->kid->type != BSON_TYPE_ARRAY)
		return fail_set(f, 2, "Cannot apply $pull to a non-array value");
	for (size_t i = p->kid->n; i--;) {
		bson_iter_t v;
		struct doc *d = tree_value(p->kid->kids[i], &v);

		if (pulled(&v, arg)) {
			tree_drop(p->kid, p->kid->kids[i]);
			hit = true;
		}
		doc_unref(&d);
	}
	if (hit)
		touched_add(t, p->path, strlen(p->path), false);
	return 0;
}

static int
op_rename(
    struct node *root, struct place *p, const bson_iter_t *arg, struct touched *t, struct fail *f)
{
	struct place to;
	struct doc *d;
	bson_iter_t v;
	int r;

	if (!BSON_ITER_HOLDS_UTF8(arg))
		return fail_set(f, 2, "The 'to' field for $rename must be a string");
	if (!p->kid)
		return 0;
	d = tree_value(p->kid, &v);
	op_unset(p, t);
	r = place_find(root, bson_iter_utf8(arg, NULL), true, &to, f);
	if (r > 0)
		r = op_set(&to, &v, t, f);
	doc_unref(&d);
	return r < 0 ? -1 : 0;
}

static int
op_current_date(struct place *p, const bson_iter_t *arg, struct touched *t, struct fail *f)
{
	bson_t *b = bson_new(), view;
	const char *type = NULL;
	bson_iter_t v;
	int r;

	if (BSON_ITER_HOLDS_DOCUMENT(arg) && iter_view(arg, &view))
		type = bson_str(&view, "$type");
	if (type && strcmp(type, "timestamp") == 0)
		bson_append_timestamp(b, "v", 1, (uint32_t)(wall_ms() / 1000), 1);
	else
		bson_append_date_time(b, "v", 1, wall_ms());
	bson_get(b, "v", &v);
	r = op_set(p, &v, t, f);
	bson_destroy(b);
	return r;
}

static const char *const known[] = {"$set", "$unset", "$inc", "$mul", "$min", "$max", "$push",
    "$addToSet", "$pop", "$pull", "$rename", "$setOnInsert", "$currentDate"};

bool
update_op_known(const char *op)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(op, known[i]) == 0)
			return true;
	return false;
}

int
update_op_apply(struct node *root, const char *op, const char *path, const bson_iter_t *arg,
    bool insert, struct touched *t, struct fail *f)
{
	bool lookup = strcmp(op, "$unset") == 0 || strcmp(op, "$pop") == 0 ||
	    strcmp(op, "$pull") == 0 || strcmp(op, "$rename") == 0;
	struct place p;
	int r;

	if (strcmp(op, "$setOnInsert") == 0 && !insert)
		return 0;
	r = place_find(root, path, !lookup, &p, f);
	if (r <= 0)
		return r;
	if (strcmp(op, "$set") == 0 || strcmp(op, "$setOnInsert") == 0)
		return op_set(&p, arg, t, f);
	if (strcmp(op, "$inc") == 0 || strcmp(op, "$mul") == 0)
		return op_arithmetic(&p, op[1] == 'm', arg, t, f);
	if (strcmp(op, "$min") == 0 || strcmp(op, "$max") == 0)
		return op_extreme(&p, op[2] == 'i' ? -1 : 1, arg, t, f);
	if (strcmp(op, "$push") == 0 || strcmp(op, "$addToSet") == 0)
		return op_push(&p, op[1] == 'a', arg, t, f);
	if (strcmp(op, "$pop") == 0)
		return op_pop(&p, arg, t, f);
	if (strcmp(op, "$pull") == 0)
		return op_pull(&p, arg, t, f);
	if (strcmp(op, "$rename") == 0)
		return op_rename(root, &p, arg, t, f);
	if (strcmp(op, "$currentDate") == 0)
		return op_current_date(&p, arg, t, f);
	op_unset(&p, t);
	return 0;
}
