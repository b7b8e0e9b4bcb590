/* SPDX-License-Identifier: MIT */
/*
 * What the whole stand-in shares: its options and its state. Owned by main.c.
 */
#ifndef TESTS_MONGO_SERVER_H
#define TESTS_MONGO_SERVER_H

#include "tests/mongo/base.h"
#include "tests/mongo/collection.h"
#include "tests/mongo/fault.h"
#include "tests/mongo/oplog.h"

struct options {
	char *host;
	int port;
	const char *set_name;
	const char *hosts; /* of the set's members, a list; NULL: this one alone */
	bool standalone;
	bool mongos;
	int notify_fd;
	int wire_version;
	char *user, *password; /* NULL: no authentication */
	bool deny_change_stream, deny_find, deny_list;
	size_t oplog_events;
	int noop_ms;
	const char *control; /* where to listen for control connections; NULL: nowhere */
	const char *data; /* the directory of the journal; NULL: nothing is kept */
	int elect_ms; /* how long after the start it is elected */
	uint32_t max_event_bytes; /* of one event of a change stream */
	int64_t batch_events; /* a reply of a change stream has at most so many; 0: no limit */
};

struct ev_loop;
struct cursor;
struct session;
struct transaction;
struct election;
struct journal;

struct server {
	struct options opt;
	struct ev_loop *loop;
	struct catalog catalog;
	struct oplog oplog;
	struct cursor *cursors; /* a hash by id: cursor.c */
	struct session *sessions; /* a hash by lsid: session.c */
	struct transaction *in_txn; /* the one whose command runs now: txn.c */
	struct doc *txn_id; /* lsid and txnNumber of the transaction being committed */
	char me[80]; /* host:port */
	struct election *election; /* NULL: a standalone */
	struct journal *journal; /* NULL: nothing is kept */
	struct fault_list faults;
	bool reads_majority; /* so does the command that runs now */
	bool give_empty; /* the getMore that runs now is to find nothing */
	int64_t one_time; /* so many commands that write are still to have one cluster time each */
	uint64_t one_ts; /* that of the command that runs; 0: it has written nothing yet */
	uint32_t one_index;
	int64_t connections;
	int64_t parked; /* reads that wait for a majority */
	uint64_t kills; /* how often a cursor was killed on which a getMore waited */
};

#endif
