/* SPDX-License-Identifier: MIT */
#include "tests/mongo/match.h"
#include "tests/mongo/compare.h"
#include "tests/mongo/path.h"

#include <stdlib.h>
#include <string.h>

struct test {
	const char *op;
	const bson_iter_t *arg;
};

static bool
is_operators(const bson_iter_t *v)
{
	bson_iter_t e;

	return BSON_ITER_HOLDS_DOCUMENT(v) && bson_iter_recurse(v, &e) && bson_iter_next(&e) &&
	    bson_iter_key(&e)[0] == '$' && strcmp(bson_iter_key(&e), "$ref") != 0 &&
	    strcmp(bson_iter_key(&e), "$id") != 0;
}

static bool
value_ordered(const char *op, const bson_iter_t *v, const bson_iter_t *arg)
{
	bool less = op[1] == 'l', or_equal = op[3] == 'e';
	int c;

	if (value_class(v) != value_class(arg)) {
		/* Only MinKey and MaxKey compare across types; a missing value does not. */
		if (BSON_ITER_HOLDS_MAXKEY(arg))
			return v && less;
		return v && BSON_ITER_HOLDS_MINKEY(arg) && !less;
	}
	if (value_is_nan(v) || value_is_nan(arg))
		return or_equal && value_is_nan(v) && value_is_nan(arg);
	c = value_compare(v, arg);
	return (c == 0 && or_equal) || (less ? c < 0 : c > 0);
}

static bool
value_in(const bson_iter_t *v, const bson_iter_t *list)
{
	bson_iter_t e;

	bson_iter_recurse(list, &e);
	while (bson_iter_next(&e))
		if (value_compare(v, &e) == 0)
			return true;
	return false;
}

static bool
type_is(const bson_iter_t *v, const bson_iter_t *want)
{
	bson_iter_t e;
	bson_type_t t;

	if (!v)
		return false;
	if (BSON_ITER_HOLDS_ARRAY(want)) {
		bson_iter_recurse(want, &e);
		while (bson_iter_next(&e))
			if (type_is(v, &e))
				return true;
		return false;
	}
	t = bson_iter_type(v);
	if (BSON_ITER_HOLDS_UTF8(want)) {
		const char *name = bson_iter_utf8(want, NULL);

		return strcmp(name, "number") == 0 ? iter_is_number(v)
						   : strcmp(name, type_name(t)) == 0;
	}
	switch (iter_number(want, 0)) {
	case -1:
		return t == BSON_TYPE_MINKEY;
	case 127:
		return t == BSON_TYPE_MAXKEY;
	default:
		return (int64_t)t == iter_number(want, 0);
	}
}

static bool
value_mod(const bson_iter_t *v, const bson_iter_t *arg)
{
	bson_iter_t e;
	int64_t div, rem;

	if (!v || !iter_is_number(v) || value_is_nan(v) || BSON_ITER_HOLDS_DECIMAL128(v))
		return false;
	bson_iter_recurse(arg, &e);
	bson_iter_next(&e);
	div = iter_number(&e, 1);
	bson_iter_next(&e);
	rem = iter_number(&e, 0);
	return div == -1 ? rem == 0 : iter_number(v, 0) % div == rem;
}

static bool ops_hold_for_value(const bson_iter_t *ops, const bson_iter_t *v);

static bool
value_elem_match(const bson_iter_t *v, const bson_iter_t *arg)
{
	bson_iter_t e;
	bson_t filter, sub;

	if (!v || !BSON_ITER_HOLDS_ARRAY(v))
		return false;
	iter_view(arg, &filter);
	bson_iter_recurse(v, &e);
	while (bson_iter_next(&e)) {
		if (is_operators(arg) ? ops_hold_for_value(arg, &e)
				      : iter_view(&e, &sub) && match_doc(&filter, &sub))
			return true;
	}
	return false;
}

static uint32_t
array_size(const bson_iter_t *v)
{
	bson_t a;

	return iter_view(v, &a) ? bson_count_keys(&a) : 0;
}

/* One positive operator against one value; v is NULL where the path is missing. */
static bool
value_passes(const bson_iter_t *v, void *ctx)
{
	const struct test *t = ctx;
	const char *op = t->op;

	if (strcmp(op, "$eq") == 0)
		return value_compare(v, t->arg) == 0;
	if (strcmp(op, "$in") == 0)
		return value_in(v, t->arg);
	if (strcmp(op, "$exists") == 0)
		return v != NULL;
	if (strcmp(op, "$type") == 0)
		return type_is(v, t->arg);
	if (strcmp(op, "$mod") == 0)
		return value_mod(v, t->arg);
	if (strcmp(op, "$size") == 0)
		return v && BSON_ITER_HOLDS_ARRAY(v) &&
		    array_size(v) == (uint64_t)iter_number(t->arg, -1);
	if (strcmp(op, "$elemMatch") == 0)
		return value_elem_match(v, t->arg);
	return value_ordered(op, v, t->arg);
}

