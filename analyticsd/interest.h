/* SPDX-License-Identifier: MIT */
/* interest: which forms are watched, by how many clients, through which links (docs/protocol.md,
 * "Interest"). Pure. A room exists while any link has said that it does. */
#ifndef ANALYTICSD_INTEREST_H
#define ANALYTICSD_INTEREST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/form_id.h"
#include "lib/list.h"
#include "lib/table.h"

struct hot_form;
struct interest;

/* Kinds of frames, as bits. */
#define KIND_ANALYTICS 1U
#define KIND_METRICS 2U
#define KIND_BOTH (KIND_ANALYTICS | KIND_METRICS)
#define KIND_OTHERS 4U /* room:others: how many watch it through the other links */

/* What metrics:update says, and what decides whether it is worth saying. */
struct metrics {
	uint64_t today, this_hour, viewers;
	int64_t last_submission;
};

/* A room as one link sees it. */
struct room_link {
	bool open;
	uint32_t viewers;
	uint64_t told_others; /* what room:others said last */
	unsigned wants; /* kinds that this link alone is to get next */
	unsigned owed; /* kinds that did not fit into the link; sent when it has drained */
	int64_t owed_at_ms; /* room.at_ms of what is owed */
	struct room *room;
	struct list owed_link; /* on publish's list of that link while `owed` */
};

struct room {
	struct form_id id;
	struct hot_form *hot; /* the form, once it is known */
	uint64_t viewers; /* of all links */
	/* analyticsd/publish.h's: */
	unsigned news; /* kinds that all its links are to get next */
	bool late; /* changed while it had to wait for its interval */
	uint64_t cool_ms; /* when the interval ends (monotonic) */
	struct list ready_link, cooling_link;
	/* analyticsd/fan_port.h's: */
	bool known; /* its links were told of it last as of a form that is known */
	struct metrics told; /* the last metrics sent to all */
	/* When the source committed the oldest change that was not delivered yet; 0: there is
	 * none, or it was not told. */
	int64_t at_ms;
	UT_hash_handle hh;
	struct room_link links[]; /* one per link */
};

struct interest *interest_new(size_t links);
void interest_free(struct interest **pointer);

struct room *interest_find(struct interest *interest, const struct form_id *id);
/* The room, made when there was none. A repetition only changes the viewers. */
struct room *interest_opened(
    struct interest *interest, size_t link, const struct form_id *id, uint32_t viewers);
/* Nothing happens to a room that the link has not opened. */
void interest_viewers(
    struct interest *interest, size_t link, const struct form_id *id, uint32_t viewers);
/* The link does not watch it any more. The room is still there; true: for nobody now, and the
 * caller unhooks it and calls interest_drop(). */
bool interest_closed(struct interest *interest, size_t link, struct room *room);
void interest_drop(struct interest *interest, struct room **pointer);

/* How many watch it through other links than this. */
static inline uint64_t
room_others(const struct room *room, size_t link)
{
	return room->viewers - room->links[link].viewers;
}

size_t interest_links(const struct interest *interest);
size_t interest_rooms(const struct interest *interest);
uint64_t interest_total_viewers(const struct interest *interest);
/* Takes note of a time at which the source committed a change, in room.at_ms or owed_at_ms; one
 * that was not told (0 or less) changes nothing. */
static inline void
room_keep_oldest(int64_t *oldest_ms, int64_t at_ms)
{
	if (at_ms > 0 && (*oldest_ms == 0 || at_ms < *oldest_ms))
		*oldest_ms = at_ms;
}

/* All rooms: start with NULL; NULL at the end. The room before may be dropped meanwhile only if
 * `next` was taken first. */
struct room *interest_next(const struct interest *interest, const struct room *room);

#endif
