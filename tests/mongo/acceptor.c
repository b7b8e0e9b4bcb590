/* SPDX-License-Identifier: MIT */
#include "tests/mongo/acceptor.h"
#include "tests/mongo/conn.h"
#include "tests/mongo/journal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ev.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#define container_of(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

struct acceptor {
	struct server *srv;
	int fd;
	ev_io readable;
	ev_prepare prepare;
	ev_timer noop;
	struct conn *conns;
	int64_t next_id;
	uint64_t
	    polled; /* what of the oplog streams saw when the waiting getMores were last polled */
	uint64_t killed; /* and how many cursors had been killed */
};

/* Before the loop sleeps: whatever was written meanwhile may be what a getMore waits for. */
static void
on_prepare(struct ev_loop *loop, ev_prepare *w, int events)
{
	struct acceptor *a = container_of(w, struct acceptor, prepare);
	struct conn *c, *next;

	(void)loop;
	(void)events;
	while (a->polled != oplog_seen_end(&a->srv->oplog) || a->killed != a->srv->kills) {
		a->polled = oplog_seen_end(&a->srv->oplog);
		a->killed = a->srv->kills;
		for (c = a->conns; c; c = next) {
			next = conn_next(c);
			if (conn_waits(c))
				conn_poll(c);
		}
	}
	journal_flush(a->srv->journal);
}

static void
on_noop(struct ev_loop *loop, ev_timer *w, int events)
{
	struct acceptor *a = container_of(w, struct acceptor, noop);

	(void)loop;
	(void)events;
	oplog_noop(&a->srv->oplog);
}

static void
on_accept(struct ev_loop *loop, ev_io *w, int events)
{
	struct acceptor *a = container_of(w, struct acceptor, readable);
	int fd = accept4(a->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;

	(void)loop;
	(void)events;
	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	conn_new(a->srv, &a->conns, fd, ++a->next_id);
}

int64_t
acceptor_cut(struct acceptor *a, bool only_waiting)
{
	struct conn *c, *next;
	int64_t n = 0;

	for (c = a->conns; c; c = next) {
		next = conn_next(c);
		if (only_waiting && !conn_waits(c))
			continue;
		conn_close(c);
		n++;
	}
	return n;
}

static int
listen_on(struct server *srv)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof sa;
	int fd, one = 1, saved;

	sa.sin_port = htons((uint16_t)srv->opt.port);
	if (inet_pton(AF_INET, srv->opt.host, &sa.sin_addr) != 1) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&sa, sizeof sa) < 0 || listen(fd, 512) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) < 0) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	srv->opt.port = ntohs(sa.sin_port);
	return fd;
}

struct acceptor *
acceptor_new(struct server *srv)
{
	struct acceptor *a;
	int fd = listen_on(srv);

	if (fd < 0)
		return NULL;
	a = bson_malloc0(sizeof *a);
	a->srv = srv;
	a->fd = fd;
	a->polled = oplog_seen_end(&srv->oplog);
	ev_io_init(&a->readable, on_accept, fd, EV_READ);
	ev_io_start(srv->loop, &a->readable);
	ev_prepare_init(&a->prepare, on_prepare);
	ev_prepare_start(srv->loop, &a->prepare);
	if (srv->opt.noop_ms > 0) {
		double every = (double)srv->opt.noop_ms / 1000;

		ev_timer_init(&a->noop, on_noop, every, every);
		ev_timer_start(srv->loop, &a->noop);
	}
	return a;
}

void
acceptor_free(struct acceptor **ap)
{
	struct acceptor *a = *ap;

	if (!a)
		return;
	while (a->conns)
		conn_close(a->conns);
	ev_io_stop(a->srv->loop, &a->readable);
	ev_prepare_stop(a->srv->loop, &a->prepare);
	if (a->srv->opt.noop_ms > 0)
		ev_timer_stop(a->srv->loop, &a->noop);
	close(a->fd);
	bson_free(a);
	*ap = NULL;
}
