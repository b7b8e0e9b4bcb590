/* SPDX-License-Identifier: MIT */
/*
 * Commands on databases, collections and indexes: manual, "Administration Commands".
 */
#include "tests/mongo/cmd_read.h"
#include "tests/mongo/cursor.h"
#include "tests/mongo/db.h"
#include "tests/mongo/match.h"

#include <stdio.h>
#include <string.h>

/* A reply with a cursor that holds the whole list at once; the list is freed. */
static void
reply_list(struct cmd *c, const char *coll, struct doc_list *l)
{
	struct ns *ns = ns_new(c->db, coll);
	struct cursor *cur = cursor_new(ns);

	cur->done = true;
	cursor_append_reply(cur, "firstBatch", l, c->reply);
	cursor_free(c->srv, &cur);
	ns_unref(&ns);
	doc_list_free(l);
}

/* Adds b to the list where it passes the command's filter; frees b. */
static void
list_filtered(struct cmd *c, struct doc_list *l, bson_t *b)
{
	bson_iter_t it;
	bson_t filter;

	if (!bson_get(c->body, "filter", &it) || !iter_view(&it, &filter) || match_doc(&filter, b))
		doc_list_add(l, doc_from_bson(b));
	bson_destroy(b);
}

static int
filter_check(struct cmd *c)
{
	bson_iter_t it;
	bson_t filter;

	if (bson_get(c->body, "filter", &it) && iter_view(&it, &filter))
		return match_check(&filter, &c->fail);
	return 0;
}

int
cmd_list_databases(struct cmd *c)
{
	struct doc_list l = {0};
	bson_t arr, view;
	char key[24];

	if (filter_check(c) < 0)
		return -1;
	for (struct collection *k = c->srv->catalog.first; k; k = k->next) {
		struct collection *p = c->srv->catalog.first;
		char db[80];
		bson_t *b;

		bson_strncpy(db, k->ns->full, k->ns->db_len + 1);
		while (p != k && !ns_in_db(p->ns, db))
			p = p->next;
		if (p != k)
			continue;
		b = bson_new();
		bson_append_utf8(b, "name", -1, db, -1);
		bson_append_int64(b, "sizeOnDisk", -1, 8192);
		bson_append_bool(b, "empty", -1, false);
		list_filtered(c, &l, b);
	}
	bson_append_array_begin(c->reply, "databases", -1, &arr);
	for (size_t i = 0; i < l.n; i++) {
		snprintf(key, sizeof key, "%zu", i);
		doc_view(l.at[i], &view);
		bson_append_document(&arr, key, -1, &view);
	}
	bson_append_array_end(c->reply, &arr);
	bson_append_int64(c->reply, "totalSize", -1, 8192 * (int64_t)l.n);
	doc_list_free(&l);
	return 0;
}

static void
append_id_index(bson_t *out)
{
	bson_t key;

	bson_append_int32(out, "v", -1, 2);
	bson_append_document_begin(out, "key", -1, &key);
	bson_append_int32(&key, "_id", 3, 1);
	bson_append_document_end(out, &key);
	bson_append_utf8(out, "name", -1, "_id_", -1);
}

static bson_t *
collection_info(const struct collection *k)
{
	bson_t *b = bson_new(), sub;

	bson_append_utf8(b, "name", -1, ns_coll(k->ns), -1);
	bson_append_utf8(b, "type", -1, "collection", -1);
	bson_append_document_begin(b, "options", -1, &sub);
	bson_append_document_end(b, &sub);
	bson_append_document_begin(b, "info", -1, &sub);
	bson_append_bool(&sub, "readOnly", -1, false);
	bson_append_binary(&sub, "uuid", -1, BSON_SUBTYPE_UUID, k->ns->uuid, 16);
	bson_append_document_end(b, &sub);
	bson_append_document_begin(b, "idIndex", -1, &sub);
	append_id_index(&sub);
	bson_append_document_end(b, &sub);
	return b;
}

int
cmd_list_collections(struct cmd *c)
{
	struct doc_list l = {0};

	if (c->srv->opt.deny_list)
		return read_denied(c);
	if (filter_check(c) < 0)
		return -1;
	for (struct collection *k = c->srv->catalog.first; k; k = k->next)
		if (ns_in_db(k->ns, c->db))
			list_filtered(c, &l, collection_info(k));
	reply_list(c, "$cmd.listCollections", &l);
	return 0;
}

