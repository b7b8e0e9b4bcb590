/* SPDX-License-Identifier: MIT */
/* session: what a client and its room say to each other: the welcome, the
 * answers to a client's messages, the farewell. */
#ifndef WSFAND_SESSION_H
#define WSFAND_SESSION_H

#include <stdint.h>

#include "wsfand/admit.h"
#include "wsfand/client.h"
#include "wsfand/expiries.h"
#include "wsfand/room.h"
#include "wsfand/upgrade.h"

struct session {
	struct clients clients;
	struct rooms *rooms;
	const struct admit *admit;
	uint32_t message_interval_ms; /* 0: as many as they like */
	uint16_t message_burst;
	struct expiries expiries; /* of those who came in with a token */
	ev_timer expiry;
	int64_t expiry_due; /* what the timer waits for; INT64_MAX: it does not run */
};

/* `rooms` and `admit` must outlive the session. `message_rate`: messages per second that a client
 * may send, 0: any number; `message_burst`: at once. */
void session_init(struct session *session, struct ev_loop *loop,
    const struct client_settings *settings, struct rooms *rooms, const struct admit *admit,
    uint32_t message_rate, uint16_t message_burst);
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
