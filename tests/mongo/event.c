/* SPDX-License-Identifier: MIT */
#include "tests/mongo/event.h"
#include "tests/mongo/token.h"

#include <string.h>

static const char *const op_names[] = {
    [OP_INSERT] = "insert",
    [OP_UPDATE] = "update",
    [OP_REPLACE] = "replace",
    [OP_DELETE] = "delete",
    [OP_DROP] = "drop",
    [OP_RENAME] = "rename",
    [OP_DROP_DATABASE] = "dropDatabase",
};

static void
append_ns(bson_t *out, const char *key, const struct ns *ns)
{
	bson_t sub;

	bson_append_document_begin(out, key, -1, &sub);
	bson_append_utf8(&sub, "db", 2, ns->full, (int)ns->db_len);
	if (*ns_coll(ns))
		bson_append_utf8(&sub, "coll", 4, ns_coll(ns), -1);
	bson_append_document_end(out, &sub);
}

static void
append_doc(bson_t *out, const char *key, const struct doc *d)
{
	bson_t view;

	doc_view(d, &view);
	bson_append_document(out, key, -1, &view);
}

/* The document as it is now; null where it, or its collection, is gone. */
static void
append_lookup(bson_t *out, const struct entry *e, const struct catalog *catalog)
{
	struct collection *c;
	struct index_node *n = NULL;

	/* The lookup goes by the collection's UUID, so a renamed collection is found. */
	for (c = catalog->first; c; c = c->next)
		if (memcmp(c->ns->uuid, e->ns->uuid, sizeof e->ns->uuid) == 0)
			break;
	/* By the whole documentKey: where that has changed since, nothing is found. */
	if (c)
		n = collection_find_key(c, e->key);
	if (n)
		append_doc(out, "fullDocument", n->doc);
	else
		bson_append_null(out, "fullDocument", -1);
}

static void
append_update(bson_t *out, const struct entry *e, const struct event_options *o)
{
	bson_t desc, sub, list;
	bson_iter_t it;

	doc_view(e->desc, &desc);
	bson_append_document_begin(out, "updateDescription", -1, &sub);
	bson_iter_init(&it, &desc);
	while (bson_iter_next(&it))
		bson_append_iter(&sub, NULL, 0, &it);
	if (o->wire_version >= 9) {
		bson_append_array_begin(&sub, "truncatedArrays", -1, &list);
		bson_append_array_end(&sub, &list);
	}
	bson_append_document_end(out, &sub);
}

static void
append_head(bson_t *out, const struct entry *e, bool invalidate, const struct event_options *o)
{
	char token[TOKEN_TEXT];
	bson_t sub;

	token_event(e, invalidate, token);
	bson_append_document_begin(out, "_id", 3, &sub);
	bson_append_utf8(&sub, "_data", 5, token, -1);
	bson_append_document_end(out, &sub);
	bson_append_utf8(out, "operationType", -1, invalidate ? "invalidate" : op_names[e->op], -1);
	bson_append_timestamp(out, "clusterTime", -1, TS_SEC(e->ts), TS_INC(e->ts));
	if (o->wire_version >= 17)
		bson_append_date_time(out, "wallTime", -1, e->wall);
}

void
event_build(const struct entry *e, bool invalidate, const struct event_options *o, bson_t *out)
{
	bson_iter_t it;
	bson_t view;

	append_head(out, e, invalidate, o);
	if (invalidate)
		return;
	if (e->txn) {
		doc_view(e->txn, &view);
		bson_iter_init(&it, &view);
		while (bson_iter_next(&it))
			bson_append_iter(out, NULL, 0, &it);
	}
	if (e->op == OP_INSERT || e->op == OP_REPLACE)
		append_doc(out, "fullDocument", e->doc);
	else if (e->op == OP_UPDATE && o->lookup)
		append_lookup(out, e, o->catalog);
	else if (e->op == OP_UPDATE && o->when_available)
		bson_append_null(out, "fullDocument", -1);
	append_ns(out, "ns", e->ns);
	if (e->to)
		append_ns(out, "to", e->to);
	if (e->key)
		append_doc(out, "documentKey", e->key);
	if (e->op == OP_UPDATE)
		append_update(out, e, o);
	if (o->pre_image && (e->op == OP_UPDATE || e->op == OP_REPLACE || e->op == OP_DELETE))
		bson_append_null(out, "fullDocumentBeforeChange", -1);
}
