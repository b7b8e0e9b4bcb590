/* SPDX-License-Identifier: MIT */
/*
 * Commands about the server itself: manual, "Diagnostic Commands" and "Replication Commands".
 */
#include "tests/mongo/command.h"
#include "tests/mongo/election.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The release of a wire version: specification "Server Wire version and Feature List". */
static const struct {
	int wire;
	const char *version;
	int major, minor;
} releases[] = {
    {7, "4.0.28", 4, 0},
    {8, "4.2.24", 4, 2},
    {9, "4.4.29", 4, 4},
    {13, "5.0.31", 5, 0},
    {14, "5.1.1", 5, 1},
    {15, "5.2.1", 5, 2},
    {16, "5.3.1", 5, 3},
    {17, "6.0.20", 6, 0},
    {18, "6.1.1", 6, 1},
    {19, "6.2.1", 6, 2},
    {20, "6.3.2", 6, 3},
    {21, "7.0.16", 7, 0},
    {25, "8.0.4", 8, 0},
};

static size_t
release_of(int wire)
{
	size_t i = 0;

	while (i + 1 < sizeof releases / sizeof *releases && releases[i + 1].wire <= wire)
		i++;
	return i;
}

static void
append_op_time(bson_t *out, const char *key, uint64_t ts)
{
	bson_t sub;

	bson_append_document_begin(out, key, -1, &sub);
	bson_append_timestamp(&sub, "ts", -1, TS_SEC(ts), TS_INC(ts));
	bson_append_int64(&sub, "t", -1, 1);
	bson_append_document_end(out, &sub);
}

static void
append_hosts(const struct server *srv, bson_t *reply)
{
	const char *host = srv->opt.hosts ? srv->opt.hosts : srv->me;
	uint32_t n = 0;
	char key[16];
	bson_t list;

	bson_append_array_begin(reply, "hosts", -1, &list);
	while (*host) {
		size_t len = strcspn(host, ",");

		snprintf(key, sizeof key, "%u", n++);
		bson_append_utf8(&list, key, -1, host, (int)len);
		host += len + (host[len] == ',');
	}
	bson_append_array_end(reply, &list);
}

static void
append_set(struct cmd *c)
{
	const struct server *srv = c->srv;
	uint64_t ts = srv->oplog.last_ts, majority = oplog_seen_ts(&srv->oplog);
	bson_t sub;

	append_hosts(srv, c->reply);
	bson_append_utf8(c->reply, "setName", -1, srv->opt.set_name, -1);
	bson_append_bool(c->reply, "secondary", -1, !is_primary(srv));
	if (is_primary(srv))
		bson_append_utf8(c->reply, "primary", -1, srv->me, -1);
	bson_append_utf8(c->reply, "me", -1, srv->me, -1);
	election_append(srv, c->reply);
	bson_append_document_begin(c->reply, "lastWrite", -1, &sub);
	append_op_time(&sub, "opTime", ts);
	bson_append_date_time(&sub, "lastWriteDate", -1, (int64_t)TS_SEC(ts) * 1000);
	append_op_time(&sub, "majorityOpTime", majority);
	bson_append_date_time(&sub, "majorityWriteDate", -1, (int64_t)TS_SEC(majority) * 1000);
	bson_append_document_end(c->reply, &sub);
}

/* Manual, "hello" and "isMaster". topologyVersion is left out, so that drivers poll. */
int
cmd_hello(struct cmd *c)
{
	const struct options *o = &c->srv->opt;
	bson_t sub;

	if (bson_bool(c->body, "helloOk", false))
		bson_append_bool(c->reply, "helloOk", -1, true);
	bson_append_bool(c->reply, strcmp(c->name, "hello") ? "ismaster" : "isWritablePrimary", -1,
	    is_primary(c->srv));
	/* Manual, "hello": of a mongos there is no more to say than this. */
	if (o->mongos)
		bson_append_utf8(c->reply, "msg", -1, "isdbgrid", -1);
	else if (!o->standalone)
		append_set(c);
	bson_append_int32(c->reply, "maxBsonObjectSize", -1, MAX_DOC_BYTES);
	bson_append_int32(c->reply, "maxMessageSizeBytes", -1, MAX_MESSAGE_BYTES);
	bson_append_int32(c->reply, "maxWriteBatchSize", -1, MAX_WRITE_BATCH);
	bson_append_date_time(c->reply, "localTime", -1, wall_ms());
	bson_append_int32(c->reply, "logicalSessionTimeoutMinutes", -1, 30);
	bson_append_int32(c->reply, "connectionId", -1, (int32_t)c->conn_id);
	bson_append_int32(c->reply, "minWireVersion", -1, 0);
	bson_append_int32(c->reply, "maxWireVersion", -1, o->wire_version);
	bson_append_bool(c->reply, "readOnly", -1, false);
	if (o->user && bson_str(c->body, "saslSupportedMechs")) {
		bson_append_array_begin(c->reply, "saslSupportedMechs", -1, &sub);
		bson_append_utf8(&sub, "0", 1, "SCRAM-SHA-1", -1);
		bson_append_utf8(&sub, "1", 1, "SCRAM-SHA-256", -1);
		bson_append_array_end(c->reply, &sub);
	}
	return 0;
}

