/* SPDX-License-Identifier: MIT */
/*
 * Commands: finds the one that a request names, checks that it may run, and puts the reply
 * together. The commands themselves are in cmd_*.c.
 */
#ifndef TESTS_MONGO_COMMAND_H
#define TESTS_MONGO_COMMAND_H

#include "tests/mongo/auth.h"
#include "tests/mongo/server.h"
#include "tests/mongo/session.h"
#include "tests/mongo/wire.h"

/* From MongoDB 4.4 on, labels say what may be tried again. */
#define WIRE_LABELS 9

/* A getMore that waits: for events, until its time is over. */
struct wait {
	int64_t cursor; /* 0: none waits */
	int64_t batch; /* -1: no limit */
	int64_t ms;
};

/* A command that runs. A handler appends its own fields to reply. */
struct cmd {
	struct server *srv;
	struct auth *auth; /* who the client is */
	const struct request *req;
	const bson_t *body;
	const char *name, *db;
	int64_t conn_id;
	struct session *session;
	struct wait *wait;
	bson_t *reply;
	struct fail fail;
};

/* 0: done; -1: cmd->fail is filled; 1: a getMore that waits (cmd->wait is filled). */
typedef int command_fn(struct cmd *c);

/* Runs the request; the reply (initialised, empty) is filled unless 1 is returned: then the
 * getMore in *wait waits, and command_wait_over() makes the reply. */
int command_run(struct server *srv, struct auth *auth, int64_t conn_id, const struct request *req,
    struct wait *wait, bson_t *reply);

/* What the request is about, for faults; points into it. */
void command_target(struct server *srv, const struct request *req, struct target *out);

/* Makes the reply one that fails with these fields: {code, codeName, errmsg, errorLabels}. */
void command_fail(struct server *srv, const struct doc *error, bson_t *reply);

/* Looks whether a waiting getMore can be answered; last: it has to be. True: reply is filled. */
bool command_wait_over(struct server *srv, const struct wait *w, bool last, bson_t *reply);

/* The client went away while its getMore waited: the cursor goes, too. */
void command_wait_drop(struct server *srv, const struct wait *w);

/* cmd_read.c: command_wait_over() without the tail of the reply. 1 filled, 0 not yet, -1 failed. */
int get_more_poll(
    struct server *srv, const struct wait *w, bool last, bson_t *reply, struct fail *f);

/* For handlers. The string that a command's own key bears (a collection's name), or NULL with the
 * fail filled. */
const char *cmd_collection(struct cmd *c);

/* The documents of an argument that may come as an array or as a document sequence; views into
 * the request. -1 with the fail filled. Free *out with bson_free(). */
struct doc_span {
	const uint8_t *data;
	uint32_t len;
};

int cmd_documents(struct cmd *c, const char *key, struct doc_span **out, size_t *n);

command_fn cmd_abort_transaction, cmd_aggregate, cmd_build_info, cmd_coll_stats,
    cmd_commit_transaction, cmd_connection_status, cmd_count, cmd_create, cmd_create_indexes,
    cmd_delete, cmd_distinct, cmd_drop, cmd_drop_database, cmd_drop_indexes, cmd_end_sessions,
    cmd_find, cmd_find_and_modify, cmd_get_cmd_line_opts, cmd_get_more, cmd_get_parameter,
    cmd_hello, cmd_host_info, cmd_insert, cmd_kill_cursors, cmd_kill_sessions, cmd_list_collections,
    cmd_list_databases, cmd_list_indexes, cmd_logout, cmd_ok, cmd_rename_collection,
    cmd_repl_set_get_status, cmd_sasl_continue, cmd_sasl_start, cmd_server_status,
    cmd_start_session, cmd_update, cmd_whatsmyuri;

#endif
