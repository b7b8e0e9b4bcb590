/* SPDX-License-Identifier: MIT */
/* session: what a client and its room say to each other: the welcome, the
 * answers to a client's messages, the farewell. */
#ifndef WSFAND_SESSION_H
#define WSFAND_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "wsfand/admit.h"
#include "wsfand/arrival.h"
#include "wsfand/client.h"
#include "wsfand/expiries.h"
#include "wsfand/room.h"

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

/* A client of that room: its handshake is answered, and it is welcomed with connection:status
 * and the last states. */
void session_start(struct session *session, const struct arrival *arrival);
/* Once per turn of the loop: writes what this turn has queued, but for large rooms no more than
 * their slice. True: something is left for the next turn, so the loop must not sleep. */
bool session_turn(struct session *session);
/* Writes all that is queued. */
void session_flush(struct session *session);

/* For client_estate.c: the time of buckets, and arming the timer for whose token ends first. */
uint32_t session_now_ms(const struct session *session);
void session_await_expiry(struct session *session);

#endif
