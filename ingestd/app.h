/* SPDX-License-Identifier: MIT */
/* app: ingestd as a whole. The source's events go into the outbox, the outbox goes to analyticsd,
 * and what analyticsd has committed leaves the outbox. analyticsd's greeting decides where the
 * source starts. */
#ifndef INGESTD_APP_H
#define INGESTD_APP_H

#include <ev.h>
#include <stdbool.h>

#include "ingestd/settings.h"

struct app;

struct app *app_new(struct ev_loop *loop, const struct settings *settings);
/* False when something that cannot be interrupted still runs: end by _exit(2). */
bool app_free(struct app **pointer);

#endif
