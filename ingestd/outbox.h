/* SPDX-License-Identifier: MIT */
/* outbox: the events that analyticsd has not committed yet, in order. Pure.
 *
 *   committed ──▶ | base |==== sent ====|---- unsent ----| ◀── the source adds here
 *                 0                    sent           length
 *   `base` is the position of the last event that was dropped as committed, or
 *   the one that the source was started at; empty means "from the beginning".
 *
 * It is born with a limit in bytes: outbox_full() says when the source must rest,
 * outbox_drained() when it may go on (half of it is free again). One event is always taken, even
 * when it passes the limit by itself: EVENT_MAX more is the real bound.
 *
 * No two events in it have the same position. */
#ifndef INGESTD_OUTBOX_H
#define INGESTD_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"

struct outbox;

struct outbox *outbox_new(size_t limit);
void outbox_free(struct outbox **pointer);

/* Copies an encoded event; `now_ms` is any monotonic clock. -1: it is no event (EINVAL), or there
 * is no room (ENOBUFS). */
MUST_CHECK int outbox_add(
    struct outbox *outbox, const uint8_t *data, size_t length, uint64_t now_ms);
bool outbox_full(const struct outbox *outbox);
bool outbox_drained(const struct outbox *outbox);

/* What is to be sent next: a piece of the concatenated events, not necessarily
 * a whole one. outbox_sent() says how much of it was taken. */
const uint8_t *outbox_unsent(const struct outbox *outbox, size_t *length);
void outbox_sent(struct outbox *outbox, size_t length);
/* The connection is gone: all of it is unsent again. */
void outbox_rewind(struct outbox *outbox);

/* analyticsd has committed this position: drops everything up to its event. The
 * number of events dropped; 0 when it is the base already; -1 when nobody knows it. */
long outbox_commit(struct outbox *outbox, const uint8_t *position, size_t length);

/* Empties it: from now on everything lies behind this position (length 0: from the beginning). */
void outbox_reset(struct outbox *outbox, const uint8_t *position, size_t length);

size_t outbox_count(const struct outbox *outbox);
size_t outbox_bytes(const struct outbox *outbox);
/* When the oldest one was added; `now_ms` when there is none. */
uint64_t outbox_oldest(const struct outbox *outbox, uint64_t now_ms);

#endif
