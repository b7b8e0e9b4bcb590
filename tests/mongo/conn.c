/* SPDX-License-Identifier: MIT */
#include "tests/mongo/conn.h"
#include "tests/mongo/command.h"
#include "tests/mongo/cursor.h"
#include "tests/mongo/journal.h"
#include "tests/mongo/majority.h"

#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_CHUNK 65536
/* How often a read that waits for a majority is looked at. */
#define PARKED_MS 10
#define container_of(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

enum pause {
	PAUSE_NOT,
	PAUSE_DELAY, /* the command at the head of in is run later */
	PAUSE_DELAYED, /* now */
	PAUSE_PARKED, /* it waits for a majority */
	PAUSE_TRICKLE, /* the reply goes out bit by bit */
	PAUSE_HANG, /* nothing comes any more */
	PAUSE_CLOSE, /* once what is in out has been sent */
};

/*
 * in[0..in_len) has been read and not run; out[out_at..out_len) is still to be written, of which
 * may_send bytes may go while the reply trickles. While wait.cursor is set a getMore waits;
 * wait_request is what its reply needs of the request, and effect what is to happen to that.
 */
struct conn {
	struct server *srv;
	struct conn **list, *next, *prev;
	int fd;
	ev_io readable, writable;
	ev_timer deadline; /* of the wait, the delay or the trickle */
	int64_t id;
	int32_t last_reply;
	struct auth auth;
	uint8_t *in, *out;
	size_t in_len, in_cap, out_at, out_len, out_cap, may_send;
	struct wait wait;
	int32_t wait_request;
	struct effect effect;
	int64_t effect_cursor; /* of the getMore that it falls on */
	enum pause pause;
};

void
conn_close(struct conn *c)
{
	struct ev_loop *loop = c->srv->loop;

	ev_io_stop(loop, &c->readable);
	ev_io_stop(loop, &c->writable);
	ev_timer_stop(loop, &c->deadline);
	if (c->wait.cursor)
		command_wait_drop(c->srv, &c->wait);
	c->srv->parked -= c->pause == PAUSE_PARKED;
	close(c->fd);
	auth_clear(&c->auth);
	effect_clear(&c->effect);
	bson_free(c->in);
	bson_free(c->out);
	if (c->prev)
		c->prev->next = c->next;
	else
		*c->list = c->next;
	if (c->next)
		c->next->prev = c->prev;
	c->srv->connections--;
	bson_free(c);
}

struct conn *
conn_next(const struct conn *c)
{
	return c->next;
}

bool
conn_waits(const struct conn *c)
{
	return c->wait.cursor != 0;
}

/* Whether what comes in is only kept for now. */
static bool
is_busy(const struct conn *c)
{
	return c->wait.cursor || (c->pause != PAUSE_NOT && c->pause != PAUSE_DELAYED);
}

/* ---- out ---- */

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

static void
out_reset(struct conn *c)
{
	if (c->out_cap > 1024 * 1024) {
		bson_free(c->out);
		c->out = NULL;
		c->out_cap = 0;
	}
	c->out_at = c->out_len = 0;
}

/* False: the connection is broken, or over. */
static bool
conn_flush(struct conn *c)
{
	journal_flush(c->srv->journal);
	while (c->out_at < c->out_len) {
		size_t len = c->out_len - c->out_at;
		ssize_t n;

		if (c->pause == PAUSE_TRICKLE && len > c->may_send)
			len = c->may_send;
		if (!len)
			return true;
		n = send(c->fd, c->out + c->out_at, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			ev_io_start(c->srv->loop, &c->writable);
			return true;
		}
		if (n <= 0)
			return false;
		c->out_at += (size_t)n;
		c->may_send -= c->pause == PAUSE_TRICKLE ? (size_t)n : 0;
	}
	ev_io_stop(c->srv->loop, &c->writable);
	out_reset(c);
	return c->pause != PAUSE_CLOSE;
}

