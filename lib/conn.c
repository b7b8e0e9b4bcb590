/* SPDX-License-Identifier: MIT */
#include "lib/conn.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/reaper.h"
#include "lib/sock.h"

/* Bytes read at once, and how often in one turn, so that one chatty peer does
 * not starve the others. */
#define READ_SIZE 262144
#define READS_PER_TURN 4

/* What `data` did not consume stands in `in`. `again` and `turn_end` are never
 * started, only fed. */
struct conn {
	struct ev_loop *loop;
	int fd;
	ev_io reader, writer;
	ev_prepare again; /* offers what was kept over a pause */
	ev_prepare turn_end; /* writes what this turn has queued */
	const struct conn_events *events;
	void *owner;
	struct buf in, out;
	bool paused;
	bool closed;
	bool stuck; /* the kernel took no more; `drained` is owed */
	bool unwritable; /* the peer reads no more; what is sent is dropped */
	bool kept; /* `in` is to be offered again though nothing was added */
	struct reap reap;
};

/* Shared by all conns: held only inside one read callback. */
static uint8_t shared[READ_SIZE];

static void
conn_reap(struct reap *reap)
{
	struct conn *conn = container_of(reap, struct conn, reap);

	buf_free(&conn->in);
	buf_free(&conn->out);
	MEM_FREE(&conn);
}

void
conn_close(struct conn **pointer)
{
	struct conn *conn = *pointer;

	if (!conn)
		return;
	*pointer = NULL;
	conn->closed = true;
	ev_io_stop(conn->loop, &conn->reader);
	ev_io_stop(conn->loop, &conn->writer);
	ev_prepare_stop(conn->loop, &conn->again);
	ev_prepare_stop(conn->loop, &conn->turn_end);
	fd_close(&conn->fd);
	reaper_add(conn->loop, &conn->reap, conn_reap);
}

static void
go_down(struct conn *conn, int error)
{
	const struct conn_events *events = conn->events;
	void *owner = conn->owner;

	conn_close(&conn);
	/* EPIPE and ECONNRESET: the peer has closed without reading all. */
	events->down(owner, error == ECONNRESET || error == EPIPE ? 0 : error);
}

/* Offers `length` bytes and keeps what is left of them in `in`. */
static void
offer(struct conn *conn, const uint8_t *data, size_t length)
{
	size_t used = conn->events->data(conn->owner, data, length);

	if (conn->closed)
		return;
	if (data == shared) {
		buf_clear(&conn->in);
		/* Cannot fail: no more was read than `in` has room for. */
		if (used < length && buf_append(&conn->in, data + used, length - used) < 0)
			go_down(conn, ENOBUFS);
	} else {
		buf_consume(&conn->in, used);
	}
}

/* Reads once and offers. True when there may be more to read in this turn. */
static bool
read_once(struct conn *conn)
{
	size_t kept = buf_length(&conn->in);
	size_t want = MIN(buf_room(&conn->in), (size_t)READ_SIZE);
	bool in_shared = kept <= READ_SIZE / 2;
	uint8_t *base;
	ssize_t got;

	if (want == 0) {
		go_down(conn, EMSGSIZE);
		return false;
	}
	if (in_shared)
		want = MIN(want, READ_SIZE - kept);
	base = in_shared ? shared + kept : buf_reserve(&conn->in, want);
	if (!base) {
		go_down(conn, ENOMEM);
		return false;
	}
	got = read(conn->fd, base, want);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0) {
		go_down(conn, got < 0 ? errno : 0);
		return false;
	}
	conn->kept = false;
	if (in_shared) {
		if (kept > 0)
			memcpy(shared, buf_bytes(&conn->in), kept);
		offer(conn, shared, kept + (size_t)got);
	} else {
		buf_commit(&conn->in, (size_t)got);
		offer(conn, buf_bytes(&conn->in), buf_length(&conn->in));
	}
	return !conn->closed && !conn->paused && (size_t)got == want;
}

static void
on_readable(struct ev_loop *loop UNUSED, ev_io *io, int events UNUSED)
{
	struct conn *conn = container_of(io, struct conn, reader);

	for (int i = 0; i < READS_PER_TURN; i++) {
		if (!read_once(conn))
			return;
	}
}

static void
on_again(struct ev_loop *loop UNUSED, ev_prepare *watcher, int events UNUSED)
{
	struct conn *conn = container_of(watcher, struct conn, again);

	if (!conn->kept || conn->paused)
		return;
	conn->kept = false;
	if (buf_length(&conn->in) > 0)
		offer(conn, buf_bytes(&conn->in), buf_length(&conn->in));
}

