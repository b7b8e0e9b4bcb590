/* SPDX-License-Identifier: MIT */
/*
 * insert and delete: manual, "insert" and "delete" (database commands).
 */
#include "tests/mongo/cmd_write.h"
#include "tests/mongo/db.h"
#include "tests/mongo/match.h"
#include "tests/mongo/scan.h"

#include <stdio.h>
#include <string.h>

void
write_errors_init(struct write_errors *e, bool ordered)
{
	e->ordered = ordered;
	e->n = 0;
	e->list = bson_new();
}

void
write_errors_add(struct write_errors *e, size_t index, const struct fail *f, const struct doc *dup)
{
	char key[24];
	bson_t sub, view, pattern;

	snprintf(key, sizeof key, "%zu", e->n++);
	bson_append_document_begin(e->list, key, -1, &sub);
	bson_append_int32(&sub, "index", -1, (int32_t)index);
	bson_append_int32(&sub, "code", -1, f->code);
	if (dup) {
		bson_append_document_begin(&sub, "keyPattern", -1, &pattern);
		bson_append_int32(&pattern, "_id", 3, 1);
		bson_append_document_end(&sub, &pattern);
		doc_view(dup, &view);
		bson_append_document(&sub, "keyValue", -1, &view);
	}
	bson_append_utf8(&sub, "errmsg", -1, f->text, -1);
	bson_append_document_end(e->list, &sub);
}

void
write_errors_finish(struct write_errors *e, bson_t *reply)
{
	if (e->n)
		bson_append_array(reply, "writeErrors", -1, e->list);
	bson_destroy(e->list);
	e->list = NULL;
}

/* The text of a value in an E11000 message. */
static void
value_text(const bson_iter_t *v, char *out, size_t size)
{
	char oid[25], *json;
	bson_t *b;

	switch (bson_iter_type(v)) {
	case BSON_TYPE_OID:
		bson_oid_to_string(bson_iter_oid(v), oid);
		snprintf(out, size, "ObjectId('%s')", oid);
		return;
	case BSON_TYPE_UTF8:
		snprintf(out, size, "\"%s\"", bson_iter_utf8(v, NULL));
		return;
	default:
		b = bson_new();
		bson_append_iter(b, "v", 1, v);
		json = bson_as_relaxed_extended_json(b, NULL);
		if (json && strlen(json) > 10)
			snprintf(out, size, "%.*s", (int)strlen(json) - 10, json + 8);
		else
			snprintf(out, size, "?");
		bson_free(json);
		bson_destroy(b);
	}
}

void
duplicate_fail(struct fail *f, const char *db, const char *coll, const struct doc *key)
{
	char text[200];
	bson_iter_t id;
	bson_t view;

	doc_view(key, &view);
	bson_get(&view, "_id", &id);
	value_text(&id, text, sizeof text);
	fail_fill(f, 11000,
	    "E11000 duplicate key error collection: %s.%s index: _id_ dup key: "
	    "{ _id: %s }",
	    db, coll, text);
}

struct doc *
doc_prepare(const bson_t *in, struct fail *f)
{
	bson_iter_t id, it;
	bool has = bson_get(in, "_id", &id);
	bson_t *out;
	struct doc *d;
	bson_oid_t oid;

	if (in->len > MAX_DOC_BYTES) {
		fail_fill(f, 10334, "object to insert too large. size in bytes: %u, max size: %d",
		    in->len, MAX_DOC_BYTES);
		return NULL;
	}
	if (has &&
	    (BSON_ITER_HOLDS_ARRAY(&id) || BSON_ITER_HOLDS_REGEX(&id) ||
		BSON_ITER_HOLDS_UNDEFINED(&id))) {
		fail_fill(f, BSON_ITER_HOLDS_ARRAY(&id) ? 53 : 2,
		    "The '_id' value cannot be of type %s", type_name(bson_iter_type(&id)));
		return NULL;
	}
	bson_iter_init(&it, in);
	if (has && bson_iter_next(&it) && strcmp(bson_iter_key(&it), "_id") == 0)
		return doc_from_bson(in);
	/* The server puts _id first, and makes one where there is none. */
	out = bson_new();
	if (has) {
		bson_append_iter(out, "_id", 3, &id);
	} else {
		bson_oid_init(&oid, NULL);
		bson_append_oid(out, "_id", 3, &oid);
	}
	bson_iter_init(&it, in);
	while (bson_iter_next(&it))
		if (strcmp(bson_iter_key(&it), "_id") != 0)
			bson_append_iter(out, NULL, 0, &it);
	d = doc_from_bson(out);
	bson_destroy(out);
	return d;
}

