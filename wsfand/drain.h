/* SPDX-License-Identifier: MIT */
/* drain: takes leave of all clients, evenly over a time, so that they do not come
 * back to the next server all at once. */
#ifndef WSFAND_DRAIN_H
#define WSFAND_DRAIN_H

#include <ev.h>

#include "wsfand/session.h"

struct drain;

/* Closes the k-th of n clients (1001, behind what waits for it) k/n of `seconds` from
 * now; then waits for their answers as long as a close may take. `done` comes once,
 * never from inside this call. */
struct drain *drain_start(struct ev_loop *loop, struct session *session, double seconds,
    void (*done)(void *owner), void *owner);
void drain_free(struct drain **pointer);

#endif
