/* SPDX-License-Identifier: MIT */
/* newcomer_parts: what a newcomer is. Between newcomer.c, newcomer_refuse.c and newcomer_estate.c
 * only. */
#ifndef WSFAND_NEWCOMER_PARTS_H
#define WSFAND_NEWCOMER_PARTS_H

#include "lib/buf.h"
#include "lib/reaper.h"
#include "wsfand/newcomer.h"

/* PROXY (a trusted proxy's header comes first) -> PEEK; PEEK -> HEAD -> (gone: a client) or
 * ENDING; PEEK -> (gone: handed over). Estates hold these numbers. */
enum newcomer_state { NEWCOMER_PROXY, NEWCOMER_PEEK, NEWCOMER_HEAD, NEWCOMER_ENDING };

struct newcomer {
	ev_io io;
	struct newcomers *all;
	struct list node;
	struct crowd_member member; /* but in ENDING */
	struct deadline whole; /* or ending */
	struct deadline again; /* set only while io is stopped, in PROXY and PEEK */
	struct buf head;
	uint64_t since_ns; /* when it was accepted */
	size_t discarded;
	enum newcomer_state state;
	struct address peer;
	struct reap reap;
};

/* Watched; without a deadline. */
struct newcomer *newcomer_new(
    struct newcomers *newcomers, int fd, struct address peer, enum newcomer_state state);
/* At once. */
void newcomer_dismiss(struct newcomer *newcomer);

/* Answers, shuts our side, and waits a moment for the other one to close. `problem` and
 * `retry_after_s`: see answer_refuse(). */
void newcomer_refuse(
    struct newcomer *newcomer, enum verdict verdict, const char *problem, uint32_t retry_after_s);
/* In that moment: what still comes is thrown away. */
void newcomer_discard(struct newcomer *newcomer);

#endif