static bool
test_any(const bson_t *doc, const char *path, const char *op, const bson_iter_t *arg)
{
	struct test t = {op, arg};
	bool whole = strcmp(op, "$exists") == 0 || strcmp(op, "$size") == 0 ||
	    strcmp(op, "$elemMatch") == 0;

	return path_any(doc, path, !whole, value_passes, &t);
}

static bool
all_present(const bson_t *doc, const char *path, const bson_iter_t *list)
{
	bson_iter_t e, first;
	bool any = false;

	bson_iter_recurse(list, &e);
	for (; bson_iter_next(&e); any = true) {
		if (is_operators(&e)) {
			bson_iter_recurse(&e, &first);
			bson_iter_next(&first);
			if (!test_any(doc, path, "$elemMatch", &first))
				return false;
		} else if (!test_any(doc, path, "$eq", &e)) {
			return false;
		}
	}
	return any;
}

static bool ops_hold(const bson_t *doc, const char *path, const bson_iter_t *ops);

static bool
op_holds(const bson_t *doc, const char *path, const bson_iter_t *o)
{
	const char *op = bson_iter_key(o);

	if (strcmp(op, "$ne") == 0)
		return !test_any(doc, path, "$eq", o);
	if (strcmp(op, "$nin") == 0)
		return !test_any(doc, path, "$in", o);
	if (strcmp(op, "$exists") == 0)
		return test_any(doc, path, op, o) == (iter_number(o, 1) != 0);
	if (strcmp(op, "$not") == 0)
		return !ops_hold(doc, path, o);
	if (strcmp(op, "$all") == 0)
		return all_present(doc, path, o);
	return test_any(doc, path, op, o);
}

static bool
ops_hold(const bson_t *doc, const char *path, const bson_iter_t *ops)
{
	bson_iter_t o;

	bson_iter_recurse(ops, &o);
	while (bson_iter_next(&o))
		if (!op_holds(doc, path, &o))
			return false;
	return true;
}

static bool
ops_hold_for_value(const bson_iter_t *ops, const bson_iter_t *v)
{
	bson_t *wrap = bson_new();
	bool ok;

	bson_append_iter(wrap, "v", 1, v);
	ok = ops_hold(wrap, "v", ops);
	bson_destroy(wrap);
	return ok;
}

static bool
clause_holds(const bson_iter_t *c, const bson_t *doc)
{
	const char *key = bson_iter_key(c);
	bson_iter_t e;
	bson_t sub;

	if (key[0] != '$')
		return is_operators(c) ? ops_hold(doc, key, c) : test_any(doc, key, "$eq", c);
	if (strcmp(key, "$comment") == 0)
		return true;
	bson_iter_recurse(c, &e);
	while (bson_iter_next(&e)) {
		bool ok = iter_view(&e, &sub) && match_doc(&sub, doc);

		if (strcmp(key, "$and") == 0 ? !ok : ok)
			return strcmp(key, "$or") == 0;
	}
	return strcmp(key, "$or") != 0;
}

bool
match_doc(const bson_t *filter, const bson_t *doc)
{
	bson_iter_t c;

	bson_iter_init(&c, filter);
	while (bson_iter_next(&c))
		if (!clause_holds(&c, doc))
			return false;
	return true;
}

static int check_ops(const bson_iter_t *ops, struct fail *f);

static int
check_list(const bson_iter_t *o, struct fail *f)
{
	const char *op = bson_iter_key(o);
	bson_iter_t e;

	if (!BSON_ITER_HOLDS_ARRAY(o))
		return fail_set(f, 2, "%s needs an array", op);
	bson_iter_recurse(o, &e);
	while (bson_iter_next(&e)) {
		if (BSON_ITER_HOLDS_REGEX(&e))
			return fail_set(f, 238, "regular expressions are not supported here");
		if (!is_operators(&e))
			continue;
		if (strcmp(op, "$all") != 0)
			return fail_set(f, 2, "cannot nest $ under %s", op);
		if (check_ops(&e, f) < 0)
			return -1;
	}
	return 0;
}

