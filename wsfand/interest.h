/* SPDX-License-Identifier: MIT */
/* interest: what one listener still has to be told about rooms. Pure.
 *
 * Per room only the end counts: what was told last, and what is true now. So
 * what waits for somebody who never listens is bounded by the number of rooms: a
 * room that opened and closed unheard leaves nothing behind.
 *
 *   an entry stands on   ready     it differs from what was told: to be told next
 *                        cooling   told less than `rest_ms` ago; a new number has to wait
 *                        neither   told, and true
 * Opening and closing never wait; only a changed number does.
 *
 * With `edges`, a room that closed and opened again unheard is told as closed and
 * then opened, since an opened room is owed a snapshot; without, only its number counts. */
#ifndef WSFAND_INTEREST_H
#define WSFAND_INTEREST_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base.h"
#include "lib/form_id.h"
#include "lib/list.h"

struct interest_entry;

struct interest {
	struct interest_entry *table;
	struct list ready, cooling; /* cooling: the longest told first */
	uint64_t rest_ms;
	bool edges;
};

enum interest_kind { INTEREST_OPENED, INTEREST_VIEWERS, INTEREST_CLOSED };

struct interest_news {
	enum interest_kind kind;
	struct form_id id;
	uint32_t viewers;
};

/* What is kept of one room, for an upgrade in place. */
enum interest_place { INTEREST_RESTS, INTEREST_READY, INTEREST_COOLING };

struct interest_memory {
	struct form_id id;
	uint32_t told, now;
	enum interest_place place;
	uint64_t told_age_ms;
	bool lapsed;
};

void interest_init(struct interest *interest, uint64_t rest_ms, bool edges);
void interest_free(struct interest *interest);
/* The room has so many viewers now; 0: it is gone. */
void interest_set(struct interest *interest, const struct form_id *id, uint32_t viewers);
/* The next news to be told, and it counts as told; false when there are none now. */
bool interest_next(struct interest *interest, uint64_t now_ms, struct interest_news *news);
/* These news could not be told after all: they are ready again. */
void interest_again(struct interest *interest, const struct interest_news *news);
/* All that is known, in the order in which it has to be remembered. */
void interest_each(const struct interest *interest, uint64_t now_ms,
    void (*visit)(void *owner, const struct interest_memory *memory), void *owner);
/* Of a room of which nothing is known yet. */
void interest_remember(
    struct interest *interest, uint64_t now_ms, const struct interest_memory *memory);
/* When the next will be ready: 0 now, -1 never as things stand, else milliseconds from now. */
int64_t interest_wait(const struct interest *interest, uint64_t now_ms);

#endif
