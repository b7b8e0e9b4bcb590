/* SPDX-License-Identifier: MIT */
/* door: the listeners, and every connection until it is either a client, handed
 * over to statsd, or refused.
 *
 * A newcomer's first bytes are peeked at. A request for something else than /ws/…
 * goes to statsd unread; the rest is read here: 10 s and 8 KiB for a whole request head.
 * After a refusal our side is shut and what still comes is discarded for a moment, so that
 * the answer is not lost to an RST. */
#ifndef WSFAND_DOOR_H
#define WSFAND_DOOR_H

#include <ev.h>
#include <stdint.h>

#include "wsfand/admit.h"
#include "wsfand/arrival.h"
#include "wsfand/handoff.h"

struct door;

struct door_events {
	/* All that it points to lives until the call ends. */
	void (*admitted)(void *owner, const struct arrival *arrival);
	/* How many clients hold a descriptor now. */
	uint32_t (*connections)(void *owner);
};

/* Binds all of `listen` (a list as in DUNE_LISTEN) and logs where; dies when it
 * cannot (100 for an address that makes no sense, else 111). `shared`: other wsfands listen on the
 * same ports. `admit` and `handoff` must
 * outlive the door. */
struct door *door_new(struct ev_loop *loop, const char *listen, bool shared, int notsent_bytes,
    const struct admit *admit, struct handoff *handoff, const struct door_events *events,
    void *owner);
/* Handshakes in progress. */
uint32_t door_newcomers(const struct door *door);
/* How often accepting had to rest. */
unsigned long door_exhausted(const struct door *door);
/* Closes all: listeners and newcomers. */
void door_free(struct door **pointer);

#endif
