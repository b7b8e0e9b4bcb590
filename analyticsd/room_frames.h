/* SPDX-License-Identifier: MIT */
/* room_frames: the frames of the room at hand: each is made when the first link needs it, and
 * once. */
#ifndef ANALYTICSD_ROOM_FRAMES_H
#define ANALYTICSD_ROOM_FRAMES_H

#include "analyticsd/interest.h"
#include "lib/buf.h"

struct room_frames;
struct zone;

struct room_frames *room_frames_new(const struct zone *zone, size_t max_frame_bytes);
void room_frames_free(struct room_frames **frames);

/* Whether the numbers of all frames that are made from now on are stale. */
void room_frames_set_stale(struct room_frames *frames, bool stale);
/* From now on it is about this room, as it stands now; a room without a form has no numbers.
 * `at_ms`: what snapshot_analytics() says. */
void room_frames_begin(struct room_frames *frames, const struct room *room, int64_t at_ms);
/* The payload of KIND_ANALYTICS or KIND_METRICS, lent until the next room_frames_begin(); empty
 * when it would be over max_frame_bytes, which is counted and said. */
const struct buf *room_frames_get(struct room_frames *frames, unsigned kind);
/* That payload, which is not empty, was given to one link: counts it. */
void room_frames_sent(const struct room_frames *frames, unsigned kind);
/* KIND_METRICS joins the news of this room when what it says has changed. */
unsigned room_frames_add_metrics(
    const struct room_frames *frames, struct room *room, unsigned news);

#endif
