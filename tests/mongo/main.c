/* SPDX-License-Identifier: MIT */
/*
 * mongo-standin: a stand-in for a MongoDB replica set, for tests. One process, one thread, all
 * data in memory, and with --data in a journal, too; what it does comes from MongoDB's manual,
 * whose sections the code names.
 */
#include <ev.h>

#include "tests/mongo/acceptor.h"
#include "tests/mongo/control.h"
#include "tests/mongo/cursor.h"
#include "tests/mongo/election.h"
#include "tests/mongo/journal.h"
#include "tests/mongo/options.h"
#include "tests/mongo/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
on_term(struct ev_loop *loop, ev_signal *w, int events)
{
	(void)w;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
}

/* 0, or -1: has said why. */
static int
server_init(struct server *srv)
{
	int64_t term = 0;

	srv->loop = ev_default_loop(0);
	oplog_init(&srv->oplog, srv->opt.oplog_events);
	if (srv->opt.data && journal_open(srv, srv->opt.data, &term) < 0)
		return -1;
	if (srv->oplog.first == srv->oplog.end)
		oplog_noop(&srv->oplog);
	if (!srv->opt.standalone)
		election_new(srv, term);
	journal_flush(srv->journal);
	return 0;
}

static void
server_free(struct server *srv)
{
	cursors_free(srv);
	election_free(&srv->election);
	journal_close(&srv->journal);
	fault_clear(&srv->faults, 0);
	sessions_free(srv);
	catalog_free(&srv->catalog);
	oplog_free(&srv->oplog);
	ev_loop_destroy(srv->loop);
	options_free(&srv->opt);
}

/* Says once that it is ready: the URI, to the notification descriptor. */
static int
ready_tell(const struct server *srv)
{
	char line[512];
	bool set = !srv->opt.standalone && !srv->opt.mongos;
	int n;

	n = snprintf(line, sizeof line, "mongodb://%s/%s%s\n", srv->me, set ? "?replicaSet=" : "",
	    set ? srv->opt.set_name : "");
	if (n >= (int)sizeof line || write(srv->opt.notify_fd, line, (size_t)n) != n) {
		fprintf(stderr, "mongo-standin: fatal: unable to write to descriptor %d: %s\n",
		    srv->opt.notify_fd, strerror(errno));
		return -1;
	}
	if (srv->opt.notify_fd > 2)
		close(srv->opt.notify_fd);
	return 0;
}

/* Listens, and serves until told to end. The exit code. */
static int
serve(struct server *srv)
{
	struct acceptor *acceptor = acceptor_new(srv);
	struct control *control = NULL;
	int status = 111;

	if (!acceptor)
		fprintf(stderr, "mongo-standin: fatal: unable to listen on %s:%d: %s\n",
		    srv->opt.host, srv->opt.port, strerror(errno));
	else if (srv->opt.control && !(control = control_new(srv, acceptor)))
		fprintf(stderr, "mongo-standin: fatal: unable to listen on %s: %s\n",
		    srv->opt.control, strerror(errno));
	else {
		snprintf(srv->me, sizeof srv->me, "%s:%d", srv->opt.host, srv->opt.port);
		if (ready_tell(srv) == 0) {
			ev_run(srv->loop, 0);
			status = 0;
		}
	}
	control_free(&control);
	acceptor_free(&acceptor);
	return status;
}

int
main(int argc, char **argv)
{
	static struct server srv;
	ev_signal term, intr;
	int status = 111;

	options_read(&srv.opt, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	if (server_init(&srv) == 0) {
		ev_signal_init(&term, on_term, SIGTERM);
		ev_signal_init(&intr, on_term, SIGINT);
		ev_signal_start(srv.loop, &term);
		ev_signal_start(srv.loop, &intr);
		status = serve(&srv);
	}
	server_free(&srv);
	return status;
}
