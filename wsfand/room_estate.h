/* SPDX-License-Identifier: MIT */
/* room_estate: rooms in an upgrade in place. */
#ifndef WSFAND_ROOM_ESTATE_H
#define WSFAND_ROOM_ESTATE_H

#include "wsfand/heir.h"
#include "wsfand/room.h"
#include "wsfand/saver.h"

/* All rooms, and their numbers. What is still to be sent is not in it (session_flush()). */
void rooms_save(const struct rooms *rooms, struct saver *saver);
/* Nobody is in it yet: at least one client must get its place before the loop goes on. */
void room_adopt(struct rooms *rooms, struct heir *heir, const struct estate_room *record);
void room_adopt_client(struct room *room, struct client *client);
/* Behind the last. */
void rooms_settle(struct rooms *rooms);

#endif
