/* SPDX-License-Identifier: MIT */
#include "tests/mongo/update_place.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PADDING 1500000 /* the server's bound for null elements put before a new index */

void
touched_add(struct touched *t, const char *path, size_t len, bool removed)
{
	/* What lies under a path that was set already is part of it. */
	for (size_t i = 0; i < t->n; i++) {
		size_t n = strlen(t->paths[i]);

		if (!t->removed[i] && n <= len && memcmp(t->paths[i], path, n) == 0 &&
		    (n == len || path[n] == '.'))
			return;
	}
	t->paths = bson_realloc(t->paths, (t->n + 1) * sizeof *t->paths);
	t->removed = bson_realloc(t->removed, (t->n + 1) * sizeof *t->removed);
	t->paths[t->n] = bson_strndup(path, len);
	t->removed[t->n++] = removed;
}

void
touched_free(struct touched *t)
{
	for (size_t i = 0; i < t->n; i++)
		bson_free(t->paths[i]);
	bson_free(t->paths);
	bson_free(t->removed);
}

static bool
is_container(const struct node *n)
{
	return n->type == BSON_TYPE_DOCUMENT || n->type == BSON_TYPE_ARRAY;
}

static int
not_viable(const char *field, struct fail *f)
{
	return fail_set(f, 28, "Cannot create field '%s' in element of another type", field);
}

struct node *
kid_new(const char *key, size_t len, const bson_iter_t *v)
{
	char *k = bson_strndup(key, len);
	struct node *n = tree_from_value(k, v);

	bson_free(k);
	return n;
}

struct node *
kid_from_json(const char *key, size_t len, const char *json)
{
	bson_t *b = bson_new_from_json((const uint8_t *)json, -1, NULL);
	struct node *n;
	bson_iter_t it;

	bson_get(b, "v", &it);
	n = kid_new(key, len, &it);
	bson_destroy(b);
	return n;
}

/* Adds kid to parent; into an array at its index, with nulls before it. */
static int
kid_add(struct node *parent, struct node *kid, struct fail *f)
{
	if (parent->type == BSON_TYPE_ARRAY) {
		size_t at = strtoul(kid->key, NULL, 10);

		if (!isdigit((unsigned char)kid->key[0]) || at > parent->n + MAX_PADDING) {
			not_viable(kid->key, f);
			tree_free(&kid);
			return -1;
		}
		while (parent->n < at)
			tree_add(parent, kid_from_json("", 0, "{\"v\":null}"));
	}
	tree_add(parent, kid);
	return 0;
}

int
place_find(struct node *root, const char *path, bool create, struct place *p, struct fail *f)
{
	*p = (struct place){root, NULL, path, path, 0};
	for (;;) {
		size_t n = strcspn(p->last, ".");

		p->kid = tree_kid(p->parent, p->last, n);
		if (!p->kid && !p->report)
			p->report = (size_t)(p->last - path) + n;
		if (!p->last[n])
			break;
		if (!p->kid && !create)
			return 0;
		if (!p->kid) {
			struct node *made = kid_from_json(p->last, n, "{\"v\":{}}");

			if (kid_add(p->parent, made, f) < 0)
				return -1;
			p->kid = tree_kid(p->parent, p->last, n);
		}
		if (!is_container(p->kid))
			return create ? not_viable(p->last + n + 1, f) : 0;
		p->parent = p->kid;
		p->last += n + 1;
	}
	if (!p->report)
		p->report = strlen(path);
	return 1;
}

int
place_set(struct place *p, struct node *value, struct touched *t, struct fail *f)
{
	if (p->kid && tree_equal(p->kid, value)) {
		tree_free(&value);
		return 0;
	}
	if (p->kid)
		tree_put(p->parent, value);
	else if (kid_add(p->parent, value, f) < 0)
		return -1;
	touched_add(t, p->path, p->report, false);
	return 0;
}