int
cmd_build_info(struct cmd *c)
{
	size_t r = release_of(c->srv->opt.wire_version);
	int patch;
	bson_t sub;

	patch = (int)strtol(strrchr(releases[r].version, '.') + 1, NULL, 10);
	bson_append_utf8(c->reply, "version", -1, releases[r].version, -1);
	bson_append_utf8(c->reply, "gitVersion", -1, "stand-in", -1);
	bson_append_array_begin(c->reply, "modules", -1, &sub);
	bson_append_array_end(c->reply, &sub);
	bson_append_array_begin(c->reply, "versionArray", -1, &sub);
	bson_append_int32(&sub, "0", 1, releases[r].major);
	bson_append_int32(&sub, "1", 1, releases[r].minor);
	bson_append_int32(&sub, "2", 1, patch);
	bson_append_int32(&sub, "3", 1, 0);
	bson_append_array_end(c->reply, &sub);
	bson_append_int32(c->reply, "bits", -1, 64);
	bson_append_bool(c->reply, "debug", -1, false);
	bson_append_int32(c->reply, "maxBsonObjectSize", -1, MAX_DOC_BYTES);
	bson_append_array_begin(c->reply, "storageEngines", -1, &sub);
	bson_append_array_end(c->reply, &sub);
	return 0;
}

int
cmd_get_parameter(struct cmd *c)
{
	size_t r = release_of(c->srv->opt.wire_version);
	char version[16];
	bson_iter_t it;
	bson_t sub;

	if (!bson_get(c->body, "featureCompatibilityVersion", &it))
		return fail_set(&c->fail, 72, "no option found to get");
	snprintf(version, sizeof version, "%d.%d", releases[r].major, releases[r].minor);
	bson_append_document_begin(c->reply, "featureCompatibilityVersion", -1, &sub);
	bson_append_utf8(&sub, "version", -1, version, -1);
	bson_append_document_end(c->reply, &sub);
	return 0;
}

int
cmd_ok(struct cmd *c)
{
	(void)c;
	return 0;
}

int
cmd_host_info(struct cmd *c)
{
	bson_t sub;

	bson_append_document_begin(c->reply, "system", -1, &sub);
	bson_append_date_time(&sub, "currentTime", -1, wall_ms());
	bson_append_utf8(&sub, "hostname", -1, c->srv->opt.host, -1);
	bson_append_document_end(c->reply, &sub);
	return 0;
}

int
cmd_get_cmd_line_opts(struct cmd *c)
{
	bson_t sub;

	bson_append_array_begin(c->reply, "argv", -1, &sub);
	bson_append_array_end(c->reply, &sub);
	bson_append_document_begin(c->reply, "parsed", -1, &sub);
	bson_append_document_end(c->reply, &sub);
	return 0;
}

int
cmd_whatsmyuri(struct cmd *c)
{
	bson_append_utf8(c->reply, "you", -1, "127.0.0.1:0", -1);
	return 0;
}

int
cmd_server_status(struct cmd *c)
{
	size_t r = release_of(c->srv->opt.wire_version);
	bson_t sub;

	bson_append_utf8(c->reply, "host", -1, c->srv->me, -1);
	bson_append_utf8(c->reply, "version", -1, releases[r].version, -1);
	bson_append_utf8(c->reply, "process", -1, "mongod", -1);
	bson_append_int64(c->reply, "pid", -1, getpid());
	bson_append_date_time(c->reply, "localTime", -1, wall_ms());
	bson_append_document_begin(c->reply, "connections", -1, &sub);
	bson_append_int64(&sub, "current", -1, c->srv->connections);
	bson_append_document_end(c->reply, &sub);
	return 0;
}

int
cmd_repl_set_get_status(struct cmd *c)
{
	bson_t sub, member;

	if (c->srv->opt.standalone)
		return fail_set(&c->fail, 76, "not running with --replSet");
	bson_append_utf8(c->reply, "set", -1, c->srv->opt.set_name, -1);
	bson_append_date_time(c->reply, "date", -1, wall_ms());
	bson_append_int32(c->reply, "myState", -1, is_primary(c->srv) ? 1 : 2);
	bson_append_int64(c->reply, "term", -1, election_term(c->srv));
	bson_append_array_begin(c->reply, "members", -1, &sub);
	bson_append_document_begin(&sub, "0", 1, &member);
	bson_append_int32(&member, "_id", -1, 0);
	bson_append_utf8(&member, "name", -1, c->srv->me, -1);
	bson_append_double(&member, "health", -1, 1);
	bson_append_int32(&member, "state", -1, is_primary(c->srv) ? 1 : 2);
	bson_append_utf8(&member, "stateStr", -1, is_primary(c->srv) ? "PRIMARY" : "SECONDARY", -1);
	append_op_time(&member, "optime", c->srv->oplog.last_ts);
	bson_append_bool(&member, "self", -1, true);
	bson_append_document_end(&sub, &member);
	bson_append_array_end(c->reply, &sub);
	return 0;
}
