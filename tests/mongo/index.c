/* SPDX-License-Identifier: MIT */
#include "tests/mongo/index.h"
#include "tests/mongo/compare.h"

#include <string.h>

#define LEVELS 24

struct index {
	struct index_node *head; /* no document; LEVELS pointers */
	struct index_node *last;
	uint64_t random;
};

static struct index_node *
node_new(int levels)
{
	struct index_node *n = bson_malloc0(sizeof *n + (size_t)levels * sizeof(void *));

	n->levels = levels;
	return n;
}

struct index *
index_new(void)
{
	struct index *ix = bson_malloc0(sizeof *ix);

	ix->head = node_new(LEVELS);
	ix->random = 88172645463325252ULL;
	return ix;
}

void
index_free(struct index **ixp)
{
	struct index *ix = *ixp;
	struct index_node *n, *next;

	if (!ix)
		return;
	for (n = ix->head; n; n = next) {
		next = n->next[0];
		doc_unref(&n->doc);
		bson_free(n);
	}
	bson_free(ix);
	*ixp = NULL;
}

void
index_key(const struct index_node *n, bson_iter_t *out)
{
	bson_iter_init_from_data_at_offset(out, n->doc->data, n->doc->len, n->key_at, 3);
}

/* Fills before[] with the last node of each level that stands before id (or at it, with after). */
static void
descend(const struct index *ix, const bson_iter_t *id, bool after, struct index_node **before)
{
	struct index_node *n = ix->head, *known = NULL;
	bson_iter_t key;

	for (int l = LEVELS - 1; l >= 0; l--) {
		while (n->next[l] && n->next[l] != known) {
			int c;

			index_key(n->next[l], &key);
			c = value_compare(&key, id);
			if (c > 0 || (c == 0 && !after)) {
				known = n->next[l];
				break;
			}
			n = n->next[l];
		}
		before[l] = n;
	}
}

struct index_node *
index_seek(const struct index *ix, const bson_iter_t *id, bool after)
{
	struct index_node *before[LEVELS];

	if (!id)
		return ix->head->next[0];
	descend(ix, id, after, before);
	return before[0]->next[0];
}

struct index_node *
index_find(const struct index *ix, const bson_iter_t *id)
{
	struct index_node *n = index_seek(ix, id, false);
	bson_iter_t key;

	if (!n)
		return NULL;
	index_key(n, &key);
	return value_compare(&key, id) == 0 ? n : NULL;
}

struct index_node *
index_last(const struct index *ix)
{
	return ix->last;
}

static int
levels_draw(struct index *ix)
{
	int levels = 1;

	ix->random ^= ix->random << 13;
	ix->random ^= ix->random >> 7;
	ix->random ^= ix->random << 17;
	for (uint64_t r = ix->random; (r & 3) == 0 && levels < LEVELS; r >>= 2)
		levels++;
	return levels;
}

static uint32_t
key_offset(const struct doc *d)
{
	bson_iter_t it;

	if (!bson_iter_init_from_data(&it, d->data, d->len) || !bson_iter_find(&it, "_id"))
		return 0;
	return bson_iter_offset(&it);
}

struct index_node *
index_add(struct index *ix, struct doc *d, uint64_t rid, bool again)
{
	struct index_node *before[LEVELS], *n;
	bson_iter_t id, key;
	uint32_t at = key_offset(d);

	bson_iter_init_from_data_at_offset(&id, d->data, d->len, at, 3);
	descend(ix, &id, again, before);
	if (!again && before[0]->next[0]) {
		index_key(before[0]->next[0], &key);
		if (value_compare(&key, &id) == 0)
			return NULL;
	}
	n = node_new(levels_draw(ix));
	n->doc = d;
	n->key_at = at;
	n->rid = rid;
	for (int l = 0; l < n->levels; l++) {
		n->next[l] = before[l]->next[l];
		before[l]->next[l] = n;
	}
	n->prev = before[0] == ix->head ? NULL : before[0];
	if (n->next[0])
		n->next[0]->prev = n;
	else
		ix->last = n;
	return n;
}

void
index_swap(struct index_node *n, struct doc *d)
{
	doc_unref(&n->doc);
	n->doc = d;
	n->key_at = key_offset(d);
}

void
index_remove(struct index *ix, struct index_node *n)
{
	struct index_node *before[LEVELS];
	bson_iter_t id;

	index_key(n, &id);
	descend(ix, &id, false, before);
	for (int l = 0; l < n->levels; l++) {
		/* Others of this _id may stand before it. */
		while (before[l]->next[l] != n)
			before[l] = before[l]->next[l];
		before[l]->next[l] = n->next[l];
	}
	if (n->next[0])
		n->next[0]->prev = n->prev;
	else
		ix->last = n->prev;
	doc_unref(&n->doc);
	bson_free(n);
}
