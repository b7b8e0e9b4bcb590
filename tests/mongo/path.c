/* SPDX-License-Identifier: MIT */
#include "tests/mongo/path.h"

#include <ctype.h>
#include <string.h>

struct walk {
	bool elements;
	path_fn *fn;
	void *ctx;
};

static bool walk_doc(const bson_t *doc, const char *path, const struct walk *w);

static bool
leaf(const bson_iter_t *v, const struct walk *w)
{
	bson_iter_t e;

	if (w->fn(v, w->ctx))
		return true;
	if (!w->elements || !BSON_ITER_HOLDS_ARRAY(v) || !bson_iter_recurse(v, &e))
		return false;
	while (bson_iter_next(&e))
		if (w->fn(&e, w->ctx))
			return true;
	return false;
}

static bool
is_index(const char *path)
{
	if (!isdigit((unsigned char)*path))
		return false;
	while (isdigit((unsigned char)*path))
		path++;
	return *path == 0 || *path == '.';
}

static bool
walk_array(const bson_iter_t *arr, const char *rest, const struct walk *w)
{
	bson_iter_t e;
	bson_t sub;

	bson_iter_recurse(arr, &e);
	while (bson_iter_next(&e))
		if (BSON_ITER_HOLDS_DOCUMENT(&e) && iter_view(&e, &sub) && walk_doc(&sub, rest, w))
			return true;
	if (!is_index(rest) || !iter_view(arr, &sub))
		return false;
	bson_iter_init(&e, &sub);
	if (!bson_iter_find_w_len(&e, rest, (int)strcspn(rest, ".")))
		return false;
	rest += strcspn(rest, ".");
	if (!*rest)
		return leaf(&e, w);
	if (BSON_ITER_HOLDS_ARRAY(&e))
		return walk_array(&e, rest + 1, w);
	return BSON_ITER_HOLDS_DOCUMENT(&e) && iter_view(&e, &sub) && walk_doc(&sub, rest + 1, w);
}

static bool
walk_doc(const bson_t *doc, const char *path, const struct walk *w)
{
	size_t n = strcspn(path, ".");
	bson_iter_t it;
	bson_t sub;

	if (!bson_iter_init(&it, doc) || !bson_iter_find_w_len(&it, path, (int)n))
		return w->fn(NULL, w->ctx);
	if (!path[n])
		return leaf(&it, w);
	if (BSON_ITER_HOLDS_ARRAY(&it))
		return walk_array(&it, path + n + 1, w);
	if (BSON_ITER_HOLDS_DOCUMENT(&it) && iter_view(&it, &sub))
		return walk_doc(&sub, path + n + 1, w);
	return w->fn(NULL, w->ctx);
}

bool
path_any(const bson_t *doc, const char *path, bool elements, path_fn *fn, void *ctx)
{
	struct walk w = {elements, fn, ctx};

	return walk_doc(doc, path, &w);
}

bool
path_get(const bson_t *doc, const char *path, bson_iter_t *out)
{
	bson_t cur, sub;

	bson_init_static(&cur, bson_get_data(doc), doc->len);
	for (;;) {
		size_t n = strcspn(path, ".");

		if (!bson_iter_init(out, &cur) || !bson_iter_find_w_len(out, path, (int)n))
			return false;
		if (!path[n])
			return true;
		if (!iter_view(out, &sub))
			return false;
		bson_init_static(&cur, bson_get_data(&sub), sub.len);
		path += n + 1;
	}
}
