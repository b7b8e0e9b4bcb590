/* SPDX-License-Identifier: MIT */
/*
 * Client connections on the event loop: reads messages, runs them one at a time, writes replies.
 * A getMore that waits keeps its connection from reading on until it is answered.
 */
#ifndef TESTS_MONGO_CONN_H
#define TESTS_MONGO_CONN_H

#include "tests/mongo/server.h"

struct acceptor;

/* Binds and listens on srv->opt.host and port (0: any; the port is put back), serves from then on.
 * NULL with errno on failure. */
struct acceptor *acceptor_new(struct server *srv);

/* Closes all connections, too. */
void acceptor_free(struct acceptor **a);

#endif
