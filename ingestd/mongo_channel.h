/* SPDX-License-Identifier: MIT */
/* mongo_channel: what the worker thread and the loop's thread share; the only place where they
 * meet. Batches of encoded events go to the loop, bounded: the worker waits while
 * CHANNEL_BYTES wait to be taken. The status goes along with them. Both sides hold the
 * channel; it is freed when the second of them lets go, so that a worker that hangs in a call
 * can be left alone. */
#ifndef INGESTD_MONGO_CHANNEL_H
#define INGESTD_MONGO_CHANNEL_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base.h"
#include "lib/buf.h"

#define CHANNEL_BYTES 1048576

struct mongo_channel;

/* Whole encoded events, one behind the other. */
struct mongo_batch {
	struct mongo_batch *next;
	struct buf events;
};

struct mongo_status {
	bool connected;
	char unwell[1024]; /* "" while all is well */
	char fatal[512]; /* why ingestd has to end with 100, or "" */
	bool scanning, rebuilding;
	uint32_t behind_s; /* mongo_cursor_behind() */
	uint64_t scan_documents, scan_total, scan_rate, scan_left_ms;
	uint64_t connects, errors, structure; /* ever counted up */
};

/* `wake` is started on `loop`, and sent whenever there is something new. It must live until
 * mongo_channel_leave(). */
struct mongo_channel *mongo_channel_new(struct ev_loop *loop, ev_async *wake);

/* ---- the loop's side ---- */

/* The next batch, now the caller's; NULL when there is none. */
struct mongo_batch *mongo_channel_take(struct mongo_channel *channel);
void mongo_batch_free(struct mongo_batch **batch);
void mongo_channel_status(struct mongo_channel *channel, struct mongo_status *status);
/* Tells the worker to end. */
void mongo_channel_stop(struct mongo_channel *channel);
/* Waits at most so long for mongo_channel_done(); whether it came. */
bool mongo_channel_wait(struct mongo_channel *channel, unsigned ms);
/* No wake comes any more. */
void mongo_channel_leave(struct mongo_channel **pointer);

/* ---- the worker's side ---- */

/* Gives away what `events` holds (it is empty afterwards), when there is room. False: it is
 * to end, and nothing was given. */
MUST_CHECK bool mongo_channel_push(struct mongo_channel *channel, struct buf *events);
bool mongo_channel_stopping(struct mongo_channel *channel);
/* False: it is to end; it slept no longer than until it was told so. */
MUST_CHECK bool mongo_channel_sleep(struct mongo_channel *channel, unsigned ms);
/* The status, to be changed under the lock, and the loop woken. */
struct mongo_status *mongo_channel_lock(struct mongo_channel *channel);
void mongo_channel_unlock(struct mongo_channel *channel);
/* The worker's last word: it touches nothing of ours any more. */
void mongo_channel_done(struct mongo_channel **pointer);

#endif
