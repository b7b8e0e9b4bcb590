/* SPDX-License-Identifier: MIT */
#include "ingestd/mongo_change.h"

#include <string.h>

static bool
view_document(const bson_t *raw, const char *name, struct mongo_view *view)
{
	bson_iter_t at;
	bson_t probe;

	if (!bson_iter_init_find(&at, raw, name) || !BSON_ITER_HOLDS_DOCUMENT(&at))
		return false;
	bson_iter_document(&at, &view->length, &view->data);
	return bson_init_static(&probe, view->data, view->length);
}

static const char *
find_text(const bson_t *raw, const char *path)
{
	bson_iter_t at, found;

	if (!bson_iter_init(&at, raw) || !bson_iter_find_descendant(&at, path, &found) ||
	    !BSON_ITER_HOLDS_UTF8(&found))
		return "";
	return bson_iter_utf8(&found, NULL);
}

static int64_t
change_time(const bson_t *raw, struct mongo_change *change)
{
	bson_iter_t at;

	if (bson_iter_init_find(&at, raw, "clusterTime") && BSON_ITER_HOLDS_TIMESTAMP(&at))
		bson_iter_timestamp(&at, &change->time, &change->increment);
	if (bson_iter_init_find(&at, raw, "wallTime") && BSON_ITER_HOLDS_DATE_TIME(&at))
		return bson_iter_date_time(&at);
	return change->time == 0 ? EVENT_NO_TIME : (int64_t)change->time * 1000;
}

/* Is there more in the documentKey than _id, so that the collection is sharded by that? */
static bool
has_shard_key(const bson_t *raw)
{
	bson_iter_t at, inside;

	if (!bson_iter_init_find(&at, raw, "documentKey") || !BSON_ITER_HOLDS_DOCUMENT(&at) ||
	    !bson_iter_recurse(&at, &inside))
		return false;
	while (bson_iter_next(&inside)) {
		if (!BSON_ITER_IS_KEY(&inside, "_id"))
			return true;
	}
	return false;
}

/* {_id} of the deleted document. */
static bool
make_deleted(const bson_t *raw, struct mongo_change *change)
{
	bson_iter_t at, id;

	if (!bson_iter_init(&at, raw) || !bson_iter_find_descendant(&at, "documentKey._id", &id))
		return false;
	change->deleted = bson_new();
	bson_append_iter(change->deleted, "_id", 3, &id);
	change->doc.data = bson_get_data(change->deleted);
	change->doc.length = change->deleted->len;
	return true;
}

static void
read_document_change(const bson_t *raw, bool is_form, struct mongo_change *change)
{
	bool is_deleted = strcmp(change->type, "delete") == 0;

	change->op = is_form ? EVENT_FORM : EVENT_RESPONSE;
	if (!is_deleted && view_document(raw, "fullDocument", &change->doc)) {
		change->kind = CHANGE_EVENT;
	} else if (has_shard_key(raw)) {
		change->kind = make_deleted(raw, change) ? CHANGE_LOOKUP : CHANGE_NOTHING;
	} else if (is_deleted && make_deleted(raw, change)) {
		change->op = is_form ? EVENT_FORM_DELETED : EVENT_RESPONSE_DELETED;
		change->kind = CHANGE_EVENT;
	}
	/* An update whose document is gone by now brings none; its deletion follows. */
}

int
mongo_change_read(const bson_t *raw, const struct mongo_origin *origin, struct mongo_change *change)
{
	static const char *const documents[] = {"insert", "replace", "update", "delete"};
	static const char *const structures[] = {"drop", "rename", "dropDatabase"};
	bool is_form, is_response;

	memset(change, 0, sizeof(*change));
	if (!view_document(raw, "_id", &change->token))
		return -1;
	change->kind = CHANGE_NOTHING;
	change->type = find_text(raw, "operationType");
	change->collection = find_text(raw, "ns.coll");
	change->at = change_time(raw, change);
	is_form = strcmp(change->collection, origin->forms) == 0;
	is_response = strcmp(change->collection, origin->responses) == 0;
	if (strcmp(change->type, "invalidate") == 0)
		change->kind = CHANGE_INVALIDATE;
	for (size_t i = 0; i < ARRAY_SIZE(structures); i++) {
		if (strcmp(change->type, structures[i]) == 0)
			change->kind = CHANGE_STRUCTURE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(documents) && (is_form || is_response); i++) {
		if (strcmp(change->type, documents[i]) == 0)
			read_document_change(raw, is_form, change);
	}
	return 0;
}

void
mongo_change_clear(struct mongo_change *change)
{
	bson_destroy(change->deleted);
	change->deleted = NULL;
}

bool
mongo_change_ends_stream(const struct mongo_change *change)
{
	return change->kind == CHANGE_STRUCTURE || change->kind == CHANGE_INVALIDATE;
}

static int64_t
find_number(const bson_t *raw, const char *path)
{
	bson_iter_t at, found;

	if (!bson_iter_init(&at, raw) || !bson_iter_find_descendant(&at, path, &found))
		return 0;
	return bson_iter_as_int64(&found);
}

/* Members of their own, but for _id and splitEvent, which each part has. */
static void
add_members(bson_t *parts, const bson_t *raw, bool last)
{
	bson_iter_t at;

	if (!bson_iter_init(&at, raw))
		return;
	while (bson_iter_next(&at)) {
		if (BSON_ITER_IS_KEY(&at, "splitEvent") || (BSON_ITER_IS_KEY(&at, "_id") && !last))
			continue;
		bson_append_iter(parts, NULL, 0, &at);
	}
}

bool
mongo_change_join(const bson_t *raw, bson_t **parts, bool *last)
{
	int64_t fragment = find_number(raw, "splitEvent.fragment");

	if (fragment == 0)
		return false;
	if (fragment == 1) {
		bson_destroy(*parts);
		*parts = NULL;
	}
	if (*parts == NULL)
		*parts = bson_new();
	*last = fragment == find_number(raw, "splitEvent.of");
	add_members(*parts, raw, *last);
	return true;
}
