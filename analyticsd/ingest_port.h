/* SPDX-License-Identifier: MIT */
/* ingest_port: DUNE_RUN_DIR/ingest.sock, where events come in (docs/protocol.md, "Ingest").
 *
 * One connection at a time: a newcomer is told so and turned away, unless the one before has left
 * already and only its last words are still to be read; then it waits. The greeting waits until
 * what an earlier connection sent is committed, so that the position in it is exactly where the
 * state stands. */
#ifndef ANALYTICSD_INGEST_PORT_H
#define ANALYTICSD_INGEST_PORT_H

#include <ev.h>
#include <stdbool.h>

#include "analyticsd/event.h"
#include "lib/base.h"
#include "lib/buf.h"

struct ingest_port;

struct ingest_events {
	/* A document. -1: it could not be taken; it comes again after ingest_port_block(…,
	 * false). */
	int (*document)(void *owner, const struct event *event);
	/* Commit what is there, so that the greeting can go out: 0; -1: blocked, not now. */
	int (*settle)(void *owner);
	/* The position for the greeting; empty: null. */
	const struct buf *(*position)(void *owner);
};

/* Dies (111) when it cannot listen. */
struct ingest_port *ingest_port_new(
    struct ev_loop *loop, const char *run_dir, const struct ingest_events *events, void *owner);
void ingest_port_free(struct ingest_port **pointer);

/* Nothing can be committed: read no more, until it can. */
void ingest_port_block(struct ingest_port *port, bool blocked);
/* Sends `{committed: position}`. */
void ingest_port_committed(struct ingest_port *port);
/* No more reading, for good; what waits to be written goes out. */
void ingest_port_stop(struct ingest_port *port);

bool ingest_port_connected(const struct ingest_port *port);
/* Milliseconds since somebody was connected last (or since the start); 0: somebody is. */
uint64_t ingest_port_alone_ms(const struct ingest_port *port);

#endif