int
cmd_create(struct cmd *c)
{
	static const char *const refused[] = {
	    "capped", "timeseries", "viewOn", "validator", "clusteredIndex", "collation"};
	const char *name = cmd_collection(c);
	bson_iter_t it;

	if (!name || db_names_check(c->db, name, &c->fail) < 0)
		return -1;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (bson_get(c->body, refused[i], &it) &&
		    !(BSON_ITER_HOLDS_BOOL(&it) && !bson_iter_bool(&it)))
			return fail_set(
			    &c->fail, 238, "create's %s is not supported here", refused[i]);
	/* From 7.0 on, creating what is there already with the same options is no error. */
	if (catalog_find(&c->srv->catalog, c->db, name) && c->srv->opt.wire_version < 21)
		return fail_set(&c->fail, 48, "Collection %s.%s already exists.", c->db, name);
	db_collection_make(c->srv, c->db, name);
	return 0;
}

int
cmd_drop(struct cmd *c)
{
	const char *name = cmd_collection(c);
	struct collection *coll;

	if (!name)
		return -1;
	coll = catalog_find(&c->srv->catalog, c->db, name);
	if (!coll)
		return c->srv->opt.wire_version >= 21 ? 0 : fail_set(&c->fail, 26, "ns not found");
	bson_append_int32(c->reply, "nIndexesWas", -1, (int32_t)coll->specs.n + 1);
	bson_append_utf8(c->reply, "ns", -1, coll->ns->full, -1);
	db_drop(c->srv, coll);
	return 0;
}

int
cmd_drop_database(struct cmd *c)
{
	if (db_drop_database(c->srv, c->db))
		bson_append_utf8(c->reply, "dropped", -1, c->db, -1);
	return 0;
}

/* Splits "db.coll" in place of a copy. */
static bool
ns_split(const char *full, char *db, size_t size, const char **coll)
{
	size_t n = strcspn(full, ".");

	if (!full[n] || n >= size)
		return false;
	bson_strncpy(db, full, n + 1);
	*coll = full + n + 1;
	return true;
}

int
cmd_rename_collection(struct cmd *c)
{
	const char *from = bson_str(c->body, c->name), *to = bson_str(c->body, "to");
	char from_db[80], to_db[80];
	const char *from_coll, *to_coll;
	struct collection *coll, *target;

	if (!from || !to || !ns_split(from, from_db, sizeof from_db, &from_coll) ||
	    !ns_split(to, to_db, sizeof to_db, &to_coll))
		return fail_set(&c->fail, 73, "Invalid namespace");
	if (db_names_check(to_db, to_coll, &c->fail) < 0)
		return -1;
	coll = catalog_find(&c->srv->catalog, from_db, from_coll);
	if (!coll)
		return fail_set(&c->fail, 26, "Source collection %s does not exist", from);
	if (strcmp(from_db, to_db) != 0)
		return fail_set(
		    &c->fail, 238, "renaming into another database is not supported here");
	if (strcmp(from, to) == 0)
		return fail_set(&c->fail, 20, "Can't rename a collection to itself");
	target = catalog_find(&c->srv->catalog, to_db, to_coll);
	if (target && !bson_bool(c->body, "dropTarget", false))
		return fail_set(&c->fail, 48, "target namespace exists");
	if (target)
		db_drop(c->srv, target);
	db_rename(c->srv, coll, to_db, to_coll);
	return 0;
}

static bool
index_known(const struct collection *coll, const char *name)
{
	if (strcmp(name, "_id_") == 0)
		return true;
	for (size_t i = 0; i < coll->specs.n; i++) {
		bson_t view;

		doc_view(coll->specs.at[i], &view);
		if (strcmp(bson_str(&view, "name"), name) == 0)
			return true;
	}
	return false;
}

