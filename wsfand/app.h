/* SPDX-License-Identifier: MIT */
/* app: wsfand as a whole: makes the parts and carries their news from one to the other. */
#ifndef WSFAND_APP_H
#define WSFAND_APP_H

#include <ev.h>

#include "wsfand/settings.h"

struct app;

/* Binds all sockets; dies when it cannot. `settings` must outlive the app. */
struct app *app_new(struct ev_loop *loop, const struct settings *settings);
void app_free(struct app **pointer);

#endif
