/* SPDX-License-Identifier: MIT */
/* app_state: what app.c (the source and its events) and app_replies.c (what analyticsd says to
 * them) share. */
#ifndef INGESTD_APP_STATE_H
#define INGESTD_APP_STATE_H

#include "ingestd/app.h"
#include "ingestd/outbox.h"
#include "ingestd/source.h"
#include "lib/link.h"
#include "lib/report.h"

/* `greeted` is true from analyticsd's hello until its connection ends. */
struct app {
	struct ev_loop *loop;
	const struct settings *settings;
	char *path;
	struct link *link;
	struct outbox *outbox;
	struct source *source;
	struct report *report;
	ev_prepare pump; /* never started, only fed: sends what this turn has added */
	bool greeted, started, paused, ended;
	char text[256]; /* of unwell() */
};

/* Of the link to analyticsd; its owner is the app. */
extern const struct link_events app_link_events;

/* What is unsent goes at the end of this turn of the loop. */
void app_pump_soon(struct app *app);
/* The source rests while the outbox is full. */
void app_rest_or_go_on(struct app *app);
/* Ends when standard input has, and all of it is committed. */
void app_leave_when_done(struct app *app);
/* The source is not that of the numbers so far: counts anew, or dies. */
void app_on_foreign(void *owner, const char *why);

#endif
