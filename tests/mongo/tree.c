/* SPDX-License-Identifier: MIT */
#include "tests/mongo/tree.h"

#include <stdio.h>
#include <string.h>

static struct node *
node_new(const char *key, bson_type_t type)
{
	struct node *t = bson_malloc0(sizeof *t);

	t->key = bson_strdup(key);
	t->type = type;
	return t;
}

static void
kids_read(struct node *t, bson_iter_t *it)
{
	while (bson_iter_next(it))
		tree_add(t, tree_from_value(bson_iter_key(it), it));
}

struct node *
tree_from_value(const char *key, const bson_iter_t *v)
{
	struct node *t = node_new(key, bson_iter_type(v));
	bson_iter_t e;
	bson_t *b;

	if (BSON_ITER_HOLDS_DOCUMENT(v) || BSON_ITER_HOLDS_ARRAY(v)) {
		bson_iter_recurse(v, &e);
		kids_read(t, &e);
		return t;
	}
	b = bson_new();
	bson_append_iter(b, "", 0, v);
	t->leaf = doc_from_bson(b);
	bson_destroy(b);
	return t;
}

struct node *
tree_from(const bson_t *doc)
{
	struct node *t = node_new("", BSON_TYPE_DOCUMENT);
	bson_iter_t it;

	bson_iter_init(&it, doc);
	kids_read(t, &it);
	return t;
}

void
tree_free(struct node **t)
{
	if (!*t)
		return;
	for (size_t i = 0; i < (*t)->n; i++)
		tree_free(&(*t)->kids[i]);
	bson_free((*t)->kids);
	bson_free((*t)->key);
	doc_unref(&(*t)->leaf);
	bson_free(*t);
	*t = NULL;
}

void
tree_append_kids(const struct node *t, bson_t *out)
{
	for (size_t i = 0; i < t->n; i++)
		tree_append(t->kids[i], t->kids[i]->key, out);
}

void
tree_append(const struct node *t, const char *key, bson_t *out)
{
	bson_iter_t it;
	bson_t sub;

	if (t->type == BSON_TYPE_DOCUMENT) {
		bson_append_document_begin(out, key, -1, &sub);
		tree_append_kids(t, &sub);
		bson_append_document_end(out, &sub);
	} else if (t->type == BSON_TYPE_ARRAY) {
		bson_append_array_begin(out, key, -1, &sub);
		tree_append_kids(t, &sub);
		bson_append_array_end(out, &sub);
	} else {
		doc_view(t->leaf, &sub);
		bson_iter_init(&it, &sub);
		bson_iter_next(&it);
		bson_append_iter(out, key, (int)strlen(key), &it);
	}
}

struct doc *
tree_value(const struct node *t, bson_iter_t *it)
{
	bson_t *b = bson_new(), view;
	struct doc *d;

	tree_append(t, "v", b);
	d = doc_from_bson(b);
	bson_destroy(b);
	doc_view(d, &view);
	bson_get(&view, "v", it);
	return d;
}

struct node *
tree_kid(const struct node *t, const char *key, size_t len)
{
	for (size_t i = 0; i < t->n; i++)
		if (strlen(t->kids[i]->key) == len && memcmp(t->kids[i]->key, key, len) == 0)
			return t->kids[i];
	return NULL;
}

static void
rekey(struct node *t, size_t i)
{
	char key[24];

	snprintf(key, sizeof key, "%zu", i);
	bson_free(t->kids[i]->key);
	t->kids[i]->key = bson_strdup(key);
}

void
tree_add(struct node *t, struct node *kid)
{
	if ((t->n & (t->n - 1)) == 0)
		t->kids = bson_realloc(t->kids, (t->n ? t->n * 2 : 1) * sizeof(void *));
	t->kids[t->n++] = kid;
	if (t->type == BSON_TYPE_ARRAY)
		rekey(t, t->n - 1);
}

void
tree_put(struct node *t, struct node *value)
{
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->kids[i]->key, value->key) != 0)
			continue;
		tree_free(&t->kids[i]);
		t->kids[i] = value;
		return;
	}
	tree_add(t, value);
}

void
tree_drop(struct node *t, struct node *kid)
{
	size_t i = 0;

	while (t->kids[i] != kid)
		i++;
	memmove(t->kids + i, t->kids + i + 1, (t->n - i - 1) * sizeof(void *));
	t->n--;
	tree_free(&kid);
	if (t->type == BSON_TYPE_ARRAY)
		for (; i < t->n; i++)
			rekey(t, i);
}

bool
tree_equal(const struct node *a, const struct node *b)
{
	if (a->type != b->type || a->n != b->n)
		return false;
	if (a->leaf)
		return a->leaf->len == b->leaf->len &&
		    memcmp(a->leaf->data, b->leaf->data, a->leaf->len) == 0;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->kids[i]->key, b->kids[i]->key) != 0 ||
		    !tree_equal(a->kids[i], b->kids[i]))
			return false;
	return true;
}
