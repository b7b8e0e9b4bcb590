/* SPDX-License-Identifier: MIT */
#include "analyticsd/interest.h"

#include <stdlib.h>

#include "lib/mem.h"

struct interest {
	size_t links;
	struct room *rooms;
	uint64_t viewers;
};

struct interest *
interest_new(size_t links)
{
	struct interest *interest = mem_zalloc(sizeof(*interest));

	interest->links = links;
	return interest;
}

void
interest_free(struct interest **pointer)
{
	struct room *room, *next;

	HASH_ITER (hh, (*pointer)->rooms, room, next)
		interest_drop(*pointer, &room);
	MEM_FREE(pointer);
}

struct room *
interest_find(struct interest *interest, const struct form_id *id)
{
	struct room *room;

	HASH_FIND(hh, interest->rooms, id, sizeof(*id), room);
	return room;
}

static void
set_viewers(struct interest *interest, struct room *room, size_t link, uint32_t viewers)
{
	uint64_t was = room->links[link].viewers;

	room->links[link].viewers = viewers;
	room->viewers += viewers - was;
	interest->viewers += viewers - was;
}

static struct room *
room_new(struct interest *interest, const struct form_id *id)
{
	struct room *room = mem_zalloc(sizeof(*room) + interest->links * sizeof(room->links[0]));

	room->id = *id;
	list_init(&room->ready_link);
	list_init(&room->cooling_link);
	for (size_t i = 0; i < interest->links; i++) {
		room->links[i].room = room;
		list_init(&room->links[i].owed_link);
	}
	HASH_ADD(hh, interest->rooms, id, sizeof(room->id), room);
	return room;
}

struct room *
interest_opened(struct interest *interest, size_t link, const struct form_id *id, uint32_t viewers)
{
	struct room *room = interest_find(interest, id);

	if (room == NULL)
		room = room_new(interest, id);
	room->links[link].open = true;
	set_viewers(interest, room, link, viewers);
	return room;
}

void
interest_viewers(struct interest *interest, size_t link, const struct form_id *id, uint32_t viewers)
{
	struct room *room = interest_find(interest, id);

	if (room != NULL && room->links[link].open)
		set_viewers(interest, room, link, viewers);
}

bool
interest_closed(struct interest *interest, size_t link, struct room *room)
{
	struct room_link *seen = &room->links[link];

	set_viewers(interest, room, link, 0);
	seen->open = false;
	seen->told_others = 0;
	seen->wants = 0;
	seen->owed = 0;
	list_remove(&seen->owed_link);
	for (size_t i = 0; i < interest->links; i++) {
		if (room->links[i].open)
			return false;
	}
	return true;
}

void
interest_drop(struct interest *interest, struct room **pointer)
{
	struct room *room = *pointer;

	interest->viewers -= room->viewers;
	list_remove(&room->ready_link);
	list_remove(&room->cooling_link);
	for (size_t i = 0; i < interest->links; i++)
		list_remove(&room->links[i].owed_link);
	HASH_DELETE(hh, interest->rooms, room);
	MEM_FREE(pointer);
}

size_t
interest_links(const struct interest *interest)
{
	return interest->links;
}

size_t
interest_rooms(const struct interest *interest)
{
	return HASH_COUNT(interest->rooms);
}

uint64_t
interest_total_viewers(const struct interest *interest)
{
	return interest->viewers;
}

struct room *
interest_next(const struct interest *interest, const struct room *room)
{
	return room == NULL ? interest->rooms : room->hh.next;
}