/* Writes until nothing is left or the kernel takes no more. */
static void
write_out(struct conn *conn)
{
	while (buf_length(&conn->out) > 0) {
		ssize_t sent = send(
		    conn->fd, buf_bytes(&conn->out), buf_length(&conn->out), MSG_NOSIGNAL);

		if (sent >= 0) {
			buf_consume(&conn->out, (size_t)sent);
		} else if (errno == EAGAIN) {
			conn->stuck = true;
			ev_io_start(conn->loop, &conn->writer);
			return;
		} else if (errno != EINTR) {
			/* The reader finds the end, behind the peer's last words. */
			conn->unwritable = true;
			buf_clear(&conn->out);
		}
	}
	ev_io_stop(conn->loop, &conn->writer);
}

static void
write_and_tell(struct conn *conn)
{
	write_out(conn);
	if (conn->stuck && buf_length(&conn->out) == 0) {
		conn->stuck = false;
		if (conn->events->drained)
			conn->events->drained(conn->owner);
	}
}

static void
on_writable(struct ev_loop *loop UNUSED, ev_io *io, int events UNUSED)
{
	write_and_tell(container_of(io, struct conn, writer));
}

static void
on_turn_end(struct ev_loop *loop UNUSED, ev_prepare *watcher, int events UNUSED)
{
	write_and_tell(container_of(watcher, struct conn, turn_end));
}

struct conn *
conn_new(struct ev_loop *loop, int fd, const struct conn_events *events, void *owner, size_t in_max,
    size_t out_max)
{
	struct conn *conn = mem_zalloc(sizeof(*conn));

	conn->loop = loop;
	conn->fd = fd;
	conn->events = events;
	conn->owner = owner;
	buf_init(&conn->in, in_max);
	buf_init(&conn->out, out_max);
	ev_io_init(&conn->reader, on_readable, fd, EV_READ);
	ev_io_init(&conn->writer, on_writable, fd, EV_WRITE);
	ev_prepare_init(&conn->again, on_again);
	ev_prepare_init(&conn->turn_end, on_turn_end);
	ev_set_priority(&conn->turn_end, EV_MINPRI);
	ev_io_start(loop, &conn->reader);
	return conn;
}

int
conn_send(struct conn *conn, const void *data, size_t length)
{
	return conn_send2(conn, data, length, NULL, 0);
}

int
conn_send2(struct conn *conn, const void *head, size_t head_length, const void *data, size_t length)
{
	if (conn->unwritable)
		return 0;
	if (buf_room(&conn->out) < head_length || buf_room(&conn->out) - head_length < length) {
		errno = ENOBUFS;
		return -1;
	}
	if (head_length > 0 && buf_append(&conn->out, head, head_length) < 0)
		return -1;
	if (length > 0 && buf_append(&conn->out, data, length) < 0)
		return -1;
	if (!conn->stuck && buf_length(&conn->out) > 0)
		ev_feed_event(conn->loop, &conn->turn_end, EV_CUSTOM);
	return 0;
}

size_t
conn_pending(const struct conn *conn)
{
	return buf_length(&conn->out);
}

size_t
conn_room(const struct conn *conn)
{
	return buf_room(&conn->out);
}

void
conn_flush(struct conn *conn)
{
	bool was_stuck = conn->stuck;

	write_out(conn);
	/* `drained` is never called from inside a call of the owner's. */
	if (was_stuck && buf_length(&conn->out) == 0)
		ev_feed_event(conn->loop, &conn->turn_end, EV_CUSTOM);
}

void
conn_pause(struct conn *conn)
{
	conn->paused = true;
	ev_io_stop(conn->loop, &conn->reader);
}

void
conn_resume(struct conn *conn)
{
	if (!conn->paused)
		return;
	conn->paused = false;
	ev_io_start(conn->loop, &conn->reader);
	conn->kept = true;
	ev_feed_event(conn->loop, &conn->again, EV_CUSTOM);
}

void
conn_save(const struct conn *conn, struct conn_rest *rest)
{
	*rest = (struct conn_rest){
	    .in = buf_bytes(&conn->in),
	    .in_length = buf_length(&conn->in),
	    .out = buf_bytes(&conn->out),
	    .out_length = buf_length(&conn->out),
	};
}

int
conn_restore(struct conn *conn, const struct conn_rest *rest)
{
	if (rest->in_length > buf_room(&conn->in) || rest->out_length > buf_room(&conn->out))
		return -1;
	if (rest->in_length > 0) {
		if (buf_append(&conn->in, rest->in, rest->in_length) < 0)
			return -1;
		conn->kept = true;
		ev_feed_event(conn->loop, &conn->again, EV_CUSTOM);
	}
	if (rest->out_length > 0) {
		if (buf_append(&conn->out, rest->out, rest->out_length) < 0)
			return -1;
		conn->stuck = true;
		ev_io_start(conn->loop, &conn->writer);
	}
	return 0;
}

int
conn_fd(const struct conn *conn)
{
	return conn->fd;
}
