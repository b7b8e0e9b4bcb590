/* SPDX-License-Identifier: MIT */
/* outq: what waits for one client, and a slow reader's fate (DESIGN's words are
 * in docs/protocol.md, "A client that reads too slowly"). Pure.
 *
 *     half written   control frames      states and events, in order
 *     |---head---|--ping, pong, close--|------------------------------|
 *          ^ sent
 *
 * - A message whose first byte has left is never replaced or overtaken.
 * - A control frame goes behind the head if that is half written, else to the
 *   front; of pings and pongs only the newest waits; behind a close nothing is taken.
 * - A state takes the place of an unsent older one of its kind; whatever else comes last.
 *
 * Nothing is allocated for one waiting message. A queue holds a reference to each. */
#ifndef WSFAND_OUTQ_H
#define WSFAND_OUTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "lib/base.h"
#include "wsfand/message.h"

struct outq {
	union {
		struct message *one; /* capacity == 0 */
		struct message **ring; /* capacity > 0, a power of two */
	};
	uint32_t count, capacity;
	uint32_t first; /* the head's place in the ring */
	uint32_t sent; /* bytes of the head that have left */
	uint64_t bytes; /* of all that waits, without the `sent` ones */
	uint32_t kinds; /* bit k: one of kind k waits and may still be replaced */
	bool closed; /* a close waits or has left: nothing more is taken */
};

struct outq_limits {
	uint32_t messages;
	uint64_t bytes;
};

enum outq_result {
	OUTQ_QUEUED,
	OUTQ_REPLACED, /* took the place of an older one */
	OUTQ_OVER, /* it would pass a limit; nothing was queued */
	OUTQ_CLOSED, /* behind a close; nothing was queued */
};

void outq_init(struct outq *q);
/* Lets go of all. */
void outq_free(struct outq *q);

static inline bool
outq_empty(const struct outq *q)
{
	return q->count == 0;
}

/* Takes a reference of its own. The limits do not hold for control frames, and an
 * empty queue takes any one message. */
MUST_CHECK enum outq_result outq_push(
    struct outq *q, struct message *message, const struct outq_limits *limits);

/* Queues a close. With `keep`, behind all that waits; else what waits is dropped,
 * except a half-written head. How many were dropped. */
size_t outq_push_close(struct outq *q, struct message *close, bool keep);

/* The unsent bytes of the first messages, at most `count` of them. How many vectors. */
size_t outq_vectors(const struct outq *q, struct iovec *vectors, size_t count);
/* `length` more bytes have left. How many messages are out whole by that. */
size_t outq_sent(struct outq *q, size_t length);

/* As it was before an upgrade in place: `message` behind all that waits, whatever the limits. */
void outq_put(struct outq *q, struct message *message);

/* The i-th that waits, 0 is the head. */
struct message *outq_at(const struct outq *q, uint32_t i);

#endif
