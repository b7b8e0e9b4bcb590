/* SPDX-License-Identifier: MIT */
/* room_parts: what a room is made of, for the files that know: room.c (who is in it, what it keeps,
 * what is published), room_send.c (who is sent what, and when) and room_estate.c. */
#ifndef WSFAND_ROOM_PARTS_H
#define WSFAND_ROOM_PARTS_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base.h"
#include "lib/form_id.h"
#include "lib/list.h"
#include "lib/table.h"
#include "wsfand/batch.h"
#include "wsfand/client.h"
#include "wsfand/deadlines.h"
#include "wsfand/message.h"
#include "wsfand/outq.h"
#include "wsfand/room.h"

/* Of one room so many clients are served in a turn of the loop, some milliseconds: then
 * others have theirs. */
#define SLICE_CLIENTS 512

/* Of states, the room keeps these two. */
enum { KEPT_ANALYTICS, KEPT_METRICS, KEPT };

/* clients:  |--- to get what is in `sending` ---|--- served, or came later ---|
 *           0                               unserved                     count      */
struct room {
	struct form_id id;
	UT_hash_handle hh;
	struct client **clients; /* client->place is its index here */
	uint32_t unserved, count, capacity;
	uint32_t told; /* the number in the last room-wide connection:status */
	uint32_t others, others_by; /* see room_set_others() */
	struct message *kept[KEPT];
	struct outq pending; /* published; to be sent when `sending` is out */
	struct outq sending; /* empty while unserved is 0 */
	struct list turn; /* on rooms->dirty or rooms->begun while anything is to be sent */
	struct deadline status; /* set: told less than a second ago */
	bool flushing; /* must not be freed now */
	bool refused; /* something, since `pending` was full */
};

struct rooms {
	struct ev_loop *loop;
	const struct rooms_events *events;
	void *owner;
	struct room *table;
	struct list dirty; /* rooms that are to be served in this turn */
	struct list begun; /* that have had their slice of it */
	struct deadlines status;
	uint32_t pending; /* messages, of those that are being sent, too */
	bool eased; /* see rooms_eased() */
	struct batches batches; /* of the room that is being flushed */
};

/* With nobody in it. */
struct room *room_make(struct rooms *rooms, const struct form_id *id);
/* There is place for what was refused. */
void room_ease(struct rooms *rooms, struct room *room);
/* The client is in it from now on; nobody is told. */
void room_seat(struct room *room, struct client *client);
/* It is empty. */
void room_free(struct rooms *rooms, struct room *room);

/* What is pending is from now on being sent, to those who are here now; unless something else
 * still is. */
void room_begin(struct rooms *rooms, struct room *room);
/* Sends what is being sent to so many more clients. False when the room is gone: nobody could
 * be reached any more. */
MUST_CHECK bool room_serve(struct rooms *rooms, struct room *room, uint32_t most);
/* The client at place `from` is at place `to` now, instead of whoever was there. */
void room_move(struct room *room, uint32_t from, uint32_t to);

#endif
