/* SPDX-License-Identifier: MIT */
/*
 * The listening socket, the connections that came in through it, and what the loop does for all of
 * them together.
 */
#ifndef TESTS_MONGO_ACCEPTOR_H
#define TESTS_MONGO_ACCEPTOR_H

#include "tests/mongo/server.h"

struct acceptor;

/* Binds and listens on srv->opt.host and port (0: any; the port is put back), serves from then on.
 * NULL with errno on failure. */
struct acceptor *acceptor_new(struct server *srv);

/* Closes all connections, too. */
void acceptor_free(struct acceptor **a);

/* Cuts the connections: all, or only those on which a getMore waits. Returns how many. */
int64_t acceptor_cut(struct acceptor *a, bool only_waiting);

#endif
