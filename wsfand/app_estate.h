/* SPDX-License-Identifier: MIT */
/* app_estate: all of wsfand in an upgrade in place: each owner saves and adopts its own. */
#ifndef WSFAND_APP_ESTATE_H
#define WSFAND_APP_ESTATE_H

#include "wsfand/app.h"
#include "wsfand/estate_check.h"
#include "wsfand/listeners.h"
#include "wsfand/saver.h"
#include "wsfand/succession.h"

/* What an estate says of itself. */
struct origin {
	int64_t started_ms;
	uint64_t began_ns, rehearsed_ns, last_producer;
};

/* `owner` is the app. But for a rehearsal, what is queued is written first, so that little is left
 * to be handed on. */
void app_save(void *owner, struct saver *saver, const struct occasion *occasion);
/* What comes before any socket is opened: listeners, counters, the origin. */
void app_adopt_first(
    const struct estate_summary *estate, struct listeners *listeners, struct origin *origin);
/* All the rest, into an app that has its parts. */
void app_adopt_rest(
    struct app *app, const struct estate_summary *estate, const struct origin *origin);

#endif
