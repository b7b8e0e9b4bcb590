/* SPDX-License-Identifier: MIT */
#include "lib/clock.h"
#include "wsfand/counters.h"
#include "wsfand/room_parts.h"

/* Several messages are joined if at least so many clients get them. */
#define JOIN_CLIENTS 2
/* While one client is sent to, the memory of the one so many places on is fetched. */
#define AHEAD 2

/* What a flush has sent: to all of its clients, but for those who are behind. */
static void
measure(const struct outq *sent)
{
	for (uint32_t i = 0; i < sent->count; i++) {
		int64_t at_ms = outq_at(sent, i)->at_ms;

		if (at_ms > 0)
			histogram_observe(&histogram_sent, (clock_wall_ms() - at_ms) * 1000);
	}
}

void
room_begin(struct rooms *rooms, struct room *room)
{
	if (room->sending.count > 0 || room->pending.count == 0)
		return;
	room->sending = room->pending;
	room->unserved = room->count;
	outq_init(&room->pending);
	room_ease(rooms, room);
}

static void
finish(struct rooms *rooms, struct room *room)
{
	measure(&room->sending);
	rooms->pending -= room->sending.count;
	outq_free(&room->sending);
	outq_init(&room->sending);
}

bool
room_serve(struct rooms *rooms, struct room *room, uint32_t most)
{
	uint32_t until = room->unserved - MIN(room->unserved, most);

	if (room->sending.count == 0)
		return true;
	batches_init(&rooms->batches, &room->sending, room->unserved - until >= JOIN_CLIENTS);
	room->flushing = true;
	/* From the last to the first: who leaves meanwhile is replaced by one that was served. */
	while (room->unserved > until) {
		if (room->unserved - until > AHEAD)
			__builtin_prefetch(room->clients[room->unserved - 1 - AHEAD]);
		client_send(room->clients[--room->unserved], &rooms->batches);
	}
	room->flushing = false;
	if (room->unserved == 0)
		finish(rooms, room);
	if (room->count > 0)
		return true;
	room_free(rooms, room);
	return false;
}

/* All that waits, to all. */
static void
room_flush(struct rooms *rooms, struct room *room)
{
	while (room->sending.count > 0 || room->pending.count > 0) {
		room_begin(rooms, room);
		if (!room_serve(rooms, room, UINT32_MAX))
			return;
	}
	list_remove(&room->turn);
}

void
rooms_flush(struct rooms *rooms)
{
	list_splice(&rooms->dirty, &rooms->begun);
	while (!list_empty(&rooms->dirty))
		room_flush(rooms, LIST_FIRST(&rooms->dirty, struct room, turn));
}

bool
rooms_slice(struct rooms *rooms)
{
	list_splice(&rooms->dirty, &rooms->begun);
	while (!list_empty(&rooms->dirty)) {
		struct room *room = LIST_FIRST(&rooms->dirty, struct room, turn);

		list_remove(&room->turn);
		room_begin(rooms, room);
		if (!room_serve(rooms, room, SLICE_CLIENTS))
			continue;
		/* What came meanwhile is begun in the next turn, with what is read until then. */
		if (room->sending.count > 0 || room->pending.count > 0) {
			list_remove(&room->turn);
			list_append(&rooms->begun, &room->turn);
		}
	}
	return !list_empty(&rooms->begun);
}

void
room_move(struct room *room, uint32_t from, uint32_t to)
{
	room->clients[to] = room->clients[from];
	room->clients[to]->place = to;
}

static void
send_one(struct rooms *rooms, struct room *room, struct client *client, const struct outq *what)
{
	batches_init(&rooms->batches, what, false);
	room->flushing = true;
	client_send(client, &rooms->batches);
	room->flushing = false;
}

void
room_catch_up(struct rooms *rooms, struct client *client)
{
	struct room *room = client->room;

	if (!room || room->flushing)
		return;
	room_begin(rooms, room);
	if (client->place >= room->unserved)
		return;
	room->unserved--;
	room_move(room, room->unserved, client->place);
	room->clients[room->unserved] = client;
	client->place = room->unserved;
	send_one(rooms, room, client, &room->sending);
	if (room->unserved == 0)
		finish(rooms, room);
	if (room->count == 0)
		room_free(rooms, room);
}

void
room_take_leave(struct rooms *rooms, struct client *client)
{
	struct room *room;

	room_catch_up(rooms, client);
	room = client->room;
	if (!room || room->flushing || room->pending.count == 0)
		return;
	send_one(rooms, room, client, &room->pending);
	if (room->count == 0)
		room_free(rooms, room);
}
