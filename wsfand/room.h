/* SPDX-License-Identifier: MIT */
/* room: the clients that watch one form. A room exists only while it has
 * clients; while it does it keeps the last state of each type for those who come later.
 *
 * Publishing only queues: a message goes into the room's `pending`, once, whatever
 * the number of clients (a newer state replaces an older one there already).
 * rooms_slice(), once per turn of the loop, sends all that is pending to each client of the
 * room with one system call. A client that keeps up never has a queue of its own. A large room
 * is served in slices, a turn of the loop for each, and holds up nobody: what is published
 * meanwhile waits until all have what was published before. When as much waits as may, events
 * are refused until there is place again, so whoever brings them is to wait. */
#ifndef WSFAND_ROOM_H
#define WSFAND_ROOM_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base.h"
#include "lib/form_id.h"
#include "wsfand/client.h"
#include "wsfand/message.h"

struct room;
struct rooms;

struct rooms_events {
	/* The room has so many clients now; 0: it is gone. */
	void (*changed)(void *owner, const struct form_id *id, uint32_t clients);
};

struct rooms *rooms_new(struct ev_loop *loop, const struct rooms_events *events, void *owner);
/* All clients must have left. */
void rooms_free(struct rooms **pointer);
uint32_t rooms_count(const struct rooms *rooms);
/* Messages that not all have been sent whom they are for. */
uint32_t rooms_pending(const struct rooms *rooms);
/* Any client, or NULL when there is none. */
struct client *rooms_any_client(const struct rooms *rooms);
void rooms_each(const struct rooms *rooms,
    void (*visit)(void *owner, const struct form_id *id, uint32_t clients), void *owner);

/* NULL when nobody watches that form. */
struct room *room_find(struct rooms *rooms, const struct form_id *id);
/* Puts the client into the form's room, which is made when there is none. The
 * others are told the new number (at most once a second), the newcomer is not. */
void room_join(struct rooms *rooms, const struct form_id *id, struct client *client);
/* Takes it out of its room, if it is in one. */
void room_leave(struct rooms *rooms, struct client *client);

/* So many clients watch it through other wsfands, as the producer of that number says: they count
 * in what the room is told. */
void room_set_others(struct rooms *rooms, struct room *room, uint32_t others, uint32_t told_by);
/* What producers told who are not there any more does not hold. */
void rooms_forget_others(
    struct rooms *rooms, bool (*is_here)(void *owner, uint32_t producer), void *owner);
/* Its own clients, and those. */
uint32_t room_connections(const struct room *room);

const struct form_id *room_id(const struct room *room);
/* The last message of that kind, or NULL; the room's own. */
struct message *room_state(const struct room *room, enum message_kind kind);

/* One message to all who are in the room now. False: too much is pending already, and nothing was
 * done; rooms_eased() tells when to try again. States are never refused. */
MUST_CHECK bool room_publish(struct rooms *rooms, struct room *room, struct message *message);
/* Whether since the last call a room has made place that had refused something, or is gone. */
bool rooms_eased(struct rooms *rooms);
/* A message to one of the room's clients: behind all that was published before. (In a large room
 * that is being served it may overtake what waits for that; states are no older for it.) */
void room_tell(struct rooms *rooms, struct client *client, struct message *message);
/* What was published before goes to this client now, and to the others in their turn. The
 * client may be lost by that. */
void room_catch_up(struct rooms *rooms, struct client *client);
/* All that was published before goes to this client now, and it is to leave before anything else
 * happens. The client may be lost by that. */
void room_take_leave(struct rooms *rooms, struct client *client);

/* Sends what is pending, a slice of each room. True: something is left for the next turn of the
 * loop. */
bool rooms_slice(struct rooms *rooms);
/* Sends all that is pending. */
void rooms_flush(struct rooms *rooms);

#endif
