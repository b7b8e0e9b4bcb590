/* SPDX-License-Identifier: MIT */
/* newcomer: one connection at the door. Only door.c makes them. */
#ifndef WSFAND_NEWCOMER_H
#define WSFAND_NEWCOMER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"
#include "wsfand/address.h"
#include "wsfand/admit.h"
#include "wsfand/crowd.h"
#include "wsfand/deadlines.h"
#include "wsfand/door.h"
#include "wsfand/handoff.h"
#include "wsfand/saver.h"
#include "wsfand/spares.h"

/* What all newcomers share. */
struct newcomers {
	struct ev_loop *loop;
	const struct admit *admit;
	struct handoff *handoff;
	const struct door_events *events;
	void *owner;
	struct list all;
	uint32_t count;
	struct spares spares; /* not all are held: no client comes in */
	struct crowd crowd; /* by network, trusted proxies as if they had none */
	struct deadlines whole; /* for the request head */
	struct deadlines again; /* until the next look at a first line that came in part */
	struct deadlines ending; /* after a refusal */
};

void newcomers_init(struct newcomers *newcomers, struct ev_loop *loop);
/* Ends them all. */
void newcomers_free(struct newcomers *newcomers);
/* Takes over `fd`, to which `peer` is connected; looks at once whether its request
 * is there already. */
void newcomer_start(struct newcomers *newcomers, int fd, struct address peer);
/* One has to go at once: somebody who was refused already, else whom the crowd names, with a 503.
 * False: there is none. */
bool newcomers_make_room(struct newcomers *newcomers);

/* For an upgrade in place (newcomer_estate.c). */
void newcomers_save(const struct newcomers *newcomers, struct saver *saver);
void newcomer_adopt(struct newcomers *newcomers, const struct estate_newcomer *record);
void newcomers_settle(struct newcomers *newcomers);

#endif
