/* SPDX-License-Identifier: MIT */
/*
 * One client connection on the event loop: reads messages, runs them one at a time, writes replies.
 * A getMore that waits keeps its connection from reading on until it is answered; so does a fault
 * that delays, trickles or hangs.
 */
#ifndef TESTS_MONGO_CONN_H
#define TESTS_MONGO_CONN_H

#include "tests/mongo/server.h"

struct conn;

/* Takes over the socket and joins the list at *list. */
void conn_new(struct server *srv, struct conn **list, int fd, int64_t id);

void conn_close(struct conn *c);

struct conn *conn_next(const struct conn *c);

/* Whether a getMore waits on it. */
bool conn_waits(const struct conn *c);

/* Looks after the getMore that waits; the connection may be gone afterwards. */
void conn_poll(struct conn *c);

#endif
