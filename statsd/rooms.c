/* SPDX-License-Identifier: MIT */
#include "statsd/rooms.h"

#include <errno.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/table.h"

/* One source's part of a room. With the one wsfand that is the rule, a room has one. */
struct share {
	const void *source;
	uint64_t clients;
};

struct room {
	UT_hash_handle hh;
	struct form_id form;
	size_t share_count;
	struct share *shares;
};

struct rooms {
	struct room *table;
};

struct rooms *
rooms_new(void)
{
	return mem_zalloc(sizeof(struct rooms));
}

static void
room_remove(struct rooms *rooms, struct room *room)
{
	HASH_DEL(rooms->table, room);
	MEM_FREE(&room->shares);
	MEM_FREE(&room);
}

void
rooms_free(struct rooms **rooms)
{
	if (!*rooms)
		return;
	struct room *room, *next;
	HASH_ITER (hh, (*rooms)->table, room, next)
		room_remove(*rooms, room);
	MEM_FREE(rooms);
}

static struct room *
room_find(const struct rooms *rooms, const struct form_id *form)
{
	struct room *room;
	HASH_FIND(hh, rooms->table, form->bytes, FORM_ID_BYTES, room);
	return room;
}

/* Takes the source's share out, and the room with its last one. */
static void
room_drop_share(struct rooms *rooms, struct room *room, const void *source)
{
	for (size_t i = 0; i < room->share_count; i++) {
		if (room->shares[i].source != source)
			continue;
		room->shares[i] = room->shares[--room->share_count];
		break;
	}
	if (room->share_count == 0)
		room_remove(rooms, room);
}

static void
room_put_share(struct room *room, const void *source, uint64_t clients)
{
	for (size_t i = 0; i < room->share_count; i++) {
		if (room->shares[i].source == source) {
			room->shares[i].clients = clients;
			return;
		}
	}
	room->shares = mem_array(room->shares, room->share_count + 1, sizeof(room->shares[0]));
	room->shares[room->share_count++] = (struct share){.source = source, .clients = clients};
}

int
rooms_set(struct rooms *rooms, const void *source, const struct form_id *form, uint64_t clients)
{
	struct room *room = room_find(rooms, form);
	if (clients == 0) {
		if (room)
			room_drop_share(rooms, room, source);
		return 0;
	}
	if (!room) {
		if (HASH_COUNT(rooms->table) >= ROOMS_MAX) {
			errno = ENOBUFS;
			return -1;
		}
		room = mem_zalloc(sizeof(*room));
		room->form = *form;
		HASH_ADD(hh, rooms->table, form.bytes, FORM_ID_BYTES, room);
	}
	room_put_share(room, source, clients);
	return 0;
}

void
rooms_forget(struct rooms *rooms, const void *source)
{
	struct room *room, *next;
	HASH_ITER (hh, rooms->table, room, next)
		room_drop_share(rooms, room, source);
}

size_t
rooms_count(const struct rooms *rooms)
{
	return HASH_COUNT(rooms->table);
}

static uint64_t
room_clients(const struct room *room)
{
	uint64_t clients = 0;
	for (size_t i = 0; i < room->share_count; i++)
		clients += room->shares[i].clients;
	return clients;
}

uint64_t
rooms_clients(const struct rooms *rooms, const struct form_id *form)
{
	const struct room *room = room_find(rooms, form);
	return room ? room_clients(room) : 0;
}

void
rooms_each(const struct rooms *rooms,
    void (*visit)(void *context, const struct form_id *form, uint64_t clients), void *context)
{
	for (const struct room *room = rooms->table; room; room = room->hh.next)
		visit(context, &room->form, room_clients(room));
}
