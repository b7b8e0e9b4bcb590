/* SPDX-License-Identifier: MIT */
/* door: the listeners, and every connection until it is either a client, handed
 * over to statsd, or refused. There is room for as many as there may be clients, and 32 more;
 * where it is taken, who comes turns out somebody who has not said yet what it wants
 * (wsfand/crowd.h), so that nobody can lock others out by waiting.
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
#include "wsfand/listeners.h"
#include "wsfand/saver.h"

struct door;

struct door_events {
	/* All that it points to lives until the call ends. */
	void (*admitted)(void *owner, const struct arrival *arrival);
	/* How many clients hold a descriptor now. */
	uint32_t (*connections)(void *owner);
};

struct door_config {
	const char *listen; /* a list as in DUNE_LISTEN */
	bool shared; /* other wsfands listen on the same ports */
	int notsent_bytes;
	struct listeners *listeners; /* what is bound already, from before an upgrade in place */
};

/* Binds all of `listen` and logs where; dies when it cannot (100 for an address that makes no
 * sense, else 111). `admit` and `handoff` must outlive the door, `config` need not. */
struct door *door_new(struct ev_loop *loop, const struct door_config *config,
    const struct admit *admit, struct handoff *handoff, const struct door_events *events,
    void *owner);
/* For an upgrade in place: the listeners and all newcomers. */
void door_save(const struct door *door, struct saver *saver);
void door_adopt_newcomer(struct door *door, const struct estate_newcomer *record);
void door_settle(struct door *door);
/* Handshakes in progress. */
uint32_t door_newcomers(const struct door *door);
/* For who shares its ports: takes those who wait there already, and leaves the ports to the others,
 * to whom the kernel sends all who come from now on. Unix sockets stay. */
void door_leave_ports(struct door *door);
/* How often accepting had to rest. */
unsigned long door_exhausted(const struct door *door);
/* Closes all: listeners and newcomers. */
void door_free(struct door **pointer);

#endif
