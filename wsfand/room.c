/* SPDX-License-Identifier: MIT */
#include "wsfand/room.h"

#include <string.h>
#include <uthash.h>

#include "lib/clock.h"
#include "lib/list.h"
#include "lib/mem.h"
#include "wsfand/batch.h"
#include "wsfand/compose.h"
#include "wsfand/counters.h"
#include "wsfand/deadlines.h"
#include "wsfand/outq.h"

/* What is pending is sent in the midst of a turn when it passes this, so that a
 * burst costs bounded memory and no client's limit. */
#define PENDING_MESSAGES BATCH_MESSAGES
#define PENDING_BYTES BATCH_BYTES
/* Several messages are joined if at least so many clients get them. */
#define JOIN_CLIENTS 2
#define FIRST_PLACES 2
/* The room is told its number of clients at most so often, in seconds. */
#define STATUS_INTERVAL 1.0

/* Of states, the room keeps these two. */
enum { KEPT_ANALYTICS, KEPT_METRICS, KEPT };

struct room {
	struct form_id id;
	UT_hash_handle hh;
	struct client **clients; /* client->place is its index here */
	uint32_t count, capacity;
	uint32_t told; /* the number in the last room-wide connection:status */
	struct message *kept[KEPT];
	struct outq pending;
	struct list dirty; /* on rooms->dirty: something is pending */
	struct deadline status; /* set: told less than a second ago */
	bool flushing; /* must not be freed now */
};

struct rooms {
	struct ev_loop *loop;
	const struct rooms_events *events;
	void *owner;
	struct room *table;
	struct list dirty;
	struct deadlines status;
	uint32_t pending;
	struct batches batches; /* of the room that is being flushed */
};

/* The room may be gone afterwards, see room_publish(). */
static void
status_tell(struct rooms *rooms, struct room *room, uint32_t clients)
{
	struct message *message = compose_room_status(&room->id, clients);

	room->told = clients;
	if (room->count > 0) {
		deadline_set(&rooms->status, &room->status);
		room_publish(rooms, room, message);
	}
	message_unref(&message);
}

/* The number of clients becomes `clients`. */
static void
status_changed(struct rooms *rooms, struct room *room, uint32_t clients)
{
	if (!deadline_is_set(&room->status))
		status_tell(rooms, room, clients);
}

static void
status_due(struct deadlines *deadlines, struct deadline *deadline)
{
	struct rooms *rooms = container_of(deadlines, struct rooms, status);
	struct room *room = container_of(deadline, struct room, status);

	if (room->told != room->count)
		status_tell(rooms, room, room->count);
}

struct rooms *
rooms_new(struct ev_loop *loop, const struct rooms_events *events, void *owner)
{
	struct rooms *rooms = mem_zalloc(sizeof(*rooms));

	rooms->loop = loop;
	rooms->events = events;
	rooms->owner = owner;
	list_init(&rooms->dirty);
	deadlines_init(&rooms->status, loop, STATUS_INTERVAL, status_due);
	return rooms;
}

void
rooms_free(struct rooms **pointer)
{
	struct rooms *rooms = *pointer;

	*pointer = NULL;
	if (!rooms)
		return;
	deadlines_stop(&rooms->status);
	MEM_FREE(&rooms);
}

uint32_t
rooms_count(const struct rooms *rooms)
{
	return HASH_COUNT(rooms->table);
}

uint32_t
rooms_pending(const struct rooms *rooms)
{
	return rooms->pending;
}

struct client *
rooms_any_client(const struct rooms *rooms)
{
	const struct room *room = rooms->table;

	/* A room that is being flushed may be empty for a moment. */
	while (room && room->count == 0)
		room = room->hh.next;
	return room ? room->clients[room->count - 1] : NULL;
}

void
rooms_each(const struct rooms *rooms,
    void (*visit)(void *owner, const struct form_id *id, uint32_t clients), void *owner)
{
	for (const struct room *room = rooms->table; room; room = room->hh.next)
		visit(owner, &room->id, room->count);
}

struct room *
room_find(struct rooms *rooms, const struct form_id *id)
{
	struct room *room;

	HASH_FIND(hh, rooms->table, id, sizeof(*id), room);
	return room;
}

static struct room *
room_new(struct rooms *rooms, const struct form_id *id)
{
	struct room *room = mem_zalloc(sizeof(*room));

	room->id = *id;
	outq_init(&room->pending);
	list_init(&room->dirty);
	deadline_init(&room->status);
	HASH_ADD(hh, rooms->table, id, sizeof(room->id), room);
	counters[COUNTER_rooms_opened]++;
	return room;
}

