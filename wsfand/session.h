/* SPDX-License-Identifier: MIT */
/* session: what a client and its room say to each other: the welcome, the
 * answers to a client's messages, the farewell. */
#ifndef WSFAND_SESSION_H
#define WSFAND_SESSION_H

#include <stdint.h>

#include "wsfand/client.h"
#include "wsfand/room.h"
#include "wsfand/upgrade.h"

struct session {
	struct clients clients;
	struct rooms *rooms;
};

/* `rooms` must outlive the session. */
void session_init(struct session *session, struct ev_loop *loop,
    const struct client_settings *settings, struct rooms *rooms);
/* All clients must be gone. */
void session_free(struct session *session);

/* The handshake on `fd` is done: a client of that room, welcomed with
 * connection:status and the last states. `upgrade` says what was asked for; `early` came
 * right behind the handshake. */
void session_start(struct session *session, int fd, const struct upgrade *upgrade,
    const uint8_t *early, size_t early_length);
/* Once per turn of the loop: writes what this turn has queued. */
void session_flush(struct session *session);

#endif
