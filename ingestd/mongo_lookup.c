/* SPDX-License-Identifier: MIT */
/* What stands under an _id, for changes that do not tell it. In a sharded collection whose
 * documents are known by more than their _id, a document that another shard is to have is
 * deleted in one and inserted in the other, and the stream may tell so in any order; an update
 * that changes the shard key may find no document any more. So neither says that the _id is
 * gone. A majority at the time of the change does: what is there then, or was changed later,
 * comes to the same in the end, since later changes come too. */
#include <stdio.h>
#include <string.h>

#include "ingestd/mongo_worker.h"
#include "lib/log.h"

/* {find, filter: {_id: {$eq: …}}, limit: 2, …}: a value of any type, and a regular expression is
 * one. */
static void
make_find(const char *collection, const struct mongo_change *change, const bson_iter_t *id,
    bson_t *command)
{
	bson_t filter, equal, concern;

	BSON_APPEND_UTF8(command, "find", collection);
	BSON_APPEND_DOCUMENT_BEGIN(command, "filter", &filter);
	BSON_APPEND_DOCUMENT_BEGIN(&filter, "_id", &equal);
	bson_append_iter(&equal, "$eq", 3, id);
	bson_append_document_end(&filter, &equal);
	bson_append_document_end(command, &filter);
	BSON_APPEND_INT32(command, "limit", 2);
	BSON_APPEND_BOOL(command, "singleBatch", true);
	BSON_APPEND_DOCUMENT_BEGIN(command, "readConcern", &concern);
	BSON_APPEND_UTF8(&concern, "level", "majority");
	if (change->time != 0)
		BSON_APPEND_TIMESTAMP(
		    &concern, "afterClusterTime", change->time, change->increment);
	bson_append_document_end(command, &concern);
}

void
mongo_lookup_warn(const struct mongo_worker *worker, const bson_t *doc)
{
	static struct log_limit limit = LOG_LIMIT(3, 10000);
	bson_t one = BSON_INITIALIZER;
	bson_iter_t id;
	char *text;

	if (bson_iter_init_find(&id, doc, "_id"))
		bson_append_iter(&one, "_id", 3, &id);
	text = bson_as_relaxed_extended_json(&one, NULL);
	log_limited(&limit, LOG_WARN,
	    "%s: two shards have a document of the same _id, of which one counts: %s", worker->name,
	    text ? text : "");
	bson_free(text);
	bson_destroy(&one);
}

int
mongo_lookup(struct mongo_worker *worker, const struct mongo_change *change, bson_t **doc,
    struct mongo_error *error)
{
	bson_t command = BSON_INITIALIZER, found;
	struct mongo_cursor cursor;
	bson_iter_t id;
	int result;

	*doc = NULL;
	if (!bson_iter_init_find(&id, change->deleted, "_id"))
		return 0;
	make_find(change->collection, change, &id, &command);
	result = mongo_cursor_open(&cursor, worker->client, &command, error);
	bson_destroy(&command);
	if (result < 0)
		return -1;
	while (mongo_cursor_next(&cursor, &found)) {
		if (*doc)
			mongo_lookup_warn(worker, &found);
		else
			*doc = bson_copy(&found);
	}
	mongo_cursor_close(&cursor);
	return 0;
}
