/* SPDX-License-Identifier: MIT */
#include "tests/mongo/collection.h"
#include "tests/mongo/compare.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

struct ns *
ns_new(const char *db, const char *coll)
{
	size_t a = strlen(db), b = strlen(coll);
	struct ns *n = bson_malloc0(sizeof *n + a + b + 2);

	n->refs = 1;
	n->db_len = a;
	snprintf(n->full, a + b + 2, b ? "%s.%s" : "%s%s", db, coll);
	return n;
}

struct ns *
ns_ref(struct ns *n)
{
	if (n)
		n->refs++;
	return n;
}

void
ns_unref(struct ns **n)
{
	if (*n && --(*n)->refs == 0)
		bson_free(*n);
	*n = NULL;
}

const char *
ns_coll(const struct ns *n)
{
	return n->full[n->db_len] ? n->full + n->db_len + 1 : "";
}

bool
ns_in_db(const struct ns *n, const char *db)
{
	return strlen(db) == n->db_len && memcmp(n->full, db, n->db_len) == 0;
}

struct collection *
catalog_find(const struct catalog *c, const char *db, const char *coll)
{
	struct collection *k;

	for (k = c->first; k; k = k->next)
		if (ns_in_db(k->ns, db) && strcmp(ns_coll(k->ns), coll) == 0)
			return k;
	return NULL;
}

static void
uuid_draw(struct ns *ns)
{
	if (getrandom(ns->uuid, sizeof ns->uuid, 0) != sizeof ns->uuid)
		memset(ns->uuid, 0x5a, sizeof ns->uuid);
	ns->uuid[6] = (uint8_t)((ns->uuid[6] & 0x0f) | 0x40);
	ns->uuid[8] = (uint8_t)((ns->uuid[8] & 0x3f) | 0x80);
	ns->has_uuid = true;
}

struct collection *
catalog_create(struct catalog *c, const char *db, const char *coll)
{
	struct collection *k = bson_malloc0(sizeof *k), **end = &c->first;

	k->ns = ns_new(db, coll);
	uuid_draw(k->ns);
	k->by_id = index_new();
	k->next_rid = 1;
	while (*end)
		end = &(*end)->next;
	*end = k;
	return k;
}

void
catalog_drop(struct catalog *c, struct collection *coll)
{
	struct collection **at = &c->first;

	while (*at != coll)
		at = &(*at)->next;
	*at = coll->next;
	index_free(&coll->by_id);
	bson_free(coll->records);
	doc_list_free(&coll->specs);
	ns_unref(&coll->ns);
	doc_unref(&coll->shard_key);
	bson_free(coll);
}

void
catalog_rename(struct collection *coll, const char *db, const char *name)
{
	struct ns *ns = ns_new(db, name);

	memcpy(ns->uuid, coll->ns->uuid, sizeof ns->uuid);
	ns->has_uuid = true;
	ns_unref(&coll->ns);
	coll->ns = ns;
}

void
catalog_free(struct catalog *c)
{
	while (c->first)
		catalog_drop(c, c->first);
}

struct doc *
collection_key(const struct collection *c, const struct doc *d)
{
	bson_t view, pattern, *key = bson_new();
	bson_iter_t it, at, found;
	struct doc *r;

	doc_view(d, &view);
	if (c->shard_key) {
		doc_view(c->shard_key, &pattern);
		bson_iter_init(&it, &pattern);
		while (bson_iter_next(&it))
			if (bson_iter_init(&at, &view) &&
			    bson_iter_find_descendant(&at, bson_iter_key(&it), &found))
				bson_append_iter(key, bson_iter_key(&it), -1, &found);
	}
	if (!bson_get(key, "_id", &it) && bson_get(&view, "_id", &it))
		bson_append_iter(key, "_id", 3, &it);
	r = doc_from_bson(key);
	bson_destroy(key);
	return r;
}

static bool
has_key(const struct collection *c, const struct doc *d, const struct doc *key)
{
	struct doc *own = collection_key(c, d);
	bool same = own->len == key->len && memcmp(own->data, key->data, key->len) == 0;

	doc_unref(&own);
	return same;
}

struct index_node *
collection_find_key(const struct collection *c, const struct doc *key)
{
	struct index_node *n;
	bson_iter_t id, other;
	bson_t view;

	doc_view(key, &view);
	if (!bson_get(&view, "_id", &id))
		return NULL;
	n = index_find(c->by_id, &id);
	if (!c->shard_key)
		return n;
	for (; n; n = n->next[0]) {
		index_key(n, &other);
		if (value_compare(&other, &id) != 0)
			return NULL;
		if (has_key(c, n->doc, key))
			return n;
	}
	return NULL;
}

void
collection_shard(struct collection *c, struct doc *key, enum shard_move move)
{
	doc_unref(&c->shard_key);
	c->shard_key = doc_ref(key);
	c->move = move;
}

static bool
is_duplicate(const struct collection *c, const struct doc *d)
{
	struct doc *key = collection_key(c, d);
	bool is = collection_find_key(c, key) != NULL;

	doc_unref(&key);
	return is;
}

/* The place of the first record with a rid >= rid. */
static size_t
place_of(const struct collection *c, uint64_t rid)
{
	size_t lo = 0, hi = c->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->records[mid].rid < rid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
records_grow(struct collection *c)
{
	if (c->n < c->cap)
		return;
	c->cap = c->cap ? c->cap * 2 : 64;
	c->records = bson_realloc(c->records, c->cap * sizeof *c->records);
}

bool
collection_insert(struct collection *c, struct doc *d)
{
	if (c->shard_key && is_duplicate(c, d))
		return false;
	if (!index_add(c->by_id, d, c->next_rid, c->shard_key != NULL))
		return false;
	doc_ref(d);
	records_grow(c);
	c->records[c->n++] = (struct record){c->next_rid++, d};
	c->live++;
	c->changes++;
	return true;
}

void
collection_restore(struct collection *c, struct doc *d, uint64_t rid)
{
	size_t at = place_of(c, rid);

	if (!index_add(c->by_id, d, rid, c->shard_key != NULL))
		return;
	doc_ref(d);
	if (at == c->n || c->records[at].rid != rid) {
		records_grow(c);
		memmove(c->records + at + 1, c->records + at, (c->n - at) * sizeof *c->records);
		c->records[at].rid = rid;
		c->n++;
	}
	c->records[at].doc = d;
	c->live++;
	c->changes++;
}

void
collection_replace(struct collection *c, struct index_node *n, struct doc *d)
{
	c->records[place_of(c, n->rid)].doc = d;
	index_swap(n, doc_ref(d));
}

/* Squeezes out the dead once they are the greater part. */
static void
records_compact(struct collection *c)
{
	size_t to = 0;

	if (c->n < 256 || c->live * 2 > c->n)
		return;
	for (size_t i = 0; i < c->n; i++)
		if (c->records[i].doc)
			c->records[to++] = c->records[i];
	c->n = to;
}

void
collection_remove(struct collection *c, struct index_node *n)
{
	c->records[place_of(c, n->rid)].doc = NULL;
	c->live--;
	c->changes++;
	index_remove(c->by_id, n);
	records_compact(c);
}

const struct record *
collection_scan(const struct collection *c, uint64_t rid)
{
	for (size_t i = place_of(c, rid); i < c->n; i++)
		if (c->records[i].doc)
			return &c->records[i];
	return NULL;
}