static void
room_free(struct rooms *rooms, struct room *room)
{
	HASH_DEL(rooms->table, room);
	rooms->pending -= room->pending.count;
	outq_free(&room->pending);
	list_remove(&room->dirty);
	deadline_lift(&room->status);
	for (int i = 0; i < KEPT; i++)
		message_unref(&room->kept[i]);
	MEM_FREE(&room->clients);
	MEM_FREE(&room);
}

const struct form_id *
room_id(const struct room *room)
{
	return &room->id;
}

uint32_t
room_clients(const struct room *room)
{
	return room->count;
}

struct message *
room_state(const struct room *room, enum message_kind kind)
{
	return room->kept[kind == MESSAGE_METRICS ? KEPT_METRICS : KEPT_ANALYTICS];
}

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

/* False when the room is gone: nobody could be reached any more. */
static bool
room_flush(struct rooms *rooms, struct room *room)
{
	struct outq taken = room->pending;

	list_remove(&room->dirty);
	if (taken.count == 0)
		return true;
	outq_init(&room->pending);
	rooms->pending -= taken.count;
	batches_init(&rooms->batches, &taken, room->count >= JOIN_CLIENTS);
	room->flushing = true;
	/* From the last to the first: who leaves meanwhile is replaced by one that was served. */
	for (uint32_t i = room->count; i-- > 0;)
		client_send(room->clients[i], &rooms->batches);
	room->flushing = false;
	measure(&taken);
	outq_free(&taken);
	if (room->count > 0)
		return true;
	room_free(rooms, room);
	return false;
}

void
rooms_flush(struct rooms *rooms)
{
	while (!list_empty(&rooms->dirty))
		room_flush(rooms, LIST_FIRST(&rooms->dirty, struct room, dirty));
}

static void
keep(struct room *room, struct message *message)
{
	struct message **place;

	if (message->kind != MESSAGE_ANALYTICS && message->kind != MESSAGE_METRICS)
		return;
	place = &room->kept[message->kind == MESSAGE_METRICS ? KEPT_METRICS : KEPT_ANALYTICS];
	message_unref(place);
	*place = message_ref(message);
}

void
room_publish(struct rooms *rooms, struct room *room, struct message *message)
{
	static const struct outq_limits limits = {
	    .messages = PENDING_MESSAGES, .bytes = PENDING_BYTES};
	enum outq_result result;

	keep(room, message);
	result = outq_push(&room->pending, message, &limits);
	if (result == OUTQ_OVER && !room->flushing) {
		if (!room_flush(rooms, room))
			return;
		result = outq_push(&room->pending, message, &limits);
	}
	if (result == OUTQ_REPLACED)
		counters[COUNTER_conflated]++;
	else if (result == OUTQ_QUEUED)
		rooms->pending++;
	if (list_empty(&room->dirty))
		list_append(&rooms->dirty, &room->dirty);
}

void
room_tell(struct rooms *rooms, struct client *client, struct message *message)
{
	struct room *room = client->room;

	if (room && room->pending.count > 0 && !room->flushing)
		room_flush(rooms, room);
	client_queue(client, message);
}

static void
sit_down(struct room *room, struct client *client)
{
	if (room->count == room->capacity) {
		room->capacity = MAX(FIRST_PLACES, room->capacity * 2);
		room->clients = mem_array(room->clients, room->capacity, sizeof(struct client *));
	}
	client->room = room;
	client->place = room->count;
	room->clients[room->count++] = client;
}

void
room_join(struct rooms *rooms, const struct form_id *id, struct client *client)
{
	struct room *room = room_find(rooms, id);

	if (!room)
		room = room_new(rooms, id);
	/* The others hear of it, and get what was published before, without the newcomer. */
	if (room->count > 0) {
		status_changed(rooms, room, room->count + 1);
		room = room_find(rooms, id);
		if (!room || !room_flush(rooms, room))
			room = room_new(rooms, id);
	}
	sit_down(room, client);
	if (room->count == 1)
		room->told = 1;
	rooms->events->changed(rooms->owner, id, room->count);
}

void
room_leave(struct rooms *rooms, struct client *client)
{
	struct room *room = client->room;
	struct form_id id;
	uint32_t left;

	if (!room)
		return;
	id = room->id;
	left = --room->count;
	room->clients[client->place] = room->clients[left];
	room->clients[client->place]->place = client->place;
	client->room = NULL;
	rooms->events->changed(rooms->owner, &id, left);
	if (left > 0)
		status_changed(rooms, room, left);
	else if (!room->flushing)
		room_free(rooms, room);
}
