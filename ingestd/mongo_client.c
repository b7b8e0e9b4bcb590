/* SPDX-License-Identifier: MIT */
#include "ingestd/mongo_client.h"

#include <stdio.h>
#include <string.h>

#include "ingestd/mongo_position.h"
#include "lib/mem.h"

/* Documents in one reply: enough to be fast, few enough that a reply is short. */
#define BATCH_SIZE 1000

struct mongo_client {
	bson_t *options; /* serverId and the session, for every command */
	mongoc_client_t *client;
	mongoc_client_session_t *session;
	const char *database;
	char set[128];
	int wire_version;
	bool is_mongos;
};

/* ---- errors ---- */

static enum mongo_error_kind
kind_of(const bson_error_t *from)
{
	switch (from->domain) {
	case MONGOC_ERROR_SERVER:
	case MONGOC_ERROR_QUERY:
	case MONGOC_ERROR_COMMAND:
		return MONGO_SERVER;
	case MONGOC_ERROR_SERVER_SELECTION:
		return mongo_error_is_certificate(from->message) ? MONGO_CERTIFICATE
								 : MONGO_UNREACHABLE;
	case MONGOC_ERROR_STREAM:
	case MONGOC_ERROR_PROTOCOL:
		return MONGO_NETWORK;
	default:
		return MONGO_CLIENT;
	}
}

static void
error_fill(struct mongo_error *error, const bson_error_t *from, const bson_t *reply)
{
	memset(error, 0, sizeof(*error));
	error->kind = kind_of(from);
	error->code = (int)from->code;
	/* libmongoc gives failed log-ins a domain of their own, and drops the server's code. */
	if ((from->domain == MONGOC_ERROR_CLIENT &&
		from->code == MONGOC_ERROR_CLIENT_AUTHENTICATE) ||
	    from->domain == MONGOC_ERROR_SCRAM || from->domain == MONGOC_ERROR_SASL) {
		error->kind = MONGO_SERVER;
		error->code = 18;
	}
	if (reply) {
		error->resumable = mongoc_error_has_label(reply, "ResumableChangeStreamError");
		error->non_resumable = mongoc_error_has_label(
		    reply, "NonResumableChangeStreamError");
	}
	snprintf(error->message, sizeof(error->message), "%s", from->message);
}

static void
error_kind(struct mongo_error *error, enum mongo_error_kind kind, const char *message)
{
	memset(error, 0, sizeof(*error));
	error->kind = kind;
	snprintf(error->message, sizeof(error->message), "%s", message);
}

/* ---- the connection ---- */

static void
read_hello(struct mongo_client *client, const mongoc_server_description_t *server)
{
	const bson_t *hello = mongoc_server_description_hello_response(server);
	bson_iter_t at;

	if (bson_iter_init_find(&at, hello, "setName") && BSON_ITER_HOLDS_UTF8(&at))
		snprintf(client->set, sizeof(client->set), "%s", bson_iter_utf8(&at, NULL));
	if (bson_iter_init_find(&at, hello, "maxWireVersion"))
		client->wire_version = (int)bson_iter_as_int64(&at);
}

/* 0 when the server can serve change streams. */
static int
check_type(const char *type, struct mongo_error *error)
{
	if (strcmp(type, "Standalone") == 0)
		error_kind(error, MONGO_STANDALONE, type);
	else if (strcmp(type, "RSGhost") == 0)
		error_kind(error, MONGO_UNINITIATED, type);
	else
		return 0;
	return -1;
}

/* Picks the server that all commands go to, and starts the session. */
static int
client_connect(struct mongo_client *client, struct mongo_error *error)
{
	const mongoc_read_prefs_t *prefs = mongoc_client_get_read_prefs(client->client);
	mongoc_session_opt_t *options;
	mongoc_server_description_t *server;
	bson_error_t from;
	int type;

	server = mongoc_client_select_server(client->client, false, prefs, &from);
	if (!server) {
		error_fill(error, &from, NULL);
		return -1;
	}
	read_hello(client, server);
	BSON_APPEND_INT32(
	    client->options, "serverId", (int32_t)mongoc_server_description_id(server));
	client->is_mongos = strcmp(mongoc_server_description_type(server), "Mongos") == 0;
	type = check_type(mongoc_server_description_type(server), error);
	mongoc_server_description_destroy(server);
	if (type < 0)
		return -1;
	options = mongoc_session_opts_new();
	mongoc_session_opts_set_causal_consistency(options, false);
	client->session = mongoc_client_start_session(client->client, options, &from);
	mongoc_session_opts_destroy(options);
	if (!client->session ||
	    !mongoc_client_session_append(client->session, client->options, &from)) {
		error_fill(error, &from, NULL);
		return -1;
	}
	return 0;
}