static int
index_spec_add(struct cmd *c, struct collection *coll, const bson_t *spec)
{
	bson_iter_t it;
	bson_t *b;

	if (!bson_get(spec, "key", &it) || !BSON_ITER_HOLDS_DOCUMENT(&it) ||
	    !bson_str(spec, "name"))
		return fail_set(&c->fail, 9, "an index needs a 'key' and a 'name'");
	if (index_known(coll, bson_str(spec, "name")))
		return 0;
	b = bson_new();
	bson_append_int32(b, "v", -1, 2);
	bson_iter_init(&it, spec);
	while (bson_iter_next(&it))
		if (strcmp(bson_iter_key(&it), "v") != 0 && strcmp(bson_iter_key(&it), "ns") != 0)
			bson_append_iter(b, NULL, 0, &it);
	doc_list_add(&coll->specs, doc_from_bson(b));
	bson_destroy(b);
	return 0;
}

/* Indexes but that of _id are only remembered: they enforce nothing, and hold no order. */
int
cmd_create_indexes(struct cmd *c)
{
	const char *name = cmd_collection(c);
	struct collection *coll;
	struct doc_span *specs;
	int32_t before;
	bool made;
	size_t n;
	int r = 0;

	if (!name || db_names_check(c->db, name, &c->fail) < 0 ||
	    cmd_documents(c, "indexes", &specs, &n) < 0)
		return -1;
	made = !catalog_find(&c->srv->catalog, c->db, name);
	coll = db_collection_make(c->srv, c->db, name);
	before = (int32_t)coll->specs.n + 1;
	for (size_t i = 0; r == 0 && i < n; i++) {
		bson_t spec;

		bson_init_static(&spec, specs[i].data, specs[i].len);
		r = index_spec_add(c, coll, &spec);
	}
	bson_free(specs);
	bson_append_int32(c->reply, "numIndexesBefore", -1, before);
	bson_append_int32(c->reply, "numIndexesAfter", -1, (int32_t)coll->specs.n + 1);
	bson_append_bool(c->reply, "createdCollectionAutomatically", -1, made);
	return r;
}

int
cmd_list_indexes(struct cmd *c)
{
	const char *name = cmd_collection(c);
	struct collection *coll;
	struct doc_list l = {0};
	bson_t *b;

	if (!name)
		return -1;
	coll = catalog_find(&c->srv->catalog, c->db, name);
	if (!coll)
		return fail_set(&c->fail, 26, "ns does not exist: %s.%s", c->db, name);
	b = bson_new();
	append_id_index(b);
	doc_list_add(&l, doc_from_bson(b));
	bson_destroy(b);
	for (size_t i = 0; i < coll->specs.n; i++)
		doc_list_add(&l, doc_ref(coll->specs.at[i]));
	reply_list(c, name, &l);
	return 0;
}

int
cmd_drop_indexes(struct cmd *c)
{
	const char *name = cmd_collection(c), *index;
	struct collection *coll;
	size_t to = 0;

	if (!name)
		return -1;
	coll = catalog_find(&c->srv->catalog, c->db, name);
	if (!coll)
		return fail_set(&c->fail, 26, "ns not found %s.%s", c->db, name);
	index = bson_str(c->body, "index");
	if (!index)
		return fail_set(&c->fail, 238, "dropIndexes is supported by name only here");
	if (strcmp(index, "*") != 0 && !index_known(coll, index))
		return fail_set(&c->fail, 27, "index not found with name [%s]", index);
	bson_append_int32(c->reply, "nIndexesWas", -1, (int32_t)coll->specs.n + 1);
	for (size_t i = 0; i < coll->specs.n; i++) {
		bson_t view;

		doc_view(coll->specs.at[i], &view);
		if (strcmp(index, "*") == 0 || strcmp(bson_str(&view, "name"), index) == 0)
			doc_unref(&coll->specs.at[i]);
		else
			coll->specs.at[to++] = coll->specs.at[i];
	}
	coll->specs.n = to;
	return 0;
}

int
cmd_coll_stats(struct cmd *c)
{
	const char *name = cmd_collection(c);
	struct collection *coll;

	if (!name)
		return -1;
	coll = catalog_find(&c->srv->catalog, c->db, name);
	bson_append_utf8(c->reply, "ns", -1, coll ? coll->ns->full : name, -1);
	bson_append_int64(c->reply, "count", -1, coll ? (int64_t)coll->live : 0);
	bson_append_bool(c->reply, "capped", -1, false);
	bson_append_int32(c->reply, "nindexes", -1, coll ? (int32_t)coll->specs.n + 1 : 0);
	return 0;
}