static void
pause_for(struct conn *c, enum pause pause, int64_t ms)
{
	c->pause = pause;
	ev_timer_stop(c->srv->loop, &c->deadline);
	ev_timer_set(&c->deadline, (double)ms / 1000, 0);
	ev_timer_start(c->srv->loop, &c->deadline);
}

/* The reply leaves, as the effect has it. False: the connection is to be closed. */
static bool
conn_reply(struct conn *c, const struct request *r, bson_t *body)
{
	struct effect *e = &c->effect;
	size_t len;
	uint8_t *msg;

	if (e->no_token)
		reply_strip_token(body);
	if (e->cut == CUT_EXECUTED)
		return false;
	if (e->hang) {
		c->pause = PAUSE_HANG;
		return true;
	}
	msg = wire_reply(r, ++c->last_reply, body, &len);
	if (e->cut == CUT_WITHIN && (size_t)e->cut_at < len)
		len = (size_t)e->cut_at;
	conn_send(c, msg, len);
	bson_free(msg);
	if (e->cut == CUT_WITHIN || e->cut == CUT_AFTER) {
		c->pause = PAUSE_CLOSE;
	} else if (e->trickle_bytes) {
		c->may_send = (size_t)e->trickle_bytes;
		pause_for(c, PAUSE_TRICKLE, e->trickle_ms);
	}
	return true;
}

/* ---- running ---- */

/* What was executed turns out otherwise. */
static void
spoil(struct conn *c, bson_t *reply)
{
	struct cursor *cur;

	if ((c->effect.kill_cursor || c->effect.close) &&
	    (cur = cursor_find(c->srv, c->effect_cursor)))
		cursor_free(c->srv, &cur);
	if (c->effect.close)
		reply_close_cursor(reply);
	if (c->effect.error)
		command_fail(c->srv, c->effect.error, reply);
}

/* The command at hand is not to be run. *ok false: its connection is to be closed. */
static bool
is_prevented(struct conn *c, const struct request *r, bson_t *reply, bool *ok)
{
	const struct effect *e = &c->effect;

	if (e->cut == CUT_BEFORE)
		*ok = false;
	else if (e->hang && !e->execute)
		c->pause = PAUSE_HANG;
	else if (e->error && !e->execute && !e->kill_cursor) {
		command_fail(c->srv, e->error, reply);
		*ok = r->more_to_come || conn_reply(c, r, reply);
	} else {
		return false;
	}
	return true;
}

static bool
conn_execute(struct conn *c, const struct request *r)
{
	bson_t *reply = bson_new();
	bool ok = true;

	if (is_prevented(c, r, reply, &ok)) {
		bson_destroy(reply);
		return ok;
	}
	c->srv->give_empty = c->effect.empty;
	if (command_run(c->srv, &c->auth, c->id, r, &c->wait, reply)) {
		c->wait_request = r->id;
		ev_timer_set(&c->deadline, (double)c->wait.ms / 1000, 0);
		ev_timer_start(c->srv->loop, &c->deadline);
	} else {
		spoil(c, reply);
		ok = r->more_to_come || conn_reply(c, r, reply);
	}
	c->srv->give_empty = false;
	bson_destroy(reply);
	return ok;
}

/* Runs it, when a majority is as far as it asks; else *later. */
static bool
conn_execute_read(struct conn *c, const struct request *r, bool *later)
{
	if (!majority_must_wait(c->srv, &r->body))
		return conn_execute(c, r);
	pause_for(c, PAUSE_PARKED, PARKED_MS);
	c->srv->parked++;
	*later = true;
	return true;
}

/* Runs one whole message; with *later it is to be run again. False: the connection is to be
 * closed. */
static bool
conn_run(struct conn *c, const uint8_t *msg, size_t len, bool *later)
{
	struct target target;
	struct request r;

	if (!wire_parse(msg, len, &r)) {
		fprintf(stderr, "mongo-standin: connection %lld: malformed message, closed\n",
		    (long long)c->id);
		return false;
	}
	if (c->pause == PAUSE_DELAYED) {
		c->pause = PAUSE_NOT;
		return conn_execute_read(c, &r, later);
	}
	effect_clear(&c->effect);
	command_target(c->srv, &r, &target);
	fault_take(&c->srv->faults, &target, &c->effect);
	c->effect_cursor = target.cursor;
	if (c->effect.delay_ms > 0) {
		pause_for(c, PAUSE_DELAY, c->effect.delay_ms);
		*later = true;
		return true;
	}
	return conn_execute_read(c, &r, later);
}

