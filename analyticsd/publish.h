/* SPDX-License-Identifier: MIT */
/* publish: which room gets what, and when. Pure: times are arguments (monotonic milliseconds),
 * frames are the caller's.
 *
 *   a change ──▶ ready ──publish_next()──▶ cooling (interval) ──▶ idle
 *                  ▲                          │ changed meanwhile (`late`)
 *                  └──────────────────────────┘
 *
 * The first change of a form is ready at once, the following ones of the interval come together
 * at its end, so what is sent last is always the newest. All cool for the same time: the list is
 * in the order of its ends, and one timer is enough. A snapshot for one link (publish_snapshot)
 * and metrics do not wait and do not count.
 *
 * What does not fit into a link is owed to it: marked, not kept. */
#ifndef ANALYTICSD_PUBLISH_H
#define ANALYTICSD_PUBLISH_H

#include "analyticsd/interest.h"

struct publish;

/* `interest` stays the caller's; it is freed first. `interval_ms` is at least 1. */
struct publish *publish_new(struct interest *interest, unsigned interval_ms);
void publish_free(struct publish **publish);

/* The numbers of a watched form are others than before. */
void publish_changed(struct publish *publish, struct room *room);
/* All of its links are to get these kinds now. */
void publish_tell(struct publish *publish, struct room *room, unsigned kinds);
/* One link is to get both kinds now. */
void publish_snapshot(struct publish *publish, struct room *room, size_t link);

/* The next room whose turn it is, or NULL. It is the caller's to send now: to every link that has
 * it open `*news` and what publish_wanted() adds for that link alone. */
struct room *publish_next(struct publish *publish, uint64_t now_ms, unsigned *news);
unsigned publish_wanted(struct room *room, size_t link);
/* Milliseconds until publish_next() may have something; -1: not before the next change. */
int64_t publish_wait(const struct publish *publish, uint64_t now_ms);

/* These kinds did not fit into the link. */
void publish_owe(struct publish *publish, struct room *room, size_t link, unsigned kinds);
/* The kinds were sent after all. */
void publish_paid(struct publish *publish, struct room *room, size_t link, unsigned kinds);
/* The room that waits longest for the link, or NULL. */
struct room *publish_owed(struct publish *publish, size_t link);

#endif
