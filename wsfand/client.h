/* SPDX-License-Identifier: MIT */
/* client: one WebSocket connection after its handshake: reading, the queue and
 * its flushing, keepalive, and an orderly end. It knows no rooms; news go up by
 * struct client_events.
 *
 * What a client costs while it is idle is this struct and nothing else: no buffer,
 * no timer of its own, no allocation for one waiting message.
 *
 *   state     `quiet` stands on         reads          leaves it by
 *   OPEN      idle, or pong if pinged   messages       client_close(), the peer's Close, loss
 *   CLOSING   closing                   for a Close    both Closes done, or the deadline
 *   ENDING    ending                    and discards   end of stream, or the deadline
 *   DEAD      none; freed when no callback is on the stack
 * `stall` is set only in OPEN, while the kernel takes nothing. When it is due and the peer has
 * acknowledged something meanwhile, it starts anew. */
#ifndef WSFAND_CLIENT_H
#define WSFAND_CLIENT_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"
#include "lib/reaper.h"
#include "wsfand/batch.h"
#include "wsfand/bucket.h"
#include "wsfand/close_reason.h"
#include "wsfand/deadlines.h"
#include "wsfand/expiries.h"
#include "wsfand/message.h"
#include "wsfand/outq.h"

struct client;
struct room;
struct wire;

enum client_state { CLIENT_OPEN, CLIENT_CLOSING, CLIENT_ENDING, CLIENT_DEAD };

#define CLIENT_ID_BYTES 16

struct client {
	/* What sending looks at stands together: a large room does not fit the caches. */
	ev_io io;
	uint8_t state; /* enum client_state */
	uint8_t reason; /* enum close_reason, from CLOSING on */
	bool behind; /* the kernel took less than all: EV_WRITE is armed */
	bool pinged; /* and nothing was heard since */
	bool peer_closed;
	uint8_t window; /* permessage-deflate: bits of our window, 8 to 15; 0: not agreed on */
	uint32_t place; /* in the room */
	uint32_t unacknowledged; /* while it is behind: bytes, when that was last looked at */
	struct outq queue;
	struct clients *clients;
	struct room *room; /* the room's own, with `place` */
	/* The session's own: messages that may come, bad ones that are still forgiven, when the
	 * token ends, and for whose address this client counts. */
	struct bucket said, bad;
	struct expiry expiry;
	uint64_t network;
	struct wire *wire; /* NULL unless something is half read */
	struct deadline quiet, stall;
	union {
		struct list dirty; /* on clients->dirty: to be flushed before the loop sleeps */
		struct reap reap; /* DEAD */
	};
	uint8_t id[CLIENT_ID_BYTES];
};

struct client_events {
	/* A text message; valid UTF-8. */
	void (*text)(void *owner, struct client *client, const char *text, size_t length);
	/* It is OPEN no more: take it out of its room. Comes exactly once. */
	void (*left)(void *owner, struct client *client);
};

struct client_settings {
	size_t read_bytes;
	size_t max_message;
	int behind_bytes; /* that the kernel may hold for who is behind */
	struct outq_limits limits;
	double ping_interval, pong_timeout, write_timeout; /* seconds */
};

/* All of them. */
struct clients {
	struct ev_loop *loop;
	struct client_settings settings;
	const struct client_events *events;
	void *owner;
	struct deadlines idle, pong, stall, closing, ending;
	struct list dirty;
	uint8_t *read_buffer; /* of settings.read_bytes; shared, since reading is never nested */
	struct message *ping;
	struct message *closes[CLOSE_GONE + 1]; /* made when first needed */
	uint32_t open, ended; /* OPEN; CLOSING or ENDING */
};

/* `settings` is copied, `events` must outlive. */
void clients_init(struct clients *clients, struct ev_loop *loop,
    const struct client_settings *settings, const struct client_events *events, void *owner);
/* All clients must be DEAD. */
void clients_free(struct clients *clients);
/* Writes what was queued in this turn: one writev a client. */
void clients_flush(struct clients *clients);

/* Takes over `fd` (non-blocking, its handshake done).
 * `window`: what permessage-deflate was agreed on with, or 0. OPEN, in no room. */
struct client *client_new(struct clients *clients, int fd, uint8_t window);
/* The first thing it gets: the answer to its handshake and a message, with one call. It is
 * dropped when the kernel does not even take the answer. */
void client_greet(
    struct client *client, const char *answer, size_t length, struct message *welcome);
/* Bytes that came right behind the handshake. */
void client_feed(struct client *client, const uint8_t *data, size_t length);

/* Queues a message for this client alone; it leaves with the next flush. Closes
 * the client (1013) when a limit is passed and the kernel takes no more. */
void client_queue(struct client *client, struct message *message);

/* To a client with nothing waiting this is one send(2) and nothing else; what the
 * kernel does not take is queued. */
void client_send(struct client *client, struct batches *batches);

/* Ends it with the reason's code, if it is OPEN. With `keep`, what waits leaves first. */
void client_close(struct client *client, enum close_reason reason, bool keep);
/* At once, whatever its state. */
void client_drop(struct client *client, enum close_reason reason);

#endif
