/* SPDX-License-Identifier: MIT */
/* app: wsfand as a whole: makes the parts and carries their news from one to the other. */
#ifndef WSFAND_APP_H
#define WSFAND_APP_H

#include <ev.h>

#include "wsfand/settings.h"
#include "wsfand/succession.h"

struct app;

/* Binds all sockets; dies when it cannot. `settings` must outlive the app. `inheritance`: what
 * another binary has left in this process, or NULL; it may be freed afterwards. */
struct app *app_new(
    struct ev_loop *loop, const struct settings *settings, const struct inheritance *inheritance);
void app_free(struct app **pointer);

#endif
