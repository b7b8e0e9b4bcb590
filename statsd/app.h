/* SPDX-License-Identifier: MIT */
/* app: wires the parts of statsd: reports come in through collect, lie in the
 * registry, and go out through two doors (its own port; what wsfand hands over) as
 * routes says. Its own counters go into the registry directly. */
#ifndef STATSD_APP_H
#define STATSD_APP_H

#include <ev.h>

#include "statsd/settings.h"

struct app;

/* All sockets are bound when it returns; what cannot be bound is fatal (111).
 * `settings` must outlive it. */
struct app *app_new(struct ev_loop *loop, const struct settings *settings);
/* For env_start(): dies (100) where the settings of tokens make no sense. */
void app_check(const void *settings);
/* HUP: the keys of tokens are read again. */
void app_reload(struct app *app);
void app_free(struct app **app);

#endif
