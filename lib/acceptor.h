/* SPDX-License-Identifier: MIT */
/* acceptor: takes connections off one listening socket. When descriptors or
 * memory run out (EMFILE, ENFILE, ENOBUFS, ENOMEM) and nobody makes room, it stops, says so, and
 * tries again by a timer: it never spins. */
#ifndef LIB_ACCEPTOR_H
#define LIB_ACCEPTOR_H

#include <ev.h>
#include <stdbool.h>

#include "lib/sock.h"

struct acceptor;

/* `fd` is non-blocking, close-on-exec, and the callee's from now on. */
typedef void acceptor_event(void *owner, int fd, const struct sock_address *peer);

/* A connection waits for which there is no descriptor. True: one was freed, so try again. */
typedef bool acceptor_room(void *owner);

/* Takes over `listener`. Accepts at most `batch` a turn of the loop, so that
 * a storm of newcomers does not starve the rest. */
struct acceptor *acceptor_new(
    struct ev_loop *loop, int listener, int batch, acceptor_event *event, void *owner);
/* `make_room` is asked before it rests; `owner` is that of the events. */
void acceptor_on_exhausted(struct acceptor *acceptor, acceptor_room *make_room);
/* Takes all who wait already, however many they are, unless descriptors run out. */
void acceptor_take_all(struct acceptor *acceptor);
void acceptor_pause(struct acceptor *acceptor);
void acceptor_resume(struct acceptor *acceptor);
/* How often accepting had to stop for want of descriptors. */
unsigned long acceptor_exhausted(const struct acceptor *acceptor);
int acceptor_fd(const struct acceptor *acceptor);
/* Closes the listener. */
void acceptor_free(struct acceptor **pointer);

#endif
