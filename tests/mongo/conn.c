/* SPDX-License-Identifier: MIT */
#include "tests/mongo/conn.h"
#include "tests/mongo/command.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_CHUNK 65536
#define container_of(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

/*
 * in[0..in_len) has been read and not run; out[out_at..out_len) is still to be written. While
 * wait.cursor is set a getMore waits; wait_request is what its reply needs of the request.
 */
struct conn {
	struct acceptor *acceptor;
	struct conn *next, *prev;
	int fd;
	ev_io readable, writable;
	ev_timer deadline;
	int64_t id;
	int32_t last_reply;
	struct auth auth;
	uint8_t *in, *out;
	size_t in_len, in_cap, out_at, out_len, out_cap;
	struct wait wait;
	int32_t wait_request;
};

struct acceptor {
	struct server *srv;
	int fd;
	ev_io readable;
	ev_prepare prepare;
	ev_timer noop;
	struct conn *conns;
	int64_t next_id;
	uint64_t polled; /* the end of the oplog when the waiting getMores were last looked at */
	uint64_t killed; /* and how many cursors had been killed */
};

static void
conn_close(struct conn *c)
{
	struct acceptor *a = c->acceptor;
	struct ev_loop *loop = a->srv->loop;

	ev_io_stop(loop, &c->readable);
	ev_io_stop(loop, &c->writable);
	ev_timer_stop(loop, &c->deadline);
	if (c->wait.cursor)
		command_wait_drop(a->srv, &c->wait);
	close(c->fd);
	auth_clear(&c->auth);
	bson_free(c->in);
	bson_free(c->out);
	if (c->prev)
		c->prev->next = c->next;
	else
		a->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	a->srv->connections--;
	bson_free(c);
}

static void
conn_send(struct conn *c, const uint8_t *data, size_t len)
{
	if (c->out_at) {
		memmove(c->out, c->out + c->out_at, c->out_len - c->out_at);
		c->out_len -= c->out_at;
		c->out_at = 0;
	}
	if (c->out_len + len > c->out_cap) {
		c->out_cap = c->out_len + len;
		c->out = bson_realloc(c->out, c->out_cap);
	}
	memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
}

/* False: the connection is broken. */
static bool
conn_flush(struct conn *c)
{
	struct ev_loop *loop = c->acceptor->srv->loop;

	while (c->out_at < c->out_len) {
		ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			ev_io_start(loop, &c->writable);
			return true;
		}
		if (n <= 0)
			return false;
		c->out_at += (size_t)n;
	}
	ev_io_stop(loop, &c->writable);
	if (c->out_cap > 1024 * 1024) {
		bson_free(c->out);
		c->out = NULL;
		c->out_cap = 0;
	}
	c->out_at = c->out_len = 0;
	return true;
}

static void
conn_reply(struct conn *c, const struct request *r, const bson_t *body)
{
	size_t len;
	uint8_t *msg = wire_reply(r, ++c->last_reply, body, &len);

	conn_send(c, msg, len);
	bson_free(msg);
}

/* Runs one whole message. False: it is malformed. */
static bool
conn_run(struct conn *c, const uint8_t *msg, size_t len)
{
	struct request r;
	bson_t *reply;

	if (!wire_parse(msg, len, &r)) {
		fprintf(stderr, "mongo-standin: connection %lld: malformed message, closed\n",
		    (long long)c->id);
		return false;
	}
	reply = bson_new();
	if (command_run(c->acceptor->srv, &c->auth, c->id, &r, &c->wait, reply)) {
		c->wait_request = r.id;
		ev_timer_set(&c->deadline, (double)c->wait.ms / 1000, 0);
		ev_timer_start(c->acceptor->srv->loop, &c->deadline);
	} else if (!r.more_to_come) {
		conn_reply(c, &r, reply);
	}
	bson_destroy(reply);
	return true;
}

