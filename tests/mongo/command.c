/* SPDX-License-Identifier: MIT */
#include "tests/mongo/command.h"
#include "tests/mongo/cursor.h"
#include "tests/mongo/election.h"
#include "tests/mongo/majority.h"

#include <string.h>

enum {
	NO_AUTH = 1, /* may run before authentication */
	WRITE = 2, /* may be a retryable write */
	LEGACY = 4, /* may come as OP_QUERY */
	ADMIN = 8, /* only on the admin database */
	PRIMARY = 16, /* needs a primary (WRITE does, too) */
	READ = 32, /* needs one unless its read preference says otherwise */
};

static const struct command {
	const char *name;
	command_fn *fn;
	int flags;
} commands[] = {
    {"abortTransaction", cmd_abort_transaction, ADMIN | PRIMARY},
    {"aggregate", cmd_aggregate, READ},
    {"buildInfo", cmd_build_info, NO_AUTH},
    {"buildinfo", cmd_build_info, NO_AUTH},
    {"collStats", cmd_coll_stats, 0},
    {"commitTransaction", cmd_commit_transaction, ADMIN | PRIMARY},
    {"connectionStatus", cmd_connection_status, NO_AUTH},
    {"count", cmd_count, READ},
    {"create", cmd_create, PRIMARY},
    {"createIndexes", cmd_create_indexes, PRIMARY},
    {"delete", cmd_delete, WRITE},
    {"distinct", cmd_distinct, READ},
    {"drop", cmd_drop, PRIMARY},
    {"dropDatabase", cmd_drop_database, PRIMARY},
    {"dropIndexes", cmd_drop_indexes, PRIMARY},
    {"endSessions", cmd_end_sessions, NO_AUTH},
    {"find", cmd_find, READ},
    {"findAndModify", cmd_find_and_modify, WRITE},
    {"findandmodify", cmd_find_and_modify, WRITE},
    {"getCmdLineOpts", cmd_get_cmd_line_opts, ADMIN},
    {"getMore", cmd_get_more, 0},
    {"getParameter", cmd_get_parameter, ADMIN},
    {"hello", cmd_hello, NO_AUTH | LEGACY},
    {"hostInfo", cmd_host_info, ADMIN},
    {"insert", cmd_insert, WRITE},
    {"isMaster", cmd_hello, NO_AUTH | LEGACY},
    {"ismaster", cmd_hello, NO_AUTH | LEGACY},
    {"killAllSessions", cmd_kill_sessions, 0},
    {"killCursors", cmd_kill_cursors, 0},
    {"killSessions", cmd_kill_sessions, 0},
    {"listCollections", cmd_list_collections, READ},
    {"listDatabases", cmd_list_databases, ADMIN | READ},
    {"listIndexes", cmd_list_indexes, READ},
    {"logout", cmd_logout, NO_AUTH},
    {"ping", cmd_ok, NO_AUTH},
    {"refreshSessions", cmd_ok, 0},
    {"renameCollection", cmd_rename_collection, ADMIN | PRIMARY},
    {"replSetGetStatus", cmd_repl_set_get_status, ADMIN},
    {"saslContinue", cmd_sasl_continue, NO_AUTH},
    {"saslStart", cmd_sasl_start, NO_AUTH},
    {"serverStatus", cmd_server_status, 0},
    {"startSession", cmd_start_session, 0},
    {"update", cmd_update, WRITE},
    {"whatsmyuri", cmd_whatsmyuri, NO_AUTH},
};

