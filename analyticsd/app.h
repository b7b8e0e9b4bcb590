/* SPDX-License-Identifier: MIT */
/* app: analyticsd as a whole: makes the parts and carries news from one to the other. */
#ifndef ANALYTICSD_APP_H
#define ANALYTICSD_APP_H

#include <ev.h>

#include "analyticsd/settings.h"

struct app;

/* Opens the store, listens, starts to connect. Dies with 100 or 111 and a reason. */
struct app *app_new(struct ev_loop *loop, const struct settings *settings);
/* Until TERM. The exit code: 0, or 111 when the last commit failed. */
int app_run(struct app *app);
void app_free(struct app **pointer);

#endif
