/* SPDX-License-Identifier: MIT */
#include "tests/mongo/sort.h"
#include "tests/mongo/compare.h"
#include "tests/mongo/path.h"

#include <stdlib.h>

struct pick {
	bson_iter_t best;
	bool any;
	int dir;
};

struct order {
	const bson_t *spec;
};

struct row {
	struct doc *doc;
	size_t place;
};

int
sort_check(const bson_t *spec, struct fail *f)
{
	bson_iter_t it;

	bson_iter_init(&it, spec);
	while (bson_iter_next(&it)) {
		int64_t dir = iter_number(&it, 0);

		if (BSON_ITER_HOLDS_DOCUMENT(&it))
			return fail_set(f, 238, "$meta sorts are not supported here");
		if (!iter_is_number(&it) || (dir != 1 && dir != -1))
			return fail_set(f, 15975,
			    "$sort key ordering must be 1 (for ascending) or -1 "
			    "(for descending)");
	}
	return 0;
}

static bool
pick_best(const bson_iter_t *v, void *ctx)
{
	struct pick *p = ctx;

	if (!v)
		return false;
	/* The walk shows an array and then its elements; only an empty one stands for itself. */
	if (BSON_ITER_HOLDS_ARRAY(v)) {
		bson_iter_t e;

		if (bson_iter_recurse(v, &e) && bson_iter_next(&e))
			return false;
	}
	if (!p->any || value_compare(v, &p->best) * p->dir < 0) {
		p->best = *v;
		p->any = true;
	}
	return false;
}

static int
rows_compare(const void *a, const void *b, void *ctx)
{
	const struct row *x = a, *y = b;
	const bson_t *spec = ((const struct order *)ctx)->spec;
	bson_t xd, yd;
	bson_iter_t it;

	doc_view(x->doc, &xd);
	doc_view(y->doc, &yd);
	bson_iter_init(&it, spec);
	while (bson_iter_next(&it)) {
		int dir = iter_number(&it, 1) < 0 ? -1 : 1, c;
		struct pick p = {.dir = dir}, q = {.dir = dir};

		path_any(&xd, bson_iter_key(&it), true, pick_best, &p);
		path_any(&yd, bson_iter_key(&it), true, pick_best, &q);
		c = value_compare(p.any ? &p.best : NULL, q.any ? &q.best : NULL) * dir;
		if (c)
			return c;
	}
	return x->place < y->place ? -1 : 1;
}

void
sort_docs(const bson_t *spec, struct doc_list *l)
{
	struct order order = {spec};
	struct row *rows = bson_malloc((l->n + 1) * sizeof *rows);

	for (size_t i = 0; i < l->n; i++)
		rows[i] = (struct row){l->at[i], i};
	qsort_r(rows, l->n, sizeof *rows, rows_compare, &order);
	for (size_t i = 0; i < l->n; i++)
		l->at[i] = rows[i].doc;
	bson_free(rows);
}
