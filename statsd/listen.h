/* SPDX-License-Identifier: MIT */
/* listen: the addresses of DUNE_STATS_LISTEN, as acceptors that give each
 * connection to a door. */
#ifndef STATSD_LISTEN_H
#define STATSD_LISTEN_H

#include <ev.h>

#include "statsd/http.h"

struct listen;

/* `addresses`: host:port, [v6]:port or unix:PATH, separated by commas. Logs where it
 * listens; an address that cannot be bound is fatal (111). */
struct listen *listen_new(struct ev_loop *loop, const char *addresses, struct door *door);
void listen_free(struct listen **listen);

#endif