static int
check_op(const bson_iter_t *o, struct fail *f)
{
	static const char *const plain[] = {"$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$exists"};
	const char *op = bson_iter_key(o);
	bson_iter_t e;
	bson_t sub;

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		if (strcmp(op, plain[i]) != 0)
			continue;
		if (BSON_ITER_HOLDS_REGEX(o))
			return fail_set(f, 2, "Can't have RegEx as arg to predicate over field");
		return 0;
	}
	if (strcmp(op, "$in") == 0 || strcmp(op, "$nin") == 0 || strcmp(op, "$all") == 0)
		return check_list(o, f);
	if (strcmp(op, "$size") == 0)
		return iter_is_number(o) && iter_number(o, -1) >= 0
		    ? 0
		    : fail_set(f, 2, "Failed to parse $size. Expected a number >= 0");
	if (strcmp(op, "$type") == 0)
		return iter_is_number(o) || BSON_ITER_HOLDS_UTF8(o) || BSON_ITER_HOLDS_ARRAY(o)
		    ? 0
		    : fail_set(f, 14, "type must be represented as a number or a string");
	if (strcmp(op, "$not") == 0)
		return is_operators(o) ? check_ops(o, f)
				       : fail_set(f, 2, "$not needs a regex or a document");
	if (strcmp(op, "$elemMatch") == 0) {
		if (!BSON_ITER_HOLDS_DOCUMENT(o))
			return fail_set(f, 2, "$elemMatch needs an Object");
		iter_view(o, &sub);
		return is_operators(o) ? check_ops(o, f) : match_check(&sub, f);
	}
	if (strcmp(op, "$mod") == 0) {
		if (!BSON_ITER_HOLDS_ARRAY(o) || array_size(o) != 2)
			return fail_set(f, 2, "malformed mod, needs to be an array of two numbers");
		bson_iter_recurse(o, &e);
		bson_iter_next(&e);
		return iter_number(&e, 0) ? 0 : fail_set(f, 2, "divisor cannot be 0");
	}
	if (strcmp(op, "$regex") == 0 || strcmp(op, "$options") == 0)
		return fail_set(f, 238, "regular expressions are not supported here");
	return fail_set(f, 2, "unknown operator: %s", op);
}

static int
check_ops(const bson_iter_t *ops, struct fail *f)
{
	bson_iter_t o;

	bson_iter_recurse(ops, &o);
	while (bson_iter_next(&o))
		if (check_op(&o, f) < 0)
			return -1;
	return 0;
}

static int
check_tree(const bson_iter_t *c, struct fail *f)
{
	const char *key = bson_iter_key(c);
	bson_iter_t e;
	bson_t sub;
	int n = 0;

	if (!BSON_ITER_HOLDS_ARRAY(c))
		return fail_set(f, 2, "%s must be an array", key);
	bson_iter_recurse(c, &e);
	for (; bson_iter_next(&e); n++) {
		if (!BSON_ITER_HOLDS_DOCUMENT(&e))
			return fail_set(f, 2, "$or/$and/$nor entries need to be full objects");
		iter_view(&e, &sub);
		if (match_check(&sub, f) < 0)
			return -1;
	}
	return n ? 0 : fail_set(f, 2, "$and/$or/$nor must be a nonempty array");
}

int
match_check(const bson_t *filter, struct fail *f)
{
	bson_iter_t c;

	bson_iter_init(&c, filter);
	while (bson_iter_next(&c)) {
		const char *key = bson_iter_key(&c);
		int r = 0;

		if (strcmp(key, "$and") == 0 || strcmp(key, "$or") == 0 || strcmp(key, "$nor") == 0)
			r = check_tree(&c, f);
		else if (strcmp(key, "$comment") == 0)
			r = 0;
		else if (strcmp(key, "$expr") == 0 || strcmp(key, "$where") == 0 ||
		    strcmp(key, "$text") == 0 || strcmp(key, "$jsonSchema") == 0)
			r = fail_set(f, 238, "%s is not supported here", key);
		else if (key[0] == '$')
			r = fail_set(f, 2,
			    "unknown top level operator: %s. If you have a field name that "
			    "starts with a '$' symbol, consider using $getField or $setField.",
			    key);
		else if (BSON_ITER_HOLDS_REGEX(&c))
			r = fail_set(f, 238, "regular expressions are not supported here");
		else if (is_operators(&c))
			r = check_ops(&c, f);
		if (r < 0)
			return -1;
	}
	return 0;
}
