/* SPDX-License-Identifier: MIT */
/* conn: one connected Unix stream socket, with bounded buffers. The stream knows
 * bytes, the caller knows meaning (OpenSMTPD's ioev).
 *
 * Reading goes into one buffer shared by all conns of the process; only what
 * `data` does not consume is kept, in the conn's own buffer of at most in_max.
 * Writing is queued and leaves in one write per turn of the loop; the write
 * watcher is armed only after EAGAIN.
 *
 * A peer that leaves with our bytes unread shows as ECONNRESET behind its own
 * last bytes (unix(7)); that is an ordinary end here, error 0.
 *
 * Close now, free later: after conn_close() no event comes any more, the fd is
 * closed, and the memory goes when no callback is on the stack. */
#ifndef LIB_CONN_H
#define LIB_CONN_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"

struct conn;

struct conn_events {
	/* Bytes have come. Returns how many were consumed; the rest comes again,
	 * together with what follows. Called again only when there is more, and
	 * never while paused. May close the conn (the result does not matter then). */
	size_t (*data)(void *owner, const uint8_t *data, size_t length);
	/* The out queue has run empty after having been stuck (EAGAIN). May be NULL. */
	void (*drained)(void *owner);
	/* The peer has closed (error 0), or an errno: EMSGSIZE when in_max was full and
	 * nothing was consumed. All bytes that came were given to `data` before. The
	 * conn is closed already; the owner forgets its pointer. */
	void (*down)(void *owner, int error);
};

/* Takes over `fd` (non-blocking). `events` must outlive the conn. */
struct conn *conn_new(struct ev_loop *loop, int fd, const struct conn_events *events, void *owner,
    size_t in_max, size_t out_max);

/* Queues all or nothing; -1 with ENOBUFS when out_max would be passed. Once the
 * peer reads no more, what is sent is dropped; `down` comes when its last bytes were read. */
MUST_CHECK int conn_send(struct conn *conn, const void *data, size_t length);
/* The same for a header and a payload, as one. */
MUST_CHECK int conn_send2(
    struct conn *conn, const void *head, size_t head_length, const void *data, size_t length);
/* Bytes queued and not yet taken by the kernel; and the room that is left. */
size_t conn_pending(const struct conn *conn);
size_t conn_room(const struct conn *conn);
/* Tries to write what is queued, now; for the last words before an exit. */
void conn_flush(struct conn *conn);

/* Back-pressure: no more reading until resumed; what is kept is offered again then, from
 * the loop. While paused, the peer's end is not seen either. */
void conn_pause(struct conn *conn);
void conn_resume(struct conn *conn);

/* For going on with a connection in another process image: what was read and not consumed, and what
 * is queued and has not left. Points into the conn. */
struct conn_rest {
	const uint8_t *in, *out;
	size_t in_length, out_length;
};

void conn_save(const struct conn *conn, struct conn_rest *rest);
/* To a fresh conn. What was not consumed is offered again, from the loop, since whole units may be
 * in it; what had not left counts as stuck, so `drained` comes. -1: it is more than in_max or
 * out_max. */
MUST_CHECK int conn_restore(struct conn *conn, const struct conn_rest *rest);

/* For looking at (its peer, its options); reading and writing are the conn's. To receive
 * descriptors see lib/fdpass.h. */
int conn_fd(const struct conn *conn);

void conn_close(struct conn **pointer);

#endif