static const struct command *
command_find(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

const char *
cmd_collection(struct cmd *c)
{
	const char *coll = bson_str(c->body, c->name);

	if (coll)
		return coll;
	fail_fill(&c->fail, 73, "collection name has invalid type");
	return NULL;
}

static int
span_add(struct cmd *c, const char *key, struct doc_span **out, size_t *n, const uint8_t *data,
    uint32_t len)
{
	if (*n == MAX_WRITE_BATCH)
		return fail_set(&c->fail, 16,
		    "Write batch sizes must be between 1 and %d. Got more "
		    "operations in '%s'.",
		    MAX_WRITE_BATCH, key);
	if (!*n || (*n & (*n - 1)) == 0)
		*out = bson_realloc(*out, (*n ? *n * 2 : 1) * sizeof **out);
	(*out)[(*n)++] = (struct doc_span){data, len};
	return 0;
}

static int
spans_of_array(
    struct cmd *c, const char *key, const bson_iter_t *it, struct doc_span **out, size_t *n)
{
	const uint8_t *data;
	bson_iter_t e;
	uint32_t len;

	if (!BSON_ITER_HOLDS_ARRAY(it) || !bson_iter_recurse(it, &e))
		return fail_set(&c->fail, 14,
		    "BSON field '%s.%s' is the wrong type '%s', expected type "
		    "'array'",
		    c->name, key, type_name(bson_iter_type(it)));
	while (bson_iter_next(&e)) {
		if (!BSON_ITER_HOLDS_DOCUMENT(&e))
			return fail_set(&c->fail, 14,
			    "BSON field '%s.%s.%s' is the wrong type '%s', "
			    "expected type 'object'",
			    c->name, key, bson_iter_key(&e), type_name(bson_iter_type(&e)));
		bson_iter_document(&e, &len, &data);
		if (span_add(c, key, out, n, data, len) < 0)
			return -1;
	}
	return 0;
}

int
cmd_documents(struct cmd *c, const char *key, struct doc_span **out, size_t *n)
{
	bson_iter_t it;
	int r = 0;

	*out = NULL;
	*n = 0;
	if (bson_get(c->body, key, &it))
		r = spans_of_array(c, key, &it, out, n);
	for (size_t i = 0; r == 0 && i < c->req->n_seqs; i++) {
		const struct sequence *s = &c->req->seqs[i];

		if (strcmp(s->name, key) != 0)
			continue;
		for (size_t at = 0; r == 0 && at < s->len;) {
			uint32_t len;

			memcpy(&len, s->data + at, 4);
			len = BSON_UINT32_FROM_LE(len);
			r = span_add(c, key, out, n, s->data + at, len);
			at += len;
		}
	}
	if (r == 0 && !*n)
		r = fail_set(&c->fail, 16,
		    "Write batch sizes must be between 1 and %d. Got 0 "
		    "operations.",
		    MAX_WRITE_BATCH);
	if (r < 0) {
		bson_free(*out);
		*out = NULL;
	}
	return r;
}

/* An error's text may quote what a client sent, or be cut within a character. */
static void
append_text(bson_t *reply, const char *key, const char *text)
{
	char *copy = bson_strdup(text);

	if (!bson_utf8_validate(copy, strlen(copy), false))
		for (char *p = copy; *p; p++)
			if (*p & 0x80)
				*p = '?';
	bson_append_utf8(reply, key, -1, copy, -1);
	bson_free(copy);
}

/* $clusterTime is the newest that the server knows of. operationTime is, after a read of
 * "majority", what the majority has (source: computeOperationTime()). */
static void
reply_times(const struct server *srv, bson_t *reply)
{
	static const uint8_t no_hash[20];
	uint64_t operation = srv->reads_majority ? oplog_seen_ts(&srv->oplog) : srv->oplog.last_ts;
	bson_t sub, sig;

	if (srv->opt.standalone)
		return;
	bson_append_document_begin(reply, "$clusterTime", -1, &sub);
	bson_append_timestamp(
	    &sub, "clusterTime", -1, TS_SEC(srv->oplog.last_ts), TS_INC(srv->oplog.last_ts));
	bson_append_document_begin(&sub, "signature", -1, &sig);
	bson_append_binary(&sig, "hash", -1, BSON_SUBTYPE_BINARY, no_hash, sizeof no_hash);
	bson_append_int64(&sig, "keyId", -1, 0);
	bson_append_document_end(&sub, &sig);
	bson_append_document_end(reply, &sub);
	bson_append_timestamp(reply, "operationTime", -1, TS_SEC(operation), TS_INC(operation));
}

/* Manual, "Database Commands > Response": ok, the error if any, the times. */
static void
reply_finish(struct server *srv, const struct fail *f, bson_t *reply)
{
	bson_t sub;

	if (f) {
		bson_reinit(reply);
		bson_append_double(reply, "ok", -1, 0);
		append_text(reply, "errmsg", f->text);
		bson_append_int32(reply, "code", -1, f->code);
		bson_append_utf8(reply, "codeName", -1, fail_name(f->code), -1);
		if (f->label) {
			bson_append_array_begin(reply, "errorLabels", -1, &sub);
			bson_append_utf8(&sub, "0", 1, f->label, -1);
			bson_append_array_end(reply, &sub);
		}
	} else {
		bson_append_double(reply, "ok", -1, 1);
	}
	reply_times(srv, reply);
}

void
command_fail(struct server *srv, const struct doc *error, bson_t *reply)
{
	bson_t view;

	bson_reinit(reply);
	bson_append_double(reply, "ok", -1, 0);
	doc_view(error, &view);
	bson_concat(reply, &view);
	reply_times(srv, reply);
}

/* Manual, "Read Preference": without one, only the primary answers. */
static int
primary_check(struct cmd *c, const struct command *k)
{
	bool stream = strcmp(c->name, "aggregate") == 0;
	const char *mode = NULL;
	bson_iter_t it;
	bson_t pref;

	if (is_primary(c->srv))
		return 0;
	if (k->flags & (WRITE | PRIMARY)) {
		fail_fill(&c->fail, 10107, "not primary");
		if (c->srv->opt.wire_version >= WIRE_LABELS)
			c->fail.label = "RetryableWriteError";
		return -1;
	}
	if (bson_get(c->body, "$readPreference", &it) && iter_view(&it, &pref))
		mode = bson_str(&pref, "mode");
	if (!(k->flags & READ) || (mode && strcmp(mode, "primary") != 0))
		return 0;
	fail_fill(&c->fail, 13435, "not primary and secondaryOk=false");
	if (stream && c->srv->opt.wire_version >= WIRE_LABELS)
		c->fail.label = "ResumableChangeStreamError";
	return -1;
}

static int
command_check(struct cmd *c, const struct command *k)
{
	if (!k && c->req->legacy)
		return fail_set(&c->fail, 352,
		    "Unsupported OP_QUERY command: %s. The client driver may "
		    "require an upgrade.",
		    c->name);
	if (!k)
		return fail_set(&c->fail, 59, "no such command: '%s'", c->name);
	if (c->req->legacy && !(k->flags & LEGACY))
		return fail_set(&c->fail, 352,
		    "Unsupported OP_QUERY command: %s. The client driver may "
		    "require an upgrade.",
		    c->name);
	if (!c->req->legacy && !bson_str(c->body, "$db"))
		return fail_set(&c->fail, 40571, "OP_MSG requests require a $db argument");
	if (c->srv->opt.user && !c->auth->done && !(k->flags & NO_AUTH))
		return fail_set(&c->fail, 13, "command %s requires authentication", c->name);
	if (k->flags & ADMIN && strcmp(c->db, "admin") != 0)
		return fail_set(
		    &c->fail, 13, "%s may only be run against the admin database.", c->name);
	return primary_check(c, k);
}

static int
command_call(struct cmd *c, const struct command *k)
{
	bool failed;
	bson_iter_t it;
	int use, r;

	use = session_begin(
	    c->srv, c->body, c->name, k->flags & WRITE, &c->session, c->reply, &c->fail);
	if (use < 0)
		return -1;
	if (use == SESSION_RETRIED)
		return 0;
	r = k->fn(c);
	/* Any error ends a transaction; a retryable write is done even where parts of it failed. */
	failed = r < 0 || (use == SESSION_TXN && bson_get(c->reply, "writeErrors", &it));
	/* endSessions may have freed the session; a plain one is not looked at. */
	session_end(c->srv, c->session, (enum session_use)use, c->reply, failed);
	return r;
}

/* What the request's command is called, and its database; inner and legacy_db are room for it. */
static void
command_name(struct cmd *c, bson_t *inner, char *legacy_db, size_t size)
{
	bson_iter_t it;

	/* An OP_QUERY may wrap its command in $query, to give a read preference beside it. */
	if (c->req->legacy && bson_get(c->body, "$query", &it) && iter_view(&it, inner))
		c->body = inner;
	if (bson_iter_init(&it, c->body) && bson_iter_next(&it))
		c->name = bson_iter_key(&it);
	if (c->req->legacy) {
		size_t n = strcspn(c->req->ns, ".");

		bson_strncpy(legacy_db, c->req->ns, n < size ? n + 1 : size);
		c->db = legacy_db;
	} else if (bson_str(c->body, "$db")) {
		c->db = bson_str(c->body, "$db");
	}
}

static bool
opens_stream(const bson_t *body)
{
	bson_iter_t it, stage;

	return bson_get(body, "pipeline", &it) && BSON_ITER_HOLDS_ARRAY(&it) &&
	    bson_iter_recurse(&it, &stage) && bson_iter_next(&stage) &&
	    BSON_ITER_HOLDS_DOCUMENT(&stage) && bson_iter_recurse(&stage, &it) &&
	    bson_iter_next(&it) && strcmp(bson_iter_key(&it), "$changeStream") == 0;
}

void
command_target(struct server *srv, const struct request *req, struct target *out)
{
	const bson_t *b = &req->body;
	const struct cursor *cur;
	bson_iter_t it;

	memset(out, 0, sizeof *out);
	out->command = out->db = out->collection = "";
	if (req->legacy || !bson_iter_init(&it, b) || !bson_iter_next(&it))
		return;
	out->command = bson_iter_key(&it);
	out->db = bson_str(b, "$db") ? bson_str(b, "$db") : "";
	if (BSON_ITER_HOLDS_UTF8(&it))
		out->collection = bson_iter_utf8(&it, NULL);
	if (strcmp(out->command, "getMore") == 0) {
		out->cursor = iter_number(&it, 0);
		out->collection = bson_str(b, "collection") ? bson_str(b, "collection") : "";
		cur = cursor_find(srv, out->cursor);
		out->stream = cur && cur->stream;
	} else {
		out->stream = strcmp(out->command, "aggregate") == 0 && opens_stream(b);
	}
}

int
command_run(struct server *srv, struct auth *auth, int64_t conn_id, const struct request *req,
    struct wait *wait, bson_t *reply)
{
	struct cmd c = {.srv = srv,
	    .auth = auth,
	    .conn_id = conn_id,
	    .req = req,
	    .wait = wait,
	    .body = &req->body,
	    .reply = reply,
	    .name = "",
	    .db = ""};
	char legacy_db[80];
	bson_t inner;
	int r;

	command_name(&c, &inner, legacy_db, sizeof legacy_db);
	srv->one_ts = 0;
	srv->reads_majority = majority_asked(c.body);
	r = command_check(&c, command_find(c.name));
	if (r == 0)
		r = command_call(&c, command_find(c.name));
	if (srv->one_ts && srv->one_time > 0)
		srv->one_time--;
	if (r <= 0)
		reply_finish(srv, r < 0 ? &c.fail : NULL, reply);
	return r > 0;
}

bool
command_wait_over(struct server *srv, const struct wait *w, bool last, bson_t *reply)
{
	struct fail f = {0};
	int r;

	srv->reads_majority = true;
	r = get_more_poll(srv, w, last, reply, &f);

	if (r == 0)
		return false;
	reply_finish(srv, r < 0 ? &f : NULL, reply);
	return true;
}
