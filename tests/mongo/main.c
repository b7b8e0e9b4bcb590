/* SPDX-License-Identifier: MIT */
/*
 * mongo-standin: a stand-in for a MongoDB replica set, for tests. One process, one thread, all
 * data in memory; what it does comes from MongoDB's manual, whose sections the code names.
 */
#include <ev.h>

#include "tests/mongo/conn.h"
#include "tests/mongo/cursor.h"
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

static void
server_init(struct server *srv)
{
	srv->loop = ev_default_loop(0);
	oplog_init(&srv->oplog, srv->opt.oplog_events);
	bson_oid_init_from_string(&srv->election_id, "7fffffff0000000000000001");
}

static void
server_free(struct server *srv)
{
	cursors_free(srv);
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
	int n;

	n = snprintf(line, sizeof line, "mongodb://%s/%s%s\n", srv->me,
	    srv->opt.standalone ? "" : "?replicaSet=",
	    srv->opt.standalone ? "" : srv->opt.set_name);
	if (n >= (int)sizeof line || write(srv->opt.notify_fd, line, (size_t)n) != n) {
		fprintf(stderr, "mongo-standin: fatal: unable to write to descriptor %d: %s\n",
		    srv->opt.notify_fd, strerror(errno));
		return -1;
	}
	if (srv->opt.notify_fd > 2)
		close(srv->opt.notify_fd);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct server srv;
	struct acceptor *acceptor;
	ev_signal term, intr;
	int status = 111;

	options_read(&srv.opt, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	server_init(&srv);
	ev_signal_init(&term, on_term, SIGTERM);
	ev_signal_init(&intr, on_term, SIGINT);
	ev_signal_start(srv.loop, &term);
	ev_signal_start(srv.loop, &intr);
	acceptor = acceptor_new(&srv);
	if (!acceptor) {
		fprintf(stderr, "mongo-standin: fatal: unable to listen on %s:%d: %s\n",
		    srv.opt.host, srv.opt.port, strerror(errno));
	} else {
		snprintf(srv.me, sizeof srv.me, "%s:%d", srv.opt.host, srv.opt.port);
		if (ready_tell(&srv) == 0) {
			ev_run(srv.loop, 0);
			status = 0;
		}
	}
	acceptor_free(&acceptor);
	server_free(&srv);
	return status;
}