struct mongo_client *
mongo_client_new(const mongoc_uri_t *uri, struct mongo_error *error)
{
	struct mongo_client *client = mem_zalloc(sizeof(*client));
	bson_error_t from;

	client->options = bson_new();
	client->database = mongoc_uri_get_database(uri);
	client->client = mongoc_client_new_from_uri_with_error(uri, &from);
	if (!client->client) {
		/* A name that DNS does not know, for mongodb+srv. */
		error_kind(error, MONGO_UNREACHABLE, from.message);
		mongo_client_free(&client);
		return NULL;
	}
	mongoc_client_set_error_api(client->client, MONGOC_ERROR_API_VERSION_2);
	if (client_connect(client, error) < 0)
		mongo_client_free(&client);
	return client;
}

void
mongo_client_free(struct mongo_client **pointer)
{
	struct mongo_client *client = *pointer;

	if (!client)
		return;
	if (client->session)
		mongoc_client_session_destroy(client->session);
	if (client->client)
		mongoc_client_destroy(client->client);
	bson_destroy(client->options);
	MEM_FREE(pointer);
}

const char *
mongo_client_set_name(const struct mongo_client *client)
{
	return client->set;
}

bool
mongo_client_is_mongos(const struct mongo_client *client)
{
	return client->is_mongos;
}

int
mongo_client_wire_version(const struct mongo_client *client)
{
	return client->wire_version;
}

bson_t *
mongo_client_command(struct mongo_client *client, const bson_t *command, struct mongo_error *error)
{
	bson_t reply, *copy = NULL;
	bson_error_t from;

	if (mongoc_client_command_with_opts(client->client, client->database, command,
		mongoc_client_get_read_prefs(client->client), client->options, &reply, &from))
		copy = bson_copy(&reply);
	else
		error_fill(error, &from, &reply);
	bson_destroy(&reply);
	return copy;
}

/* ---- cursors ---- */

static void
drop_reply(struct mongo_cursor *cursor)
{
	bson_destroy(cursor->reply);
	cursor->reply = NULL;
	cursor->batch = cursor->token = NULL;
	cursor->batch_at = 0;
}

static void
read_member(struct mongo_cursor *cursor, const bson_iter_t *at)
{
	if (BSON_ITER_IS_KEY(at, "id")) {
		cursor->id = bson_iter_as_int64(at);
	} else if (BSON_ITER_IS_KEY(at, "ns") && BSON_ITER_HOLDS_UTF8(at)) {
		const char *dot = strchr(bson_iter_utf8(at, NULL), '.');

		snprintf(cursor->collection, sizeof(cursor->collection), "%s", dot ? dot + 1 : "");
	} else if ((BSON_ITER_IS_KEY(at, "firstBatch") || BSON_ITER_IS_KEY(at, "nextBatch")) &&
	    BSON_ITER_HOLDS_ARRAY(at)) {
		bson_iter_array(at, &cursor->batch_length, &cursor->batch);
	} else if (BSON_ITER_IS_KEY(at, "postBatchResumeToken") && BSON_ITER_HOLDS_DOCUMENT(at)) {
		bson_iter_document(at, &cursor->token_length, &cursor->token);
	}
}

static int
run(struct mongo_cursor *cursor, const bson_t *command, struct mongo_error *error)
{
	bson_iter_t at, inside;

	drop_reply(cursor);
	cursor->reply = mongo_client_command(cursor->client, command, error);
	if (!cursor->reply)
		return -1;
	if (bson_iter_init_find(&at, cursor->reply, "cursor") && bson_iter_recurse(&at, &inside)) {
		while (bson_iter_next(&inside))
			read_member(cursor, &inside);
	}
	if (cursor->batch)
		return 0;
	error_kind(error, MONGO_NETWORK, "a reply without a batch");
	drop_reply(cursor);
	return -1;
}

int
mongo_cursor_open(struct mongo_cursor *cursor, struct mongo_client *client, const bson_t *command,
    struct mongo_error *error)
{
	memset(cursor, 0, sizeof(*cursor));
	cursor->client = client;
	return run(cursor, command, error);
}