/* Runs what has been read, as far as it is whole. False: the connection is to be closed. */
static bool
conn_work(struct conn *c)
{
	size_t at = 0;
	bool ok = true;

	while (ok && !c->wait.cursor) {
		int64_t n = wire_length(c->in + at, c->in_len - at);

		if (n < 0) {
			fprintf(stderr,
			    "mongo-standin: connection %lld: impossible message length, "
			    "closed\n",
			    (long long)c->id);
			ok = false;
		}
		if (n <= 0 || (size_t)n > c->in_len - at)
			break;
		ok = conn_run(c, c->in + at, (size_t)n);
		at += (size_t)n;
	}
	memmove(c->in, c->in + at, c->in_len - at);
	c->in_len -= at;
	if (!c->in_len && c->in_cap > 1024 * 1024) {
		bson_free(c->in);
		c->in = NULL;
		c->in_cap = 0;
	}
	return conn_flush(c) && ok;
}

/* Room for the rest of the message at hand, which is bounded, or for the next read. */
static void
conn_room(struct conn *c)
{
	int64_t n = c->wait.cursor ? 0 : wire_length(c->in, c->in_len);
	size_t want = c->in_len + READ_CHUNK;

	if (n > 0 && (size_t)n > want)
		want = (size_t)n;
	if (want <= c->in_cap)
		return;
	c->in_cap = want;
	c->in = bson_realloc(c->in, c->in_cap);
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int events)
{
	struct conn *c = container_of(w, struct conn, readable);
	ssize_t n;

	(void)loop;
	(void)events;
	/* While a getMore waits, what comes is only kept, and not without bound. */
	if (c->wait.cursor && c->in_len > MAX_MESSAGE_BYTES) {
		conn_close(c);
		return;
	}
	conn_room(c);
	n = recv(c->fd, c->in + c->in_len, c->in_cap - c->in_len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn_close(c);
		return;
	}
	c->in_len += (size_t)n;
	if (!c->wait.cursor && !conn_work(c))
		conn_close(c);
}

static void
on_writable(struct ev_loop *loop, ev_io *w, int events)
{
	struct conn *c = container_of(w, struct conn, writable);

	(void)loop;
	(void)events;
	if (!conn_flush(c))
		conn_close(c);
}

/* Looks after a waiting getMore. False: the connection is to be closed. */
static bool
conn_poll(struct conn *c, bool last)
{
	struct request r = {.id = c->wait_request};
	bson_t *reply = bson_new();
	bool ok = true;

	if (command_wait_over(c->acceptor->srv, &c->wait, last, reply)) {
		ev_timer_stop(c->acceptor->srv->loop, &c->deadline);
		memset(&c->wait, 0, sizeof c->wait);
		conn_reply(c, &r, reply);
		ok = conn_work(c);
	}
	bson_destroy(reply);
	return ok;
}

static void
on_deadline(struct ev_loop *loop, ev_timer *w, int events)
{
	struct conn *c = container_of(w, struct conn, deadline);

	(void)loop;
	(void)events;
	if (!conn_poll(c, true))
		conn_close(c);
}

/* Before the loop sleeps: whatever was written meanwhile may be what a getMore waits for. */
static void
on_prepare(struct ev_loop *loop, ev_prepare *w, int events)
{
	struct acceptor *a = container_of(w, struct acceptor, prepare);
	struct conn *c, *next;

	(void)loop;
	(void)events;
	while (a->polled != a->srv->oplog.end || a->killed != a->srv->kills) {
		a->polled = a->srv->oplog.end;
		a->killed = a->srv->kills;
		for (c = a->conns; c; c = next) {
			next = c->next;
			if (c->wait.cursor && !conn_poll(c, false))
				conn_close(c);
		}
	}
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
	struct conn *c;

	(void)events;
	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	c = bson_malloc0(sizeof *c);
	c->acceptor = a;
	c->fd = fd;
	c->id = ++a->next_id;
	c->next = a->conns;
	if (c->next)
		c->next->prev = c;
	a->conns = c;
	a->srv->connections++;
	ev_io_init(&c->readable, on_readable, fd, EV_READ);
	ev_io_init(&c->writable, on_writable, fd, EV_WRITE);
	ev_timer_init(&c->deadline, on_deadline, 0, 0);
	ev_io_start(loop, &c->readable);
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
	a->polled = srv->oplog.end;
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