/* Runs what has been read, as far as it is whole. False: the connection is to be closed. */
static bool
conn_work(struct conn *c)
{
	bool ok = true, later = false;
	size_t at = 0;

	while (ok && !is_busy(c)) {
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
		ok = conn_run(c, c->in + at, (size_t)n, &later);
		at += later ? 0 : (size_t)n;
	}
	if (at && at < c->in_len)
		memmove(c->in, c->in + at, c->in_len - at);
	c->in_len -= at;
	if (!c->in_len && c->in_cap > 1024 * 1024) {
		bson_free(c->in);
		c->in = NULL;
		c->in_cap = 0;
	}
	return conn_flush(c) && ok;
}

/* The waiting getMore is answered, if it can be. False: the connection is to be closed. */
static bool
wait_over(struct conn *c, bool last)
{
	struct request r = {.id = c->wait_request};
	bson_t *reply = bson_new();
	bool ok = true;

	if (command_wait_over(c->srv, &c->wait, last, reply)) {
		ev_timer_stop(c->srv->loop, &c->deadline);
		memset(&c->wait, 0, sizeof c->wait);
		spoil(c, reply);
		ok = conn_reply(c, &r, reply) && conn_work(c);
	}
	bson_destroy(reply);
	return ok;
}

void
conn_poll(struct conn *c)
{
	if (!wait_over(c, false))
		conn_close(c);
}

/* ---- watchers ---- */

/* Room for the rest of the message at hand, which is bounded, or for the next read. */
static void
conn_room(struct conn *c)
{
	int64_t n = is_busy(c) ? 0 : wire_length(c->in, c->in_len);
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
	/* While it is busy, what comes is only kept, and not without bound. */
	if (is_busy(c) && c->in_len > MAX_MESSAGE_BYTES) {
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
	if (!is_busy(c) && !conn_work(c))
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

/* A little more of the reply. False: the connection is to be closed. */
static bool
trickle(struct conn *c)
{
	c->may_send += (size_t)c->effect.trickle_bytes;
	if (!conn_flush(c))
		return false;
	if (c->out_at < c->out_len) {
		pause_for(c, PAUSE_TRICKLE, c->effect.trickle_ms);
		return true;
	}
	c->pause = PAUSE_NOT;
	return conn_work(c);
}

static void
on_deadline(struct ev_loop *loop, ev_timer *w, int events)
{
	struct conn *c = container_of(w, struct conn, deadline);
	bool ok = true;

	(void)loop;
	(void)events;
	if (c->wait.cursor) {
		ok = wait_over(c, true);
	} else if (c->pause == PAUSE_DELAY || c->pause == PAUSE_PARKED) {
		c->srv->parked -= c->pause == PAUSE_PARKED;
		c->pause = PAUSE_DELAYED;
		ok = conn_work(c);
	} else if (c->pause == PAUSE_TRICKLE) {
		ok = trickle(c);
	}
	if (!ok)
		conn_close(c);
}

void
conn_new(struct server *srv, struct conn **list, int fd, int64_t id)
{
	struct conn *c = bson_malloc0(sizeof *c);

	c->srv = srv;
	c->list = list;
	c->fd = fd;
	c->id = id;
	c->next = *list;
	if (c->next)
		c->next->prev = c;
	*list = c;
	srv->connections++;
	ev_io_init(&c->readable, on_readable, fd, EV_READ);
	ev_io_init(&c->writable, on_writable, fd, EV_WRITE);
	ev_timer_init(&c->deadline, on_deadline, 0, 0);
	ev_io_start(srv->loop, &c->readable);
}
