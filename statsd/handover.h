/* SPDX-License-Identifier: MIT */
/* handover: http.sock. Takes the connected sockets that wsfand passes
 * (docs/protocol.md, "Handing over") and gives them to a door. */
#ifndef STATSD_HANDOVER_H
#define STATSD_HANDOVER_H

#include <ev.h>

#include "statsd/http.h"

#define HANDOVER_MAX_SENDERS 64

struct handover;

/* Takes over `listener`, a listening Unix socket. `door` must outlive it. */
struct handover *handover_new(struct ev_loop *loop, int listener, struct door *door);
void handover_free(struct handover **handover);

#endif