static bool
insert_one(struct cmd *c, struct collection *coll, const struct doc_span *s, size_t index,
    struct write_errors *errors)
{
	struct fail f = {0};
	struct doc *d, *key;
	bson_t view;
	bool ok;

	bson_init_static(&view, s->data, s->len);
	d = doc_prepare(&view, &f);
	if (!d) {
		write_errors_add(errors, index, &f, NULL);
		return false;
	}
	ok = db_insert(c->srv, coll, d);
	if (!ok) {
		key = db_key(d);
		duplicate_fail(&f, c->db, ns_coll(coll->ns), key);
		write_errors_add(errors, index, &f, key);
		doc_unref(&key);
	}
	doc_unref(&d);
	return ok;
}

int
cmd_insert(struct cmd *c)
{
	const char *name = cmd_collection(c);
	struct write_errors errors;
	struct collection *coll;
	struct doc_span *docs;
	int32_t done = 0;
	size_t n;

	if (!name || db_names_check(c->db, name, &c->fail) < 0 ||
	    cmd_documents(c, "documents", &docs, &n) < 0)
		return -1;
	coll = db_collection_make(c->srv, c->db, name);
	write_errors_init(&errors, bson_bool(c->body, "ordered", true));
	for (size_t i = 0; i < n; i++) {
		if (insert_one(c, coll, &docs[i], i, &errors))
			done++;
		else if (errors.ordered)
			break;
	}
	bson_free(docs);
	bson_append_int32(c->reply, "n", -1, done);
	write_errors_finish(&errors, c->reply);
	return 0;
}

void
targets_collect(struct collection *coll, const bson_t *filter, bool one, struct doc_list *out)
{
	struct scan *s = scan_new(filter, false, NULL, NULL);
	struct doc *d;

	while ((d = scan_next(s, coll))) {
		doc_list_add(out, doc_ref(d));
		if (one)
			break;
	}
	scan_free(&s);
}

struct index_node *
target_node(struct collection *coll, const struct doc *d)
{
	struct doc *key = collection_key(coll, d);
	struct index_node *n = collection_find_key(coll, key);

	doc_unref(&key);
	return n;
}

static int
delete_one_statement(struct cmd *c, const char *name, const bson_t *st, struct fail *f)
{
	struct collection *coll = catalog_find(&c->srv->catalog, c->db, name);
	struct doc_list l = {0};
	bson_iter_t it;
	bson_t q;
	int64_t limit;
	int n;

	if (!bson_get(st, "q", &it) || !BSON_ITER_HOLDS_DOCUMENT(&it))
		return fail_set(
		    f, 40414, "BSON field 'delete.deletes.q' is missing but a required field");
	iter_view(&it, &q);
	limit = bson_number(st, "limit", -1);
	if (limit != 0 && limit != 1)
		return fail_set(f, 9, "The limit field in delete objects must be 0 or 1. Got %lld",
		    (long long)limit);
	if (bson_get(st, "collation", &it))
		return fail_set(f, 238, "collations are not supported here");
	if (match_check(&q, f) < 0)
		return -1;
	if (!coll)
		return 0;
	targets_collect(coll, &q, limit == 1, &l);
	for (size_t i = 0; i < l.n; i++)
		db_delete(c->srv, coll, target_node(coll, l.at[i]));
	n = (int)l.n;
	doc_list_free(&l);
	return n;
}

int
cmd_delete(struct cmd *c)
{
	const char *name = cmd_collection(c);
	struct write_errors errors;
	struct doc_span *sts;
	int32_t done = 0;
	size_t n;

	if (!name || db_names_check(c->db, name, &c->fail) < 0 ||
	    cmd_documents(c, "deletes", &sts, &n) < 0)
		return -1;
	write_errors_init(&errors, bson_bool(c->body, "ordered", true));
	for (size_t i = 0; i < n; i++) {
		struct fail f = {0};
		bson_t st;
		int r;

		bson_init_static(&st, sts[i].data, sts[i].len);
		r = delete_one_statement(c, name, &st, &f);
		if (r >= 0) {
			done += r;
			continue;
		}
		write_errors_add(&errors, i, &f, NULL);
		if (errors.ordered)
			break;
	}
	bson_free(sts);
	bson_append_int32(c->reply, "n", -1, done);
	write_errors_finish(&errors, c->reply);
	return 0;
}
