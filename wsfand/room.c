/* SPDX-License-Identifier: MIT */
#include "wsfand/room.h"

#include <string.h>

#include "lib/list.h"
#include "lib/mem.h"
#include "wsfand/compose.h"
#include "wsfand/counters.h"
#include "wsfand/deadlines.h"
#include "wsfand/outq.h"
#include "wsfand/room_parts.h"

/* States, of which one of each kind may be pending beside the events. */
#define STATES 3
/* So many events may be pending in a room, so that a burst costs bounded memory and no client's
 * limit, and all that is pending is one batch. */
#define PENDING_EVENTS (BATCH_MESSAGES - STATES)
#define PENDING_BYTES BATCH_BYTES
#define FIRST_PLACES 2
/* The room is told its number of clients at most so often, in seconds. */
#define STATUS_INTERVAL 1.0

static const struct outq_limits no_limits = {.messages = UINT32_MAX, .bytes = UINT64_MAX};

static enum outq_result
push(struct rooms *rooms, struct room *room, struct message *message,
    const struct outq_limits *limits)
{
	enum outq_result result = outq_push(&room->pending, message, limits);

	if (result == OUTQ_REPLACED)
		counters[COUNTER_conflated]++;
	else if (result == OUTQ_QUEUED)
		rooms->pending++;
	if (list_empty(&room->turn))
		list_append(&rooms->dirty, &room->turn);
	return result;
}

static uint32_t
with_others(const struct room *room, uint32_t clients)
{
	return clients + MIN(room->others, UINT32_MAX - clients);
}

static void
status_tell(struct rooms *rooms, struct room *room, uint32_t clients)
{
	uint32_t connections = with_others(room, clients);
	struct message *message = compose_room_status(&room->id, connections);

	room->told = connections;
	if (room->count > 0) {
		deadline_set(&rooms->status, &room->status);
		push(rooms, room, message, &no_limits);
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

	if (room->told != room_connections(room))
		status_tell(rooms, room, room->count);
}

uint32_t
room_connections(const struct room *room)
{
	return with_others(room, room->count);
}

void
room_set_others(struct rooms *rooms, struct room *room, uint32_t others, uint32_t told_by)
{
	room->others_by = told_by;
	if (room->others == others)
		return;
	room->others = others;
	status_changed(rooms, room, room->count);
}

void
rooms_forget_others(
    struct rooms *rooms, bool (*is_here)(void *owner, uint32_t producer), void *owner)
{
	for (struct room *room = rooms->table; room; room = room->hh.next) {
		if (room->others > 0 && !is_here(owner, room->others_by))
			room_set_others(rooms, room, 0, 0);
	}
}

struct rooms *
rooms_new(struct ev_loop *loop, const struct rooms_events *events, void *owner)
{
	struct rooms *rooms = mem_zalloc(sizeof(*rooms));

	rooms->loop = loop;
	rooms->events = events;
	rooms->owner = owner;
	list_init(&rooms->dirty);
	list_init(&rooms->begun);
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

struct room *
room_make(struct rooms *rooms, const struct form_id *id)
{
	struct room *room = mem_zalloc(sizeof(*room));

	room->id = *id;
	outq_init(&room->pending);
	outq_init(&room->sending);
	list_init(&room->turn);
	deadline_init(&room->status);
	HASH_ADD(hh, rooms->table, id, sizeof(room->id), room);
	return room;
}

static struct room *
room_new(struct rooms *rooms, const struct form_id *id)
{
	counters[COUNTER_rooms_opened]++;
	return room_make(rooms, id);
}

void
room_free(struct rooms *rooms, struct room *room)
{
	HASH_DEL(rooms->table, room);
	rooms->pending -= room->pending.count + room->sending.count;
	outq_free(&room->pending);
	outq_free(&room->sending);
	room_ease(rooms, room);
	list_remove(&room->turn);
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

struct message *
room_state(const struct room *room, enum message_kind kind)
{
	return room->kept[kind == MESSAGE_METRICS ? KEPT_METRICS : KEPT_ANALYTICS];
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

bool
room_publish(struct rooms *rooms, struct room *room, struct message *message)
{
	static const struct outq_limits limits = {
	    .messages = PENDING_EVENTS, .bytes = PENDING_BYTES};

	keep(room, message);
	if (push(rooms, room, message, message_is_state(message->kind) ? &no_limits : &limits) !=
	    OUTQ_OVER)
		return true;
	room->refused = true;
	return false;
}

bool
rooms_eased(struct rooms *rooms)
{
	bool eased = rooms->eased;

	rooms->eased = false;
	return eased;
}

void
room_ease(struct rooms *rooms, struct room *room)
{
	rooms->eased |= room->refused;
	room->refused = false;
}

void
room_tell(struct rooms *rooms, struct client *client, struct message *message)
{
	room_catch_up(rooms, client);
	client_queue(client, message);
}

void
room_seat(struct room *room, struct client *client)
{
	if (room->count == room->capacity) {
		room->capacity = MAX(FIRST_PLACES, room->capacity * 2);
		room->clients = mem_array(room->clients, room->capacity, sizeof(struct client *));
	}
	client->room = room;
	client->place = room->count;
	room->clients[room->count++] = client;
}

/* What is pending is begun, if need be by ending what is being sent; but a large room is not
 * held up for a newcomer, who may then get once more what it is greeted with. False when the
 * room is gone. */
static bool
make_place(struct rooms *rooms, struct room *room)
{
	if (room->pending.count > 0 && room->unserved <= SLICE_CLIENTS &&
	    !room_serve(rooms, room, UINT32_MAX))
		return false;
	room_begin(rooms, room);
	return true;
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
		if (!make_place(rooms, room))
			room = room_new(rooms, id);
	}
	room_seat(room, client);
	if (room->count == 1)
		room->told = room_connections(room);
	rooms->events->changed(rooms->owner, id, room->count);
}

/* Those to be served and the others stay together, each. */
static void
stand_up(struct room *room, struct client *client)
{
	uint32_t place = client->place;

	if (place < room->unserved) {
		room_move(room, --room->unserved, place);
		place = room->unserved;
	}
	room_move(room, --room->count, place);
	client->room = NULL;
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
	stand_up(room, client);
	left = room->count;
	rooms->events->changed(rooms->owner, &id, left);
	if (left > 0)
		status_changed(rooms, room, left);
	else if (!room->flushing)
		room_free(rooms, room);
}