int
mongo_cursor_more(struct mongo_cursor *cursor, int64_t max_time_ms, struct mongo_error *error)
{
	bson_t command = BSON_INITIALIZER;
	int result;

	BSON_APPEND_INT64(&command, "getMore", cursor->id);
	BSON_APPEND_UTF8(&command, "collection", cursor->collection);
	BSON_APPEND_INT32(&command, "batchSize", BATCH_SIZE);
	if (max_time_ms > 0)
		BSON_APPEND_INT64(&command, "maxTimeMS", max_time_ms);
	result = run(cursor, &command, error);
	bson_destroy(&command);
	if (result < 0 && error->kind == MONGO_SERVER)
		mongo_cursor_close(cursor);
	cursor->id = result < 0 ? 0 : cursor->id;
	return result;
}

/* From the last one on, or from the beginning. */
static bool
resume(const struct mongo_cursor *cursor, bson_iter_t *at)
{
	if (!cursor->batch)
		return false;
	if (cursor->batch_at == 0)
		return bson_iter_init_from_data(at, cursor->batch, cursor->batch_length);
	return bson_iter_init_from_data_at_offset(at, cursor->batch, cursor->batch_length,
	    cursor->batch_at, (uint32_t)strlen((const char *)cursor->batch + cursor->batch_at + 1));
}

bool
mongo_cursor_next(struct mongo_cursor *cursor, bson_t *doc)
{
	const uint8_t *data;
	uint32_t length;
	bson_iter_t at;

	if (!resume(cursor, &at))
		return false;
	while (bson_iter_next(&at)) {
		cursor->batch_at = bson_iter_offset(&at);
		if (!BSON_ITER_HOLDS_DOCUMENT(&at))
			continue;
		bson_iter_document(&at, &length, &data);
		if (bson_init_static(doc, data, length))
			return true;
	}
	return false;
}

bool
mongo_cursor_time(const struct mongo_cursor *cursor, uint32_t *time, uint32_t *increment)
{
	bson_iter_t at;

	if (!cursor->reply || !bson_iter_init_find(&at, cursor->reply, "operationTime") ||
	    !BSON_ITER_HOLDS_TIMESTAMP(&at))
		return false;
	bson_iter_timestamp(&at, time, increment);
	return true;
}

uint32_t
mongo_cursor_behind(const struct mongo_cursor *cursor)
{
	uint32_t newest, end, increment;
	bson_t token;

	if (!cursor->reply || !mongo_reply_cluster_time(cursor->reply, &newest, &increment) ||
	    !cursor->token || !bson_init_static(&token, cursor->token, cursor->token_length) ||
	    !mongo_token_time(&token, &end, &increment))
		return 0;
	return newest > end ? newest - end : 0;
}

/* A token behind that time says it outright. On a replica set so does a reply without events, to
 * a request that was made when the server had already told of a time not before that one. Behind
 * mongos it does not: a reply is empty also while a shard has yet to say how far it is. */
bool
mongo_progress_passed(struct mongo_progress *progress, const struct mongo_cursor *cursor,
    bool empty, uint32_t time, uint32_t increment)
{
	uint32_t token_time, token_increment;
	bson_t token;
	bool passed = empty && !cursor->client->is_mongos &&
	    !mongo_time_is_behind(time, increment, progress->time, progress->increment);

	if (!mongo_cursor_time(cursor, &progress->time, &progress->increment))
		progress->time = 1;
	return passed ||
	    (cursor->token && bson_init_static(&token, cursor->token, cursor->token_length) &&
		mongo_token_time(&token, &token_time, &token_increment) &&
		mongo_time_is_behind(token_time, token_increment, time, increment));
}

bool
mongo_reply_cluster_time(const bson_t *reply, uint32_t *time, uint32_t *increment)
{
	bson_iter_t at, found;

	if (!bson_iter_init(&at, reply) ||
	    !bson_iter_find_descendant(&at, "$clusterTime.clusterTime", &found) ||
	    !BSON_ITER_HOLDS_TIMESTAMP(&found))
		return false;
	bson_iter_timestamp(&found, time, increment);
	return true;
}

void
mongo_cursor_close(struct mongo_cursor *cursor)
{
	bson_t command = BSON_INITIALIZER, ids;
	struct mongo_error error;

	if (cursor->id != 0) {
		BSON_APPEND_UTF8(&command, "killCursors", cursor->collection);
		BSON_APPEND_ARRAY_BEGIN(&command, "cursors", &ids);
		BSON_APPEND_INT64(&ids, "0", cursor->id);
		bson_append_array_end(&command, &ids);
		/* Whether or not it could be told: the server ends idle cursors itself. */
		bson_destroy(mongo_client_command(cursor->client, &command, &error));
	}
	bson_destroy(&command);
	cursor->id = 0;
	drop_reply(cursor);
}
